package trainer

import "fmt"

// Steps is how many optimiser steps the run makes in all.
func (r Run) Steps() int {
	return newFeed(r.Train, r.Order, r.Config.GradientAccumulationSteps, int32(r.PadID)).totalSteps(r.Config.Epochs, r.Config.MaxSteps)
}

// schedule is that of the learning rate over so many steps.
func (r Run) schedule(total int) Schedule {
	return Schedule{Name: r.Config.Schedule, Peak: r.Config.LearningRate, Warmup: r.Config.warmup(total), Total: total}
}

// Extension says what becomes of a run that goes on for another number of steps
// than it began with. The schedule is laid over the new number as if the run had
// been so long from the beginning: the rates of steps made are not changed, the
// next one is that of its place in the new schedule.
type Extension struct {
	Made, Before, Total int     // steps
	Rate                float64 // of the next step
	Schedule            string
}

// Extends compares a resumed run with the configuration that it began with; nil
// where it makes as many steps. Fewer than are made is an error.
func (r Run) Extends(began Config) (*Extension, error) {
	before := r
	before.Config = began
	e := &Extension{Made: r.State.Step, Before: before.Steps(), Total: r.Steps(), Schedule: r.Config.Schedule}
	if e.Total < e.Made {
		return nil, fmt.Errorf("%d steps are made already, and train.epochs and train.max_steps ask for %d in all", e.Made, e.Total)
	}
	if e.Total == e.Before {
		return nil, nil
	}
	e.Rate = r.schedule(e.Total).At(e.Made)
	return e, nil
}

// String is what commands print.
func (e *Extension) String() string {
	return fmt.Sprintf("the run is to make %d steps instead of %d: schedule %s is laid over all %d as if it had been so from the beginning, and step %d has learning rate %.3g",
		e.Total, e.Before, e.Schedule, e.Total, e.Made+1, e.Rate)
}
