package loop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"laurel/configs"
	"laurel/data"
	"laurel/feedback/chat"
)

// Step is one step of a round.
type Step struct {
	Name string
	// Output is the file or folder that it writes; it is removed where the step is
	// stale.
	Output string
	// Inputs are asked for once all steps before are done.
	Inputs func() (Inputs, error)
	// Run does the step, or goes on with it, and puts what it measured into the
	// round's Measures.
	Run func(context.Context, *RoundState) error
}

// Loop is what decides a run of it.
type Loop struct {
	Dir    string
	Rounds []Config // each round's
	Split  *Split
	State  *State
	Spent  func() chat.Spent      // by all runs of the loop
	Steps  func(round int) []Step // of a round, from 1
	Finish func(round int) error  // called where a round is finished, with its measures in the state
	Log    io.Writer              // lines for people
}

// RoundDir is the folder of a round in a loop's.
func RoundDir(dir string, round int) string {
	return filepath.Join(dir, fmt.Sprintf("round-%03d", round))
}

// Run does the rounds that are not finished. Killed at any point, it goes on with the
// step that was running.
func (l *Loop) Run(ctx context.Context) error {
	if err := l.State.checkSplit(l.Split); err != nil {
		return err
	}
	for n := range l.Rounds {
		if err := l.round(ctx, n+1); err != nil {
			return err
		}
	}
	return nil
}

func (l *Loop) round(ctx context.Context, n int) error {
	state, steps := l.State.Round(n, l.Spent()), l.Steps(n)
	if state.Finished {
		return l.sayFinished(n, state, steps)
	}
	fmt.Fprintf(l.Log, "\nround %d of %d: %s\n", n, len(l.Rounds), RoundDir(l.Dir, n))
	if err := l.writeConfig(n); err != nil {
		return err
	}
	for _, step := range steps {
		if err := l.step(ctx, n, state, step); err != nil {
			return stepError(ctx, n, step.Name, err)
		}
	}
	state.Finished, state.Measures.Spent = true, l.Spent().Minus(state.Before)
	if err := l.State.Save(); err != nil {
		return err
	}
	return l.Finish(n)
}

// writeConfig saves the resolved configuration of a round.
func (l *Loop) writeConfig(n int) error {
	resolved, err := configs.YAML(l.Rounds[n-1])
	if err == nil {
		err = os.MkdirAll(RoundDir(l.Dir, n), 0o755)
	}
	if err != nil {
		return err
	}
	return data.WriteFile(filepath.Join(RoundDir(l.Dir, n), "config.yaml"), resolved)
}

// sayFinished says with what inputs a finished round was made that are others now.
func (l *Loop) sayFinished(n int, state *RoundState, steps []Step) error {
	said := fmt.Sprintf("round %d is finished", n)
	for _, step := range steps {
		inputs, err := step.Inputs()
		if err != nil {
			return stepError(context.Background(), n, step.Name, err)
		}
		if was := state.Steps[step.Name]; was != nil {
			if changes := inputs.changes(was.Inputs); len(changes) > 0 {
				said += fmt.Sprintf("; it keeps what %s made, though %s", step.Name, strings.Join(changes, ", "))
			}
		}
	}
	_, err := fmt.Fprintln(l.Log, said)
	return err
}

// step does a step that is not done, or whose inputs are others than they were.
func (l *Loop) step(ctx context.Context, n int, state *RoundState, step Step) error {
	inputs, err := step.Inputs()
	if err != nil {
		return err
	}
	was := state.Steps[step.Name]
	var changes []string
	if was != nil {
		changes = inputs.changes(was.Inputs)
	}
	switch {
	case was == nil:
		fmt.Fprintf(l.Log, "\nround %d, %s\n", n, step.Name)
	case len(changes) > 0:
		fmt.Fprintf(l.Log, "\nround %d, %s: stale, and done again: %s\n", n, step.Name, strings.Join(changes, ", "))
	case was.Done:
		fmt.Fprintf(l.Log, "round %d, %s: done before\n", n, step.Name)
		return nil
	default:
		fmt.Fprintf(l.Log, "\nround %d, %s: goes on\n", n, step.Name)
	}
	if was == nil || len(changes) > 0 {
		if err := os.RemoveAll(step.Output); err != nil {
			return err
		}
		state.Steps[step.Name] = &StepState{Inputs: inputs}
		if err := l.State.Save(); err != nil {
			return err
		}
	}
	if err := step.Run(ctx, state); err != nil {
		return err
	}
	state.Steps[step.Name].Done = true
	return l.State.Save()
}

// Reused keeps how many answers of a step were there when it began.
func (l *Loop) Reused(round int, step string, answers int) error {
	state := l.State.Rounds[round-1].Steps[step]
	if state.Reused != nil { // it goes on: what it asked itself was not there
		return nil
	}
	state.Reused = &answers
	return l.State.Save()
}

// stepError says where a loop stopped, and how it goes on.
func stepError(ctx context.Context, n int, step string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted in round %d, %s: the same command goes on with it", n, step)
	case errors.Is(err, chat.ErrBudget):
		return fmt.Errorf("round %d, %s: %w", n, step, err)
	}
	return fmt.Errorf("round %d, %s: %w (the same command goes on with it)", n, step, err)
}
