package report

import (
	"fmt"
	"strings"

	"laurel/eval"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Report is a page of one run or of several.
type Report struct {
	page        draw.Page
	runs        []*Run
	differences []difference
}

// New lays out the page; the list of examples holds so many at most, those that
// surprise most.
func New(runs []*Run, examples int) (*Report, error) {
	nameApart(runs)
	r := &Report{runs: runs}
	var err error
	if r.differences, err = differences(runs); err != nil {
		return nil, err
	}
	r.page = eval.Headed(r.evals())
	r.head()
	for _, add := range []func() error{r.evaluations, r.training, r.evaluated, r.probes, func() error { r.examples(examples); return nil }, r.made} {
		if err := add(); err != nil {
			return nil, fmt.Errorf("lay out the report: %w", err)
		}
	}
	return r, nil
}

// Write writes the page, whole or not at all.
func (r *Report) Write(path string) error { return r.page.Save(path) }

// HTML is the page that Write writes.
func (r *Report) HTML() ([]byte, error) { return r.page.HTML() }

// Verdict is what the runs come to.
func (r *Report) Verdict() string { return r.page.Verdict }

// Warnings are those of the page.
func (r *Report) Warnings() []string { return r.page.Warnings }

// nameApart tells runs of one name apart by their folders.
func nameApart(runs []*Run) {
	count := map[string]int{}
	for _, r := range runs {
		count[r.Name]++
	}
	for _, r := range runs {
		if count[r.Name] > 1 {
			r.Name = r.folder()
		}
	}
}

// folder is where the run's figures come from.
func (r *Run) folder() string {
	if r.Evaluation != nil {
		return r.Evaluation.Dir
	}
	return r.Dir
}

func (r *Report) evals() []eval.Run {
	out := make([]eval.Run, len(r.runs))
	for i, run := range r.runs {
		out[i] = run.Run
	}
	return out
}

func (r *Report) several() bool { return len(r.runs) > 1 }

// heading names the run where there are several.
func (r *Report) heading(title string, run *Run) string {
	if r.several() {
		return title + ": " + run.Name
	}
	return title
}

func (r *Report) add(s ...draw.Section) { r.page.Sections = append(r.page.Sections, s...) }

// head has verdict and warnings.
func (r *Report) head() {
	r.page.Warnings = nil
	var says []string
	for _, run := range r.runs {
		before := ""
		if r.several() {
			before = run.Name + ": "
		}
		says = append(says, before+run.verdict())
		if run.Report != nil {
			for _, w := range run.Report.Warnings {
				r.page.Warnings = append(r.page.Warnings, before+w)
			}
		}
		for _, note := range run.Notes {
			r.page.Warnings = append(r.page.Warnings, before+note)
		}
	}
	for _, d := range r.differences {
		says = append(says, d.says())
	}
	r.page.Verdict = strings.Join(says, " ")
	if len(r.differences) > 0 {
		r.add(differenceSection(r.differences))
	}
}

// evaluations lists what else was measured of the runs.
func (r *Report) evaluations() error {
	t := draw.Table{Columns: []string{"run", "evaluation", "pairs", "accuracy", "95% interval", "best ruler", "ECE", "data"}, Notes: true}
	for _, run := range r.runs {
		for _, e := range run.Evaluations {
			m, ruler, of := e.Report, "", ""
			if len(m.Rulers) > 0 {
				ruler = fmt.Sprintf("%s %s", m.Rulers[0].Name, stats.Percent(m.Rulers[0].Accuracy))
			}
			if e.Made != nil {
				of = strings.Join(e.Made.Data, ", ")
			}
			t.Rows = append(t.Rows, []string{draw.Label(run.Name, 60), draw.Label(e.Name, 60), fmt.Sprint(m.N), stats.Percent(m.AccuracyTiesHalf), m.AccuracyInterval.Percent(), ruler, m.ECESymmetric.String(), of})
		}
	}
	if len(t.Rows) > len(r.runs) {
		r.add(draw.Section{Title: "Evaluations", Tables: []draw.Table{t}, Note: "All that lie in the run directories. Validation chose the kept checkpoint, and is better than it will do elsewhere."})
	}
	return nil
}

func (r *Report) training() error {
	sections, err := eval.Training(r.evals())
	r.add(sections...)
	return err
}

func (r *Report) evaluated() error {
	for _, run := range r.runs {
		sections, err := run.Evaluated(r.several())
		if err != nil {
			return err
		}
		r.add(sections...)
	}
	return nil
}

func (r *Report) probes() error {
	for _, run := range r.runs {
		for _, p := range run.Probes {
			s, err := p.Report.Section()
			if err != nil {
				return err
			}
			s.Title = r.heading(fmt.Sprintf("Probes (%s)", p.Name), run)
			s.Note = strings.Join(append([]string{"What edits of a response do to its reward: none of them makes a response better."}, p.Report.Warnings...), " ")
			r.add(s)
		}
	}
	return nil
}

// made has what the runs were made of and with.
func (r *Report) made() error {
	for _, run := range r.runs {
		r.add(r.dataCard(run))
		for _, l := range run.Labels {
			r.add(draw.Section{Title: r.heading("Labels", run), Tables: l.Report.Outline(), Note: "Of " + l.File + ", from AI feedback. " + strings.Join(l.Report.Warnings, " ")})
		}
	}
	r.add(eval.Statistics(r.evals())...)
	for _, run := range r.runs {
		r.add(r.environment(run)...)
	}
	return nil
}

// environment is what run and evaluation were made with.
func (r *Report) environment(run *Run) (out []draw.Section) {
	for _, e := range run.shownEvaluations() {
		if e.Made != nil {
			s := draw.FactSection(e.Made.Facts...)
			s.Title = r.heading("Environment of "+e.Name, run)
			out = append(out, s)
		}
	}
	if run.Config != "" {
		out = append(out, draw.Section{Title: r.heading("Configuration", run), Note: "config.yaml, with every default.", Files: []draw.Passage{{Text: run.Config}}})
	}
	return out
}

// shownEvaluations are the run's own validation, which tells of its training, and
// the one that the page leads with.
func (r *Run) shownEvaluations() (out []*Evaluation) {
	for i := range r.Evaluations {
		if e := &r.Evaluations[i]; e.Validation && e.Dir != r.folder() {
			out = append(out, e)
		}
	}
	if r.Evaluation != nil {
		out = append(out, r.Evaluation)
	}
	return out
}

// dataCard says which pairs the run learnt from and was measured on.
func (r *Report) dataCard(run *Run) draw.Section {
	t := draw.Table{Prose: true}
	row := func(name, value string) { t.Rows = append(t.Rows, []string{name, value}) }
	if run.Settings != nil {
		d := run.Settings.Data
		row("trained on", strings.Join(d.Train, ", "))
		if !d.Validation.None() {
			row("validated on", d.Validation.String())
		}
	}
	for _, e := range run.shownEvaluations() {
		if e.Made == nil {
			continue
		}
		for _, f := range e.Made.Facts {
			if dataFacts[f.Name] {
				row(f.Name, f.Value)
			}
		}
	}
	for _, l := range run.Labels {
		row("labels", fmt.Sprintf("%d of %d comparisons labelled by %s, mean confidence %v", l.Report.Labelled, l.Report.Labels, strings.Join(l.Report.Judges, ", "), l.Report.ConfidenceMean))
	}
	if m := run.Report; m != nil {
		row("evaluated pairs", fmt.Sprintf("%d of %s; label confidence from %v to %v, mean %v; %s", m.N, stats.Plural(m.Prompts, "prompt"), m.ConfidenceMin, m.ConfidenceMax, m.ConfidenceMean, stats.Plural(len(m.PerSubset), "subset")))
		row("longer response is chosen", fmt.Sprintf("accuracy of always choosing it: %v", m.AlwaysLongerAccuracy))
	}
	return draw.Section{Title: r.heading("Data card", run), Tables: []draw.Table{t}}
}

// dataFacts are those facts of a report that tell of data.
var dataFacts = map[string]bool{"training pairs": true, "validation pairs": true, "data": true, "scores": true, "rows": true, "max_length": true, "sequences cut": true}
