// Package trainer trains a reward model on pairs: the Bradley–Terry loss,
// AdamW, schedules, the loop, and checkpoints that survive a kill.
package trainer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gomlx/compute"

	"laurel/data"
	"laurel/data/batches"
	"laurel/model"
)

// Run is one training run, ready to go.
type Run struct {
	Config        Config
	Dir           string // the run directory
	Model         *model.Model
	Backend       compute.Backend
	BackendName   string
	Train         *batches.Store
	Validation    *batches.Store // nil: no validation
	Order         batches.Order
	PadID         int
	SaveTokenizer func(dir string) error               // into every checkpoint; nil: none
	State         State                                // where to begin; zero for a new run
	Out           io.Writer                            // lines for people
	Progress      func(done, total int, status string) // nil: none
	// Kept is told of each validation that is the best so far, once its checkpoint
	// is there; nil: nobody is.
	Kept func(*Measured, State)

	events    *events // nil: none are written
	byProgram bool    // updates are made by a program even where they could be made in place, for tests of the order of programs
}

// ErrInterrupted is returned when the context ended the run early; a
// checkpoint of the last step was saved.
var ErrInterrupted = errors.New("interrupted")

// Result is what a finished run leaves.
type Result struct {
	State    State
	Best     *Measured     // the best validation, whose checkpoint is kept; nil without any
	Pairs    int           // trained on by this process
	Stepping time.Duration // that its steps took, compiling included; validation and saving are not
}

// Train runs from the state's step to the last and leaves checkpoints,
// metrics.jsonl and best.json in the run directory.
func Train(ctx context.Context, r Run) (result *Result, err error) {
	if slices.Contains(r.Config.Log, LogTensorBoard) {
		if r.events, err = openEvents(r.Dir, r.State); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, r.events.close()) }()
	}
	steps, err := newStepper(r.Backend, r.Model, r.Config)
	if err != nil {
		return nil, err
	}
	steps.inPlace = steps.inPlace && !r.byProgram
	scorer, err := model.NewEnsemble(r.Backend, model.Member{Model: r.Model})
	if err != nil {
		return nil, err
	}
	source := newFeed(r.Train, r.Order, r.Config.GradientAccumulationSteps, int32(r.PadID))
	total := source.totalSteps(r.Config.Epochs, r.Config.MaxSteps)
	schedule := r.schedule(total)
	feeding, stop := context.WithCancel(ctx)
	defer stop()
	ahead := !r.Backend.HasSharedBuffers() // else handing a program out waits for it, and a step would be told of one step late
	pipeline := pipeline{steps: steps, batches: source.run(feeding, r.State.Step, total)}
	result = &Result{State: r.State}
	state := &result.State
	state.Window.started = time.Now()
	if w := state.Waiting; state.Step == total {
		fmt.Fprintf(r.Out, "all %d steps are made already, nothing is trained: raise train.epochs or train.max_steps to go on\n", total)
	} else if r.Config.EarlyStopping.ends(w) {
		fmt.Fprintf(r.Out, "the run was stopped early, %d validations after its best at step %d: raise train.early_stopping.patience to go on\n", w.Waits, w.Step)
	}
	for {
		last := state.Step == total || r.Config.EarlyStopping.ends(state.Waiting)
		var kept *Measured // of this step, where it is the best so far
		if r.validationDue(state, last) {
			if kept, err = r.validate(ctx, scorer, state); err != nil {
				return result, r.stopped(ctx, state, err)
			}
			if r.Config.EarlyStopping.ends(state.Waiting) && !last {
				last = true
				if err := r.stopEarly(state, total, schedule.At(state.Step-1)); err != nil {
					return result, err
				}
			}
		}
		if last || kept != nil || every(r.Config.SaveEvery, state.Step) {
			if err := r.save(state, kept); err != nil {
				return result, err
			}
		}
		if last {
			result.Best, err = r.best(ctx, scorer, state)
			return result, err
		}
		began := time.Now()
		rate := schedule.At(state.Step)
		made, step, err := pipeline.step(ctx, state.Step, state.Updates, rate, ahead && !r.pausesAt(state.Step+1, total))
		if err != nil {
			return result, r.stopped(ctx, state, err)
		}
		state.Step++
		state.Window.add(step, made.batches)
		result.Stepping += time.Since(began)
		for _, b := range made.batches {
			result.Pairs += b.Pairs
		}
		if step.Finite {
			state.Updates++
		} else if err := r.skip(state, step, made.batches); err != nil {
			return result, err
		}
		if r.Progress != nil {
			r.Progress(state.Step, total, fmt.Sprintf("loss %.4f", step.Loss))
		}
		if state.Step == total || every(r.Config.LogEvery, state.Step) {
			if err := r.log(state, rate); err != nil {
				return result, err
			}
		}
	}
}

// stopEarly says why the run ends, and writes the metrics line under way.
func (r Run) stopEarly(state *State, total int, rate float64) error {
	fmt.Fprintf(r.Out, "stopped early after step %d of %d: validation %s was best at step %d (%.4f) and has not got better by more than %g since (train.early_stopping)\n",
		state.Step, total, r.Config.EarlyStopping.Metric, state.Waiting.Step, state.Waiting.Best, r.Config.EarlyStopping.MinDelta)
	if every(r.Config.LogEvery, state.Step) {
		return nil // it is written
	}
	return r.log(state, rate)
}

// pausesAt tells whether a step is followed by something else than the next
// step: then its gradients need not lie on the device meanwhile.
func (r Run) pausesAt(step, total int) bool {
	return step == total || every(r.Config.SaveEvery, step) || r.Validation != nil && every(r.Config.EvalEvery, step)
}

