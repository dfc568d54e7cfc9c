package model

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSizesAreBounded: every size of every family's config is refused by its
// name before anything of that size is made.
func TestSizesAreBounded(t *testing.T) {
	common := []string{"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings"}
	for family, keys := range map[string][]string{
		"bert": append(common, "type_vocab_size"), "roberta": common, "xlm-roberta": common,
		"electra":    append(common, "embedding_size"),
		"distilbert": {"vocab_size", "dim", "hidden_dim", "n_layers", "n_heads", "max_position_embeddings"},
		"modernbert": append(common, "local_attention", "sliding_window"),
		"deberta-v2": append(common, "embedding_size", "type_vocab_size", "position_buckets", "max_relative_positions", "conv_kernel_size", "conv_groups"),
		"llama":      append(common, "num_key_value_heads", "head_dim"), "mistral": append(common, "num_key_value_heads", "head_dim", "sliding_window"),
		"qwen2": append(common, "num_key_value_heads", "head_dim", "sliding_window"), "qwen3": append(common, "num_key_value_heads", "head_dim"),
		"gemma2": append(common, "num_key_value_heads", "head_dim"), "gemma3_text": append(common, "num_key_value_heads", "head_dim", "sliding_window_pattern"),
	} {
		for _, key := range keys {
			for _, value := range []string{"2000000000", "1000000000000", "4611686018427387904", "9223372036854775807", "1e30", "99999999999999999999999"} {
				_, err := parseConfig([]byte(fmt.Sprintf(`{"model_type": %q, %q: %s}`, family, key, value)))
				if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("key %q", key)) {
					t.Errorf("%s with %s %s: error %v", family, key, value, err)
				}
			}
		}
	}
}

// TestSizesTogether: sizes that are each within their bound are refused where
// no machine holds their product.
func TestSizesTogether(t *testing.T) {
	for _, config := range []string{
		`{"model_type": "llama", "hidden_size": 1048576, "num_attention_heads": 1048576, "head_dim": 1048576, "intermediate_size": 1048576, "num_hidden_layers": 8192, "vocab_size": 1073741824}`,
		`{"model_type": "bert", "hidden_size": 1048576, "num_attention_heads": 4, "vocab_size": 1073741824}`,
		`{"model_type": "deberta-v2", "relative_attention": true, "hidden_size": 1048576, "num_attention_heads": 4, "max_position_embeddings": 1073741824}`,
	} {
		if _, err := parseConfig([]byte(config)); err == nil || !strings.Contains(err.Error(), "parameters, want at most") {
			t.Errorf("%s: error %v", config, err)
		}
	}
}

// TestMoreThanTheMachineHolds: weights are not begun where memory cannot hold
// them; their outline needs none.
func TestMoreThanTheMachineHolds(t *testing.T) {
	if _, _, ok := MachineMemory(); !ok {
		t.Skip("SKIPPED: what the machine has is not known here")
	}
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(`{"model_type": "llama", "hidden_size": 65536, "intermediate_size": 262144, "num_hidden_layers": 64}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(path, 1, Head{}); err == nil || !strings.Contains(err.Error(), "the machine has") {
		t.Errorf("error %v", err)
	}
	m, err := NewOutline(path, Head{})
	if err != nil || m.NumParameters() < 4e12 || m.Store != nil {
		t.Errorf("outline of %d parameters, %v", m.NumParameters(), err)
	}
	whole := m.NumParameters()
	err = m.AddAdapter(LoRA{Rank: 16, Alpha: 16, TargetModules: []string{allLinear}}, "base", 1)
	if adapter := m.NumParameters() - whole; err != nil || adapter < 1e9 || m.NumTrainable() != adapter+65536 { // the score head, one value a feature
		t.Errorf("outline of an adapter of %d values, of which %d are trained with the head, %v", adapter, m.NumTrainable(), err)
	}
}

// TestOutline: an outline of a directory has the sizes of the loaded model and
// refuses what loading refuses for shapes.
func TestOutline(t *testing.T) {
	dir := smallDir(t)
	whole, err1 := Load(dir, 0)
	outline, err2 := Outline(dir, Head{})
	if err1 != nil || err2 != nil || whole.Size() != outline.Size() || fmt.Sprint(*whole.Loaded) != fmt.Sprint(*outline.Loaded) {
		t.Fatalf("%+v, %v; want %+v, %v", outline, err2, whole, err1)
	}
	var keys map[string]json.RawMessage
	path := filepath.Join(dir, "config.json")
	readJSON(t, path, &keys)
	for key, want := range map[string]string{"num_hidden_layers": "lacks", "vocab_size": "the config asks for"} {
		old := keys[key]
		keys[key] = json.RawMessage("8000")
		raw, err := json.Marshal(keys)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Outline(dir, Head{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", key, err)
		}
		keys[key] = old
	}
}

// TestNumbersThatCannotBeMeant: where transformers refuses null, the family's own
// value does not stand in for it, and what would make rewards NaN is refused.
func TestNumbersThatCannotBeMeant(t *testing.T) {
	for family, keys := range map[string][]string{
		"bert":        {"vocab_size", "num_attention_heads", "hidden_act", "layer_norm_eps"},
		"distilbert":  {"n_heads", "dim", "activation"},
		"modernbert":  {"num_attention_heads", "local_attention", "norm_eps", "classifier_activation"},
		"deberta-v2":  {"type_vocab_size", "max_relative_positions", "layer_norm_eps", "pooler_hidden_act"},
		"llama":       {"num_hidden_layers", "rms_norm_eps", "hidden_act"},
		"gemma3_text": {"query_pre_attn_scalar", "rms_norm_eps", "hidden_activation"},
	} {
		for _, key := range keys {
			if _, err := parseConfig([]byte(fmt.Sprintf(`{"model_type": %q, %q: null}`, family, key))); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("key %q is null", key)) {
				t.Errorf("%s with %s null: error %v", family, key, err)
			}
		}
	}
	for _, config := range []string{
		`{"model_type": "llama", "num_key_value_heads": null, "head_dim": null}`,
		`{"model_type": "deberta-v2", "position_buckets": null}`, `{"model_type": "bert", "layer_norm_eps": 0}`,
	} {
		if _, err := parseConfig([]byte(config)); err != nil {
			t.Errorf("%s: %v", config, err)
		}
	}
	for config, want := range map[string]string{
		`{"model_type": "llama", "rms_norm_eps": -1e-6}`:           `key "rms_norm_eps" is -1e-6, want 0 to 1`,
		`{"model_type": "bert", "layer_norm_eps": 1e308}`:          `key "layer_norm_eps" is 1e308, want 0 to 1`,
		`{"model_type": "bert", "initializer_range": 1e300}`:       `key "initializer_range" is 1e+300, want 0 to 1000`,
		`{"model_type": "bert", "hidden_size": "48"}`:              `key "hidden_size" has the value "48": want a whole number`,
		`{"model_type": "bert", "laurel": {"max_length": "long"}}`: `max_length is a JSON string, want a whole number`,
	} {
		if _, err := parseConfig([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", config, err, want)
		}
	}
}
