package model

import (
	"fmt"
	"io"
	"os"
	"slices"

	"laurel/data"
)

// Bounds on the sizes that a config may ask for, far above any model there is.
// Within them the shape of every tensor multiplies without overflow, so that
// nothing is listed or allocated for a size that cannot be meant.
const (
	mostLayers = 8192
	mostWidth  = 1 << 20 // of a layer, in features, and how many heads
	mostRows   = 1 << 30 // of an embedding table; token ids are int32

	mostInitRange = 1e3 // the standard deviation of new weights

	mostParameters = 1e13 // of a whole model
	mostConfigSize = 64 << 20
)

// bound is the largest value of a size.
func bound(key string) int {
	switch key {
	case "num_hidden_layers", "n_layers":
		return mostLayers
	case "vocab_size", "max_position_embeddings", "sliding_window", "local_attention":
		return mostRows
	}
	return mostWidth
}

// nullable are the sizes that transformers lets be null, which is then as absent.
var nullable = []string{"num_key_value_heads", "head_dim", "position_buckets", "global_attn_every_n_layers", "sliding_window", "sliding_window_pattern"}

// size reads a size from least to the key's bound.
func (r *configReader) size(key string, otherwise, least int) int {
	value := r.integer(key, otherwise)
	switch {
	case r.null(key) && !slices.Contains(nullable, key):
		r.refuse(key, "is null, want a whole number (transformers refuses it too)")
	case value < least:
		r.refuse(key, fmt.Sprintf("is %d, want at least %d", value, least))
	case value > bound(key):
		r.refuse(key, fmt.Sprintf("is %d, want at most %d", value, bound(key)))
	default:
		return value
	}
	return max(1, otherwise) // so that what follows from the size has no complaint of its own
}

// positive reads a size that must be at least one.
func (r *configReader) positive(key string, otherwise int) int { return r.size(key, otherwise, 1) }

// epsilon reads what a norm adds to a variance.
func (r *configReader) epsilon(key string, otherwise float64) float64 {
	value := r.number(key, otherwise)
	if r.null(key) || !(value >= 0 && value <= 1) {
		r.refuse(key, fmt.Sprintf("is %s, want 0 to 1", r.keys[key]))
		return otherwise
	}
	return value
}

// checkTotal refuses sizes that are each within their bound and make together
// what no machine holds.
func checkTotal(ws []weight) error {
	total, largest := 0.0, ws[0]
	for _, t := range ws {
		total += float64(t.size())
		if t.size() > largest.size() {
			largest = t
		}
	}
	if total > mostParameters {
		return fmt.Errorf("the sizes make %.3g parameters, want at most %.3g; the largest tensor is %s %v", total, mostParameters, largest.name, largest.shape)
	}
	return nil
}

// checkMemory refuses tensors that the machine has no memory for.
func (m *Model) checkMemory(ws []weight) error {
	need := 4 * float64(totalSize(ws))
	for _, t := range ws {
		if m.isHalf(t) {
			need -= 2 * float64(t.size())
		}
	}
	if total, _, ok := MachineMemory(); ok && need > total {
		return fmt.Errorf("the tensors take %.2f GB as they are kept, the machine has %.2f GB", need/1e9, total/1e9)
	}
	return nil
}

// readConfigFile reads a JSON file that is small in every real model.
func readConfigFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, mostConfigSize+1))
	if err == nil {
		if err = data.CheckPointer(raw); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err == nil && len(raw) > mostConfigSize {
		err = fmt.Errorf("%s: more than %d bytes are too many for a config", path, mostConfigSize)
	}
	return raw, err
}
