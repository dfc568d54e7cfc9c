package loop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"laurel/data"
	"laurel/feedback/chat"
)

// stateFile says in a loop's directory how far it is.
const stateFile = "state.json"

// State is how far a loop is. It is written whole after each change, aside and
// renamed, so that a killed loop leaves the one before or the one after.
type State struct {
	Split  string        `json:"split"` // Split.Digest that the finished rounds had
	Rounds []*RoundState `json:"rounds"`

	path string
}

// RoundState is how far a round is.
type RoundState struct {
	Finished bool                  `json:"finished"`
	Before   chat.Spent            `json:"spent_before"` // by the loop when the round began
	Steps    map[string]*StepState `json:"steps"`
	Measures Measures              `json:"measures"`
}

// StepState is a step that was begun.
type StepState struct {
	Done   bool   `json:"done"`
	Inputs Inputs `json:"inputs"`
	Reused *int   `json:"reused,omitempty"` // answers that were there when it began; nil: it asks nothing, or has not counted
}

// Inputs are what decides a step's output: values, or their hashes.
type Inputs map[string]string

// LoadState reads the state of a loop in dir, an empty one where there is none.
func LoadState(dir string) (*State, error) {
	s := &State{path: filepath.Join(dir, stateFile)}
	raw, err := os.ReadFile(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, s)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: restore it from a copy, or name another --out", s.path, err)
	}
	return s, nil
}

// Save writes the state.
func (s *State) Save() error {
	return data.WriteAside(s.path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", " ")
		return encoder.Encode(s)
	})
}

// checkSplit refuses other prompts, shares or seeds once a round is finished: a
// prompt that it trained on could be held out now.
func (s *State) checkSplit(split *Split) error {
	if len(s.Rounds) > 0 && s.Rounds[0].Finished && s.Split != split.Digest {
		return errors.New("the prompts, or how they are dealt out (held_out, prompts_per_round, seed), are others than those of the rounds that are finished, and a prompt trained on could be held out now: " +
			"put them back (more rounds than before want prompts_per_round to be what it was, and prompts left), or name another --out")
	}
	s.Split = split.Digest
	return nil
}

// Round is the state of a round, from 1, which begins where it is new.
func (s *State) Round(n int, spent chat.Spent) *RoundState {
	for len(s.Rounds) < n {
		s.Rounds = append(s.Rounds, &RoundState{Before: spent, Steps: map[string]*StepState{}})
	}
	return s.Rounds[n-1]
}

// changes say in what inputs differ from what they were.
func (in Inputs) changes(was Inputs) []string {
	all := maps.Clone(was)
	maps.Copy(all, in)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		before, had := was[name]
		after, has := in[name]
		switch {
		case before == after && had == has:
		case !had:
			out = append(out, name+" is new")
		case !has:
			out = append(out, name+" is gone")
		case strings.HasPrefix(before, hashed) || strings.HasPrefix(after, hashed):
			out = append(out, name+" changed")
		default:
			out = append(out, fmt.Sprintf("%s was %s, is %s", name, before, after))
		}
	}
	return out
}
