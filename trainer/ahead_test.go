package trainer

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"laurel/data/batches"
	"laurel/model"
)

// runningAhead is XLA's CPU once as it is, and once told that it shares no memory
// with the host: programs are then handed out without waiting for them, as on a
// GPU (docs/upstream.md).
func runningAhead(t *testing.T) map[string]compute.Backend {
	t.Helper()
	t.Setenv("LAUREL_PJRT", filepath.Join("..", "build", "pjrt"))
	choice, err := model.ChooseBackend("cpu")
	if err != nil {
		t.Skipf("SKIPPED, running ahead not tried: %v", err)
	}
	backends := map[string]compute.Backend{}
	for name, options := range map[string]string{"waits": "", "ahead": ",shared_buffers=false"} {
		if backends[name], err = compute.NewWithConfig("xla:" + choice.Plugin + options); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(backends[name].Finalize)
	}
	return backends
}

// TestRunningAhead: a run tells the same, bit for bit, with accumulation, dropout,
// validations and pauses for checkpoints.
func TestRunningAhead(t *testing.T) {
	store, lines := randomStore(t, 37), map[string]string{}
	for name, backend := range runningAhead(t) {
		dir := filepath.Join(t.TempDir(), name)
		r := tinyRun(t, dir, store)
		r.byProgram = true // as where steps run ahead
		r.Backend, r.Validation, r.Order.Buckets = backend, store, []int{24}
		r.Config.GradientAccumulationSteps, r.Config.SaveEvery, r.Config.EvalEvery = 2, 4, 6
		if result := mustTrain(t, r); result.Pairs != 3*store.Len() {
			t.Errorf("%s: trained on %d pairs, want %d", name, result.Pairs, 3*store.Len())
		}
		lines[name] = strings.Join(losses(t, dir), "\n")
	}
	if lines["ahead"] != lines["waits"] {
		t.Errorf("ahead:\n%s\nwaiting:\n%s", lines["ahead"], lines["waits"])
	}
}

// TestSkippedStepAhead: the step after one that is not finite is begun before that
// is known, and is what it is where each step is waited for.
func TestSkippedStepAhead(t *testing.T) {
	told := map[string][]float64{}
	for name, backend := range runningAhead(t) {
		s, err := newStepper(backend, tinyModel(t), Default())
		if err != nil {
			t.Fatal(err)
		}
		s.inPlace = false // as where steps run ahead
		feed, updates := make(chan stepBatches, 5), 0
		for step := range 5 {
			b := batches.Random(2, 8, 50, uint64(step))
			if step == 2 {
				b.Margin[1] = float32(math.Inf(1))
			}
			feed <- stepBatches{batches: []*batches.Batch{b}}
		}
		p := pipeline{steps: s, batches: feed}
		for step := range 5 {
			_, r, err := p.step(t.Context(), step, updates, 1e-2, name == "ahead" && step < 4)
			if err != nil {
				t.Fatal(err)
			}
			if r.Finite == (step == 2) {
				t.Fatalf("%s: step %d: loss %v", name, step, r.Loss)
			}
			if r.Finite {
				updates++
				told[name] = append(told[name], r.Loss, r.GradNorm)
			}
		}
	}
	if !slices.Equal(told["ahead"], told["waits"]) {
		t.Errorf("begun before %v, after %v", told["ahead"], told["waits"])
	}
}

// TestFailureAhead: a step whose batches cannot be had ends the run when its
// turn comes, after the step before it is made and told.
func TestFailureAhead(t *testing.T) {
	s, err := newStepper(goBackend(t), tinyModel(t), Default())
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("disk gone")
	feed := make(chan stepBatches, 2)
	feed <- stepBatches{batches: []*batches.Batch{batches.Random(2, 8, 50, 1)}}
	feed <- stepBatches{err: gone}
	p := pipeline{steps: s, batches: feed}
	if _, r, err := p.step(t.Context(), 0, 0, 1e-3, true); err != nil || !r.Finite {
		t.Fatalf("the step before the one that fails: %v, %v", r, err)
	}
	if _, _, err = p.step(t.Context(), 1, 1, 1e-3, true); err != gone {
		t.Errorf("%v, want %v", err, gone)
	}
}
