package eval

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestSeenPairsAreLeftOut: what is left is measured as if it were all, and the
// figures of what is left out are by hand.
func TestSeenPairsAreLeftOut(t *testing.T) {
	row := func(place int, margin float64) Row {
		return Row{Place: place, Prompt: uint64(place + 1), Chosen: margin, Confidence: 1, LenChosen: 10 + place%3, LenRejected: 11}
	}
	rows := []Row{row(0, 1), row(1, -1), row(2, 2), row(3, 0), row(4, 1), row(5, 1)}
	seen := map[int][2]bool{0: {true, true}, 3: {true, false}, 4: {false, true}}
	at := func(place int) (bool, bool) { return seen[place][0], seen[place][1] }
	cfg := Config{Bootstrap: 200, Rules: []Rule{{"rule", "says", []float64{1, 2, 3, 4, 5, 6}}}, Others: []Other{{Name: "other", Rows: slices.Clone(rows)}}}

	kept, without := WithoutSeen(rows, cfg, at)
	if s := without.Seen; *s != (Seen{Pairs: 2, LeftOut: true, Accuracy: 0.75, Prompts: 1}) {
		t.Errorf("%+v", s)
	}
	if !slices.Equal(without.Rules[0].Margin, []float64{2, 3, 5, 6}) || len(cfg.Rules[0].Margin) != 6 || len(cfg.Others[0].Rows) != 6 {
		t.Errorf("%v, %v", without.Rules, cfg)
	}
	got, err := Evaluate(kept, without)
	if err != nil {
		t.Fatal(err)
	}
	if got.N != 4 || got.AccuracyTiesHalf != 0.75 || got.Comparisons[0].Accuracy != 0.75 || len(got.Rulers) != 3 {
		t.Errorf("%d pairs, accuracy %v, %+v, %d rulers", got.N, got.AccuracyTiesHalf, got.Comparisons, len(got.Rulers))
	}
	var printed bytes.Buffer
	if err := got.Print(&printed); err != nil {
		t.Fatal(err)
	}
	const first = "warning: the model was trained on 2 of the 6 pairs: they are left out of all figures (accuracy on them 0.750)\n" +
		"warning: the prompts of 1 of the 4 pairs are training prompts, with other responses"
	if !strings.HasPrefix(printed.String(), first) || strings.Count(printed.String(), "trained on 2 of") != 1 {
		t.Errorf("%s", &printed)
	}

	all := func(int) (bool, bool) { return true, true }
	kept, without = WithoutSeen(rows, cfg, all)
	if got, err = Evaluate(kept, without); err != nil {
		t.Fatal(err)
	}
	if got.N != 6 || !got.Seen.Whole() || len(got.Rulers) != 0 || !strings.Contains(got.Warnings[0], "trained on all 6 pairs") || !strings.Contains(got.Warnings[0], "there is no verdict") {
		t.Errorf("%d pairs, %+v, %v, %q", got.N, got.Seen, got.Rulers, got.Warnings)
	}
	page, err := pageOf([]Run{{Report: got}})
	if err != nil {
		t.Fatal(err)
	}
	if page.Headline[0].Name != "Accuracy on training pairs" || page.Headline[1].Note != "the model was trained on all of the pairs" || page.Warnings[0] != got.Warnings[0] {
		t.Errorf("%+v, %v", page.Headline, page.Warnings)
	}

	none := func(int) (bool, bool) { return false, false }
	if kept, without = WithoutSeen(rows, cfg, none); len(kept) != 6 || without.Seen.Whole() || without.Seen.warnings(6) != nil {
		t.Errorf("%d rows, %+v", len(kept), without.Seen)
	}
}
