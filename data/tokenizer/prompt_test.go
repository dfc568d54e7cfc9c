package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"laurel/data"
)

// TestPromptIDs: whatever follows a prompt of whole words, its ids come first, less
// those that were cut.
func TestPromptIDs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"wordpiece", "bpe"} {
		tok := open(t, "testdata", name)
		plain := func(s string) data.Text { return data.Text{Plain: s} }
		for range 300 {
			p := data.Pair{Prompt: plain(drawnWords(random)), Chosen: plain(drawnWords(random)), Rejected: plain(drawnWords(random))}
			alone, err := tok.EncodeText(p.Prompt.Plain, 0, Left)
			if err != nil {
				t.Fatal(err)
			}
			own := len(alone.IDs) - len(tok.suffix)
			for _, side := range []Side{Left, Right} {
				length := random.IntN(60) + 4
				chosen, rejected, err := tok.EncodePair(p, length, side)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range []data.Tokens{chosen, rejected} {
					want := min(own, length)
					if side == Left {
						want = max(len(tok.prefix), own-s.Cut)
					}
					if side == Right && s.Cut > 0 {
						want = min(own, len(s.IDs)-len(tok.suffix))
					}
					if got := tok.PromptIDs(p.Prompt, side, s); got != want && !(want == len(tok.prefix) && got > want) {
						t.Fatalf("%s, %s, %d ids lost of %q + %q: %d of the prompt's, want %d", name, side, s.Cut, p.Prompt.Plain, p.Chosen.Plain, got, want)
					}
				}
				if got := tok.PromptIDs(p.Prompt, side, chosen, rejected); chosen.Cut == rejected.Cut && got > data.SharedPrefix(chosen.IDs, rejected.IDs) {
					t.Fatalf("%s: %d ids of the prompt's, but fewer are shared", name, got)
				}
			}
		}
	}
}

func drawnWords(random *rand.Rand) string {
	words := []string{"the", "sea", "is", "cold", "and", "deep", "fish", "swim"}
	var b strings.Builder
	for range random.IntN(20) + 1 {
		b.WriteString(" " + words[random.IntN(len(words))])
	}
	return b.String()
}

// TestPromptIDsOfMergedLetters: a token across prompt and response is not the
// prompt's.
func TestPromptIDsOfMergedLetters(t *testing.T) {
	tok := open(t, "testdata", "bpe")
	p := data.Pair{Prompt: data.Text{Plain: "it is th"}, Chosen: data.Text{Plain: "e sea"}, Rejected: data.Text{Plain: " is deep"}}
	chosen, rejected, err := tok.EncodePair(p, 0, Left)
	if err != nil {
		t.Fatal(err)
	}
	alone, whole := tok.PromptIDs(p.Prompt, Left, chosen), tok.PromptIDs(p.Prompt, Left, rejected)
	if both := tok.PromptIDs(p.Prompt, Left, chosen, rejected); alone >= whole || both != alone {
		t.Errorf("%d ids before \"e sea\", %d before \" is deep\", %d before both: %v, %v", alone, whole, both, chosen.IDs, rejected.IDs)
	}
}
