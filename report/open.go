// Package report makes one page of training runs and their evaluations: what
// train, eval, probe and label left in files, nothing computed anew but
// the differences between runs.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"laurel/configs"
	"laurel/eval"
	"laurel/eval/audit"
	"laurel/probe"
	"laurel/trainer"
)

// Run is what the files of a run, or of an evaluation without one, hold.
type Run struct {
	eval.Run                     // the evaluation that the page leads with, and the training curve
	Dir         string           // of the run; "" of an evaluation without one
	Evaluation  *Evaluation      // that the page leads with; nil: there is none
	Evaluations []Evaluation     // all of the run, validation first
	Pairs       []eval.Evaluated // of Evaluation; none where it was made without pairs.jsonl
	Probes      []Probing        // of the run
	Labels      []Labels         // that it was trained on
	Config      string           // config.yaml as it was resolved
	Settings    *configs.Config  // the same, read
	Notes       []string         // what could not be read
}

// Evaluation is a folder with report.json.
type Evaluation struct {
	Name       string // of the folder; Validation for the run's own
	Dir        string
	Report     *eval.Report
	Made       *eval.Made // nil where it was made before made.json was written
	Validation bool
}

// Probing is a folder with probe.json.
type Probing struct {
	Name   string
	Report *probe.Report
}

// Labels is a folder of laurel label.
type Labels struct {
	File   string // of pairs, that was trained on
	Report *audit.Report
}

// Files that are looked for.
const (
	reportFile = "report.json"
	probeFile  = "probe.json"
	configFile = "config.yaml"
)

// deepest is how far below a run its evaluations and probes are looked for.
const deepest = 2

// Open reads a run directory, or the folder of an evaluation, of which the run is
// the folder above where there is one.
func Open(dir string) (*Run, error) {
	dir = filepath.Clean(dir)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder: name a run directory of laurel train, or the --out of laurel eval", dir)
	}
	r := &Run{}
	switch e, err := readEvaluation(dir, false); {
	case err != nil:
		return nil, err
	case trainer.Started(dir):
		r.Dir = dir
		if err := r.search(); err != nil {
			return nil, err
		}
		r.lead()
	case e == nil:
		return nil, fmt.Errorf("%s holds neither a run of laurel train nor an evaluation of laurel eval (report.json): name one of those", dir)
	default:
		r.Evaluation = e
		if above := filepath.Dir(dir); trainer.Started(above) {
			r.Dir = above
			if err := r.search(); err != nil {
				return nil, err
			}
		}
	}
	return r, errors.Join(r.readTraining(), r.readPairs())
}

// search finds evaluations and probes of the run.
func (r *Run) search() error {
	return filepath.WalkDir(r.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("look for evaluations: %w", err)
		}
		rel, _ := filepath.Rel(r.Dir, path)
		if entry.IsDir() {
			if strings.HasPrefix(entry.Name(), ".") && path != r.Dir || entry.Name() == "checkpoints" || strings.Count(rel, string(filepath.Separator)) >= deepest {
				return fs.SkipDir
			}
			return nil
		}
		switch entry.Name() {
		case reportFile:
			e, err := readEvaluation(filepath.Dir(path), filepath.Dir(path) == r.Dir)
			if e != nil {
				r.Evaluations = append(r.Evaluations, *e)
			}
			return err
		case probeFile:
			p, err := probe.ReadReport(path)
			if err == nil {
				r.Probes = append(r.Probes, Probing{filepath.Dir(rel), p})
			}
			return err
		}
		return nil
	})
}

// lead chooses the evaluation that the page leads with: that in the folder eval,
// else the first by name that is not the run's own validation, else that.
func (r *Run) lead() {
	slices.SortFunc(r.Evaluations, func(a, b Evaluation) int {
		if a.Validation != b.Validation {
			return map[bool]int{true: -1, false: 1}[a.Validation]
		}
		return strings.Compare(a.Name, b.Name)
	})
	for i := range r.Evaluations {
		if e := &r.Evaluations[i]; r.Evaluation == nil || r.Evaluation.Validation || e.Name == "eval" {
			r.Evaluation = e
		}
	}
}

