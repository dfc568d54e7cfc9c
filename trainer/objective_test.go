package trainer

import (
	"math"
	"strings"
	"testing"

	"laurel/data/batches"
	"laurel/model"
)

// TestObjective holds the loss on the host to that of the graph, for every part
// that a configuration can turn on.
func TestObjective(t *testing.T) {
	backend := goBackend(t)
	batch := batches.Random(6, 12, 900, 1)
	for i := range batch.Confidence {
		batch.Confidence[i], batch.Margin[i] = 0.5+float32(i)/12, float32(i)/3-0.5
	}
	pair := func(i int) (batches.PairInfo, error) {
		return batches.PairInfo{Confidence: float64(batch.Confidence[i]), Margin: float64(batch.Margin[i])}, nil
	}
	for name, change := range map[string]func(*Config){
		"default":    func(*Config) {},
		"weight sum": func(c *Config) { c.Normalize = "weight_sum" },
		"soft":       func(c *Config) { c.Confidence, c.Margin = "soft", false },
		"smoothed":   func(c *Config) { c.Confidence, c.LabelSmoothing = "ignore", 0.1 },
		"centred":    func(c *Config) { c.CenterRewardsCoefficient = 0.3 },
	} {
		m, err := model.Load(golden(t, "bert"), 0)
		if err != nil {
			t.Fatal(err)
		}
		config := Default()
		config.Dropout = 0
		change(&config)
		s, err := newStepper(backend, m, config)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.run([]*batches.Batch{batch}, 0, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := config.objective(pair, r.Chosen, r.Rejected); err != nil || math.Abs(got-r.Loss) > 2e-6*math.Abs(r.Loss) {
			t.Errorf("%s (%s): %v on the host, %v in the graph", name, config.LossName(), got, r.Loss)
		}
	}
	if name := (Config{Confidence: "soft", LabelSmoothing: 0.1}).LossName(); !strings.Contains(name, "soft labels, smoothing 0.1") {
		t.Error(name)
	}
}
