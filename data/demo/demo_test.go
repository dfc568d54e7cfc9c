package demo

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
)

var committed = sync.OnceValues(func() (Set, error) { return Generate(Seed) })

func committedSet(t *testing.T) Set {
	t.Helper()
	set, err := committed()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (s Set) all() []Pair {
	var all []Pair
	for _, part := range s.Parts() {
		all = append(all, part.Pairs...)
	}
	return all
}

func TestCommittedFilesAreTheGeneratorsOutput(t *testing.T) {
	files, err := committedSet(t).files()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for name, want := range files {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what Generate(%d) writes: run `go generate ./data/demo` and read the diff", name, Seed)
		}
		total += len(got)
	}
	if total > 2_100_000 {
		t.Errorf("the files have %d bytes, want at most 2,100,000", total)
	}
}

func TestCounts(t *testing.T) {
	set := committedSet(t)
	prompts, domains, ids, partOf := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]string{}
	for _, part := range set.Parts() {
		inPart := map[string]bool{}
		for _, p := range part.Pairs {
			if other, seen := partOf[p.Prompt]; seen && other != part.File {
				t.Errorf("prompt %q is in %s and in %s", p.Prompt, other, part.File)
			}
			partOf[p.Prompt] = part.File
			prompts[p.Prompt], domains[p.Subset], ids[p.ID], inPart[p.Subset] = true, true, true, true
		}
		if len(inPart) != 15 {
			t.Errorf("%s has pairs of %d domains, want all 15", part.File, len(inPart))
		}
	}
	if len(set.Train) != 900 || len(set.Validation) != 120 || len(set.Test) != 180 {
		t.Errorf("%d, %d and %d pairs, want 900, 120 and 180", len(set.Train), len(set.Validation), len(set.Test))
	}
	if len(prompts) != 240 || len(domains) != 15 || len(ids) != 1200 {
		t.Errorf("%d prompts, %d domains, %d ids; want 240, 15 and 1200", len(prompts), len(domains), len(ids))
	}
}

func TestRowsAreCleanText(t *testing.T) {
	for _, p := range committedSet(t).all() {
		if !strings.HasSuffix(p.Prompt, "\n") {
			t.Errorf("%s: prompt %q does not end its line", p.ID, p.Prompt)
		}
		for _, text := range []string{p.Chosen, p.Rejected} {
			switch {
			case strings.ContainsAny(text, "{}\n") || strings.Contains(text, "  "):
				t.Errorf("%s: open slot or stray space in %q", p.ID, text)
			case !strings.ContainsAny(text[len(text)-1:], ".?"):
				t.Errorf("%s: %q does not end a sentence", p.ID, text)
			case text[:1] != strings.ToUpper(text[:1]):
				t.Errorf("%s: %q does not start a sentence", p.ID, text)
			}
		}
	}
}

func TestConfidences(t *testing.T) {
	all := committedSet(t).all()
	ties, wide := 0, 0
	for _, p := range all {
		if p.Confidence < 0.5 || p.Confidence > 1 || p.VoteShare < 0 || p.VoteShare > 1 {
			t.Errorf("%s: confidence %v, vote share %v", p.ID, p.Confidence, p.VoteShare)
		}
		if p.Confidence == 0.5 {
			ties++
		}
		if p.Confidence > 0.9 {
			wide++
		}
	}
	if share := float64(ties) / float64(len(all)); share < 0.05 || share > 0.08 {
		t.Errorf("%.3f of the pairs are ties, want 0.05 to 0.08", share)
	}
	if share := float64(wide) / float64(len(all)); share < 0.2 || share > 0.6 {
		t.Errorf("%.3f of the pairs are over 0.9, want easy and hard ones", share)
	}
}

func TestUnlabelled(t *testing.T) {
	set := committedSet(t)
	heldOut, prompts, ids, sides := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, p := range append(set.Validation, set.Test...) {
		heldOut[p.Prompt] = true
	}
	for i, c := range set.Unlabelled {
		if heldOut[c.Prompt] {
			t.Errorf("%s is about the held-out prompt %q", c.ID, c.Prompt)
		}
		if set.Gold[i].ID != c.ID {
			t.Errorf("row %d: gold is of %s, not %s", i, set.Gold[i].ID, c.ID)
		}
		prompts[c.Prompt], ids[c.ID] = true, true
		sides[set.Gold[i].Gold]++
	}
	if len(prompts) != 180 || len(ids) != 1800 || len(set.Gold) != 1800 {
		t.Errorf("%d prompts, %d ids, %d golds, want 180, 1800 and 1800", len(prompts), len(ids), len(set.Gold))
	}
	if a, b := sides["a"], sides["b"]; a < 4*b/5 || b < 4*a/5 || sides["tie"] < 200 || a+b+sides["tie"] != 1800 {
		t.Errorf("gold is %v, want a and b about as often", sides)
	}
}

func TestNoHeldOutResponseIsInTraining(t *testing.T) {
	set := committedSet(t)
	seen := map[string]bool{}
	for _, p := range set.Train {
		seen[p.Chosen], seen[p.Rejected] = true, true
	}
	for _, p := range append(set.Validation, set.Test...) {
		if seen[p.Chosen] || seen[p.Rejected] {
			t.Errorf("%s: a response is in training word for word", p.ID)
		}
	}
}

func TestSeedDecides(t *testing.T) {
	one, err := Generate(Seed + 1)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := one.Parts()[2].JSONL()
	b, _ := committedSet(t).Parts()[2].JSONL()
	if bytes.Equal(a, b) {
		t.Error("two seeds gave the same test pairs")
	}
	checkShortcuts(t, "another seed", one)
}
