package feedback

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

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
		t.Error("the temperature is not in the fingerprint")
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