// stopped saves where an interrupted run stands; other errors pass.
func (r Run) stopped(ctx context.Context, state *State, err error) error {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	return errors.Join(ErrInterrupted, r.save(state, nil))
}

// validationDue tells whether this step's validation is still to be made: a
// run may have been stopped in the middle of it.
func (r Run) validationDue(state *State, last bool) bool {
	return r.Validation != nil && state.Step > state.Validated && (last || every(r.Config.EvalEvery, state.Step))
}

func every(n, step int) bool { return n > 0 && step > 0 && step%n == 0 }

// log writes the window's line and starts a new window.
func (r Run) log(state *State, rate float64) error {
	line := state.Window.line(state.Step, rate, state.Skipped)
	state.Window = newWindow()
	if err := r.record(line); err != nil {
		return err
	}
	show := func(x *float64) string {
		if x == nil {
			return "n/a"
		}
		return fmt.Sprintf("%.4g", *x)
	}
	_, err := fmt.Fprintf(r.Out, "step %d  loss %s  accuracy %s  margin %s  lr %.3g  grad norm %s  %s pairs/s  padding %.0f%%\n",
		state.Step, show(line.Loss), show(line.Accuracy), show(line.Margin), rate, show(line.GradNorm),
		show(line.PairsPerSecond), 100**line.Padding)
	return err
}

// record writes a line to metrics.jsonl, and to the event file where there is one.
func (r Run) record(line Line) error {
	if err := appendLine(r.Dir, line); err != nil {
		return err
	}
	return r.events.add(line)
}

// validate measures and records. It gives what was measured where this step is the best
// so far.
func (r Run) validate(ctx context.Context, scorer *model.Ensemble, state *State) (*Measured, error) {
	rows, objective, err := r.score(ctx, scorer)
	if err != nil {
		return nil, err
	}
	quick, err := r.measure(rows, state.Step, false)
	if err != nil {
		return nil, err
	}
	report := quick.Report
	e := Evaluation{Step: state.Step, Accuracy: float64(report.AccuracyTiesHalf), Loss: float64(report.BTLossMean)}
	margin := float64(report.MarginMean)
	line := Line{Step: state.Step, ValidationLoss: &e.Loss, ValidationAccuracy: &e.Accuracy, ValidationMargin: &margin, ValidationObjective: &objective}
	if err := r.record(line); err != nil {
		return nil, err
	}
	fmt.Fprintf(r.Out, "step %d  validation: accuracy %.4f  loss %.4f  (%d pairs)\n", state.Step, e.Accuracy, e.Loss, r.Validation.Len())
	state.Validated = state.Step
	state.Waiting = r.Config.EarlyStopping.after(state.Waiting, e)
	if !e.betterThan(state.Best) {
		return nil, nil
	}
	state.Best = &e
	return r.measure(rows, state.Step, true)
}

// save writes a checkpoint, then points best.json to the best, then removes
// old checkpoints, in that order, so that a kill in between loses nothing.
func (r Run) save(state *State, kept *Measured) error {
	state.Backend, state.Data = r.BackendName, r.Train.Digest
	state.Buckets, state.Shared, state.BucketPairs, state.SharedPairs = r.Order.Buckets, r.Order.Shared, r.Order.BucketPairs, r.Order.SharedPairs
	state.Flat, state.FlatShared = r.Order.Flat, r.Order.FlatShared
	if n := r.Model.NumDevices(); n > 1 {
		state.Devices = n
	} else {
		state.Devices = 0
	}
	if err := saveCheckpoint(r.Dir, r.Model, r.PadID, r.SaveTokenizer, *state, kept); err != nil {
		return err
	}
	if err := writeBest(r.Dir, state.Best); err != nil {
		return err
	}
	if kept != nil && r.Kept != nil {
		r.Kept(kept, *state)
	}
	return prune(r.Dir, r.Config.Keep, state.Best)
}

func writeBest(runDir string, best *Evaluation) error {
	if best == nil {
		return nil
	}
	raw, err := json.Marshal(best)
	if err != nil {
		return err
	}
	return data.WriteFile(filepath.Join(runDir, bestFile), append(raw, '\n'))
}

// skip counts a step whose loss or gradient was not finite, saves its batch
// for inspection, and ends the run after max_bad_steps of them.
func (r Run) skip(state *State, step *stepResult, batches []*batches.Batch) error {
	state.Skipped++
	path := filepath.Join(r.Dir, "bad-steps", checkpointName(state.Step)+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	raw, err := json.Marshal(badStep{Step: state.Step, Loss: fmt.Sprint(step.Loss), GradNorm: fmt.Sprint(step.GradNorm),
		Chosen: printed(step.Chosen), Rejected: printed(step.Rejected), Batches: batches})
	if err != nil {
		return err
	}
	if err := data.WriteFile(path, raw); err != nil {
		return err
	}
	fmt.Fprintf(r.Out, "step %d skipped: loss %v, gradient norm %v; the weights are as before; its batch is in %s\n",
		state.Step, step.Loss, step.GradNorm, path)
	if state.Skipped < r.Config.MaxBadSteps {
		return nil
	}
	return fmt.Errorf("stopped after %d steps with a non-finite loss or gradient (train.max_bad_steps): their batches are in %s; a lower train.learning_rate or rows mended may help",
		state.Skipped, filepath.Dir(path))
}

// badStep is the content of a file under bad-steps.
type badStep struct {
	Step             int
	Loss, GradNorm   string
	Chosen, Rejected []string // rewards
	Batches          []*batches.Batch
}

func printed(values []float32) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprint(v)
	}
	return out
}
