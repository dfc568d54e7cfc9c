package eval

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"laurel/eval/draw"
	"laurel/eval/stats"

	"gonum.org/v1/plot/plotter"
)

// Run is what a page shows of one run, beside others.
type Run struct {
	Name     string      // in titles and legends; none for an evaluation without a run
	Model    string      // that was measured, or that training began with
	Data     string      // that it was measured on
	Report   *Report     // nil before the first evaluation
	Curve    []Point     // none where nothing was trained
	Kept     int         // step of the checkpoint that is kept; 0: none yet
	Loss     string      // what the curve's losses are; "" for Bradley-Terry's
	Facts    []draw.Fact // what it was made with
	Examples []draw.Example
}

// titled puts the run's name behind a chart's title.
func (r Run) titled(title string) string {
	if r.Name == "" {
		return title
	}
	return title + ", " + draw.Label(r.Name, 36)
}

// of says in a line what was measured, and on what.
func (r Run) of() string {
	var parts []string
	for _, f := range []draw.Fact{{Name: "model", Value: r.Model}, {Name: "data", Value: r.Data}} {
		if f.Value != "" {
			parts = append(parts, f.Name+" "+f.Value)
		}
	}
	return strings.Join(parts, " · ")
}

// likeForLike is a measure on the training pairs and on those for validation,
// over the same span: validation at a step, training over the steps since the
// validation before.
type likeForLike struct {
	training, validation stats.Value
	after, step          int // training is over the steps behind after up to step
}

// compare takes the validation of the kept step, or the last one.
func (r Run) compare(measure func(Point) float64) (c likeForLike, ok bool) {
	all := r.compareAll(measure)
	for _, c = range all {
		if c.step == r.Kept {
			return c, true
		}
	}
	return c, len(all) > 0
}

// compareAll has a comparison for each validation.
func (r Run) compareAll(measure func(Point) float64) (out []likeForLike) {
	points := sorted(r.Curve)
	training := series(points, false, measure)
	after, next := 0, 0
	for _, v := range series(points, true, measure) {
		c := likeForLike{after: after, step: int(v.X), validation: stats.Value(v.Y)}
		sum, steps, last := 0.0, 0.0, after
		for ; next < len(training) && int(training[next].X) <= c.step; next++ {
			covered := training[next].X - float64(last) // a point is the mean since the one before
			sum, steps, last = sum+covered*training[next].Y, steps+covered, int(training[next].X)
		}
		c.training = stats.Over(sum, steps)
		out, after = append(out, c), c.step
	}
	return out
}

// spans is training at each validation: the mean over the steps since the one
// before.
func (r Run) spans(measure func(Point) float64) (out plotter.XYs) {
	for _, c := range r.compareAll(measure) {
		if c.training.Defined() {
			out = append(out, plotter.XY{X: float64(c.step), Y: float64(c.training)})
		}
	}
	return out
}

func (c likeForLike) String() string {
	if !c.training.Defined() {
		return fmt.Sprintf("validation %v at step %d", c.validation, c.step)
	}
	return fmt.Sprintf("training %v over steps %d to %d, validation %v at step %d", c.training, c.after+1, c.step, c.validation, c.step)
}

func sorted(curve []Point) []Point {
	curve = slices.Clone(curve)
	slices.SortStableFunc(curve, func(a, b Point) int { return cmp.Compare(a.Step, b.Step) })
	return curve
}

// runColour tells runs apart: Okabe and Ito's, in turn.
func runColour(i int) color.Color {
	return []color.Color{draw.Blue(), draw.Vermillion(), draw.Green(), draw.Purple(), draw.Orange(), draw.Sky()}[i%6]
}
