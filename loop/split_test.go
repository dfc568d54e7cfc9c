package loop

import (
	"fmt"
	"iter"
	"testing"

	"laurel/data"
)

func prompts(n, copies int) iter.Seq2[data.Prompt, error] {
	return func(yield func(data.Prompt, error) bool) {
		for i := range n * copies {
			if !yield(data.Prompt{ID: fmt.Sprint(i), Messages: []data.Message{{Role: "user", Content: fmt.Sprint("prompt ", i%n)}}}, nil) {
				return
			}
		}
	}
}

// TestSplit: every text is in one part, once, and the parts have the sizes that are
// asked for.
func TestSplit(t *testing.T) {
	c := Default()
	c.HeldOut, c.Rounds, c.PromptsPerRound, c.Seed = 0.25, 3, 4, 9
	s, err := NewSplit(prompts(22, 3), c)
	if err != nil {
		t.Fatal(err)
	}
	where := map[string]int{}
	sizes := map[int]int{}
	for p := range prompts(22, 3) {
		for part := range 4 {
			if !s.Has(part, p) {
				continue
			}
			if other, twice := where[p.Messages[0].Content]; twice {
				t.Errorf("%q is in part %d and in %d", p.Messages[0].Content, other, part)
			}
			where[p.Messages[0].Content] = part
			sizes[part]++
		}
	}
	if sizes[HeldOutPart] != 6 || sizes[1] != 4 || sizes[2] != 4 || sizes[3] != 4 || s.Unused != 4 {
		t.Errorf("sizes %v, %d unused; want 6 held out, 4 of each round, 4 unused", sizes, s.Unused)
	}
	c.PromptsPerRound = 6
	if _, err := NewSplit(prompts(22, 1), c); err == nil {
		t.Error("3 rounds of 6 prompts of 16: no error")
	}
}

// TestInputsChanges names what differs, values as they are and hashes without.
func TestInputsChanges(t *testing.T) {
	was, is := Inputs{"n": "4", "file": hashed + "a", "gone": "x"}, Inputs{"n": "5", "file": hashed + "b", "added": "y"}
	got := fmt.Sprint(is.changes(was))
	if want := "[added is new file changed gone is gone n was 4, is 5]"; got != want {
		t.Errorf("changes %s, want %s", got, want)
	}
}
