package trainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"laurel/data"
	"laurel/data/batches"
)

// tinyDecoder is a Mistral whose window is shorter than most prompts.
const tinyDecoder = `{"model_type": "mistral", "architectures": ["MistralForSequenceClassification"], "vocab_size": 50,
 "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 32,
 "sliding_window": 6, "attention_dropout": 0.1, "initializer_range": 0.2, "pad_token_id": 0, "id2label": {"0": "LABEL_0"}}`

// promptStore holds n pairs of a prompt of up to 14 ids and two responses of up
// to 8; every fifth pair has no prompt, and every seventh responses of which one
// begins the other.
func promptStore(t *testing.T, n int) *batches.Store {
	t.Helper()
	random := rand.New(rand.NewPCG(8, 9))
	ids := func(longest int) []int32 {
		row := make([]int32, 1+random.IntN(longest))
		for i := range row {
			row[i] = int32(1 + random.IntN(49))
		}
		return row
	}
	pair := func(i int) data.Pair {
		return data.Pair{Row: i, Confidence: 0.5 + float64(i%5)/10, Margin: float64(i%3) / 4}
	}
	encode := func(p data.Pair) (chosen, rejected data.Tokens, err error) {
		prompt, a, b := ids(14), ids(8), ids(8)
		switch {
		case p.Row%7 == 6:
			b = slices.Concat(a, b)
		case p.Row%5 == 4:
			prompt = nil
		}
		return data.Tokens{IDs: slices.Concat(prompt, a)}, data.Tokens{IDs: slices.Concat(prompt, b)}, nil
	}
	return storeOf(t, n, pair, encode)
}

// promptRun is a run of the tiny decoder on pairs in the layouts that suit them,
// with dropout.
func promptRun(t *testing.T, dir string, store *batches.Store) Run {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Epochs, c.BatchSize, c.LearningRate, c.LogEvery, c.Dropout = 2, 4, 1e-3, 1, 0.1
	r := Run{Config: c, Dir: dir, Model: modelOf(t, tinyDecoder), Backend: goBackend(t), BackendName: "go", Train: store, Out: io.Discard}
	r.Order = r.NewOrder(data.Default(), true, false)
	return r
}

// TestSharedPrefixStep: pairs whose common beginning lies there once, in a row for each
// or all in one, give the losses, gradient norms, rewards and weights of a row for each
// sequence, step by step; with a short batch.
func TestSharedPrefixStep(t *testing.T) {
	store := promptStore(t, 22)
	for name, backend := range trainBackends(t) {
		results := map[string][]*stepResult{}
		for layout := range layouts {
			m, c := modelOf(t, tinyDecoder), Default()
			c.BatchSize, c.Dropout, c.CenterRewardsCoefficient = 4, 0, 0.01
			steps, err := newStepper(backend, m, c)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 6 {
				plan := batches.Plan{T: 32}
				for row := i * 4; row < min(store.Len(), i*4+4); row++ {
					plan.Rows = append(plan.Rows, row)
				}
				r, err := steps.run([]*batches.Batch{readAs(t, store, plan, 4, 0, layout)}, i, i+1, 1e-3)
				if err != nil {
					t.Fatal(err)
				}
				results[layout] = append(results[layout], r)
			}
		}
		for layout, got := range results {
			sameSteps(t, name+", "+layout, got, results["apart"])
		}
	}
}