// readEvaluation gives nil where the folder has none: report.json may be of labels.
func readEvaluation(dir string, validation bool) (*Evaluation, error) {
	path := filepath.Join(dir, reportFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var of struct {
		Accuracy *float64 `json:"accuracy_ties_half"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &of)
	}
	if err != nil {
		return nil, fmt.Errorf("read report %s: %w", path, err)
	}
	if of.Accuracy == nil {
		return nil, nil
	}
	e := &Evaluation{Name: filepath.Base(dir), Dir: dir, Validation: validation}
	if validation {
		e.Name = "validation"
	}
	if e.Report, err = eval.ReadReport(path); err != nil {
		return nil, err
	}
	e.Made, err = eval.ReadMade(dir)
	return e, err
}

// readTraining reads metrics, configuration and the reports of the labels that the
// run was trained on.
func (r *Run) readTraining() error {
	if r.Dir == "" {
		r.Name = filepath.Base(r.Evaluation.Dir)
		return nil
	}
	r.Name = filepath.Base(r.Dir)
	lines, err := trainer.ReadMetrics(r.Dir)
	if err != nil {
		return err
	}
	r.Curve = trainer.Curve(lines)
	best, err := trainer.Best(r.Dir)
	if err != nil {
		return err
	}
	if best != nil {
		r.Kept = best.Step
	}
	path := filepath.Join(r.Dir, configFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.Notes = append(r.Notes, path+" is not there: what the run was made with is not known")
		return nil
	}
	if err != nil {
		return err
	}
	r.Config = string(raw)
	settings, err := configs.Load(path, nil)
	if err != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("%s is not read by this laurel, and is shown as it is: %v", path, err))
		return nil
	}
	r.Settings, r.Loss = &settings, settings.Train.LossName()
	return r.readLabels()
}

// readLabels finds the audit beside files of pairs that laurel label wrote.
func (r *Run) readLabels() error {
	var files []string
	for _, name := range r.Settings.Data.Train {
		if found, err := filepath.Glob(name); err == nil && len(found) > 0 {
			files = append(files, found...) // of a pattern, or the name itself
		} else {
			files = append(files, name)
		}
	}
	for _, file := range files {
		path := filepath.Join(filepath.Dir(file), reportFile)
		if filepath.Base(file) != "pairs.parquet" {
			continue
		}
		report, err := audit.ReadReport(path)
		if errors.Is(err, fs.ErrNotExist) {
			r.Notes = append(r.Notes, fmt.Sprintf("%s, beside the training pairs, is not there: the labels' report and the constitution's weights are not shown (paths are those of the training: run laurel report from the same folder)", path))
			continue
		}
		if err != nil {
			return err
		}
		r.Labels = append(r.Labels, Labels{file, report})
	}
	return nil
}

// readPairs reads the pairs of the evaluation that the page leads with.
func (r *Run) readPairs() (err error) {
	e := r.Evaluation
	if e == nil {
		return nil
	}
	r.Report = e.Report
	if e.Made != nil {
		r.Model, r.Data, r.Facts = e.Made.Model, strings.Join(e.Made.Data, ", "), e.Made.Facts
	}
	if r.Pairs, err = eval.ReadPairs(filepath.Join(e.Dir, eval.PairsFile)); err != nil {
		return err
	}
	if len(r.Pairs) == 0 {
		r.Notes = append(r.Notes, noPairs(e))
	}
	r.Examples = eval.WorstOf(r.Pairs, e.Report)
	return nil
}

func noPairs(e *Evaluation) string {
	if e.Validation {
		return "the validation was made by a laurel that kept no pairs: laurel eval gives examples and comparisons over the same pairs"
	}
	return fmt.Sprintf("%s holds no %s: evaluate again with --overwrite for examples and comparisons over the same pairs", e.Dir, eval.PairsFile)
}
