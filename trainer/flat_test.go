package trainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/data/batches"
)

// wideEncoder is tinyConfig's with weights so wide that the gradients of chosen and
// rejected do not nearly cancel.
var wideEncoder = strings.Replace(tinyConfig, `"pad_token_id"`, `"initializer_range": 0.2, "pad_token_id"`, 1)

// flatRun is a run of a tiny encoder whose batches lie in flat rows, in parts where
// memory is so many gigabytes, with dropout.
func flatRun(t *testing.T, dir string, store *batches.Store, memory Gigabytes) Run {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Epochs, c.BatchSize, c.LearningRate, c.LogEvery, c.ActivationMemory = 2, 4, 1e-3, 1, memory
	r := Run{Config: c, Dir: dir, Model: tinyModel(t), Backend: goBackend(t), BackendName: "go", Train: store, Out: io.Discard}
	r.Order = r.NewOrder(data.Default(), false, true)
	return r
}

// TestFlatStep: flat rows, whole or in parts, give the losses, gradient norms,
// rewards and, through the updates, weights of padded rows, step by step, with a
// short batch; of encoders and decoders, and every way to pool.
func TestFlatStep(t *testing.T) {
	models := map[string]string{"bert": wideEncoder, "mistral": tinyDecoder}
	const pad = `"pad_token_id": 0,`
	for _, pooling := range []string{"mean", "last", "attention"} {
		models[pooling] = strings.Replace(wideEncoder, pad, pad+fmt.Sprintf(` "laurel": {"head": {"pooling": %q, "kind": "linear"}},`, pooling), 1)
	}
	store := promptStore(t, 14)
	for on, backend := range trainBackends(t) {
		for name, config := range models {
			if on != "go" && config != wideEncoder {
				continue // compiling takes long
			}
			results := map[string][]*stepResult{}
			for layout, order := range map[string]batches.Order{
				"padded": {BatchSize: 4, Buckets: []int{32}}, "flat": {BatchSize: 4, Flat: []int{192}}, "parts": {BatchSize: 4, Flat: []int{48, 64}},
			} {
				m, c := modelOf(t, config), Default()
				c.BatchSize, c.Dropout, c.CenterRewardsCoefficient = 4, 0, 0.01
				steps, err := newStepper(backend, m, c)
				if err != nil {
					t.Fatal(err)
				}
				source := newFeed(store, order, 1, 0)
				if order.Flat == nil { // of the same pairs
					source.epoch, source.plans = 0, batches.Order{BatchSize: 4, Flat: []int{192}}.Epoch(store, 0)
					for i := range source.plans {
						source.plans[i].Flat, source.plans[i].T = false, 32
					}
				}
				for i := range source.stepsPerEpoch() {
					read, err := source.read(i)
					if err != nil {
						t.Fatal(err)
					}
					r, err := steps.run(read, i, i+1, 1e-3)
					if err != nil {
						t.Fatalf("%s, %s: %v", name, layout, err)
					}
					if layout == "parts" { // in the order of their rows in the store
						inOrderOfRows(read, r)
					}
					results[layout] = append(results[layout], r)
				}
			}
			for _, layout := range []string{"flat", "parts"} {
				sameSteps(t, on+", "+name+", "+layout, results[layout], results["padded"])
			}
		}
	}
}

// inOrderOfRows sorts the rewards of a step as the pairs lie in the store.
func inOrderOfRows(read []*batches.Batch, r *stepResult) {
	var rows []int
	for _, b := range read {
		rows = append(rows, b.Rows...)
	}
	sorted := func(rewards []float32) []float32 {
		at := make([]int, len(rows))
		for i := range at {
			at[i] = i
		}
		slices.SortFunc(at, func(a, b int) int { return rows[a] - rows[b] })
		out := make([]float32, len(rows))
		for i, from := range at {
			out[i] = rewards[from]
		}
		return out
	}
	r.Chosen, r.Rejected = sorted(r.Chosen), sorted(r.Rejected)
}

func sameSteps(t *testing.T, name string, got, want []*stepResult) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d steps, want %d", name, len(got), len(want))
	}
	loss, norm, reward := 0.0, 0.0, 0.0
	for i, w := range want {
		g := got[i]
		if !g.Finite || len(g.Chosen) != len(w.Chosen) || len(g.Rejected) != len(w.Rejected) {
			t.Fatalf("%s, step %d: finite %v, %d rewards, want %d", name, i, g.Finite, len(g.Chosen), len(w.Chosen))
		}
		loss = max(loss, math.Abs(g.Loss-w.Loss)/w.Loss)
		norm = max(norm, math.Abs(g.GradNorm-w.GradNorm)/w.GradNorm)
		for j, r := range slices.Concat(w.Chosen, w.Rejected) {
			reward = max(reward, math.Abs(float64(slices.Concat(g.Chosen, g.Rejected)[j]-r)))
		}
	}
	if !(loss <= 2e-6 && norm <= 1e-5 && reward <= 2e-5) {
		t.Errorf("%s: losses differ by %.2g (2e-6), gradient norms by %.2g (1e-5), rewards by %.2g (2e-5)", name, loss, norm, reward)
	}
}