// TestSharedPrefixResumes: a run with pairs in both layouts and dropout, stopped
// and resumed, writes the lines of the undisturbed run, bit for bit, and keeps the
// layout that it began with.
func TestSharedPrefixResumes(t *testing.T) {
	store := promptStore(t, 37)
	whole := filepath.Join(t.TempDir(), "whole")
	r := promptRun(t, whole, store)
	if len(r.Order.Buckets) == 0 || len(r.Order.Shared) == 0 {
		t.Fatalf("buckets %v, shared %v: one layout alone", r.Order.Buckets, r.Order.Shared)
	}
	mustTrain(t, r)
	for _, stop := range []int{9} { // within an epoch
		dir := filepath.Join(t.TempDir(), fmt.Sprint(stop))
		r := promptRun(t, dir, store)
		ctx, cancel := context.WithCancel(context.Background())
		r.Progress = func(done, total int, status string) {
			if done == stop {
				cancel()
			}
		}
		if _, err := Train(ctx, r); !errors.Is(err, ErrInterrupted) {
			t.Fatalf("stopped run: %v", err)
		}
		began := r.Order
		r = promptRun(t, dir, store)
		var err error
		if r.Model, r.State, _, err = Resume(dir, loadModel); err != nil {
			t.Fatal(err)
		}
		// Whatever the layout would be now.
		if r.Order = r.NewOrder(data.Default(), false, false); !slices.Equal(r.Order.Shared, began.Shared) || !slices.Equal(r.Order.Buckets, began.Buckets) {
			t.Fatalf("resumed with %v and %v, began with %v and %v", r.Order.Buckets, r.Order.Shared, began.Buckets, began.Shared)
		}
		mustTrain(t, r)
		if got, want := losses(t, dir), losses(t, whole); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("stopped after %d:\n%s\nwant\n%s", stop, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestSharedPrefixOnDevices: pairs in one row are dealt out to devices, and come
// to the same losses and rewards.
func TestSharedPrefixOnDevices(t *testing.T) {
	backend := severalDevices(t)
	store := promptStore(t, 5)
	plan := batches.Plan{Rows: []int{0, 1, 2, 3, 4}}
	results := map[int][]*stepResult{}
	for _, devices := range []int{1, 2} {
		m, c := modelOf(t, tinyDecoder), Default()
		c.Dropout = 0
		if err := m.UseDevices(backend, devices); err != nil {
			t.Fatal(err)
		}
		steps, err := newStepper(backend, m, c)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			r, err := steps.run([]*batches.Batch{readAs(t, store, plan, 6, 0, "shared")}, i, i+1, 1e-3)
			if err != nil {
				t.Fatal(err)
			}
			results[devices] = append(results[devices], r)
		}
		for i, got := range results[devices] {
			want := results[1][i]
			for j := range want.Chosen {
				if math.Abs(float64(got.Chosen[j]-want.Chosen[j])) > 2e-5 || math.Abs(float64(got.Rejected[j]-want.Rejected[j])) > 2e-5 {
					t.Errorf("%d devices, step %d: rewards %v, %v, want %v, %v", devices, i, got.Chosen, got.Rejected, want.Chosen, want.Rejected)
				}
			}
			if math.Abs(got.Loss-want.Loss) > 1e-6*want.Loss || len(got.Chosen) != 5 {
				t.Errorf("%d devices, step %d: loss %v, want %v; %d pairs", devices, i, got.Loss, want.Loss, len(got.Chosen))
			}
		}
	}
}

// fusing is a backend that has fused attention.
type fusing struct{ compute.Backend }

func (fusing) Capabilities() compute.Capabilities {
	return compute.Capabilities{Operations: map[compute.OpType]bool{
		compute.OpTypeFusedScaledDotProductAttention: true, compute.OpTypeFusedScaledDotProductAttentionVJP: true}}
}

// TestSharesPrefix: decoders share by default, but not where attention is fused or
// in bands; encoders never, and a wish for what is not exact is an error.
func TestSharesPrefix(t *testing.T) {
	decoder, encoder := promptRun(t, t.TempDir(), promptStore(t, 8)), tinyRun(t, t.TempDir(), randomStore(t, 8))
	banded, fused := decoder, decoder
	banded.Model, fused.Model, fused.Backend = modelOf(t, tinyDecoder), modelOf(t, strings.Replace(tinyDecoder, `"sliding_window": 6`, `"sliding_window": null`, 1)), fusing{}
	banded.Model.Compute, fused.Model.Compute, fused.Config.Dropout = dtypes.BFloat16, dtypes.BFloat16, 0
	for _, c := range []struct {
		run    Run
		choice string
		shares bool
		says   string
	}{
		{decoder, "auto", true, ""}, {decoder, "on", true, ""}, {decoder, "off", false, ""},
		{banded, "auto", false, "fused, or in bands"}, {banded, "on", true, ""}, {fused, "auto", false, "fused, or in bands"}, {fused, "on", true, ""},
		{encoder, "off", false, ""}, {encoder, "auto", false, "an encoder's prompt has seen the response"},
		{encoder, "on", false, "data.shared_prefix is on: model_type bert: an encoder's prompt has seen the response"},
	} {
		shares, says, err := c.run.SharesPrefix(c.choice)
		if err != nil {
			says = err.Error()
		}
		if shares != c.shares || (says == "") != (c.says == "") || !strings.Contains(says, c.says) || (err != nil) != (c.choice == "on" && !c.shares) {
			t.Errorf("%s of a %s: %v, %q, %v", c.choice, c.run.Model.Config.ModelType, shares, says, err)
		}
	}
}

// TestPlanOfSharedPrefixes: what a run needs is counted by the rows that there
// are: fewer ids and no more memory than in two rows a pair.
func TestPlanOfSharedPrefixes(t *testing.T) {
	r := promptRun(t, t.TempDir(), promptStore(t, 200))
	shared, layout := NewPlan(r), r.Layout()
	if layout.Together+layout.Apart != 200 || layout.Together == 0 || layout.Apart == 0 {
		t.Errorf("%+v", layout)
	}
	r.Order = r.NewOrder(data.Default(), false, false)
	apart := NewPlan(r)
	if !(shared.FLOPs < apart.FLOPs && shared.Memory.Total() <= apart.Memory.Total()) {
		t.Errorf("shared %v operations, %v bytes; apart %v, %v", shared.FLOPs, shared.Memory.Total(), apart.FLOPs, apart.Memory.Total())
	}
	packed := 0
	for _, l := range shared.Lengths {
		if l.Packed {
			packed++
		}
	}
	if packed == 0 || packed == len(shared.Lengths) || apart.Lengths[0].Packed {
		t.Errorf("shared %+v, apart %+v", shared.Lengths, apart.Lengths)
	}
}
