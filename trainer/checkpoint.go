package trainer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"laurel/data"
	"laurel/model"
	"laurel/model/safetensors"
)

// A checkpoint is a folder RUN_DIR/checkpoints/step-000100 that is a Hugging
// Face model and holds the training state beside it. It is written aside as
// .writing-…, synced, and renamed: a folder of the final name is whole.

// State is what a run needs, beside weights and moments, to go on as if it
// had not stopped.
type State struct {
	Step      int         `json:"step"`              // optimiser steps done, skipped ones included
	Updates   int         `json:"updates"`           // steps whose update was made
	Devices   int         `json:"devices,omitempty"` // that made the last step
	Skipped   int         `json:"skipped"`           // steps with a non-finite loss or gradient
	Validated int         `json:"validated"`         // step of the last validation made
	Best      *Evaluation `json:"best,omitempty"`
	Waiting   *Waiting    `json:"waiting,omitempty"` // for early stopping; nil without
	Buckets   []int       `json:"buckets,omitempty"` // lengths that batches are padded to
	Shared    []int       `json:"shared,omitempty"`  // those of rows that hold both sequences of a pair
	Flat      []int       `json:"flat,omitempty"`    // those of rows that hold all pairs of a batch, or of a part of it
	// FlatShared: in flat rows what both sequences of a pair begin with lies once
	FlatShared bool `json:"flat_shared,omitempty"`
	// BucketPairs and SharedPairs are how many pairs of those lengths are computed at once; empty: whole batches
	BucketPairs []int  `json:"bucket_pairs,omitempty"`
	SharedPairs []int  `json:"shared_pairs,omitempty"`
	Backend     string `json:"backend"`
	Data        string `json:"data"`   // digest of the training pairs, as Store.Digest
	Window      window `json:"window"` // the metrics line under way
}

// Evaluation is the validation result of one step.
type Evaluation struct {
	Step     int     `json:"step"`
	Accuracy float64 `json:"accuracy"`
	Loss     float64 `json:"loss"`
}

// betterThan prefers accuracy, then loss.
func (e Evaluation) betterThan(other *Evaluation) bool {
	if other == nil || e.Accuracy != other.Accuracy {
		return other == nil || e.Accuracy > other.Accuracy
	}
	return e.Loss < other.Loss
}

const (
	stateFile  = "trainer_state.json"
	adamFile   = "optimizer.safetensors"
	bestFile   = "best.json"
	writing    = ".writing-"
	removing   = ".removing-"
	stepPrefix = "step-"
)

func checkpointsDir(runDir string) string { return filepath.Join(runDir, "checkpoints") }

func checkpointName(step int) string { return fmt.Sprintf("%s%06d", stepPrefix, step) }

// saveCheckpoint writes the checkpoint of the state's step. saveTokenizer puts the
// tokenizer's files into it, where there is one; kept is its validation, or nil.
func saveCheckpoint(runDir string, m *model.Model, padID int, saveTokenizer func(dir string) error, state State, kept *Measured) error {
	parent := checkpointsDir(runDir)
	name := checkpointName(state.Step)
	final := filepath.Join(parent, name)
	if _, err := os.Stat(final); err == nil {
		return kept.save(final) // the same step's checkpoint is whole already
	}
	aside := filepath.Join(parent, writing+name)
	if err := cmp.Or(writeCheckpoint(aside, m, padID, saveTokenizer, state), kept.save(aside)); err != nil {
		return fmt.Errorf("save checkpoint %s: %w", name, errors.Join(err, os.RemoveAll(aside)))
	}
	if err := os.Rename(aside, final); err != nil {
		return fmt.Errorf("save checkpoint %s: %w", name, err)
	}
	return data.SyncFolder(parent)
}

func writeCheckpoint(dir string, m *model.Model, padID int, saveTokenizer func(dir string) error, state State) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := m.Save(dir, padID); err != nil {
		return err
	}
	if saveTokenizer != nil {
		if err := saveTokenizer(dir); err != nil {
			return err
		}
	}
	if err := m.SaveVariables(filepath.Join(dir, adamFile), []string{firstMoment, secondMoment}); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	if err := data.WriteFile(filepath.Join(dir, stateFile), append(raw, '\n')); err != nil {
		return err
	}
	return data.SyncFolder(dir)
}

