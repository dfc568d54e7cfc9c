package model

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
)

// TestRefusedKeys: values that change the numbers in a way that is not
// computed are refused by the key's name, for every family.
func TestRefusedKeys(t *testing.T) {
	for _, c := range []struct{ folder, key, value, want string }{
		{"bert", "position_embedding_type", `"relative_key"`, "position_embedding_type"},
		{"bert", "is_decoder", `true`, "is_decoder"},
		{"bert", "hidden_act", `"xielu"`, "hidden_act"},
		{"roberta", "pad_token_id", `null`, "pad_token_id"},
		{"roberta", "position_embedding_type", `"relative_key_query"`, "position_embedding_type"},
		{"xlm-roberta", "add_cross_attention", `true`, "add_cross_attention"},
		{"electra", "num_attention_heads", `5`, "num_attention_heads"},
		{"distilbert", "n_heads", `5`, "n_heads"},
		{"distilbert", "activation", `"prelu"`, "activation"},
		{"distilbert", "hidden_size", `7`, "hidden_size"},
		{"bert", "per_layer_config", `{"0": {"intermediate_size": 8}}`, "per_layer_config"},
		{"llama", "quantization_config", `{"quant_method": "fp8"}`, "quantization_config"},
		{"llama", "partial_rotary_factor", `0.5`, "partial_rotary_factor"},
		{"modernbert", "rope_scaling", `{"type": "linear", "factor": 2}`, "rope_type"},
		{"modernbert", "head_dim", `3`, "head_dim"},
		{"modernbert", "classifier_pooling", `"max"`, "classifier_pooling"},
		{"modernbert", "layer_types", `["full_attention"]`, "layer_types"},
		{"deberta-v3", "attention_head_size", `3`, "attention_head_size"},
		{"deberta-v3", "pooler_hidden_size", `16`, "pooler_hidden_size"},
		{"deberta-v3", "conv_kernel_size", `4`, "conv_kernel_size"},
		{"llama", "rope_parameters", `{"rope_type": "longrope", "rope_theta": 1e4}`, "longrope"},
		{"llama", "rope_parameters", `{"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}`, "partial_rotary_factor"},
		{"llama", "rope_parameters", `{"rope_type": "default", "mrope_section": [1]}`, "mrope_section"},
		{"llama", "num_key_value_heads", `5`, "num_key_value_heads"},
		{"mistral", "hidden_act", `"prelu"`, "hidden_act"},
		{"qwen2", "layer_types", `["full_attention", "chunked_attention", "full_attention"]`, "chunked_attention"},
		{"qwen2", "layer_types", `["full_attention", "sliding_attention", "full_attention"]`, "window"},
		{"gemma2", "sliding_window", `null`, "window"},
		{"modernbert", "local_attention", `1`, "local_attention"},
		{"qwen3", "head_dim", `7`, "head_dim"},
		{"gemma2", "use_bidirectional_attention", `true`, "use_bidirectional_attention"},
		{"gemma3", "rope_parameters", `{"global": {}}`, "global"},
	} {
		raw, err := os.ReadFile(filepath.Join(golden(t, c.folder), "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(raw, &keys); err != nil {
			t.Fatal(err)
		}
		keys[c.key] = json.RawMessage(c.value)
		if raw, err = json.Marshal(keys); err != nil {
			t.Fatal(err)
		}
		if _, err := parseConfig(raw); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s %s: error %v, want one with %q", c.folder, c.key, c.value, err, c.want)
		}
	}
}

// TestSilentConfig: a config that names its model_type alone means the sizes
// that transformers 5.23's config classes have.
func TestSilentConfig(t *testing.T) {
	for modelType, want := range map[string]struct{ vocab, hidden, heads, headDim, blocks int }{
		"bert": {30522, 768, 12, 64, 12}, "roberta": {50265, 768, 12, 64, 12}, "xlm-roberta": {30522, 768, 12, 64, 12},
		"electra": {30522, 128, 4, 64, 12}, "distilbert": {30522, 768, 12, 64, 6}, "modernbert": {50368, 768, 12, 64, 22},
		"deberta-v2": {128100, 1536, 24, 64, 24}, "llama": {32000, 4096, 32, 128, 32}, "mistral": {32000, 4096, 32, 128, 32},
		"qwen2": {151936, 4096, 32, 128, 32}, "qwen3": {151936, 4096, 32, 128, 32}, "gemma2": {256000, 2304, 8, 256, 26},
		"gemma3_text": {262208, 2304, 8, 256, 26},
	} {
		c, err := parseConfig([]byte(`{"model_type": "` + modelType + `"}`))
		if err != nil {
			t.Errorf("%s: %v", modelType, err)
			continue
		}
		a := c.family.about()
		if !slices.Equal(c.weights[0].shape, []int{want.vocab, want.hidden}) || a.heads != want.heads || a.headDim != want.headDim || c.family.blocks() != want.blocks {
			t.Errorf("%s: embeddings %v, %d heads of %d, %d blocks; want %v", modelType, c.weights[0].shape, a.heads, a.headDim, c.family.blocks(), want)
		}
	}
}

