package review

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"laurel/data"
	"laurel/labels"
)

func comparisons(n int) []labels.Review {
	rows := make([]labels.Review, n)
	for i := range rows {
		rows[i].Comparison = data.Comparison{ID: fmt.Sprint("c", i), Prompt: data.Text{Plain: fmt.Sprint("p", i)}, A: data.Text{Plain: "one"}, B: data.Text{Plain: "other"}}
	}
	return rows
}

func open(t *testing.T, rows []labels.Review, cfg Config) *Book {
	t.Helper()
	b, err := Open(rows, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// say answers the comparison that is next for an annotator.
func say(t *testing.T, b *Book, annotator, choice string) *item {
	t.Helper()
	v := b.next(annotator)
	if v.Item == nil {
		t.Fatalf("nothing is left for %s", annotator)
	}
	if err := b.answer(entry{annotator, v.Item.Item, v.Item.Version, choice, ""}); err != nil {
		t.Fatal(err)
	}
	return v.Item
}

// TestOrdersAndSides: each person has an order and sides of their own, the same
// after a restart, and each response is as often on the left.
func TestOrdersAndSides(t *testing.T) {
	const n = 2000
	rows := comparisons(n)
	b := open(t, rows, Config{Out: filepath.Join(t.TempDir(), "a"), Seed: 7})
	ann, bo := b.person("ann").order, b.person("bo").order
	if slices.Equal(ann, bo) || !slices.Equal(ann, orderFor(b.sheets, 7, "ann")) || slices.Equal(ann, orderFor(b.sheets, 8, "ann")) {
		t.Error("orders are not of seed and annotator")
	}
	if sorted := slices.Sorted(slices.Values(ann)); sorted[0] != 0 || sorted[n-1] != n-1 || len(slices.Compact(sorted)) != n {
		t.Error("an order is no permutation")
	}
	a, same := 0.0, 0.0
	for i := range b.sheets {
		left := leftFor(&b.sheets[i], 7, "ann")
		if left == labels.SideA {
			a++
		}
		if left == leftFor(&b.sheets[i], 7, "bo") {
			same++
		}
	}
	for what, count := range map[string]float64{"a on the left": a, "on the same side for two": same} {
		if math.Abs(count-n/2) > 4*math.Sqrt(n)/2 { // four standard deviations
			t.Errorf("%s: %v of %d", what, count, n)
		}
	}
}

// TestAnswers follows one person: answer, tie, skip, undo, what comes next, and
// the same again after the file was read anew.
func TestAnswers(t *testing.T) {
	rows, out := comparisons(4), filepath.Join(t.TempDir(), "answers.jsonl")
	b := open(t, rows, Config{Out: out})
	order := b.person("ann").order
	if first := say(t, b, "ann", "left"); first.Item != order[0] || first.Number != 1 {
		t.Errorf("first %+v", first)
	}
	say(t, b, "ann", "skip")
	say(t, b, "ann", "tie")
	taken, err := b.undo("ann", 3)
	if err != nil || taken != order[2] {
		t.Fatalf("undo of %d: %v", taken, err)
	}
	if v := b.next("ann"); v.Answered != 1 || v.Skipped != 1 || v.Item.Item != order[2] || v.Item.Version != 2 || v.Item.Did != TakenBack {
		t.Errorf("after undo: %+v %+v", v, v.Item)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, rows, Config{Out: out})
	say(t, b, "ann", "right")
	if last := say(t, b, "ann", "left"); last.Item != order[3] {
		t.Errorf("the fourth is %+v", last)
	}
	if skipped := say(t, b, "ann", "tie"); skipped.Item != order[1] || skipped.Did != Skipped {
		t.Errorf("the skipped one comes last, not %+v", skipped)
	}
	if v := b.next("ann"); v.Item != nil || v.Answered != 4 || v.Lines != 7 {
		t.Errorf("at the end: %+v", v)
	}
	for want := 3; want >= 0; want-- {
		if _, err := b.undo("ann", 7+3-want); err != nil || b.next("ann").Answered != want {
			t.Errorf("%d left: %v", want, err)
		}
	}
	if _, err := b.undo("ann", 11); !errors.As(err, &errRefused{}) {
		t.Errorf("undo of nothing: %v", err)
	}
}

// TestSides: an answer is kept as of the comparison's own sides, whatever was on
// the left.
func TestSides(t *testing.T) {
	rows, out := comparisons(40), filepath.Join(t.TempDir(), "answers.jsonl")
	b := open(t, rows, Config{Out: out})
	for range rows {
		it := say(t, b, "ann", "left")
		said := b.people["ann"].said[it.Item]
		shown := map[labels.Side]string{labels.SideA: "one", labels.SideB: "other"}
		if it.Left[0].Text != shown[said.Left] || said.Side != said.Left || b.show("ann", it.Item).Item.Choice != "left" {
			t.Fatalf("%+v of %+v", said, it)
		}
	}
}

// TestTabs: of two pages that answer the same comparison one is kept, and the
// other told; the same answer sent twice is kept once.
func TestTabs(t *testing.T) {
	b := open(t, comparisons(3), Config{Out: filepath.Join(t.TempDir(), "a")})
	at := b.next("ann").Item.Item
	e := entry{"ann", at, 0, "left", "why"}
	for range 2 {
		if err := b.answer(e); err != nil {
			t.Fatal(err)
		}
	}
	e.Choice = "right"
	if err := b.answer(e); !errors.Is(err, errConflict) || b.people["ann"].said[at].Version != 1 {
		t.Errorf("%v, %+v", err, b.people["ann"].said[at])
	}
	if _, err := b.undo("ann", 0); !errors.Is(err, errConflict) {
		t.Errorf("undo of an old page: %v", err)
	}
	e.Version = 1
	if err := b.answer(e); err != nil || b.people["ann"].said[at].Version != 2 {
		t.Errorf("answered anew: %v", err)
	}
	for _, e := range []entry{{"", 0, 0, "left", ""}, {"a+b", 0, 0, "left", ""}, {" a", 0, 0, "left", ""}, {strings.Repeat("x", 61), 0, 0, "left", ""}, {"a\nb", 0, 0, "left", ""},
		{"ann", -1, 0, "left", ""}, {"ann", 3, 0, "left", ""}, {"ann", 2, 0, "both", ""}, {"ann", 2, 0, "left", "a\x00"}} {
		if err := b.answer(e); !errors.As(err, &errRefused{}) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

func TestIdentical(t *testing.T) {
	rows := comparisons(1)
	rows[0].B = rows[0].A
	b := open(t, rows, Config{Out: filepath.Join(t.TempDir(), "a")})
	if err := b.answer(entry{"ann", 0, 0, "left", ""}); !errors.As(err, &errRefused{}) {
		t.Errorf("a side of equal responses: %v", err)
	}
	if say(t, b, "ann", "tie"); b.Agreement().Answered != 1 {
		t.Error("a tie is refused")
	}
}

// TestManyAtOnce: people who answer at the same time, each in two pages, lose
// nothing; the file reads back as what was said.
func TestManyAtOnce(t *testing.T) {
	const n, people = 20, 4
	rows, out := comparisons(n), filepath.Join(t.TempDir(), "answers.jsonl")
	b := open(t, rows, Config{Out: out})
	var all sync.WaitGroup
	for p := range people {
		for tab := range 2 {
			all.Go(func() {
				name := fmt.Sprint("person ", p)
				for {
					v := b.next(name)
					if v.Item == nil {
						return
					}
					choice := []string{"left", "right", "tie"}[(v.Item.Item+tab)%3]
					if err := b.answer(entry{name, v.Item.Item, v.Item.Version, choice, ""}); err != nil && !errors.Is(err, errConflict) {
						t.Error(err)
						return
					}
					b.Annotators()
				}
			})
		}
	}
	all.Wait()
	was := b.Agreement()
	if was.Answered != n || was.Twice != n || len(was.Annotators) != people {
		t.Errorf("%+v", was)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil || strings.Count(string(raw), "\n") != n*people {
		t.Errorf("%d lines, %v", strings.Count(string(raw), "\n"), err)
	}
	again := open(t, rows, Config{Out: out})
	if now := again.Agreement(); now.People.Alpha != was.People.Alpha || len(now.Conflicts) != len(was.Conflicts) {
		t.Errorf("%+v, was %+v", now, was)
	}
}