// TestFlatResumes: a run in flat rows with dropout, stopped and resumed, writes the
// lines of the undisturbed run, bit for bit, and keeps its rows whatever they would
// be now; so does a run in padded rows where flat ones would be taken now.
func TestFlatResumes(t *testing.T) {
	store := promptStore(t, 37)
	start := map[string]func(dir string) Run{
		"flat": func(dir string) Run { return flatRun(t, dir, store, 0) },
		"parts": func(dir string) Run {
			r := flatRun(t, dir, store, 1e-4)
			if parts := r.Order.MicroBatches(store, r.Order.Epoch(store, 0)[0]); len(parts) < 2 {
				t.Fatalf("rows of %v ids: a batch is not divided", r.Order.Flat)
			}
			return r
		},
		"shared": func(dir string) Run {
			r := promptRun(t, dir, store)
			r.Order = r.NewOrder(data.Default(), true, true)
			if !r.Order.FlatShared {
				t.Fatalf("%+v: no prefix is shared", r.Order)
			}
			return r
		},
		"padded": func(dir string) Run {
			r := flatRun(t, dir, store, 0)
			r.Order = r.NewOrder(data.Default(), false, false)
			return r
		},
	}
	for name, start := range start {
		whole, stopped := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "stopped")
		mustTrain(t, start(whole))
		r := start(stopped)
		ctx, cancel := context.WithCancel(context.Background())
		r.Progress = func(done, total int, status string) {
			if done == 14 { // in the second epoch
				cancel()
			}
		}
		if _, err := Train(ctx, r); !errors.Is(err, ErrInterrupted) {
			t.Fatalf("stopped run: %v", err)
		}
		began := r.Order
		r = start(stopped)
		var err error
		if r.Model, r.State, _, err = Resume(stopped, loadModel); err != nil {
			t.Fatal(err)
		}
		r.Config.ActivationMemory = AutoMemory
		if r.Order = r.NewOrder(data.Default(), false, name == "padded"); !slices.Equal(r.Order.Flat, began.Flat) || r.Order.FlatShared != began.FlatShared || !slices.Equal(r.Order.Buckets, began.Buckets) {
			t.Fatalf("%s: resumed with %v and %v, began with %v and %v", name, r.Order.Flat, r.Order.Buckets, began.Flat, began.Buckets)
		}
		mustTrain(t, r)
		if got, want := losses(t, stopped), losses(t, whole); !slices.Equal(got, want) {
			t.Errorf("%s: resumed:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestFlatPadding: what a run says of its padding, in metrics and ahead, is what its
// rows have.
func TestFlatPadding(t *testing.T) {
	store := promptStore(t, 37)
	r := flatRun(t, t.TempDir(), store, 1e-4)
	r.Config.Epochs, r.Config.LogEvery = 1, 1000
	mustTrain(t, r)
	real, computed, rows := 0, 0, 0
	for _, plan := range r.Order.Epoch(store, 0) {
		for _, part := range r.Order.MicroBatches(store, plan) {
			computed += part.T
			rows++
			for _, row := range part.Rows {
				real += store.Tokens(row)
			}
		}
	}
	lines, err := ReadMetrics(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	want, plan := 1-float64(real)/float64(computed), NewPlan(r)
	if got := *lines[len(lines)-1].Padding; math.Abs(got-want) > 1e-12 || math.Abs(plan.Padding-want) > 1e-12 {
		t.Errorf("padding %v in metrics, %v ahead, want %v", got, plan.Padding, want)
	}
	flops := 0.0
	for _, l := range plan.Lengths {
		if !l.Flat {
			t.Errorf("%+v is not flat", l)
		}
		flops += l.FLOPs * l.Share * float64(rows)
	}
	if perStep := flops / float64(plan.Steps); math.Abs(plan.FLOPs/perStep-1) > 1e-9 {
		t.Errorf("%v operations a step, its rows have %v", plan.FLOPs, perStep)
	}
	var said strings.Builder
	if err := plan.Print(&said); err != nil || !strings.Contains(said.String(), " tokens in one row: ") {
		t.Errorf("%v: %s", err, &said)
	}
}

// TestFlatRowsByMemory: no row takes more than its memory allows, but for one that a
// single pair needs; and without a limit there is one row a batch.
func TestFlatRowsByMemory(t *testing.T) {
	store := promptStore(t, 60)
	for _, memory := range []Gigabytes{0, 1e-9, 2e-4, 1e-3, AutoMemory} {
		r := flatRun(t, t.TempDir(), store, memory)
		longest := r.Order.Flat[len(r.Order.Flat)-1]
		takes := PeakMemory(r.Model.Size(), r.flatShape(longest-15)).Activations // of a row that is rounded up to this one
		if pair := 2 * store.Stats.Longest; memory > 0 && takes > memory.Bytes() && longest > pair+15 {
			t.Errorf("%g GB: rows of %d ids take %g bytes, the longest pair at most %d ids", memory, longest, takes, pair)
		}
		if memory <= 0 {
			for _, plan := range r.Order.Epoch(store, 0) {
				if parts := r.Order.MicroBatches(store, plan); len(parts) != 1 {
					t.Errorf("%g GB: %d rows", memory, len(parts))
				}
			}
		}
	}
}

// TestFlatOnDevices: a run in flat rows may go on on several devices, each with a row
// of its own.
func TestFlatOnDevices(t *testing.T) {
	backend := severalDevices(t)
	store := promptStore(t, 5)
	var results [][]*stepResult
	for _, devices := range []int{1, 2} {
		m, c := modelOf(t, wideEncoder), Default()
		c.Dropout, c.BatchSize, c.CenterRewardsCoefficient = 0, 5, 0.01
		if err := m.UseDevices(backend, devices); err != nil {
			t.Fatal(err)
		}
		steps, err := newStepper(backend, m, c)
		if err != nil {
			t.Fatal(err)
		}
		source, made := newFeed(store, batches.Order{BatchSize: 5, Flat: []int{256}}, 1, 0), []*stepResult{}
		for i := range 3 {
			read, err := source.read(0)
			if err != nil {
				t.Fatal(err)
			}
			r, err := steps.run(read, i, i+1, 1e-3)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, r)
		}
		results = append(results, made)
	}
	sameSteps(t, "two devices", results[1], results[0])
}

// TestFlatAdvice: what is said to fit is foreseen as the run with that setting is, whose
// rows are filled anew.
func TestFlatAdvice(t *testing.T) {
	store := promptStore(t, 200)
	plan := func(change func(*Config)) *Plan {
		r := flatRun(t, t.TempDir(), store, 2e-4)
		r.Config.BatchSize = 32
		change(&r.Config)
		r.Order = r.NewOrder(data.Default(), false, true)
		return NewPlan(r)
	}
	p := plan(func(*Config) {})
	checkpointed := p.ofPairs(32)
	checkpointed.Checkpointed = true
	for what, c := range map[string]struct {
		need float64
		want Memory
	}{
		"itself":        {p.need(p.Size, p.ofPairs(32)), p.Memory},
		"fewer pairs":   {p.need(p.Size, p.ofPairs(2)), plan(func(c *Config) { c.BatchSize = 2 }).Memory},
		"checkpointing": {p.need(p.Size, checkpointed), plan(func(c *Config) { c.GradientCheckpointing = true }).Memory},
	} {
		without := c.want.Total() - c.want.Activations
		if got := c.need - without; math.Abs(got-c.want.Activations) > 0.15*c.want.Activations {
			t.Errorf("%s: activations of %v bytes are foreseen, %v of the run itself", what, got, c.want.Activations)
		}
	}
}

// TestPaddingFree: on lays batches out flat, with whatever backend, and auto where
// attention is computed over spans, which no backend here does; a model that cannot
// is refused.
func TestPaddingFree(t *testing.T) {
	store := randomStore(t, 8)
	encoder := tinyRun(t, t.TempDir(), store)
	convolution := encoder
	convolution.Model = modelOf(t, strings.Replace(tinyConfig, `"model_type": "bert"`, `"model_type": "deberta-v2", "conv_kernel_size": 3`, 1))
	for _, c := range []struct {
		run    Run
		choice string
		flat   bool
		says   string
	}{
		{encoder, "auto", false, ""}, {encoder, "on", true, ""}, {encoder, "off", false, ""},
		{convolution, "auto", false, ""}, {convolution, "on", false, "data.padding_free is on: conv_kernel_size 3: the convolution would mix"},
	} {
		d := data.Default()
		d.PaddingFree = c.choice
		flat, says, err := c.run.PaddingFree(d)
		if err != nil {
			says = err.Error()
		}
		if flat != c.flat || (says == "") != (c.says == "") || !strings.Contains(says, c.says) {
			t.Errorf("%s of a %s: %v, %q", c.choice, c.run.Model.Config.ModelType, flat, says)
		}
	}
}
