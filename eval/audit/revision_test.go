package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/eval/draw"
	"laurel/eval/draw/drawtest"
)

// TestRevisionReport: page, plots and print hold the figures, whatever they
// are.
func TestRevisionReport(t *testing.T) {
	rounds := make([]RoundRates, 60)
	for name, r := range map[string]*RevisionReport{
		"usual": {Prompts: 10, Written: 8, Given: 3, Unchanged: 1, LeftOut: []StageCount{{"a critique", 2}},
			Rounds:     []RoundRates{{8, 0.5, 0, 0, 100, 0}, {8, 0.75, 0.125, 0.25, 120.5, 20.5}},
			Principles: []RevisionRates{{"<b>honest</b>", 8, 0.25, 20.5}, {"never asked", 0, 0, 0}}},
		"none": {Rounds: []RoundRates{{}, {}}},
		"many": {Prompts: 1, Written: 1, Unchanged: 1, Rounds: rounds},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := r.Write(dir, "model <i>", draw.Fact{Name: "model", Value: "<i>"}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(dir, "report.html"))
			if err != nil {
				t.Fatal(err)
			}
			drawtest.Page(t, name, string(b))
			for _, plot := range []string{"rates.svg", "length.svg"} {
				svg, err := os.ReadFile(filepath.Join(dir, "plots", plot))
				if err != nil {
					t.Fatal(err)
				}
				drawtest.SVG(t, plot, svg)
			}
			var out strings.Builder
			if err := r.Print(&out); err != nil {
				t.Fatal(err)
			}
			if name != "usual" {
				return
			}
			for _, want := range []string{"75.0%  40.9% to 92.9%", "12.5%", "+20.5", "left out at a critique", "20.0%", "revision made refusals of answers: 75.0% refuse, 50.0% did at first", "12.5% of the last answers have words about themselves"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
			if strings.Contains(out.String(), "never asked") {
				t.Error("a principle without a revision is listed")
			}
		})
	}
}
