package model

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// family is one architecture: what tensors it has and how they give a reward.
type family interface {
	// weights lists every tensor of the model with its score head.
	weights() []weight
	// reward builds the graph from ids [N, T] and lengths [N] to [N].
	reward(p *pass) *Node
	// architecture is the class that transformers loads the model with.
	architecture() string
	// maxPositions is the longest sequence the model can take, 0 for no limit.
	maxPositions() int
}

// parseFamily picks the family's reader by model_type.
func parseFamily(modelType string, r *configReader) family {
	switch modelType {
	case "bert":
		return parseBert(r)
	case "":
		r.refuse("model_type", "is missing: this is no Hugging Face model config")
	default:
		r.refuse("model_type", fmt.Sprintf("%q is not supported; supported: bert", modelType))
	}
	return nil
}
