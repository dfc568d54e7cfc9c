package trainer

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Schedule gives the learning rate of each step as transformers'
// get_scheduler does (transformers/optimization.py): step 0 of a warm-up has
// rate 0.
type Schedule struct {
	Name       string
	Peak       float64 // learning_rate
	Warmup     int     // steps of linear rise from 0
	Total      int     // steps of the run
	NumCycles  int     // of cosine_with_restarts; 0 means 1
	FinalValue float64 // rate at the end of polynomial; 0 means 1e-7
}

var scheduleNames = []string{"linear", "cosine", "constant", "constant_with_warmup",
	"polynomial", "cosine_with_restarts", "inverse_sqrt"}

func checkSchedule(name string) error {
	if slices.Contains(scheduleNames, name) {
		return nil
	}
	return fmt.Errorf("train.schedule is %q, want one of %s", name, strings.Join(scheduleNames, ", "))
}

// At is the learning rate of a step, counted from 0.
func (s Schedule) At(step int) float64 {
	if s.Name == "constant" {
		return s.Peak
	}
	if step < s.Warmup {
		return s.Peak * float64(step) / float64(max(1, s.Warmup))
	}
	return s.Peak * s.decay(step)
}

// decay is the factor after the warm-up.
func (s Schedule) decay(step int) float64 {
	progress := float64(step-s.Warmup) / float64(max(1, s.Total-s.Warmup))
	switch s.Name {
	case "linear":
		return max(0, float64(s.Total-step)/float64(max(1, s.Total-s.Warmup)))
	case "cosine":
		return max(0, 0.5*(1+math.Cos(math.Pi*progress)))
	case "cosine_with_restarts":
		if progress >= 1 {
			return 0
		}
		_, part := math.Modf(float64(max(1, s.NumCycles)) * progress)
		return max(0, 0.5*(1+math.Cos(math.Pi*part)))
	case "polynomial":
		return s.polynomial(step)
	case "inverse_sqrt":
		timescale := s.Warmup
		if timescale == 0 {
			timescale = 10_000
		}
		return 1 / math.Sqrt(float64(step-s.Warmup+timescale)/float64(timescale))
	}
	return 1 // constant_with_warmup
}

// polynomial falls with power 1 to FinalValue.
func (s Schedule) polynomial(step int) float64 {
	end := s.FinalValue
	if end == 0 {
		end = 1e-7
	}
	if step > s.Total {
		return end / s.Peak
	}
	remaining := 1 - float64(step-s.Warmup)/float64(max(1, s.Total-s.Warmup))
	return ((s.Peak-end)*remaining + end) / s.Peak
}
