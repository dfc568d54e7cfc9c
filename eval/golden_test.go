package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goldenRow is a row as shared/golden/metrics.json and testdata hold it.
type goldenRow struct {
	Chosen      float64 `json:"chosen"`
	Rejected    float64 `json:"rejected"`
	Confidence  float64 `json:"confidence"`
	LenChosen   int     `json:"len_chosen"`
	LenRejected int     `json:"len_rejected"`
	Subset      string  `json:"subset"`
}

// golden is a file of rows with what numpy, scipy and scikit-learn find.
type golden struct {
	Rows      []goldenRow               `json:"rows"`
	Expected  map[string]any            `json:"expected"`
	PerSubset map[string]map[string]any `json:"expected_per_subset"`
}

func readGolden(t *testing.T, path string) golden {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g golden) rows() []Row {
	rows := make([]Row, len(g.Rows))
	for i, r := range g.Rows {
		rows[i] = Row{Subset: r.Subset, Chosen: r.Chosen, Rejected: r.Rejected, Confidence: r.Confidence,
			LenChosen: r.LenChosen, LenRejected: r.LenRejected}
	}
	return rows
}

// checkGolden compares report.json, as written, with the golden's values.
func checkGolden(t *testing.T, g golden) {
	t.Helper()
	r, err := Evaluate(g.rows(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := r.WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	c := comparison{t: t, bootstrap: math.Max(0.005, 0.5/float64(len(g.Rows))+1e-9)}
	c.walk("", got, g.Expected)
	for name, want := range g.PerSubset {
		c.walk(name, got["per_subset"].(map[string]any)[name], want)
	}
	if len(got["per_subset"].(map[string]any)) != len(g.PerSubset) {
		t.Errorf("per_subset holds %v, want %d subsets", got["per_subset"], len(g.PerSubset))
	}
	t.Logf("%d values compared", c.values)
}

// comparison walks a golden and counts the numbers and nulls it met. The
// bootstrap has another generator: 0.005, or one tie's worth of accuracy,
// which is the step between neighbouring resamples, if that is more.
type comparison struct {
	t         *testing.T
	bootstrap float64
	values    int
}

func (c *comparison) walk(at string, got, want any) {
	c.t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		for key, value := range want {
			if at == "/bootstrap" && key == "method" { // prose
				continue
			}
			if _, has := object[key]; !has {
				c.t.Errorf("%s/%s is missing", at, key)
				continue
			}
			c.walk(at+"/"+key, object[key], value)
		}
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			c.t.Errorf("%s: got %v, want a list of %d", at, got, len(want))
			return
		}
		for i := range want {
			c.walk(fmt.Sprintf("%s[%d]", at, i), list[i], want[i])
		}
	case nil:
		c.values++
		if got != nil {
			c.t.Errorf("%s = %v, want null", at, got)
		}
	case float64:
		c.values++
		tolerance := 1e-6 * math.Max(1, math.Abs(want))
		if strings.HasPrefix(at, "/bootstrap/") {
			tolerance = c.bootstrap
		}
		if v, ok := got.(float64); !ok || math.Abs(v-want) > tolerance {
			c.t.Errorf("%s = %v, want %v within %g", at, got, want, tolerance)
		}
	default:
		c.t.Errorf("%s: golden holds a %T", at, want)
	}
}

// TestSharedGolden holds every value of shared/golden/metrics.json.
func TestSharedGolden(t *testing.T) {
	path := filepath.Join("..", "..", "shared", "golden", "metrics.json")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("NOT TESTED: the 300 rows of shared/golden/metrics.json (%v); testdata's goldens run in their place", err)
	}
	checkGolden(t, readGolden(t, path))
}

// TestGolden holds what testdata/make_golden.py found with numpy, scipy and
// scikit-learn, degenerate cases included, so that a fresh clone proves the
// numbers.
func TestGolden(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases map[string]golden }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 14 {
		t.Fatalf("%d cases, want 14", len(file.Cases))
	}
	for name, g := range file.Cases {
		t.Run(name, func(t *testing.T) { checkGolden(t, g) })
	}
}
