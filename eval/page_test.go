package eval

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/eval/draw/drawtest"
	"laurel/eval/stats"
)

// hostilePairs are read pairs whose texts try to be markup, or are long.
func hostilePairs() []data.Pair {
	text := func(s string) data.Text { return data.Text{Plain: s} }
	long := strings.Repeat("A long answer without any end. ", 500)
	return []data.Pair{
		{Prompt: text("first"), Chosen: text("right"), Rejected: text("wrong")},
		{Prompt: text("<script>alert(1)</script>"), Chosen: text("</pre></article><img src=x onerror=alert(2)>"), Rejected: text("\"&'\x00\u202eabc")},
		{Prompt: data.Text{Messages: []data.Message{{Role: "user", Content: "</style><b>"}}}, Chosen: text(long), Rejected: text("")},
		{Prompt: text("last"), Chosen: text(strings.Repeat("unbreakable", 200)), Rejected: text("short")},
	}
}

// ranked are rows of the pairs, all but the first ranked wrong.
func ranked(pairs []data.Pair) []Row {
	rows := make([]Row, len(pairs))
	for i, p := range pairs {
		rows[i] = Row{Place: i, Prompt: data.PromptKey(p.Prompt), Chosen: -float64(i), Confidence: 0.9, Subset: "s<i>", LenChosen: p.Chosen.Chars(), LenRejected: p.Rejected.Chars()}
	}
	rows[0].Chosen = 1
	return rows
}

func each(pairs []data.Pair) iter.Seq2[data.Pair, error] {
	return func(yield func(data.Pair, error) bool) {
		for i, p := range pairs {
			p.File, p.Row, p.Unit = "pairs<b>.jsonl", i, "row"
			if !yield(p, nil) {
				return
			}
		}
	}
}

func TestWorstRankedWithTexts(t *testing.T) {
	pairs := hostilePairs()
	r := evaluate(t, ranked(pairs))
	if len(r.Worst) != 3 || r.Worst[0].Place != 3 || r.Worst[0].Margin != -3 {
		t.Fatalf("worst %+v", r.Worst)
	}
	examples, err := r.Examples(each(pairs))
	if err != nil {
		t.Fatal(err)
	}
	page := writePages(t, Run{Name: "a<b>", Model: "<i>", Data: "d&d", Report: r, Examples: examples})
	drawtest.Page(t, "hostile", page)
	for _, want := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;/pre&gt;&lt;/article&gt;&lt;img src=x onerror=alert(2)&gt;", "<details><summary", "(empty)", "more characters)", "pairs&lt;b&gt;.jsonl, row 1"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if len(page) > 300_000 {
		t.Errorf("page of %d bytes", len(page))
	}
	drawtest.Fits(t, page)
}

// TestExamplesOfOtherFiles: texts are shown only where the files still hold the
// pair; an error in reading them is one.
func TestExamplesOfOtherFiles(t *testing.T) {
	pairs := hostilePairs()
	r := evaluate(t, ranked(pairs))
	slices.Reverse(pairs)
	examples, err := r.Examples(each(pairs))
	if err != nil || len(examples) != 3 || examples[0].Texts != nil || examples[1].Texts != nil {
		t.Errorf("%v: %+v", err, examples)
	}
	fails := func(yield func(data.Pair, error) bool) { yield(data.Pair{}, errors.New("gone")) }
	if _, err := r.Examples(fails); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Error(err)
	}
}

func writePages(t *testing.T, runs ...Run) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := WriteHTML(path, runs); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestKeptCheckpointLeads: the figures atop the page are the kept checkpoint's,
// marked in the curves, with the last step's beside.
func TestKeptCheckpointLeads(t *testing.T) {
	r := evaluate(t, randomRows(300, 4))
	r.Step = 20
	page := writePages(t, Run{Name: "demo", Model: "m", Data: "d", Report: r, Curve: someCurve(40), Kept: 20, Loss: "weighted loss",
		Facts: []draw.Fact{{Name: "learning rate", Value: "2e-5"}}})
	drawtest.Page(t, "kept", page)
	for _, want := range []string{"<h1>Reward model report, demo</h1>", "model m · data d", "Accuracy of the kept checkpoint, step 20", "after the last step, 40, it is", "kept, step 20",
		"Marked is step 20", "It is the weighted loss; ", "over steps 11 to 20", "light-dark(", `role="img" aria-label="Loss during training, demo. training `, "<desc>", "2e-5"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestRunsSideBySide: several runs share the curves' charts, and have a row of
// a table and an evaluation each.
func TestRunsSideBySide(t *testing.T) {
	a, b := Run{Name: "first", Report: evaluate(t, randomRows(200, 1)), Curve: someCurve(50)}, Run{Name: "second<b>", Curve: someCurve(3000), Kept: 10}
	page := writePages(t, a, b)
	drawtest.Page(t, "two", page)
	for _, want := range []string{">Runs</h2>", ">Evaluation: first</h2>", "Evaluation: second&lt;b&gt;", "No evaluation yet.", "shown: first, second"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	paths, err := WritePlots(t.TempDir(), []Run{a, a, b})
	if err != nil || len(paths) != 5+8+8 {
		t.Errorf("%v: %v", err, paths)
	}
	for _, path := range paths {
		svg, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		drawtest.SVG(t, filepath.Base(path), svg)
	}
	drawtest.Fits(t, page)
}

// TestLikeForLike: three training points before the validation at step 30, which
// are means over 10, 10 and 10 steps, one of them not finite.
func TestLikeForLike(t *testing.T) {
	loss := func(p Point) float64 { return p.Loss }
	curve := []Point{{Step: 10, Loss: 0.7}, {Step: 10, Loss: 0.69, Validation: true}, {Step: 20, Loss: 0.6}, {Step: 25, Loss: math.NaN()},
		{Step: 30, Loss: 0.3}, {Step: 30, Loss: 0.5, Validation: true}, {Step: 40, Loss: 0.1}}
	c, ok := Run{Curve: curve}.compare(loss)
	if !ok || c.step != 30 || c.after != 10 {
		t.Fatalf("%+v", c)
	}
	near(t, "training", c.training, 0.45, 1e-12)
	near(t, "validation", c.validation, 0.5, 0)
	if c, _ = (Run{Curve: curve, Kept: 10}).compare(loss); c.step != 10 || c.training != 0.7 {
		t.Errorf("of the kept step: %+v", c)
	}
	if _, ok := (Run{Curve: curve[2:4]}).compare(loss); ok {
		t.Error("a comparison without validation")
	}
}

// TestReportReadsBack: what is written is what is read, what is undefined too.
func TestReportReadsBack(t *testing.T) {
	for name, rows := range awkward() {
		if name == "hostile" || name == "usual" || name == "ties" {
			r := evaluate(t, rows)
			r.Step = 7
			path := filepath.Join(t.TempDir(), "report.json")
			again := filepath.Join(t.TempDir(), "again.json")
			if err := r.WriteJSON(path); err != nil {
				t.Fatal(err)
			}
			back, err := ReadReport(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := back.WriteJSON(again); err != nil {
				t.Fatal(err)
			}
			a, _ := os.ReadFile(path)
			b, _ := os.ReadFile(again)
			if string(a) != string(b) || back.Step != 7 {
				t.Errorf("%s: not the same", name)
			}
		}
	}
	if _, err := ReadReport("missing.json"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	var v stats.Value
	if err := v.UnmarshalJSON([]byte(`"x"`)); err == nil {
		t.Error(fmt.Sprint("a string is read as ", v))
	}
}
