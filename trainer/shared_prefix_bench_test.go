package trainer

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"laurel/data"
	"laurel/data/batches"
	"laurel/model"
	"laurel/scoring"
)

// sixLayers is a Qwen3 of six layers over MiniLM's tokens.
const sixLayers = `{"model_type": "qwen3", "architectures": ["Qwen3ForSequenceClassification"], "vocab_size": 30522,
 "hidden_size": 512, "num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 64,
 "intermediate_size": 1536, "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
 "hidden_act": "silu", "initializer_range": 0.02, "pad_token_id": 0, "id2label": {"0": "LABEL_0"}}`

// sixLayerRun is a run of it on hh-harmless, its layout still open.
func sixLayerRun(b *testing.B, backend model.Backend, name string) Run {
	b.Helper()
	shared, dir := filepath.Join("..", "..", "shared"), b.TempDir()
	for _, file := range []string{"tokenizer.json", "tokenizer_config.json"} {
		raw, err := os.ReadFile(filepath.Join(shared, "models", "all-MiniLM-L6-v2", file))
		if err != nil {
			b.Skipf("SKIPPED, speed of shared prefixes not measured: %v", err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), raw, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	path := filepath.Join(dir, "config.json")
	if err := os.WriteFile(path, []byte(sixLayers), 0o644); err != nil {
		b.Fatal(err)
	}
	start, err := scoring.FindStart(b.Context(), model.Source{Config: path, DType: "float32", MaxLength: 512, TruncationSide: "left"}, 1, scoring.Options{})
	if err != nil {
		b.Fatal(err)
	}
	fresh, err := start.Fresh()
	if err != nil {
		b.Fatal(err)
	}
	scored, err := start.Ready(fresh)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { scored.Close() })
	store, _, err := scored.BuildStore(b.Context(), filepath.Join(dir, "tokens"), []string{filepath.Join(shared, "data", "hh-harmless", "train.parquet")},
		data.Default(), scoring.Encoding{Done: func(int, int) {}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return Run{Config: Default(), Model: fresh, Backend: backend, BackendName: name, Train: store, Out: io.Discard, PadID: scored.PadID()}
}

// BenchmarkSharedPrefix is the pace of an epoch of hh-harmless with pairs in one
// row, and with every sequence in a row of its own: the times of a step of each
// shape, in turns, by how many batches have it. Compiling is left out.
func BenchmarkSharedPrefix(b *testing.B) {
	b.Setenv("LAUREL_PJRT", filepath.Join("..", "build", "pjrt"))
	backend, choice, err := model.OpenBackend("auto")
	if err != nil {
		b.Fatal(err)
	}
	r := sixLayerRun(b, backend, choice.Name)
	steps, err := newStepper(backend, r.Model, r.Config)
	if err != nil {
		b.Fatal(err)
	}
	type shape struct {
		t      int
		shared bool
	}
	counts, examples := map[bool]map[shape]int{}, map[shape]*batches.Batch{}
	for _, shares := range []bool{false, true} {
		r.Order = r.NewOrder(data.Default(), shares, false)
		counts[shares] = map[shape]int{}
		for _, plan := range r.Order.Once(r.Train) {
			s := shape{plan.T, plan.Shared}
			counts[shares][s]++
			if examples[s], err = batches.Read(r.Train, plan, int32(r.PadID)); err != nil {
				b.Fatal(err)
			}
		}
		b.Logf("shared prefix %v: %v", shares, counts[shares])
	}
	made := 0
	step := func(batch *batches.Batch) time.Duration {
		began := time.Now()
		if _, err := steps.run([]*batches.Batch{batch}, made, made+1, 1e-5); err != nil {
			b.Fatal(err)
		}
		made++
		return time.Since(began)
	}
	for _, batch := range examples { // compiles
		step(batch)
	}
	times := map[shape][]time.Duration{}
	for b.Loop() {
		for s, batch := range examples {
			times[s] = append(times[s], step(batch))
		}
	}
	epoch := map[bool]float64{}
	for shares, shapes := range counts {
		for s, n := range shapes {
			epoch[shares] += float64(n) * slices.Sorted(slices.Values(times[s]))[len(times[s])/2].Seconds()
		}
	}
	pairs := float64(r.Train.Len())
	b.ReportMetric(pairs/epoch[false], "apart-pairs/s")
	b.ReportMetric(pairs/epoch[true], "shared-pairs/s")
	b.ReportMetric(epoch[false]/epoch[true], "times")
	for _, s := range slices.SortedFunc(maps.Keys(times), func(a, b shape) int { return a.t - b.t }) {
		b.Logf("%v %v", s, times[s])
	}
}
