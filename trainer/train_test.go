package trainer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data"
	"laurel/data/batches"
	"laurel/model"
)

// tinyConfig is a BERT small enough for dozens of runs in a test.
const tinyConfig = `{"model_type": "bert", "architectures": ["BertForSequenceClassification"], "vocab_size": 50,
 "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
 "max_position_embeddings": 32, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
 "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "pad_token_id": 0, "id2label": {"0": "LABEL_0"}}`

func tinyModel(t *testing.T) *model.Model {
	t.Helper()
	return modelOf(t, tinyConfig)
}

func modelOf(t *testing.T, config string) *model.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := model.New(path, 7, model.Head{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// randomStore holds n pairs of random ids; chosen rows hold more of the id
// 49, so that there is something to learn.
func randomStore(t *testing.T, n int) *batches.Store {
	t.Helper()
	weights := rand.New(rand.NewPCG(1, 2)) // of the goroutine that yields pairs
	random := rand.New(rand.NewPCG(3, 4))  // of the one that encodes them
	ids := func(good bool) data.Tokens {
		row := make([]int32, 3+random.IntN(20))
		for i := range row {
			row[i] = int32(1 + random.IntN(48))
			if good && random.IntN(3) == 0 {
				row[i] = 49
			}
		}
		return data.Tokens{IDs: row}
	}
	pair := func(i int) data.Pair {
		return data.Pair{Row: i, Confidence: 0.5 + 0.5*weights.Float64(), Margin: weights.Float64() / 4}
	}
	return storeOf(t, n, pair, func(data.Pair) (data.Tokens, data.Tokens, error) { return ids(true), ids(false), nil })
}

// storeOf holds n pairs as pair and encode give them, one after another.
func storeOf(t *testing.T, n int, pair func(i int) data.Pair, encode func(data.Pair) (chosen, rejected data.Tokens, err error)) *batches.Store {
	t.Helper()
	var pairs iter.Seq2[data.Pair, error] = func(yield func(data.Pair, error) bool) {
		for i := range n {
			if !yield(pair(i), nil) {
				return
			}
		}
	}
	s, err := batches.BuildStore(context.Background(), filepath.Join(t.TempDir(), "tokens"), pairs, encode, batches.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// tinyRun is a run of the tiny model on shuffled, bucketed pairs with
// dropout.
func tinyRun(t *testing.T, dir string, store *batches.Store) Run {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Epochs, c.BatchSize, c.LearningRate, c.LogEvery = 3, 4, 1e-3, 1
	return Run{Config: c, Dir: dir, Model: tinyModel(t), Backend: goBackend(t), BackendName: "go", Train: store,
		Order: batches.Order{BatchSize: 4, Shuffle: true, Seed: c.Seed, Buckets: []int{8, 16, 24}}, Out: io.Discard}
}

// losses are what metrics.jsonl says of each step, less the clock's figures.
func losses(t *testing.T, dir string) []string {
	t.Helper()
	lines, err := ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, l := range lines {
		l.PairsPerSecond, l.TokensPerSecond = nil, nil
		raw, _ := json.Marshal(l)
		out = append(out, string(raw))
	}
	return out
}

func mustTrain(t *testing.T, r Run) *Result {
	t.Helper()
	result, err := Train(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestTrainingLearnsAndRepeats(t *testing.T) {
	store := randomStore(t, 37)
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	for _, dir := range []string{a, b} {
		r := tinyRun(t, dir, store)
		r.Config.LearningRate = 1e-2
		mustTrain(t, r)
	}
	first, second := losses(t, a), losses(t, b)
	if strings.Join(first, "\n") != strings.Join(second, "\n") {
		t.Error("two runs of one seed and config differ")
	}
	lines, _ := ReadMetrics(a)
	if len(lines) != 30 { // ⌈37/4⌉ = 10 batches an epoch
		t.Fatalf("%d steps, want 30", len(lines))
	}
	early, late := 0.0, 0.0
	for i := range 10 {
		early, late = early+*lines[i].Loss, late+*lines[len(lines)-1-i].Loss
	}
	if late >= early {
		t.Errorf("loss of the last ten steps %.4f, of the first ten %.4f: nothing was learnt", late/10, early/10)
	}
	t.Logf("loss of the last ten steps %.4f, of the first ten %.4f", late/10, early/10)
}

// TestResumeIsExact stops after every one of several steps, mid-epoch and
// within a metrics window, with dropout on, and goes on in a new process's
// place: all lines must be those of the undisturbed run, bit for bit.
func TestResumeIsExact(t *testing.T) {
	store := randomStore(t, 37)
	for _, accumulation := range []int{1, 3} {
		whole := filepath.Join(t.TempDir(), "whole")
		configure := func(r Run) Run {
			r.Config.GradientAccumulationSteps, r.Config.LogEvery, r.Config.EvalEvery = accumulation, 3, 4
			r.Validation = store
			return r
		}
		mustTrain(t, configure(tinyRun(t, whole, store)))
		for _, stop := range []int{1, 4, 7} {
			dir := filepath.Join(t.TempDir(), fmt.Sprint(stop))
			r := configure(tinyRun(t, dir, store))
			ctx, cancel := context.WithCancel(context.Background())
			r.Progress = func(done, total int, status string) {
				if done == stop {
					cancel()
				}
			}
			if _, err := Train(ctx, r); !errors.Is(err, ErrInterrupted) {
				t.Fatalf("stopped run: %v", err)
			}
			r = configure(tinyRun(t, dir, store))
			var err error
			if r.Model, r.State, _, err = Resume(dir, loadModel); err != nil {
				t.Fatal(err)
			}
			if r.State.Step != stop {
				t.Fatalf("resumed after step %d, want %d", r.State.Step, stop)
			}
			mustTrain(t, r)
			if got, want := losses(t, dir), losses(t, whole); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("accumulation %d, stopped after %d:\n%s\nwant\n%s", accumulation, stop, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// TestAccumulation: a step of 4 pairs taken as 2+2 is the step of 4, weights
// included, for every normalisation.
func TestAccumulation(t *testing.T) {
	store := randomStore(t, 12)
	for _, normalize := range []string{"mean", "weight_sum"} {
		for _, centring := range []float64{0, 0.01} {
			results := map[int]*stepResult{}
			weights := map[int][]float32{}
			for _, size := range []int{4, 2} {
				c := Default()
				c.Normalize, c.CenterRewardsCoefficient, c.Dropout = normalize, centring, 0
				c.BatchSize, c.GradientAccumulationSteps = size, 4/size
				m := tinyModel(t)
				steps, err := newStepper(goBackend(t), m, c)
				if err != nil {
					t.Fatal(err)
				}
				feed := newFeed(store, batches.Order{BatchSize: size, Wrap: true, Buckets: []int{24}}, 4/size, 0)
				for step := range 3 {
					batches, err := feed.read(step)
					if err != nil {
						t.Fatal(err)
					}
					if results[size], err = steps.run(batches, step, step+1, 1e-2); err != nil {
						t.Fatal(err)
					}
				}
				value, _ := m.Store.GetVariable("/bert.pooler.dense.weight").Value()
				weights[size] = tensors.MustCopyFlatData[float32](value)
			}
			if d := math.Abs(results[4].Loss - results[2].Loss); d > 1e-6 {
				t.Errorf("%s, centring %v: losses differ by %v", normalize, centring, d)
			}
			if d := math.Abs(results[4].GradNorm - results[2].GradNorm); d > 1e-5*results[4].GradNorm {
				t.Errorf("%s, centring %v: gradient norms differ by %v", normalize, centring, d)
			}
			for i := range weights[4] {
				if d := math.Abs(float64(weights[4][i] - weights[2][i])); d > 1e-4 {
					t.Fatalf("%s, centring %v: weight %d differs by %v after 3 steps", normalize, centring, i, d)
				}
			}
		}
	}
}

// TestNonFiniteSteps: a learning rate that blows the weights up makes the
// following steps non-finite: they are skipped, counted, saved, and end the
// run.
func TestNonFiniteSteps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := tinyRun(t, dir, randomStore(t, 20))
	r.Config.LearningRate, r.Config.MaxGradNorm, r.Config.MaxBadSteps = 1e38, 0, 3
	var out bytes.Buffer
	r.Out = &out
	result, err := Train(context.Background(), r)
	if err == nil || !strings.Contains(err.Error(), "stopped after 3 steps") {
		t.Fatalf("error %v", err)
	}
	if result.State.Skipped != 3 || strings.Count(out.String(), "skipped: loss") != 3 {
		t.Errorf("%d skipped; said:\n%s", result.State.Skipped, out.String())
	}
	saved, _ := filepath.Glob(filepath.Join(dir, "bad-steps", "*.json"))
	if len(saved) != 3 {
		t.Errorf("%d batches saved, want 3", len(saved))
	}
	if result.State.Updates+result.State.Skipped != result.State.Step {
		t.Errorf("%d updates and %d skipped in %d steps", result.State.Updates, result.State.Skipped, result.State.Step)
	}
}

// TestSkippedStepLeavesWeights: weights and moments after a non-finite step
// are those before it.
func TestSkippedStepLeavesWeights(t *testing.T) {
	m := tinyModel(t)
	steps, err := newStepper(goBackend(t), m, Default())
	if err != nil {
		t.Fatal(err)
	}
	feed := newFeed(randomStore(t, 8), batches.Order{BatchSize: 4, Wrap: true, Buckets: []int{24}}, 1, 0)
	batches, err := feed.read(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := steps.run(batches, 0, 1, 1e-3); err != nil {
		t.Fatal(err)
	}
	snapshot := func() (all [][]float32) {
		for _, scope := range []string{"/", firstMoment, secondMoment} {
			for _, name := range m.Trainable() {
				value, err := m.Store.GetVariable(scope + name).Value()
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, tensors.MustCopyFlatData[float32](value))
			}
		}
		return all
	}
	before := snapshot()
	batches[0].Margin[1] = float32(math.Inf(1))
	r, err := steps.run(batches, 1, 2, 1e-3)
	if err != nil {
		t.Fatal(err)
	}
	if r.Finite {
		t.Fatalf("an infinite margin gave loss %v", r.Loss)
	}
	for i, values := range snapshot() {
		for j := range values {
			if values[j] != before[i][j] {
				t.Fatalf("tensor %d changed in a skipped step", i)
			}
		}
	}
}

func loadModel(dir string) (*model.Model, error) { return model.Load(dir, 0) }
