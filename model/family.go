package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
)

// family is one architecture: its tensors, and the way from ids to a reward
// that transformers' …ForSequenceClassification takes.
type family interface {
	about() about
	// weights lists the backbone's tensors, the word embeddings first.
	weights() []weight
	// headWeights lists those of transformers' own score head.
	headWeights() []weight

	embed(p *pass) *Node                 // [N, T] to [N, T, D]
	blocks() int                         // how many there are
	block(p *pass, i int, x *Node) *Node // [N, T, D] to [N, T, D], or to [S, 1, D] where one token is asked for
	norm(p *pass, x *Node) *Node         // after the last block; x itself where there is none
	score(p *pass, x *Node) *Node        // transformers' head. [S, D] to [S]
}

// about is what the rest of the package asks of a family.
type about struct {
	class     string // that transformers loads the model with
	hidden    int    // D
	heads     int    // H
	headDim   int    // K
	inner     int    // features that an MLP's last layer reads
	gated     bool   // the MLP multiplies them by as many others
	joined    bool   // one matrix gives both
	normed    int    // features of queries and keys that have a norm of their own
	positions int    // longest sequence, 0 for no limit
	trained   int    // positions that rotary embeddings were trained for: no limit
	causal    bool   // a decoder: its last token has seen all others
	pooling   string // transformers': cls | mean | last

	attentionDropout float64
	windows          []int // of each block's attention, 0 for none; nil: none has one
	softcap          bool  // of attention's scores
	relative         bool  // attention's scores depend on learnt relative positions
}

// families are the readers by model_type.
var families = map[string]func(*configReader) family{
	"bert":        parseBert,
	"roberta":     parseRoberta("RobertaForSequenceClassification", 50265),
	"xlm-roberta": parseRoberta("XLMRobertaForSequenceClassification", 30522),
	"electra":     parseElectra,
	"distilbert":  parseDistilbert,
	"modernbert":  parseModernbert,
	"deberta-v2":  parseDeberta,
	"llama":       parseLlama,
	"mistral":     parseMistral,
	"qwen2":       parseQwen2,
	"qwen3":       parseQwen3,
	"gemma2":      parseGemma2,
	"gemma3_text": parseGemma3,
}

func parseFamily(modelType string, r *configReader) family {
	if modelType == "" {
		r.refuse("model_type", "is missing: this is no Hugging Face model config")
		return nil
	}
	parse, ok := families[modelType]
	if !ok {
		r.refuse("model_type", fmt.Sprintf("%q is not supported; supported: %s", modelType, strings.Join(slices.Sorted(maps.Keys(families)), ", ")))
		return nil
	}
	return parse(r)
}
