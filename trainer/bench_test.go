package trainer

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"laurel/data/batches"
	"laurel/model"
)

// miniLM is the real encoder that speed is measured on.
func miniLM(tb testing.TB) *model.Model {
	tb.Helper()
	dir := filepath.Join("..", "..", "shared", "models", "all-MiniLM-L6-v2")
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("SKIPPED, speed on MiniLM not measured: %v", err)
	}
	m, err := model.Load(dir, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// BenchmarkStep is one training step of MiniLM with 8 pairs, as a run does
// it: dropout, clipping and AdamW included.
func BenchmarkStep(b *testing.B) {
	b.Setenv("LAUREL_PJRT", filepath.Join("..", "build", "pjrt"))
	backend, choice, err := model.OpenBackend("auto")
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range []int{128, 256} {
		for _, dropout := range []Dropout{0, 0.1} {
			b.Run(fmt.Sprintf("backend=%s/tokens=%d/dropout=%v", choice.Name, t, dropout), func(b *testing.B) {
				config := Default()
				config.Dropout = dropout
				s, err := newStepper(backend, miniLM(b), config)
				if err != nil {
					b.Fatal(err)
				}
				batch := []*batches.Batch{batches.Random(8, t, 30000, 1)}
				for i := range 2 {
					if _, err := s.run(batch, i, i+1, 1e-5); err != nil {
						b.Fatal(err)
					}
				}
				b.ResetTimer()
				for i := range b.N {
					if _, err := s.run(batch, i, i+1, 1e-5); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(8*b.N)/b.Elapsed().Seconds(), "pairs/s")
				b.ReportMetric(float64(16*t*b.N)/b.Elapsed().Seconds(), "tokens/s")
			})
		}
	}
}