// TestTrainedPositions: a rotary embedding that is stretched reaches factor times as
// far as before; learnt positions are a limit instead.
func TestTrainedPositions(t *testing.T) {
	for config, want := range map[string]int{
		`{"model_type": "llama"}`: 2048, `{"model_type": "modernbert"}`: 8192, `{"model_type": "gemma3_text"}`: 131072, `{"model_type": "bert"}`: 0,
		`{"model_type": "qwen2", "max_position_embeddings": 32768, "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}`:                                                   131072,
		`{"model_type": "llama", "max_position_embeddings": 4096, "rope_scaling": {"rope_type": "linear", "factor": 2.0}}`:                                                                                        8192,
		`{"model_type": "llama", "max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192}}`: 131072,
	} {
		c, err := parseConfig([]byte(config))
		if err != nil {
			t.Errorf("%s: %v", config, err)
		} else if got := c.family.about().trained; got != want {
			t.Errorf("%s: trained for %d positions, want %d", config, got, want)
		}
	}
}

// TestDepths: every tensor of every family lies in the embeddings, in a
// block, or above the last; each block has tensors, and the head is above.
func TestDepths(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(goldenFamilies)) {
		c, err := ReadConfig(golden(t, name))
		if err != nil {
			t.Fatal(err)
		}
		blocks := c.family.blocks()
		count := make([]int, blocks+2)
		for _, w := range c.weights {
			d := depth(w, blocks)
			count[d]++
			if w.group == scoreGroup && d != blocks+1 {
				t.Errorf("%s: %s of the head lies at depth %d", name, w.name, d)
			}
		}
		if slices.Contains(count, 0) || depth(c.weights[0], blocks) != 0 {
			t.Errorf("%s: tensors by depth %v", name, count)
		}
	}
}

// TestLogBucket holds DeBERTa's buckets to hand-made values: near distances
// stay, the farthest shares the last bucket, and signs mirror.
func TestLogBucket(t *testing.T) {
	for distance, want := range map[int]int{0: 0, 3: 3, 8: 8, -8: -8, 127: 15, -127: -15} {
		if got := logBucket(distance, 16, 128); got != want {
			t.Errorf("distance %d: bucket %d, want %d", distance, got, want)
		}
	}
	for distance := 1; distance < 200; distance++ {
		here, before := logBucket(distance, 16, 128), logBucket(distance-1, 16, 128)
		if here < before || logBucket(-distance, 16, 128) != -here {
			t.Errorf("distance %d: bucket %d after %d", distance, here, before)
		}
	}
}

// TestConvolutionTrains: DeBERTa's convolution, which no stored golden has,
// gets the gradient that finite differences give.
func TestConvolutionTrains(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(golden(t, "deberta-v3"), "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.Replace(raw, []byte("{"), []byte(`{"conv_kernel_size": 3, "conv_groups": 2,`), 1)
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, bytes.Replace(raw, []byte(`"initializer_range": 0.02`), []byte(`"initializer_range": 0.3`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := New(path, 1, Head{})
	if err != nil {
		t.Fatal(err)
	}
	const name = "deberta.encoder.conv.conv.weight"
	backend, rows := pureGo(t), [][]int32{{5, 6, 7, 8}, {9, 10}, {11, 12, 13}, {14, 15}}
	_, _, grads := gradients(backend, m, rows)
	analytic := grads[slices.Index(m.Trainable(), name)]
	largest := 0
	for i, g := range analytic {
		if math.Abs(float64(g)) > math.Abs(float64(analytic[largest])) {
			largest = i
		}
	}
	v := m.Store.GetVariable("/" + name)
	values, err := m.values("/" + name)
	if err != nil {
		t.Fatal(err)
	}
	const step = 1e-2
	loss := func(change float32) float64 {
		moved := slices.Clone(values)
		moved[largest] += change
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(moved, v.Shape().Dimensions...)); err != nil {
			t.Fatal(err)
		}
		l, _, _ := gradients(backend, m, rows)
		return l
	}
	numeric := (loss(step) - loss(-step)) / (2 * step)
	if g := float64(analytic[largest]); g == 0 || math.Abs(numeric-g) > 0.02*math.Abs(g) {
		t.Errorf("gradient %v, by finite difference %v", g, numeric)
	}
}

// TestRopeByHand: YaRN and Llama 3 leave fast waves and stretch slow ones.
func TestRopeByHand(t *testing.T) {
	s := ropeShape{headDim: 64, positions: 4096, theta: 10000}
	plain, err := ropeParameters{}.rope(s)
	if err != nil {
		t.Fatal(err)
	}
	for kind, c := range map[string]ropeParameters{
		"yarn":   {Type: "yarn", Factor: 4, Original: 1024},
		"llama3": {Type: "llama3", Factor: 4, LowFreqFactor: 1, HighFreqFactor: 4, Original: 1024},
		"linear": {Type: "linear", Factor: 4},
	} {
		r, err := c.rope(s)
		if err != nil {
			t.Fatal(err)
		}
		first, last := plain.inverse[0]/r.inverse[0], plain.inverse[31]/r.inverse[31]
		if last != 4 || (first == 1) == (kind == "linear") {
			t.Errorf("%s stretches the fastest wave by %v, the slowest by %v", kind, first, last)
		}
	}
}
