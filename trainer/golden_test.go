package trainer

import (
	"context"
	"encoding/json"
	"iter"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"

	"laurel/data"
	"laurel/data/batches"
	"laurel/model"
)

func golden(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "shared", "golden"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED, parity with torch's training not tested: %v", err)
	}
	return path
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// goldenPairs are 24 pairs as ids.
type goldenPairs struct {
	EvalIDs [][]int32 `json:"eval_ids"`
	Pairs   []struct {
		Confidence, Margin float64
		ChosenIDs          []int32 `json:"chosen_ids"`
		RejectedIDs        []int32 `json:"rejected_ids"`
	}
}

type goldenVariant struct {
	Config struct {
		Weight, Norm string
		Margin       bool
		Center       float64
		Smoothing    float64
		Soft         bool
	}
	Loss       []float64
	GradNorm   []float64 `json:"grad_norm"`
	LR         []float64
	EvalLogits []float64 `json:"eval_logits"`
	Tolerance  struct {  // what float32 and float64 differ by
		Loss                float64
		EvalLogitsMinusMean float64 `json:"eval_logits_minus_mean"`
	}
}

// store puts pairs of ids where training reads them.
func (g goldenPairs) store(t *testing.T) *batches.Store {
	t.Helper()
	var pairs iter.Seq2[data.Pair, error] = func(yield func(data.Pair, error) bool) {
		for i, p := range g.Pairs {
			if !yield(data.Pair{Row: i, Confidence: p.Confidence, Margin: p.Margin}, nil) {
				return
			}
		}
	}
	encode := func(p data.Pair) (data.Tokens, data.Tokens, error) {
		return data.Tokens{IDs: g.Pairs[p.Row].ChosenIDs}, data.Tokens{IDs: g.Pairs[p.Row].RejectedIDs}, nil
	}
	s, err := batches.BuildStore(context.Background(), filepath.Join(t.TempDir(), "tokens"), pairs, encode, batches.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func goBackend(t testing.TB) compute.Backend {
	t.Helper()
	backend, _, err := model.OpenBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

// trainBackends are pure Go always, XLA where the plugin is.
func trainBackends(t *testing.T) map[string]compute.Backend {
	t.Helper()
	all := map[string]compute.Backend{"go": goBackend(t)}
	t.Setenv("LAUREL_PJRT", filepath.Join("..", "build", "pjrt"))
	choice, err := model.ChooseBackend("cpu")
	if err != nil {
		t.Logf("SKIPPED on XLA: %v", err)
		return all
	}
	choice.CPUDevices = 4 // for severalDevices
	if all["cpu"], err = choice.Open(); err != nil {
		t.Fatal(err)
	}
	return all
}

func (v goldenVariant) trainConfig() Config {
	c := Default()
	c.BatchSize, c.LearningRate, c.Dropout = 4, 1e-3, 0
	c.Confidence, c.Margin, c.LabelSmoothing = "ignore", v.Config.Margin, v.Config.Smoothing
	c.CenterRewardsCoefficient = v.Config.Center
	switch {
	case v.Config.Soft:
		c.Confidence = "soft"
	case v.Config.Weight == "confidence":
		c.Confidence = "weight"
	}
	if v.Config.Norm == "sum_w" {
		c.Normalize = "weight_sum"
	}
	return c
}

// TestGoldenTraining holds 12 steps of every loss variant of three families
// to torch's numbers: loss 1e-5 relative (or three times what float32 differs
// by, whichever is more), gradient norm 1e-4 relative, final
// logits less their mean within three times what float32 itself differs by.
func TestGoldenTraining(t *testing.T) {
	for _, family := range []string{"bert", "llama", "qwen3"} {
		var pairs goldenPairs
		var expected struct{ Variants map[string]goldenVariant }
		readJSON(t, filepath.Join(golden(t, "train", family), "data.json"), &pairs)
		readJSON(t, filepath.Join(golden(t, "train", family), "expected.json"), &expected)
		store := pairs.store(t)
		for backendName, backend := range trainBackends(t) {
			for name, want := range expected.Variants {
				if backendName != "go" && name != "bt_wmean" && (name != "center_wsum" || family != "bert") && os.Getenv("LAUREL_ALL_GOLDENS") == "" {
					continue // compiling takes XLA ten seconds a variant; LAUREL_ALL_GOLDENS=1 runs all
				}
				t.Run(family+"/"+backendName+"/"+name, func(t *testing.T) {
					t.Parallel() // the Go backend computes models as small as these on one CPU
					want.follow(t, backend, golden(t, family), store, pairs.EvalIDs, "apart")
				})
				if family == "bert" || name != "bt_wmean" && os.Getenv("LAUREL_ALL_GOLDENS") == "" { // an encoder; one loss is enough for a layout
					continue
				}
				for _, layout := range []string{"shared", "flat and shared"} {
					t.Run(family+"/"+backendName+"/"+name+"/"+layout, func(t *testing.T) {
						t.Parallel()
						want.follow(t, backend, golden(t, family), store, pairs.EvalIDs, layout)
					})
				}
			}
		}
	}
}

// follow makes the variant's 12 steps, with pairs in a layout,
// and compares.
func (v goldenVariant) follow(t *testing.T, backend compute.Backend, dir string, store *batches.Store, evalIDs [][]int32, layout string) {
	m, err := model.Load(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := newStepper(backend, m, v.trainConfig())
	if err != nil {
		t.Fatal(err)
	}
	schedule := Schedule{Name: "linear", Peak: 1e-3, Warmup: 2, Total: 12}
	order := batches.Order{BatchSize: 4, Wrap: true, Buckets: batches.OneBucket(store.Apart(), 0)}
	worstLoss, worstNorm := 0.0, 0.0
	for i := range v.Loss {
		b := readAs(t, store, order.Wrapped(store, i), 4, int32(m.Config.PadTokenID), layout)
		if d := math.Abs(schedule.At(i) - v.LR[i]); d > 1e-12 {
			t.Errorf("step %d: learning rate %v, want %v", i, schedule.At(i), v.LR[i])
		}
		r, err := steps.run([]*batches.Batch{b}, i, i+1, schedule.At(i))
		if err != nil {
			t.Fatal(err)
		}
		// Relative, but for losses so small that float32 itself differs by more.
		worstLoss = max(worstLoss, math.Abs(r.Loss-v.Loss[i])/max(v.Loss[i], 3e5*v.Tolerance.Loss))
		worstNorm = max(worstNorm, math.Abs(r.GradNorm-v.GradNorm[i])/v.GradNorm[i])
	}
	scorer, err := model.NewScorer(backend, m)
	if err != nil {
		t.Fatal(err)
	}
	logits, err := scorer.Score(context.Background(), evalIDs, nil)
	if err != nil {
		t.Fatal(err)
	}
	worstLogit, allowed := differenceLessMean(logits, v.EvalLogits), 3*v.Tolerance.EvalLogitsMinusMean
	t.Logf("loss %.2g, gradient norm %.2g, logits less mean %.2g (3 × tolerance: %.2g)", worstLoss, worstNorm, worstLogit, allowed)
	if worstLoss > 1e-5 || worstNorm > 1e-4 || worstLogit > allowed {
		t.Errorf("differs too much from torch: loss %.2g (1e-5), gradient norm %.2g (1e-4), logits %.2g (%.2g)",
			worstLoss, worstNorm, worstLogit, allowed)
	}
}

// layouts are how a batch can lie: each sequence in a row, each pair in a row with its
// common beginning once, or all pairs like that in one row.
var layouts = map[string]batches.Plan{"apart": {}, "shared": {Shared: true}, "flat and shared": {Shared: true, Flat: true}}

// readAs reads a plan's pairs in one layout, whichever suits them.
func readAs(t *testing.T, store *batches.Store, plan batches.Plan, size int, padID int32, layout string) *batches.Batch {
	t.Helper()
	plan.Size, plan.Shared, plan.Flat = size, layouts[layout].Shared, layouts[layout].Flat
	for row := range store.Len() {
		switch {
		case plan.Flat: // room for the pairs that need most
			plan.T = max(plan.T, size*store.Together(row))
		case plan.Shared:
			plan.T = max(plan.T, store.Together(row))
		}
	}
	b, err := batches.Read(store, plan, padID)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// differenceLessMean is the largest difference once both lost their mean,
// which a Bradley–Terry loss does not see.
func differenceLessMean(got []float32, want []float64) float64 {
	mean := 0.0
	for i := range got {
		mean += (float64(got[i]) - want[i]) / float64(len(got))
	}
	worst := 0.0
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i])-want[i]-mean))
	}
	return worst
}
