package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"laurel/eval/draw"
	"laurel/eval/draw/drawtest"
)

// awkward are rows that leave something undefined, or try what comes out.
func awkward() map[string][]Row {
	big := pairsOf(5, 3)
	for i := range big {
		big[i].Chosen *= math.MaxFloat32 / float64(i+1)
	}
	hostile := pairsOf(6, 2)
	for i := range hostile {
		hostile[i].Subset = []string{"<script>alert(1)</script>", "a\x00b\nc\xff", strings.Repeat("長", 90), "", "\"&'", "6", "7", "8"}[i]
		hostile[i].LenChosen = i
	}
	spread := pairsOf(500, 300)
	spread[0].Chosen, spread[799].Chosen = 1e4, -1e4
	close := pairsOf(2, 0)
	close[0].Chosen, close[1].Chosen = 1, math.Nextafter(1, 2)
	denormal := pairsOf(1, 1)
	denormal[0].Chosen, denormal[1].Chosen = 5e-324, -5e-324
	return map[string][]Row{
		"one":       {{Chosen: 0.4, Confidence: 1}},
		"one tie":   {{Confidence: 0, Subset: "x"}},
		"ties":      {{Chosen: 3, Rejected: 3, Confidence: 1}, {Chosen: 3, Rejected: 3, Confidence: 1}},
		"constant":  {{Chosen: 1e9, Rejected: 2, Confidence: 1, LenChosen: 3}, {Chosen: 1e9, Rejected: 2, Confidence: 1, LenChosen: 3}},
		"huge":      big,
		"hostile":   hostile,
		"outliers":  spread,
		"neighbour": close,
		"denormal":  denormal,
		"usual":     randomRows(300, 6),
	}
}

// TestJSON: report.json is valid, holds every subset, replaces an older one
// and leaves nothing beside it.
func TestJSON(t *testing.T) {
	for name, rows := range awkward() {
		t.Run(name, func(t *testing.T) {
			r := evaluate(t, rows)
			path := filepath.Join(t.TempDir(), "made", "report.json")
			for range 2 {
				if err := r.WriteJSON(path); err != nil {
					t.Fatal(err)
				}
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var back struct {
				N         int                        `json:"n"`
				PerSubset map[string]json.RawMessage `json:"per_subset"`
				Warnings  []string                   `json:"warnings"`
			}
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			if back.N != len(rows) || len(back.PerSubset) != len(r.PerSubset) || back.Warnings == nil {
				t.Errorf("%d rows, subsets %v, warnings %v", back.N, back.PerSubset, back.Warnings)
			}
			if beside, _ := os.ReadDir(filepath.Dir(path)); len(beside) != 1 {
				t.Errorf("left beside: %v", beside)
			}
		})
	}
}

func TestUndefinedIsNull(t *testing.T) {
	b, err := json.Marshal(evaluate(t, awkward()["ties"]))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"cohens_d_pooled", "cohens_d_paired", "longer_chosen_share", "always_longer_accuracy",
		"spearman_margin_confidence", "kendall_tau_b_reward_length"} {
		if !bytes.Contains(b, []byte(`"`+key+`":null`)) {
			t.Errorf("%s is not null", key)
		}
	}
}

func TestWriteFails(t *testing.T) {
	r := evaluate(t, awkward()["one"])
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	inFile := filepath.Join(file, "x")
	if err := r.WriteJSON(inFile); err == nil || !strings.Contains(err.Error(), inFile) {
		t.Errorf("WriteJSON: %v", err)
	}
	if err := WriteHTML(inFile, []Run{{Report: r}}); err == nil || !strings.Contains(err.Error(), inFile) {
		t.Errorf("WriteHTML: %v", err)
	}
	if _, err := WritePlots(file, []Run{{Report: r}}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("WritePlots: %v", err)
	}
}

// TestPrint: no line says NaN or Inf, whatever the rows.
func TestPrint(t *testing.T) {
	for name, rows := range awkward() {
		var b strings.Builder
		if err := evaluate(t, rows).Print(&b); err != nil {
			t.Fatal(err)
		}
		if bad := regexp.MustCompile(`NaN|Inf|%!|\x00`).FindString(b.String()); bad != "" {
			t.Errorf("%s: printed %q:\n%s", name, bad, b.String())
		}
	}
	if err := evaluate(t, awkward()["usual"]).Print(failing{}); err == nil {
		t.Error("a failed write passed")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// someCurve has n training steps, one of them skipped, and a validation every
// tenth.
func someCurve(n int) (curve []Point) {
	for i := range n {
		at := float64(i) / float64(n)
		curve = append(curve, Point{Step: i + 1, Loss: 0.7 - 0.2*at + 0.05*math.Sin(float64(i)), Accuracy: 0.5 + at/3,
			Margin: at, LearningRate: 1e-5 * (1 - at), GradNorm: 1 + at})
		if i == 1 {
			curve[1].Loss, curve[1].GradNorm = math.NaN(), math.Inf(1)
		}
		if i%10 == 9 {
			curve = append(curve, Point{Step: i + 1, Loss: 0.69 - 0.2*at, Accuracy: 0.5 + at/4,
				Margin: math.NaN(), LearningRate: math.NaN(), GradNorm: math.NaN(), Validation: true})
		}
	}
	return curve
}

func TestPlots(t *testing.T) {
	for name, rows := range awkward() {
		for _, curve := range [][]Point{nil, someCurve(1), someCurve(25), someCurve(5000)} {
			paths, err := WritePlots(t.TempDir(), []Run{{Report: evaluate(t, rows), Curve: curve, Kept: 10}})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if want := map[bool]int{true: 4, false: 9}[curve == nil]; len(paths) < want {
				t.Errorf("%s: only %v", name, paths)
			}
			for _, path := range paths {
				svg, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				drawtest.SVG(t, name+" "+filepath.Base(path), svg)
			}
		}
	}
	paths, err := WritePlots(t.TempDir(), nil)
	if err != nil || len(paths) != 0 {
		t.Errorf("of nothing: %v, %v", paths, err)
	}
}

// TestHTML: one page for each of both, either and neither; nothing outside
// it is loaded, no script, and no text from outside becomes markup.
func TestHTML(t *testing.T) {
	facts := []draw.Fact{{Name: "model", Value: "<img src=x onerror=alert(2)>"}, {Name: "data", Value: "a & b"}}
	for name, rows := range awkward() {
		for _, curve := range [][]Point{nil, someCurve(40)} {
			drawtest.Page(t, name, writePage(t, evaluate(t, rows), curve, facts...))
		}
	}
	during := writePage(t, nil, someCurve(40), facts...)
	drawtest.Page(t, "during training", during)
	if !strings.Contains(during, "Loss during training") || !strings.Contains(during, "No evaluation yet") {
		t.Error("the page during training lacks its curve")
	}
	drawtest.Page(t, "nothing", writePage(t, nil, nil))
}

func writePage(t *testing.T, r *Report, curve []Point, facts ...draw.Fact) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := WriteHTML(path, []Run{{Report: r, Curve: curve, Facts: facts}}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
