package board

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"laurel/eval"
	"laurel/trainer"
)

// States of a run.
const (
	Running  = "running"  // a process trains
	Finished = "finished" // the report was written after the last metrics
	Stopped  = "stopped"  // interrupted or killed: --resume goes on
)

// run is a run directory as it was seen last.
type run struct {
	dir, name string
	tail      tail
	state     string
	trouble   string // what could not be read
}

// Info is what a page is told of a run.
type Info struct {
	Name    string    `json:"name"` // its folder below --dir
	State   string    `json:"state"`
	Step    int       `json:"step"`
	Seen    time.Time `json:"seen"` // when metrics.jsonl was last written; zero where there is none
	Pace    *float64  `json:"pairs_per_second"`
	Loss    *float64  `json:"loss"`                // of the last training line
	Valid   *float64  `json:"validation_accuracy"` // the last
	Skipped int       `json:"skipped"`             // steps that were not finite
	Model   bool      `json:"model"`               // whether it has a checkpoint to score with
	Pairs   bool      `json:"examples"`            // whether its report has evaluated pairs to browse
	Warning string    `json:"warning"`
}

// deepest is how far below --dir runs are looked for.
const deepest = 4

// find lists the run directories under a folder, by name. What a run holds is not
// searched for more.
func find(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if path == root {
				return err
			}
			return fs.SkipDir // one that may not be read is no run that can be shown
		}
		if !entry.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case path != root && strings.HasPrefix(entry.Name(), "."), strings.Count(rel, string(filepath.Separator)) >= deepest:
			return fs.SkipDir
		case isRun(path):
			dirs = append(dirs, path)
			return fs.SkipDir
		}
		return nil
	})
	return dirs, err
}

// isRun tells runs from folders that hold another command's config.yaml, as labels do:
// it has made a step, or is at it.
func isRun(dir string) bool {
	switch {
	case trainer.Stepped(dir):
		return true
	case !trainer.Started(dir):
		return false
	}
	training, err := trainer.InUse(dir)
	return training || err != nil
}

// look reads what has changed.
func (r *run) look() (changed bool) {
	changed, err := r.tail.look()
	trouble := r.tail.warning()
	if err != nil {
		trouble = err.Error()
	}
	state, err := stateOf(r.dir)
	if err != nil {
		trouble = err.Error()
	}
	changed = changed || state != r.state || trouble != r.trouble
	r.state, r.trouble = state, trouble
	return changed
}

func stateOf(dir string) (string, error) {
	training, err := trainer.InUse(dir)
	if err != nil || training {
		return Running, err
	}
	report, err := os.Stat(filepath.Join(dir, "report.html"))
	if errors.Is(err, fs.ErrNotExist) {
		return Stopped, nil
	}
	if err != nil {
		return Stopped, err
	}
	metrics, err := os.Stat(filepath.Join(dir, trainer.MetricsFile))
	if err == nil && metrics.ModTime().After(report.ModTime()) { // resumed after it had ended
		return Stopped, nil
	}
	return Finished, nil
}

func (r *run) info() Info {
	out := Info{Name: r.name, State: r.state, Warning: r.trouble}
	if r.tail.is != nil {
		out.Seen = r.tail.is.ModTime().UTC().Truncate(time.Second)
	}
	for _, l := range slices.Backward(r.tail.lines) {
		out.Step, out.Skipped = max(out.Step, l.Step), max(out.Skipped, l.Skipped)
		if out.Loss == nil {
			out.Loss = l.Loss
		}
		if out.Pace == nil {
			out.Pace = l.PairsPerSecond
		}
		if out.Valid == nil {
			out.Valid = l.ValidationAccuracy
		}
		if out.Loss != nil && out.Pace != nil && out.Valid != nil {
			break
		}
	}
	_, _, err := trainer.BestCheckpoint(r.dir)
	out.Model = err == nil
	out.Pairs = hasPairs(r.dir)
	return out
}

// hasPairs tells whether pairs of a validation, or of an evaluation in a folder of
// the run, are there.
func hasPairs(dir string) bool {
	for _, pattern := range []string{eval.PairsFile, "*/" + eval.PairsFile} {
		if found, err := fs.Glob(os.DirFS(dir), pattern); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// point is one of a curve, as the page draws it; NaN becomes null.
type point struct {
	Step  int      `json:"s"`
	Valid bool     `json:"v,omitempty"`
	Loss  *float64 `json:"loss,omitempty"`
	Acc   *float64 `json:"accuracy,omitempty"`
	Mar   *float64 `json:"margin,omitempty"`
	Rate  *float64 `json:"learning_rate,omitempty"`
	Norm  *float64 `json:"grad_norm,omitempty"`
}

func points(lines []trainer.Line) []point {
	out := []point{}
	for _, p := range trainer.Curve(lines) {
		out = append(out, pointOf(p))
	}
	return out
}

func pointOf(p eval.Point) point {
	return point{p.Step, p.Validation, orNil(p.Loss), orNil(p.Accuracy), orNil(p.Margin), orNil(p.LearningRate), orNil(p.GradNorm)}
}

func orNil(x float64) *float64 {
	if x != x {
		return nil
	}
	return &x
}
