package trainer

import (
	"math"
	"testing"
)

// TestGoldenSchedules compares every schedule with transformers'
// get_scheduler, step by step.
func TestGoldenSchedules(t *testing.T) {
	var want struct {
		BaseLR      float64              `json:"base_lr"`
		WarmupSteps int                  `json:"warmup_steps"`
		TotalSteps  int                  `json:"total_steps"`
		LR          map[string][]float64 `json:"lr_at_step"`
		Specific    map[string]struct {
			NumCycles int `json:"num_cycles"`
		}
	}
	readJSON(t, golden(t, "schedules.json"), &want)
	for _, name := range scheduleNames {
		rates, ok := want.LR[name]
		if !ok {
			t.Errorf("%s is not in the golden", name)
		}
		s := Schedule{Name: name, Peak: want.BaseLR, Warmup: want.WarmupSteps, Total: want.TotalSteps, NumCycles: want.Specific[name].NumCycles}
		for step, rate := range rates {
			if got := s.At(step); math.Abs(got-rate) > 1e-12*want.BaseLR {
				t.Errorf("%s at step %d: %v, want %v", name, step, got, rate)
			}
		}
	}
}

func TestScheduleByHand(t *testing.T) {
	linear := Schedule{Name: "linear", Peak: 1, Warmup: 2, Total: 6}
	for step, want := range []float64{0, 0.5, 1, 0.75, 0.5, 0.25, 0} {
		if got := linear.At(step); math.Abs(got-want) > 1e-15 {
			t.Errorf("linear at %d: %v, want %v", step, got, want)
		}
	}
	cosine := Schedule{Name: "cosine", Peak: 2, Total: 4}
	for step, want := range []float64{2, 1 + math.Sqrt2/2, 1, 1 - math.Sqrt2/2, 0} {
		if got := cosine.At(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("cosine at %d: %v, want %v", step, got, want)
		}
	}
}

func TestWarmup(t *testing.T) {
	for _, c := range []struct {
		steps int
		ratio float64
		total int
		want  int
	}{{0, 0.1, 57, 6}, {5, 0.1, 57, 5}, {0, 0, 57, 0}, {0, 1, 10, 10}} {
		got := Config{WarmupSteps: c.steps, WarmupRatio: c.ratio}.warmup(c.total)
		if got != c.want {
			t.Errorf("%d steps or %v of %d: %d, want %d", c.steps, c.ratio, c.total, got, c.want)
		}
	}
}
