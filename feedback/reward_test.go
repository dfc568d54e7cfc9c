package feedback

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"laurel/data"
)

func TestRewardJudge(t *testing.T) {
	calls := 0
	lengths := func(_ context.Context, texts []data.Completion) ([]float64, error) {
		calls++
		var out []float64
		for _, c := range texts {
			out = append(out, float64(c.Response.Chars()))
		}
		return out, nil
	}
	config := DefaultReward()
	config.Temperature = 2
	judge := NewReward("rm", "sha", config, lengths)
	c := data.Comparison{A: data.Text{Plain: "four"}, B: data.Text{Plain: "x"}}
	for i := range four {
		for _, swapped := range []bool{false, true} {
			a, err := judge.Ask(t.Context(), Question{&c, &four[i], swapped})
			want := 1 / (1 + math.Exp(-1.5)) // σ((4−1)/2)
			if swapped {
				want = 1 - want
			}
			if err != nil || a.Outcome != Preferred || !near(a.First, want) {
				t.Errorf("swapped %v: %+v, %v, want %v", swapped, a, err, want)
			}
		}
	}
	if calls != 1 {
		t.Errorf("scored %d times", calls)
	}
	config.Temperature = 1
	if same := NewReward("other", "sha", config, lengths).Fingerprint(); same == judge.Fingerprint() {
		t.Error("the temperature is not in the Fingerprint")
	}
}

func TestRewardJudgeFails(t *testing.T) {
	for says, score := range map[string]ScoreFunc{
		"is NaN":   func(context.Context, []data.Completion) ([]float64, error) { return []float64{math.NaN(), 1}, nil },
		"no model": func(context.Context, []data.Completion) ([]float64, error) { return nil, errors.New("no model") },
	} {
		_, err := NewReward("rm", "sha", DefaultReward(), score).Ask(t.Context(), Question{Comparison: &twoTexts, Principle: &four[0]})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestRewardJudgeTogether: questions that come while others are scored are
// scored together, each text once, and each gets its own reward.
func TestRewardJudgeTogether(t *testing.T) {
	var calls, texts atomic.Int64
	lengths := func(_ context.Context, completions []data.Completion) ([]float64, error) {
		calls.Add(1)
		texts.Add(int64(len(completions)))
		time.Sleep(2 * time.Millisecond) // others come
		var out []float64
		for _, c := range completions {
			out = append(out, float64(c.Response.Chars()))
		}
		return out, nil
	}
	judge := NewReward("rm", "sha", DefaultReward(), lengths)
	const n = 200
	var group errgroup.Group
	for i := range n {
		c := data.Comparison{A: data.Text{Plain: strings.Repeat("a", 1+i)}, B: data.Text{Plain: strings.Repeat("b", 1+(i*7)%n)}}
		for _, swapped := range []bool{false, true} {
			group.Go(func() error {
				q := Question{&c, &four[0], swapped}
				a, err := judge.Ask(t.Context(), q)
				if want := 1 / (1 + math.Exp(float64(q.Second().Chars()-q.First().Chars()))); err == nil && !near(a.First, want) {
					err = fmt.Errorf("%d, swapped %v: %v, want %v", i, swapped, a.First, want)
				}
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if texts.Load() != 2*n || calls.Load() > n {
		t.Errorf("%d texts in %d calls, want %d texts in few", texts.Load(), calls.Load(), 2*n)
	}
}

// TestRewardJudgeForgets: an error is not kept.
func TestRewardJudgeForgets(t *testing.T) {
	calls := 0
	judge := NewReward("rm", "sha", DefaultReward(), func(context.Context, []data.Completion) ([]float64, error) {
		if calls++; calls == 1 {
			return nil, errors.New("once")
		}
		return []float64{1, 0}, nil
	})
	q := Question{Comparison: &twoTexts, Principle: &four[0]}
	if _, err := judge.Ask(t.Context(), q); err == nil || err.Error() != "once" {
		t.Errorf("first: %v", err)
	}
	if a, err := judge.Ask(t.Context(), q); err != nil || !(a.First > 0.5) {
		t.Errorf("second: %+v, %v", a, err)
	}
}
