package stats

import "math"

// RatioDifference is the difference of two ratios of sums over the same rows, such
// as the agreement of two sets of labels, each over those of its own that there are.
type RatioDifference struct {
	prompt []int32
	rows   [][2]ratioPart // of the first and of the second ratio
}

// ratioPart is what a row adds to a ratio's sums.
type ratioPart struct{ above, below float64 }

// Add takes in a row, under the number of its prompt: what it adds above and below
// the line of the first ratio, and of the second.
func (d *RatioDifference) Add(prompt int32, above1, below1, above2, below2 float64) {
	d.prompt = append(d.prompt, prompt)
	d.rows = append(d.rows, [2]ratioPart{{above1, below1}, {above2, below2}})
}

// Difference is the first ratio less the second. Its interval is normal, of the
// linearised rows (Woodruff, JASA 1971)
//
//	(a₁ - R₁ b₁) / Σb₁ - (a₂ - R₂ b₂) / Σb₂
//
// summed by prompt. N counts the rows below either line; one prompt has no interval.
func (d *RatioDifference) Difference() Difference {
	var sums [2]ratioPart
	for _, row := range d.rows {
		for k, part := range row {
			sums[k].above, sums[k].below = sums[k].above+part.above, sums[k].below+part.below
		}
	}
	ratio := [2]float64{sums[0].above / sums[0].below, sums[1].above / sums[1].below}
	out := Difference{Mean: Value(Minus(ratio[0], ratio[1])), Interval: Interval{undefined(), undefined()}}
	linear, counted := make([]float64, len(d.rows)), make([]float64, len(d.rows))
	for i, row := range d.rows {
		linear[i] = (row[0].above-ratio[0]*row[0].below)/sums[0].below - (row[1].above-ratio[1]*row[1].below)/sums[1].below
		if row[0].below != 0 || row[1].below != 0 {
			out.N++
			counted[i] = 1
		}
	}
	prompts, squares := 0.0, 0.0
	rows := ByPrompt(d.prompt, counted)
	for i, sum := range ByPrompt(d.prompt, linear) {
		prompts += Indicator(rows[i] > 0)
		squares += sum * sum
	}
	if half := Z95() * math.Sqrt(squares*prompts/(prompts-1)); prompts >= 2 && out.Mean.Defined() {
		out.Interval = Interval{out.Mean - Value(half), out.Mean + Value(half)}
	}
	return out
}
