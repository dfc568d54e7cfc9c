package main

import (
	"context"
	"errors"
	"math"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/triage"
)

// margins are those of each model on all pairs; none without --model.
func (t *triaging) margins(ctx context.Context) (out triage.Margins, facts []draw.Fact, err error) {
	if len(t.refs) == 0 {
		return nil, nil, nil
	}
	started := backends{}
	for _, ref := range t.refs {
		margin, err := t.marginsOf(ctx, ref, started)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, margin)
	}
	return out, []draw.Fact{{Name: "backend", Value: started[t.backend].choice.String()}, {Name: "matrix products", Value: t.dtype}}, nil
}

func (t *triaging) marginsOf(ctx context.Context, ref string, started backends) (margins []float64, err error) {
	scorer, choice, err := started.scorer(ctx, ref, t.revision, t.maxLength, t.backend, t.devices, t.log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, scorer.Close()) }()
	if err := setDType(scorer, choice, t.dtype, t.log); err != nil {
		return nil, err
	}
	bar := newProgress(t.log, "score by "+ref, "pairs", -1)
	defer bar.finish()
	var now []data.Completion
	flush := func() error {
		scores, err := scorer.Score(ctx, now)
		if err != nil {
			return err
		}
		for k := 0; k < len(scores); k += 2 {
			margins = append(margins, marginOf(scores[k], scores[k+1]))
		}
		now = now[:0]
		bar.set(len(margins), -1, "")
		return nil
	}
	for p, err := range t.pairs(ctx)() {
		if err != nil {
			return nil, err
		}
		now = append(now, data.Completion{Prompt: p.Prompt, Response: p.Chosen}, data.Completion{Prompt: p.Prompt, Response: p.Rejected})
		if len(now) == scoredAtOnce {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if len(now) > 0 {
		err = flush()
	}
	warnUnread(scorer.Model, t.log)
	return margins, err
}

// marginOf is NaN where a response could not be scored.
func marginOf(chosen, rejected data.Score) float64 {
	if !chosen.Valid || !rejected.Valid {
		return math.NaN()
	}
	return float64(chosen.Reward) - float64(rejected.Reward)
}
