package board

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"laurel/data"
	"laurel/eval/stats"
	"laurel/scoring"
	"laurel/trainer"
)

// question is two responses to a prompt, as they are typed.
type question struct {
	Run    string `json:"run"`
	Prompt string `json:"prompt"`
	A      string `json:"a"`
	B      string `json:"b"`
}

// answer is what a run's model makes of them.
type answer struct {
	Checkpoint  string   `json:"checkpoint"`
	Form        string   `json:"form"` // in which the texts were given to the model
	MaxLength   int      `json:"max_length"`
	Side        string   `json:"side"` // at which longer ones are cut
	A           scored   `json:"a"`
	B           scored   `json:"b"`
	Margin      *float64 `json:"margin"`      // of A over B; null where one has no reward
	Probability *float64 `json:"probability"` // that A is the better one, σ(margin)
}

// scored is a response with its reward, or why it has none.
type scored struct {
	Reward *float64 `json:"reward"`
	Reason string   `json:"reason"`
	Tokens int      `json:"tokens"` // after cutting
	Cut    int      `json:"cut"`    // tokens lost to max_length
}

// waiting questions; beyond, pages are told to ask again.
const waiting = 4

var errBusy = errors.New("other texts are being scored: try again in a moment")

// Scorers keeps the model that was asked last open.
type Scorers struct {
	open  func(ctx context.Context, dir string) (*scoring.Scorer, error)
	queue chan struct{} // questions under way and waiting
	turn  chan struct{} // holds one token while a question is under way

	dir    string // of all below: under turn
	scorer *scoring.Scorer
}

// NewScorers opens models by open, which is given a checkpoint's folder.
func NewScorers(open func(ctx context.Context, dir string) (*scoring.Scorer, error)) *Scorers {
	return &Scorers{open: open, queue: make(chan struct{}, waiting), turn: make(chan struct{}, 1)}
}

// Close closes the model that is open.
func (s *Scorers) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	return s.close()
}

func (s *Scorers) close() error {
	if s.scorer == nil {
		return nil
	}
	err := s.scorer.Close()
	s.scorer = nil
	return err
}

// score asks the best checkpoint of a run directory, once those before are done.
func (s *Scorers) score(ctx context.Context, runDir string, q question) (*answer, error) {
	select {
	case s.queue <- struct{}{}:
		defer func() { <-s.queue }()
	default:
		return nil, errBusy
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	dir, _, err := trainer.BestCheckpoint(runDir)
	if err != nil {
		return nil, err
	}
	if s.scorer == nil || s.dir != dir {
		if err := s.close(); err != nil {
			return nil, err
		}
		if s.scorer, err = s.open(ctx, dir); err != nil {
			return nil, err
		}
		s.dir = dir
	}
	return ask(ctx, s.scorer, dir, q)
}

func ask(ctx context.Context, s *scoring.Scorer, dir string, q question) (*answer, error) {
	form := "text"
	if strings.Contains(s.Config.Recorded.TrainedOn, scoring.Messages) {
		form = scoring.Messages
	}
	both := []data.Completion{completion(form, q.Prompt, q.A), completion(form, q.Prompt, q.B)}
	scores, err := s.Score(ctx, both)
	if err != nil {
		return nil, err
	}
	out := &answer{Checkpoint: dir, Form: form, MaxLength: s.MaxLength, Side: cmp.Or(s.Config.Recorded.TruncationSide, "left")}
	for i, into := range []*scored{&out.A, &out.B} {
		into.Reason, into.Tokens = scores[i].Reason, scores[i].Tokens
		if !scores[i].Valid {
			continue
		}
		reward := float64(scores[i].Reward)
		into.Reward = &reward
		tokens, err := s.Encode(both[i])
		if err != nil {
			return nil, fmt.Errorf("count what was cut: %w", err)
		}
		into.Cut = tokens.Cut
	}
	if out.A.Reward != nil && out.B.Reward != nil {
		margin := *out.A.Reward - *out.B.Reward
		probability := stats.Sigmoid(margin)
		out.Margin, out.Probability = &margin, &probability
	}
	return out, nil
}

// completion is a response in the form that the model was trained on.
func completion(form, prompt, response string) data.Completion {
	if form == scoring.Messages {
		return data.Completion{Prompt: data.Text{Messages: []data.Message{{Role: "user", Content: prompt}}},
			Response: data.Text{Messages: []data.Message{{Role: "assistant", Content: response}}}}
	}
	return data.Completion{Prompt: data.Text{Plain: prompt}, Response: data.Text{Plain: response}}
}
