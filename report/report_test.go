package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"laurel/data"
	"laurel/eval"
)

// evaluated writes an evaluation of pairs with these margins, pairs of a prompt two
// by two, as laurel eval does.
func evaluated(t *testing.T, dir string, margins ...float64) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var rows []eval.Row
	var pairs []data.Pair
	for i, m := range margins {
		p := data.Pair{Prompt: data.Text{Plain: fmt.Sprint("prompt ", i/2)}, Chosen: data.Text{Plain: fmt.Sprint("good ", i)}, Rejected: data.Text{Plain: fmt.Sprint("bad ", i)}, File: "pairs.jsonl", Row: i, Unit: "row"}
		pairs = append(pairs, p)
		rows = append(rows, eval.Row{Place: i, Prompt: data.PromptKey(p.Prompt), Chosen: m, Confidence: 0.75, LenChosen: p.Chosen.Chars(), LenRejected: p.Rejected.Chars()})
	}
	r, err := eval.Evaluate(rows, eval.Config{Bootstrap: 200})
	if err != nil {
		t.Fatal(err)
	}
	each := func(yield func(data.Pair, error) bool) {
		for _, p := range pairs {
			if !yield(p, nil) {
				return
			}
		}
	}
	for _, err := range []error{r.WriteJSON(filepath.Join(dir, reportFile)), eval.WritePairs(filepath.Join(dir, eval.PairsFile), rows, each), eval.Made{Model: "m", Data: []string{"pairs.jsonl"}}.Write(dir)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, dir string) *Run {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestLead: of a run's evaluations the page leads with that in the folder eval,
// then the first by name; report.json of labels is none.
func TestLead(t *testing.T) {
	run := t.TempDir()
	for _, dir := range []string{"", "eval", "another", "checkpoints/step-000001"} {
		evaluated(t, filepath.Join(run, dir), 1, -1, 2, 3)
	}
	labels := filepath.Join(run, "labels")
	if err := os.MkdirAll(labels, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(labels, reportFile), []byte(`{"labels": 3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	r := open(t, run)
	if r.Evaluation.Name != "eval" || len(r.Evaluations) != 3 || !r.Evaluations[0].Validation || len(r.Pairs) != 4 || !strings.Contains(r.verdict(), "Of 4 pairs the model ranks 75.0% right") {
		t.Errorf("leads with %s of %d: %s", r.Evaluation.Name, len(r.Evaluations), r.verdict())
	}
	if err := os.RemoveAll(filepath.Join(run, "eval")); err != nil {
		t.Fatal(err)
	}
	if r = open(t, run); r.Evaluation.Name != "another" {
		t.Errorf("leads with %s", r.Evaluation.Name)
	}
	if _, err := Open(labels); err == nil || !strings.Contains(err.Error(), "neither a run") {
		t.Error(err)
	}
}

// TestDifferences: every run is held to the first, p values by Holm's rule.
func TestDifferences(t *testing.T) {
	root := t.TempDir()
	good, bad := make([]float64, 40), make([]float64, 40)
	for i := range good {
		good[i], bad[i] = 1, 1
		if i%2 == 0 {
			bad[i] = -1
		}
	}
	evaluated(t, filepath.Join(root, "good"), good...)
	evaluated(t, filepath.Join(root, "bad"), bad...)
	evaluated(t, filepath.Join(root, "small"), 1, 1)
	runs := []*Run{open(t, filepath.Join(root, "good")), open(t, filepath.Join(root, "bad")), open(t, filepath.Join(root, "bad")), open(t, filepath.Join(root, "small"))}
	found, err := differences(runs)
	if err != nil || len(found) != 3 {
		t.Fatal(found, err)
	}
	if d := found[0]; d.Pairs != 40 || d.Difference.Difference != -0.5 || math.Abs(float64(d.P)-math.Pow(0.5, 19)) > 1e-9 || math.Abs(float64(d.holm-3*d.P)) > 1e-12 || !strings.Contains(d.says(), "bad is less accurate than good (-50.0 points") {
		t.Errorf("%+v: %s", d, d.says())
	}
	if d := found[2]; d.Pairs != 2 || d.Difference.Difference != 0 || !strings.Contains(d.says(), "No difference in accuracy is shown") {
		t.Errorf("%+v: %s", d, d.says())
	}
}

// TestSurprise: KL(0.75, σ(m)) by hand; the list is cut to the most surprising.
func TestSurprise(t *testing.T) {
	p, c := 1/(1+math.Exp(2)), 0.75 // σ(-2)
	want := c*math.Log(c/p) + (1-c)*math.Log((1-c)/(1-p))
	m := -2.0
	e := &example{pair: &eval.Evaluated{Ranked: eval.Ranked{Confidence: c}}, margins: []*float64{nil, &m}}
	if got := e.surprise(); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	e.pair.Confidence = 1
	if got := e.surprise(); math.Abs(got+math.Log(p)) > 1e-12 {
		t.Errorf("of a certain label %v, want %v", got, -math.Log(p))
	}
	dir := t.TempDir()
	evaluated(t, dir, 1, -4, 3, -2)
	page, err := New([]*Run{open(t, dir)}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range page.page.Sections {
		if s.Browse != nil {
			raw, _ := json.Marshal(s.Browse.Items)
			if len(s.Browse.Items) != 2 || !strings.Contains(string(raw), "good 1") || !strings.Contains(string(raw), "good 3") {
				t.Errorf("%s", raw)
			}
		}
	}
}

// TestCard: the header is model-index, with the report's own figures; a run
// that is not evaluated has none.
func TestCard(t *testing.T) {
	dir := t.TempDir()
	evaluated(t, dir, 1, -1, 2, 3)
	header, body, err := open(t, dir).Card()
	if err != nil {
		t.Fatal(err)
	}
	var index modelIndex
	if err := yaml.Unmarshal([]byte(header), &index); err != nil || len(index.Index) != 1 {
		t.Fatal(header, err)
	}
	r := index.Index[0].Results[0]
	if r.Metrics[0].Value != 0.75 || r.Metrics[0].Type != "accuracy" || r.Dataset.Name != "pairs.jsonl" || r.Dataset.Type != "pairs" {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(body, "| 4 | 75.0% |") || !strings.Contains(body, "only 4 pairs") {
		t.Error(body)
	}
	header, body, err = (&Run{}).Card()
	if header != "" || body != "" || err != nil {
		t.Errorf("of nothing: %q, %q, %v", header, body, err)
	}
}
