package trainer

import (
	"math"
	"strings"
	"testing"
)

// TestEarlyStoppingByHand: the validation after which a run ends.
func TestEarlyStoppingByHand(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		stopping EarlyStopping
		values   []float64
		end, at  int // validations made, and the step of the best; end 0: never
	}{
		"off":                {EarlyStopping{Metric: "loss"}, []float64{1, 2, 3, 4}, 0, 0},
		"loss":               {EarlyStopping{Patience: 2, Metric: "loss"}, []float64{3, 2, 2.5, 1, 1, 1}, 6, 4},
		"better in between":  {EarlyStopping{Patience: 2, Metric: "loss"}, []float64{3, 4, 2, 4, 1}, 0, 5},
		"smaller than delta": {EarlyStopping{Patience: 2, MinDelta: 0.5, Metric: "loss"}, []float64{3, 2.6, 2.5, 9}, 3, 1},
		"larger than delta":  {EarlyStopping{Patience: 2, MinDelta: 0.5, Metric: "loss"}, []float64{3, 2.6, 2.4, 2.3, 2}, 5, 3},
		"accuracy":           {EarlyStopping{Patience: 1, Metric: "accuracy"}, []float64{0.5, 0.6, 0.6}, 3, 2},
		"not a number":       {EarlyStopping{Patience: 1, Metric: "loss"}, []float64{nan, 2, nan}, 3, 2},
	} {
		var waiting *Waiting
		end := 0
		for i, v := range c.values {
			waiting = c.stopping.after(waiting, Evaluation{Step: i + 1, Loss: v, Accuracy: v})
			if c.stopping.ends(waiting) {
				end = i + 1
				break
			}
		}
		if end != c.end || c.at > 0 && waiting.Step != c.at {
			t.Errorf("%s: ended after %d, want %d; %+v", name, end, c.end, waiting)
		}
	}
}

func TestEarlyStoppingValidates(t *testing.T) {
	err := EarlyStopping{Patience: 2, MinDelta: -1, Metric: "margin"}.validate(0)
	for _, key := range []string{"patience counts validations", "min_delta is -1", `metric is "margin"`} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%v does not say %s", err, key)
		}
	}
	if err := (EarlyStopping{Patience: 2, Metric: "loss"}).validate(10); err != nil {
		t.Error(err)
	}
}
