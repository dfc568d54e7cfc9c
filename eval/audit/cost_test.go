package audit

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/eval/draw"
	"laurel/eval/draw/drawtest"
)

// TestWriteCosts: the page holds the table and both plots, whatever the costs.
func TestWriteCosts(t *testing.T) {
	for name, costs := range map[string][]Cost{
		"usual": {{1000, 1000, 20, 13.3, 0.1, []string{"1,000", "$1,000"}}, {1e6, 1e6, 2e4, 13333, 100, []string{"1,000,000", "<$1m>"}}},
		"one":   {{1, 1, 1, 1, 1, []string{"1", "$1"}}},
		"free":  {{5, 0, 0, 0.1, 0, []string{"5", "$0"}}},
		"huge":  {{1, 1e-9, 1e12, 1, 1, []string{"1", "$1"}}, {math.MaxInt64, 1e18, 1e30, 1e15, 1e-5, []string{"n", "m"}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := WriteCosts(dir, []string{"comparisons", "cost"}, costs, draw.Fact{Name: "judge", Value: "<b>"}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(dir, "costs.html"))
			if err != nil {
				t.Fatal(err)
			}
			if drawtest.Page(t, name, string(b)); strings.Count(string(b), "<svg") != 2 {
				t.Error("the page lacks a plot")
			}
			for _, plot := range []string{"cost.svg", "time.svg"} {
				svg, err := os.ReadFile(filepath.Join(dir, plot))
				if err != nil {
					t.Fatal(err)
				}
				drawtest.SVG(t, plot, svg)
			}
		})
	}
}