// checkpointSteps lists the whole checkpoints, oldest first.
func checkpointSteps(runDir string) ([]int, error) {
	entries, err := os.ReadDir(checkpointsDir(runDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, entry := range entries {
		var step int
		if n, err := fmt.Sscanf(entry.Name(), stepPrefix+"%d", &step); n == 1 && err == nil && entry.IsDir() {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// readState reads a checkpoint's state and checks that its tensors open.
func readState(dir string) (*State, error) {
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return nil, err
	}
	state := &State{}
	if err := json.Unmarshal(raw, state); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, stateFile), err)
	}
	if err := model.CheckSaved(dir); err != nil {
		return nil, err
	}
	w, err := safetensors.Open(filepath.Join(dir, adamFile))
	if err != nil {
		return nil, err
	}
	return state, w.Close()
}

// check holds a state to the step that its folder is named for.
func (s *State) check(step int) error {
	if s.Step != step || s.Updates < 0 || s.Skipped < 0 || s.Updates > step || s.Skipped > step {
		return fmt.Errorf("%s is not of this step: it says %d steps, %d updates, %d skipped", stateFile, s.Step, s.Updates, s.Skipped)
	}
	return nil
}

// newestWhole finds the newest checkpoint that reads well. Those passed
// over are named in skipped. dir is "" where there is none.
func newestWhole(runDir string) (dir string, state *State, skipped []string, err error) {
	steps, err := checkpointSteps(runDir)
	if err != nil {
		return "", nil, nil, err
	}
	for _, step := range slices.Backward(steps) {
		dir := filepath.Join(checkpointsDir(runDir), checkpointName(step))
		state, err := readState(dir)
		if err == nil {
			err = state.check(step)
		}
		if err == nil {
			return dir, state, skipped, nil
		}
		skipped = append(skipped, fmt.Sprintf("checkpoint %s is damaged and passed over: %v", dir, err))
	}
	return "", nil, skipped, nil
}

// prune removes all but the newest keep checkpoints and the best.
func prune(runDir string, keep int, best *Evaluation) error {
	steps, err := checkpointSteps(runDir)
	if err != nil {
		return err
	}
	for _, step := range steps[:max(0, len(steps)-keep)] {
		if best != nil && step == best.Step {
			continue
		}
		if err := removeCheckpoint(runDir, step); err != nil {
			return fmt.Errorf("remove old checkpoint: %w", err)
		}
	}
	return nil
}

// removeCheckpoint renames first, so that a half-removed folder is never
// taken for a checkpoint.
func removeCheckpoint(runDir string, step int) error {
	name := checkpointName(step)
	aside := filepath.Join(checkpointsDir(runDir), removing+name)
	if err := os.Rename(filepath.Join(checkpointsDir(runDir), name), aside); err != nil {
		return err
	}
	return os.RemoveAll(aside)
}

// sweep removes what a killed run left half written or half removed, and
// checkpoints after the step that is resumed from.
func sweep(runDir string, resumed int) error {
	entries, err := os.ReadDir(checkpointsDir(runDir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), writing) || strings.HasPrefix(entry.Name(), removing) {
			if err := os.RemoveAll(filepath.Join(checkpointsDir(runDir), entry.Name())); err != nil {
				return err
			}
		}
	}
	steps, err := checkpointSteps(runDir)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if step > resumed {
			if err := removeCheckpoint(runDir, step); err != nil {
				return err
			}
		}
	}
	return nil
}

// Best is a run's best validation, nil where there is none.
func Best(runDir string) (*Evaluation, error) {
	path := filepath.Join(runDir, bestFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	best := &Evaluation{}
	if err == nil {
		err = json.Unmarshal(raw, best)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return best, nil
}

// BestCheckpoint is the folder of a run's best checkpoint by validation, or
// of the newest where nothing was validated; why says which.
func BestCheckpoint(runDir string) (dir, why string, err error) {
	best, err := Best(runDir)
	if err != nil {
		return "", "", err
	}
	if best != nil {
		dir := filepath.Join(checkpointsDir(runDir), checkpointName(best.Step))
		_, damage := readState(dir)
		if damage == nil {
			return dir, fmt.Sprintf("step %d, best by validation (accuracy %.4f)", best.Step, best.Accuracy), nil
		}
		return "", "", fmt.Errorf("the best checkpoint by validation, %s, is damaged: %w; name another folder under %s", dir, damage, checkpointsDir(runDir))
	}
	dir, state, _, err := newestWhole(runDir)
	if err != nil {
		return "", "", err
	}
	if state == nil {
		return "", "", fmt.Errorf("run %s has no whole checkpoint yet", runDir)
	}
	return dir, fmt.Sprintf("step %d, the newest", state.Step), nil
}
