package model

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// drawnConfigs has a small config of every family, and of what changes its
// graph, for properties that need no stored numbers.
var drawnConfigs = map[string]string{
	"bert":         `"model_type": "bert", "hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 4, "num_hidden_layers": 3, "max_position_embeddings": 128`,
	"roberta":      `"model_type": "roberta", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 130, "type_vocab_size": 1`,
	"xlm-roberta":  `"model_type": "xlm-roberta", "hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 2, "num_hidden_layers": 2, "max_position_embeddings": 130, "type_vocab_size": 1`,
	"electra":      `"model_type": "electra", "embedding_size": 24, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 128`,
	"distilbert":   `"model_type": "distilbert", "dim": 32, "hidden_dim": 64, "n_heads": 4, "n_layers": 2, "max_position_embeddings": 128`,
	"modernbert":   `"model_type": "modernbert", "hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_hidden_layers": 4, "local_attention": 16, "pad_token_id": 0, "classifier_pooling": "mean"`,
	"deberta-v3":   `"model_type": "deberta-v2", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 3, "max_position_embeddings": 128, "relative_attention": true, "share_att_key": true, "pos_att_type": ["p2c", "c2p"], "position_buckets": 16, "norm_rel_ebd": "layer_norm", "position_biased_input": false`,
	"deberta-v2":   `"model_type": "deberta-v2", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 128`,
	"llama":        `"model_type": "llama", "hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 6, "num_key_value_heads": 2, "num_hidden_layers": 3, "pad_token_id": 0`,
	"mistral":      `"model_type": "mistral", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12, "num_hidden_layers": 2, "sliding_window": 16, "pad_token_id": 0`,
	"qwen2":        `"model_type": "qwen2", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 3, "pad_token_id": 0`,
	"qwen3":        `"model_type": "qwen3", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 16, "num_hidden_layers": 2, "pad_token_id": 0`,
	"gemma2":       `"model_type": "gemma2", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12, "num_hidden_layers": 3, "sliding_window": 16, "attn_logit_softcapping": 5.0, "query_pre_attn_scalar": 16`,
	"gemma3":       `"model_type": "gemma3_text", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 12, "num_hidden_layers": 7, "sliding_window": 16, "query_pre_attn_scalar": 12`,
	"bert-mean":    `"model_type": "bert", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "laurel": {"head": {"pooling": "mean", "kind": "mlp"}}`,
	"llama-first":  `"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "pad_token_id": 0, "laurel": {"head": {"pooling": "cls", "kind": "mlp"}}`,
	"llama-mean":   `"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "pad_token_id": 0, "laurel": {"head": {"pooling": "mean", "kind": "linear"}}`,
	"llama-attend": `"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "pad_token_id": 0, "laurel": {"head": {"pooling": "attention", "kind": "linear"}}`,
}

// drawnNames are those of drawnConfigs, sorted.
func drawnNames() []string { return slices.Sorted(maps.Keys(drawnConfigs)) }

const drawnVocab = 1008

// drawnModel makes a model of drawnConfigs, its weights wide enough for
// rewards to differ.
func drawnModel(t *testing.T, name string) *Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	config := `{"vocab_size": 1008, "initializer_range": 0.2, ` + drawnConfigs[name] + `}`
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := New(path, 7, Head{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// drawnRows are n sequences of up to longest ids.
func drawnRows(random *rand.Rand, n, longest int) [][]int32 {
	rows := make([][]int32, n)
	for i := range rows {
		rows[i] = make([]int32, 1+random.IntN(longest))
		for j := range rows[i] {
			rows[i][j] = int32(2 + random.IntN(drawnVocab-2))
		}
	}
	return rows
}
