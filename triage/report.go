package triage

import (
	"errors"
	"io"
	"path/filepath"
	"slices"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Report is triage.json.
type Report struct {
	Pairs       int            `json:"pairs"`
	Prompts     int            `json:"prompts"` // different ones, those alike counted once
	Models      int            `json:"models"`  // whose rewards were taken; 0: words
	Folds       int            `json:"folds"`
	Penalty     stats.Value    `json:"l2"`          // chosen on the first fold
	Fitted      int            `json:"fitted_on"`   // pairs, the fewest of a fold's
	Unscored    int            `json:"not_scored"`  // pairs that a model could not score
	Accuracy    stats.Share    `json:"out_of_fold"` // of labels, as predicted by the folds that have not seen the prompt
	Noise       Noise          `json:"noise"`
	Expected    stats.Value    `json:"expected_mislabelled"` // the sum of P(mislabelled)
	Groups      map[string]int `json:"groups"`
	Grouped     map[string]int `json:"pairs_in_groups"`
	NotCompared int            `json:"not_compared"` // candidates for being alike, past so many of one key
	MadeIDs     int            `json:"ids_made"`     // of pairs that had none, or that of another
	Injected    []Injected     `json:"injected"`
	Rejudge     *Rejudge       `json:"rejudge,omitempty"`
	Warnings    []string       `json:"warnings"`
}

// Rejudge is what the list is expected to bring.
type Rejudge struct {
	Budget     int         `json:"budget"`
	JudgeError stats.Value `json:"judge_error"`
	Worth      int         `json:"worth"`  // pairs whose judging again is expected to gain
	Listed     int         `json:"listed"` // the first of these
	Wrong      stats.Value `json:"expected_mislabelled"`
	Gain       stats.Value `json:"expected_gain"` // in weight of training
}

// Line is a line of triage.jsonl.
type Line struct {
	Rank        int         `json:"rank"` // from 1
	ID          string      `json:"id"`
	File        string      `json:"file"`
	Row         int         `json:"row"` // from 0; of JSON lines the line, from 1
	Mislabelled stats.Value `json:"p_mislabelled"`
	Label       stats.Value `json:"p_label"` // out of fold, that the label is as it is
	Confidence  stats.Value `json:"confidence"`
	Gain        stats.Value `json:"gain"`
	Reasons     []string    `json:"reasons"`
	Group       *int        `json:"group"` // of pairs alike, in groups.jsonl
	Rejudge     bool        `json:"rejudge"`
}

// Why a pair is probably mislabelled, beside the groups' kinds.
const (
	OtherLabel = "confident_other" // the regression is as sure of the other label as it mostly is of the right one
	NotScored  = "not_scored"
)

// Files of a triage's directory.
const (
	LinesFile  = "triage.jsonl"
	GroupsFile = "groups.jsonl"
)

func (r *Result) countGroups() {
	r.Groups, r.Grouped = map[string]int{}, map[string]int{}
	for _, kind := range []string{Duplicate, NearDuplicate, Contradiction, InCycle} {
		r.Groups[kind], r.Grouped[kind] = 0, 0
	}
	for _, g := range r.groups {
		r.Groups[g.Kind]++
		r.Grouped[g.Kind] += len(g.pairs)
	}
	on := map[int32]bool{}
	for _, c := range r.cycles {
		r.Groups[InCycle]++
		for _, i := range c.pairs {
			on[i] = true
		}
	}
	r.Grouped[InCycle] = len(on)
}

// lines gives every pair's line, the most probably mislabelled first.
func (r *Result) lines(write func(Line) error) error {
	group, reasons := map[int32]int{}, map[int32][]string{}
	for n, g := range r.groups {
		for _, i := range g.pairs {
			group[i], reasons[i] = n, []string{g.Kind}
		}
	}
	for _, c := range r.cycles {
		for _, i := range c.pairs {
			if !slices.Contains(reasons[i], InCycle) {
				reasons[i] = append(reasons[i], InCycle)
			}
		}
	}
	listed := map[int32]bool{}
	for _, i := range r.rejudge {
		listed[i] = true
	}
	for rank, i := range r.order {
		p := stats.Sigmoid(r.z[i])
		l := Line{Rank: rank + 1, ID: r.pairs.id[i], File: r.pairs.file[i], Row: r.pairs.row[i], Mislabelled: stats.Value(r.wrong[i]), Label: stats.Value(p),
			Confidence: stats.Value(r.pairs.confidence[i]), Gain: stats.Value(r.gain(i)), Reasons: []string{}, Rejudge: listed[i]}
		if r.scored != nil && !r.scored[i] {
			l.Reasons = append(l.Reasons, NotScored)
		} else if confident(p, float64(r.Noise.Threshold)) < 0 {
			l.Reasons = append(l.Reasons, OtherLabel)
		}
		l.Reasons = append(l.Reasons, reasons[i]...)
		if n, in := group[i]; in {
			l.Group = &n
		}
		if err := write(l); err != nil {
			return err
		}
	}
	return nil
}

// groupLines gives the groups of pairs alike, and after them the circles.
func (r *Result) groupLines(write func(GroupLine) error) error {
	member := func(i int32, turned bool) Member {
		return Member{r.pairs.id[i], r.pairs.file[i], r.pairs.row[i], turned, stats.Value(r.wrong[i])}
	}
	for n, g := range r.groups {
		line := GroupLine{Group: n, Kind: g.Kind, Similarity: g.Similarity}
		for k, i := range g.pairs {
			line.Pairs = append(line.Pairs, member(i, g.turned[k]))
		}
		if err := write(line); err != nil {
			return err
		}
	}
	for n, c := range r.cycles {
		line := GroupLine{Group: len(r.groups) + n, Kind: InCycle, Similarity: stats.Over(0, 0)}
		for _, i := range c.pairs {
			line.Pairs = append(line.Pairs, member(i, false))
		}
		if err := write(line); err != nil {
			return err
		}
	}
	return nil
}

// Write writes triage.jsonl and groups.jsonl into a folder.
func (r *Result) Write(dir string) error {
	if err := writeRows(filepath.Join(dir, LinesFile), r.lines); err != nil {
		return err
	}
	return writeRows(filepath.Join(dir, GroupsFile), r.groupLines)
}

func writeRows[T any](path string, each func(write func(T) error) error) error {
	f, err := data.BeginRows(path, func(w io.Writer) data.RowWriter[T] { return data.JSONRows(w, func(v T) T { return v }) })
	if err != nil {
		return err
	}
	if err := each(f.Write); err != nil {
		return errors.Join(err, data.AbortAll(f))
	}
	return data.CloseAll(f)
}

// WriteJSON writes triage.json.
func (r *Result) WriteJSON(path string) error { return draw.WriteJSON(path, r.Report) }

// Print writes the tables for a terminal.
func (r *Result) Print(w io.Writer) error { return draw.Print(w, r.sections(), r.Warnings) }
