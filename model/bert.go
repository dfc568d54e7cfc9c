package model

import (
	"fmt"
	"math"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"
)

// bert is BertForSequenceClassification (transformers, models/bert/
// modeling_bert.py; Devlin et al. 2018, arXiv:1810.04805).
//
// Shapes: N sequences, T tokens, D hidden_size, H heads, V vocab_size.
type bert struct {
	vocabSize, hiddenSize, layers, heads int
	intermediateSize, positions, types   int
	activation                           string
	layerNormEps                         float64
	hiddenDropout, attentionDropout      float64
	classifierDropout                    float64
}

func parseBert(r *configReader) family {
	b := &bert{
		vocabSize:        r.positive("vocab_size", 30522),
		hiddenSize:       r.positive("hidden_size", 768),
		layers:           r.positive("num_hidden_layers", 12),
		heads:            r.positive("num_attention_heads", 12),
		intermediateSize: r.positive("intermediate_size", 3072),
		positions:        r.positive("max_position_embeddings", 512),
		types:            r.positive("type_vocab_size", 2),
		activation:       r.activation("hidden_act", "gelu"),
		layerNormEps:     r.number("layer_norm_eps", 1e-12),
		hiddenDropout:    r.probability("hidden_dropout_prob", 0.1),
		attentionDropout: r.probability("attention_probs_dropout_prob", 0.1),
	}
	b.classifierDropout = r.probability("classifier_dropout", b.hiddenDropout)
	if b.hiddenSize%b.heads != 0 {
		r.refuse("num_attention_heads", fmt.Sprintf("is %d, which does not divide hidden_size %d", b.heads, b.hiddenSize))
	}
	r.must("position_embedding_type", `"absolute"`)
	r.must("is_decoder", "false")
	r.must("add_cross_attention", "false")
	r.must("pruned_heads", "{}")
	return b
}

func (b *bert) about() about {
	return about{class: "BertForSequenceClassification", hidden: b.hiddenSize, heads: b.heads, headDim: b.hiddenSize / b.heads,
		intermediate: b.intermediateSize, positions: b.positions}
}

func (b *bert) blocks() int { return b.layers }

func (b *bert) weights() []weight {
	d, f := b.hiddenSize, b.intermediateSize
	ws := []weight{
		embedding("bert.embeddings.word_embeddings.weight", b.vocabSize, d),
		embedding("bert.embeddings.position_embeddings.weight", b.positions, d),
		embedding("bert.embeddings.token_type_embeddings.weight", b.types, d),
	}
	ws = append(ws, layerNorm("bert.embeddings.LayerNorm", d)...)
	for i := range b.layers {
		l := "bert.encoder.layer." + strconv.Itoa(i)
		ws = append(ws, linear(l+".attention.self.query", d, d)...)
		ws = append(ws, linear(l+".attention.self.key", d, d)...)
		ws = append(ws, linear(l+".attention.self.value", d, d)...)
		ws = append(ws, linear(l+".attention.output.dense", d, d)...)
		ws = append(ws, layerNorm(l+".attention.output.LayerNorm", d)...)
		ws = append(ws, linear(l+".intermediate.dense", f, d)...)
		ws = append(ws, linear(l+".output.dense", d, f)...)
		ws = append(ws, layerNorm(l+".output.LayerNorm", d)...)
	}
	return ws
}

func (b *bert) headWeights() []weight {
	d := b.hiddenSize
	return append(inGroup("pooler", linear("bert.pooler.dense", d, d)), inGroup(scoreGroup, linear("classifier", 1, d))...)
}

// embed gives the sum of word, position and type embeddings, normed. [N, T, D]
func (b *bert) embed(p *pass) *Node {
	x := p.words("bert.embeddings.word_embeddings.weight")
	positions := Slice(p.weight("bert.embeddings.position_embeddings.weight"), AxisRangeFromStart(p.tokens())) // [T, D]
	x = Add(x, ExpandLeftToRank(positions, 3))
	// One sequence a row: every token is of type 0.
	kind := Slice(p.weight("bert.embeddings.token_type_embeddings.weight"), AxisElem(0)) // [1, D]
	x = Add(x, ExpandLeftToRank(kind, 3))
	return p.dropout(p.layerNorm("bert.embeddings.LayerNorm", x, b.layerNormEps), b.hiddenDropout)
}

// block is self-attention and a feed-forward network, each with a residual
// and a norm after it. [N, T, D] to [N, T, D]
func (b *bert) block(p *pass, i int, x *Node) *Node {
	name := "bert.encoder.layer." + strconv.Itoa(i)
	self := name + ".attention.self."
	a := p.attention(attentionInputs{
		query:   p.heads(p.linear(self+"query", x), b.heads),
		key:     p.heads(p.linear(self+"key", x), b.heads),
		value:   p.heads(p.linear(self+"value", x), b.heads),
		mask:    p.mask(maskKind{}),
		scale:   1 / math.Sqrt(float64(b.hiddenSize/b.heads)),
		dropout: b.attentionDropout,
	})
	a = p.dropout(p.linear(name+".attention.output.dense", a), b.hiddenDropout)
	x = p.layerNorm(name+".attention.output.LayerNorm", add(x, a), b.layerNormEps)
	h := activate(b.activation, p.linear(name+".intermediate.dense", x))
	h = p.dropout(p.linear(name+".output.dense", h), b.hiddenDropout)
	return p.layerNorm(name+".output.LayerNorm", add(x, h), b.layerNormEps)
}

func (b *bert) norm(_ *pass, x *Node) *Node { return x }

func (b *bert) score(p *pass, x *Node) *Node {
	pooled := p.dropout(Tanh(p.linear("bert.pooler.dense", firstToken(x))), b.classifierDropout)
	return Squeeze(p.linear("classifier", pooled), -1)
}
