package data

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
)

// asked yields pairs whose prompts repeat: pair i asks question i mod prompts,
// in one of two spellings.
func asked(n, prompts int, file string) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		for i := range n {
			text := fmt.Sprintf("What is %d?", i%prompts)
			if i%3 == 0 {
				text = "  what  IS " + fmt.Sprint(i%prompts) + "? "
			}
			if !yield(Pair{Prompt: Text{Plain: text}, Row: i, Unit: "row", File: file}, nil) {
				return
			}
		}
	}
}

func collect(t *testing.T, pairs iter.Seq2[Pair, error]) (rows []int) {
	t.Helper()
	for p, err := range pairs {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, p.Row)
	}
	return rows
}

// Over sizes, shares and seeds: each pair is in one part, a prompt's pairs are
// in the same one, as many prompts are held out as the share says, and the
// same again by the same seed, in whatever order the pairs come.
func TestSplitPrompts(t *testing.T) {
	for _, c := range []struct {
		pairs, prompts int
		share          float64
		held           int
	}{{1000, 100, 0.1, 10}, {1000, 1000, 0.25, 250}, {40, 10, 0.01, 1}, {40, 10, 0.99, 9}, {7, 2, 0.5, 1}} {
		var drawn [][]int
		for seed := range uint64(3) {
			s, err := SplitPrompts(asked(c.pairs, c.prompts, "f"), c.share, seed)
			if err != nil {
				t.Fatal(err)
			}
			counts := Counts{Read: c.pairs + 1, Kept: c.pairs, Skipped: map[Reason]int{ReasonTie: 1}}
			held, rest := collect(t, s.Held(asked(c.pairs, c.prompts, "f"), &counts)), collect(t, s.Rest(asked(c.pairs, c.prompts, "f"), nil))
			if s.Prompts != c.prompts || s.HeldPrompts != c.held || s.Pairs != c.pairs || s.HeldPairs != len(held) || len(held)+len(rest) != c.pairs ||
				counts.Kept != len(held) || counts.Read != len(held)+1 {
				t.Errorf("%+v: %+v, %d and %d pairs, %v", c, s, len(held), len(rest), counts)
			}
			side := map[int]bool{}
			for _, row := range held {
				side[row%c.prompts] = true
			}
			if len(side) != c.held || slices.ContainsFunc(rest, func(row int) bool { return side[row%c.prompts] }) {
				t.Errorf("%+v: a prompt is on both sides", c)
			}
			again, err := SplitPrompts(backwards(asked(c.pairs, c.prompts, "f")), c.share, seed)
			if err != nil || again.last != s.last {
				t.Errorf("another order gives another split: %v", err)
			}
			drawn = append(drawn, held)
		}
		if c.prompts >= 100 && slices.Equal(drawn[0], drawn[1]) {
			t.Error("two seeds gave one split")
		}
	}
	if _, err := SplitPrompts(asked(9, 1, "f"), 0.5, 1); err == nil || !strings.Contains(err.Error(), "1 prompt") {
		t.Error(err)
	}
	broken := errors.New("no such file")
	if _, err := SplitPrompts(func(yield func(Pair, error) bool) { yield(Pair{}, broken) }, 0.5, 1); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func backwards(pairs iter.Seq2[Pair, error]) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		var all []Pair
		for p := range pairs {
			all = append(all, p)
		}
		for _, p := range slices.Backward(all) {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func TestOverlap(t *testing.T) {
	var o Overlap
	collect(t, o.First(asked(6, 6, "train")))
	collect(t, o.First(asked(6, 5, "more")))
	second := func(yield func(Pair, error) bool) {
		for i, prompt := range []string{"what is 3?", "other", "What\n\nis 4?", "WHAT IS 5?", "what is 0?"} {
			if !yield(Pair{Prompt: Text{Plain: prompt}, File: "v", Unit: "line", Row: i + 1}, nil) {
				return
			}
		}
	}
	if got := collect(t, o.Second(second)); len(got) != 5 || o.Pairs != 5 || o.Shared != 4 {
		t.Errorf("%v, %+v", got, o)
	}
	want := []string{"v: line 1 has the prompt of train: row 3", "v: line 3 has the prompt of train: row 4", "v: line 4 has the prompt of train: row 5"}
	if !slices.Equal(o.Examples, want) {
		t.Errorf("%q", o.Examples)
	}
}

func TestFoldedKey(t *testing.T) {
	a, b := Text{Plain: "What  is\nIT?"}, Text{Plain: " what is it? "}
	if a.FoldedKey() != b.FoldedKey() || a.FoldedKey() == (Text{Plain: "what is it ?"}).FoldedKey() || a.FoldedKey() == (Text{Plain: "whatis it?"}).FoldedKey() {
		t.Error("white space and case alone are to be set aside")
	}
	// The split of a run must be the same wherever it is resumed.
	if got := b.FoldedKey(); got != 0x13f317f92cd91bb9 {
		t.Errorf("%#x", got)
	}
	if (Text{Messages: []Message{{Role: "user", Content: "a"}}}).FoldedKey() == (Text{Plain: "a"}).FoldedKey() {
		t.Error("roles count")
	}
}
