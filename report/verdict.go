package report

import (
	"fmt"
	"strings"

	"laurel/eval"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// verdict says in a sentence or two what the evaluation comes to.
func (r *Run) verdict() string {
	m := r.Report
	if m == nil {
		return "Nothing is evaluated yet: run laurel eval on pairs that the run has not seen."
	}
	if m.Seen.Whole() {
		return fmt.Sprintf("No verdict: the model was trained on all %d pairs, of which it ranks %s right. Run laurel eval on pairs that it has not seen.", m.N, stats.Percent(m.AccuracyTiesHalf))
	}
	of := "pairs"
	if r.Evaluation.Validation {
		of = "validation pairs"
	}
	parts := []string{fmt.Sprintf("Of %d %s the model ranks %s right (95%% %s).", m.N, of, stats.Percent(m.AccuracyTiesHalf), m.AccuracyInterval.Percent())}
	if len(m.Rulers) > 0 {
		parts = append(parts, againstRuler(&m.Rulers[0]))
	}
	if m.AccuracyInterval.Contains(0.5) {
		parts = append(parts, "That is not distinguishable from chance.")
	}
	if r.Evaluation.Validation {
		parts = append(parts, "The kept checkpoint was chosen by these pairs: measure it on others with laurel eval.")
	}
	return strings.Join(parts, " ")
}

func againstRuler(best *eval.Ruler) string {
	by := fmt.Sprintf("%s (%s) by %s points (%s)", best.Name, stats.Percent(best.Accuracy), points(best.Model.Difference), best.Model.Interval.Percent())
	switch {
	case best.Model.Interval[0] > 0:
		return "It beats the best ruler, which needs no model, " + by + "."
	case best.Model.Interval[1] < 0:
		return fmt.Sprintf("It is worse than a ruler that needs no model, %s (%s): do not train a policy on it.", best.Name, stats.Percent(best.Accuracy))
	}
	return fmt.Sprintf("It has not been shown to beat a ruler that needs no model, %s (%s; model minus ruler %s).", best.Name, stats.Percent(best.Accuracy), best.Model.Interval.Percent())
}

func points(v stats.Value) string {
	if !v.Defined() {
		return v.String()
	}
	return fmt.Sprintf("%.1f", 100*float64(v))
}

// difference is what two runs come to, the second of them the one that others are
// held to.
type difference struct {
	run, to *Run
	eval.Difference
	holm stats.Value // P, adjusted for the number of comparisons
}

// differences hold every run to the first.
func differences(runs []*Run) (out []difference, err error) {
	var p []stats.Value
	var tested []int
	for _, r := range runs[1:] {
		if r.Report == nil || runs[0].Report == nil {
			continue
		}
		d, err := eval.Compare(r.Report, runs[0].Report, r.Pairs, runs[0].Pairs, 1)
		if err != nil {
			return nil, err
		}
		if d.P.Defined() {
			p, tested = append(p, d.P), append(tested, len(out))
		}
		out = append(out, difference{run: r, to: runs[0], Difference: d, holm: d.P})
	}
	for k, adjusted := range stats.Holm(p) {
		out[tested[k]].holm = adjusted
	}
	return out, nil
}

// says is the difference in a sentence.
func (d difference) says() string {
	figures := fmt.Sprintf("%s points, 95%% %s, %s", points(d.Difference.Difference), d.Interval.Percent(), d.over())
	switch {
	case d.Interval[0] > 0:
		return fmt.Sprintf("%s is more accurate than %s (%s).", d.run.Name, d.to.Name, figures)
	case d.Interval[1] < 0:
		return fmt.Sprintf("%s is less accurate than %s (%s).", d.run.Name, d.to.Name, figures)
	}
	return fmt.Sprintf("No difference in accuracy is shown between %s and %s (%s).", d.run.Name, d.to.Name, figures)
}

func (d difference) over() string {
	if d.Pairs == 0 {
		return "on different pairs"
	}
	return "on the same " + stats.Plural(d.Pairs, "pair")
}

func differenceSection(found []difference) draw.Section {
	t := draw.Table{Columns: []string{"run", "held to", "same pairs", "accuracy", "of the other", "difference", "95% interval", "McNemar p", "Holm's p", "loss", "95% interval", "how"}, Notes: true}
	for _, d := range found {
		same, loss, lossInterval := fmt.Sprint(d.Pairs), "", ""
		if d.Pairs == 0 {
			same = "none"
		} else {
			loss, lossInterval = d.Loss.Difference.String(), d.Loss.Interval.String()
		}
		t.Rows = append(t.Rows, []string{draw.Label(d.run.Name, 60), draw.Label(d.to.Name, 60), same, stats.Percent(d.First), stats.Percent(d.Second),
			stats.Percent(d.Difference.Difference), d.Interval.Percent(), d.P.String(), d.holm.String(), loss, lossInterval, d.Method})
	}
	return draw.Section{Title: "Differences", Tables: []draw.Table{t},
		Note: "Every run is held to the first. An interval without 0 shows a difference. McNemar's test is exact and takes pairs as independent; Holm's p allows for the number of comparisons. Loss is the difference in Bradley-Terry loss: less is better."}
}
