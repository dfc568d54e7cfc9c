package demo

import (
	"math"
	"testing"
)

// Four pairs: chosen is longer in one, shorter in two, as long in one: longer
// is right in (1 + 1/2)/4. "soon" stands in chosen alone twice and in rejected
// alone once; "no" in rejected alone three times: (3 + 1/2)/4.
func TestShortcutsByHand(t *testing.T) {
	pairs := []Pair{
		{Chosen: "Yes, soon.", Rejected: "No."},
		{Chosen: "Soon!", Rejected: "no idea"},
		{Chosen: "aye", Rejected: "No, soon"},
		{Chosen: "abc", Rejected: "xyz"},
	}
	got := Shortcuts(pairs)
	want := ShortcutReport{Pairs: 4, Longer: 0.375, Shorter: 0.625, Keyword: "no", KeywordFavours: "rejected", KeywordAccuracy: 0.875}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestShortcutsOfNothing(t *testing.T) {
	if got := Shortcuts(nil); got != (ShortcutReport{}) {
		t.Errorf("got %+v", got)
	}
}

func TestBigramsCount(t *testing.T) {
	pairs := []Pair{{Chosen: "not bad at all", Rejected: "all at bad not"}}
	if got := Shortcuts(pairs); got.KeywordAccuracy != 1 || got.Keyword != "all at" {
		t.Errorf("got %+v, want the first of the bigrams", got)
	}
}

// Swapping the sides of every pair turns each rule round.
func TestShortcutsAreSymmetric(t *testing.T) {
	pairs := committedSet(t).Test
	swapped := make([]Pair, len(pairs))
	for i, p := range pairs {
		p.Chosen, p.Rejected = p.Rejected, p.Chosen
		swapped[i] = p
	}
	a, b := Shortcuts(pairs), Shortcuts(swapped)
	if a.Longer != b.Shorter || a.Keyword != b.Keyword || a.KeywordAccuracy != b.KeywordAccuracy || a.KeywordFavours == b.KeywordFavours {
		t.Errorf("%v\n%v", a, b)
	}
}

func TestNoShortcutTellsTheLabel(t *testing.T) {
	checkShortcuts(t, "committed", committedSet(t))
}

func checkShortcuts(t *testing.T, name string, set Set) {
	t.Helper()
	for _, part := range append(set.Parts(), Part{"all", set.all()}) {
		report := Shortcuts(part.Pairs)
		t.Logf("%s, %s: %v", name, part.File, report)
		if report.Longer < 0.45 || report.Longer > 0.55 || report.KeywordAccuracy > 0.60 {
			t.Errorf("%s, %s: %v: want lengths within 0.45 to 0.55 and no keyword over 0.60", name, part.File, report)
		}
	}
}

// A logistic regression on words and bigrams must do on held-out prompts what
// no single one of them can, and not do it perfectly.
func TestManyWeakSignsGeneralise(t *testing.T) {
	set := committedSet(t)
	weights := fitKeywords(set.Train, 20, 0.05)
	for _, part := range set.Parts()[1:] {
		accuracy := keywordAccuracy(weights, part.Pairs)
		t.Logf("%s: accuracy %.3f", part.File, accuracy)
		if accuracy < 0.75 || accuracy > 0.95 {
			t.Errorf("%s: accuracy %.3f, want 0.75 to 0.95", part.File, accuracy)
		}
	}
}

// fitKeywords goes downhill on −w·log σ(Σ weights of chosen − Σ of rejected).
func fitKeywords(pairs []Pair, epochs int, rate float64) map[string]float64 {
	weights := make(map[string]float64)
	differences := make([]map[string]int, len(pairs))
	for i, p := range pairs {
		differences[i] = keywordDifference(keywords(p.Chosen), keywords(p.Rejected))
	}
	for range epochs {
		for i, difference := range differences {
			push := rate * pairs[i].Confidence / (1 + math.Exp(margin(weights, difference)))
			for keyword, side := range difference {
				weights[keyword] += push * float64(side)
			}
		}
	}
	return weights
}

func margin(weights map[string]float64, difference map[string]int) float64 {
	sum := 0.0
	for keyword, side := range difference {
		sum += weights[keyword] * float64(side)
	}
	return sum
}

func keywordAccuracy(weights map[string]float64, pairs []Pair) float64 {
	right := 0
	for _, p := range pairs {
		if margin(weights, keywordDifference(keywords(p.Chosen), keywords(p.Rejected))) > 0 {
			right++
		}
	}
	return float64(right) / float64(len(pairs))
}
