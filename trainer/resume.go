package trainer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"laurel/model"
)

// Started tells whether a run directory holds a run already.
func Started(runDir string) bool { return Stepped(runDir) || holds(runDir, configFile) }

// Stepped tells whether a run has made steps: its configuration alone, which other
// commands' directories have too, is none.
func Stepped(runDir string) bool { return holds(runDir, MetricsFile) || holds(runDir, "checkpoints") }

func holds(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// Resume loads the newest whole checkpoint of a run: the model by load, which
// also settles what is trained, then moments and state. m is nil where the run
// has none yet. Damaged checkpoints passed over
// are named in notes. Lines of metrics.jsonl after the checkpoint's step are
// dropped, since those steps are made again.
func Resume(runDir string, load func(dir string) (*model.Model, error)) (m *model.Model, state State, notes []string, err error) {
	dir, saved, notes, err := newestWhole(runDir)
	if err != nil {
		return nil, State{}, notes, err
	}
	if saved != nil {
		state = *saved
		if m, err = load(dir); err != nil {
			return nil, State{}, notes, err
		}
		if m.Loaded.NewHead {
			return nil, State{}, notes, fmt.Errorf("checkpoint %s has no score head", dir)
		}
		if err := m.LoadVariables(filepath.Join(dir, adamFile), []string{firstMoment, secondMoment}); err != nil {
			return nil, State{}, notes, err
		}
	}
	if err := sweep(runDir, state.Step); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, State{}, notes, err
	}
	if err := forgetAfter(runDir, state); err != nil {
		return nil, State{}, notes, err
	}
	return m, state, notes, writeBest(runDir, state.Best)
}
