package inspect_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
	"laurel/data/inspect"
	"laurel/data/tokenizer"
)

// BenchmarkFiles inspects 20,000 rows of a few words each, tokens counted by
// the demo's tokenizer.
func BenchmarkFiles(b *testing.B) {
	t, err := tokenizer.Open(filepath.Join("..", "..", "configs", "demo-encoder"))
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	words := strings.Fields("how can I make the best of a rainy day when nobody is home and the shops are closed early for once")
	say := func(n int) string {
		var said []string
		for range n {
			said = append(said, words[rng.IntN(len(words))])
		}
		return strings.Join(said, " ")
	}
	const rows = 20_000
	var lines strings.Builder
	for i := range rows {
		fmt.Fprintf(&lines, "{\"prompt\":\"Question %d: %s?\",\"chosen\":\"%s\",\"rejected\":\"%s.\"}\n", i, say(4), say(2+rng.IntN(6)), say(2+rng.IntN(6)))
	}
	path := filepath.Join(b.TempDir(), "short.jsonl")
	if err := os.WriteFile(path, []byte(lines.String()), 0o666); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := inspect.Files(b.Context(), []string{path}, data.ReadConfig{}, inspect.With(t, 512)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
