package demo

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// simulatedWords are what simulated rows are made of.
var simulatedWords = strings.Fields("how can I make the best of a rainy day when nobody is home and the shops are closed early for once")

// Simulated writes n pairs of a few words each as JSON lines, a number of its own
// in each prompt: rows to measure pace and memory with, not to learn from. They
// are the same rows every time.
func Simulated(w io.Writer, n int) error {
	out := bufio.NewWriterSize(w, 1<<20)
	random := rand.New(rand.NewPCG(1, 1))
	say := func(words int) {
		for i := range words {
			if i > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(simulatedWords[random.IntN(len(simulatedWords))])
		}
	}
	for i := range n {
		fmt.Fprintf(out, `{"prompt":"Question %d: `, i)
		say(4)
		out.WriteString(`?","chosen":"`)
		say(2 + random.IntN(6))
		out.WriteString(`","rejected":"`)
		say(2 + random.IntN(6))
		out.WriteString(".\"}\n")
	}
	return out.Flush()
}
