package model

import (
	"fmt"
	"math"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"
)

// bertStack is the post-norm encoder that BERT, RoBERTa and ELECTRA share
// (transformers, models/bert/modeling_bert.py; Devlin et al. 2018,
// arXiv:1810.04805). The families differ in the prefix, in how positions are
// counted, in the width of the embeddings and in the head.
type bertStack struct {
	class, prefix                        string
	vocabSize, hiddenSize, embeddingSize int
	layers, numHeads, intermediateSize   int
	positions, types                     int
	paddingIndex                         int // RoBERTa counts positions from here; -1: from 0
	activation                           string
	layerNormEps                         float64
	hiddenDropout, attentionDropout      float64
	classifierDropout                    float64
}

// bertSizes are what a family's sizes are where its config is silent.
type bertSizes struct{ vocab, hidden, heads, intermediate int }

func parseBertStack(r *configReader, class, prefix string, otherwise bertSizes) bertStack {
	b := bertStack{
		class: class, prefix: prefix, paddingIndex: -1,
		vocabSize:        r.positive("vocab_size", otherwise.vocab),
		hiddenSize:       r.positive("hidden_size", otherwise.hidden),
		layers:           r.positive("num_hidden_layers", 12),
		numHeads:         r.positive("num_attention_heads", otherwise.heads),
		intermediateSize: r.positive("intermediate_size", otherwise.intermediate),
		positions:        r.positive("max_position_embeddings", 512),
		types:            r.positive("type_vocab_size", 2),
		activation:       r.activation("hidden_act", "gelu"),
		layerNormEps:     r.epsilon("layer_norm_eps", 1e-12),
		hiddenDropout:    r.probability("hidden_dropout_prob", 0.1),
		attentionDropout: r.probability("attention_probs_dropout_prob", 0.1),
	}
	b.embeddingSize = b.hiddenSize
	b.classifierDropout = r.probability("classifier_dropout", b.hiddenDropout)
	if b.hiddenSize%b.numHeads != 0 {
		r.refuse("num_attention_heads", fmt.Sprintf("is %d, which does not divide hidden_size %d", b.numHeads, b.hiddenSize))
	}
	r.must("position_embedding_type", `"absolute"`)
	r.must("is_decoder", "false")
	r.must("add_cross_attention", "false")
	r.must("pruned_heads", "{}")
	return b
}

func (b *bertStack) about() about {
	positions := b.positions
	if b.paddingIndex >= 0 {
		positions -= b.paddingIndex + 1
	}
	return about{class: b.class, hidden: b.hiddenSize, heads: b.numHeads, headDim: b.hiddenSize / b.numHeads,
		inner: b.intermediateSize, positions: positions, pooling: "cls", attentionDropout: b.attentionDropout}
}

func (b *bertStack) blocks() int { return b.layers }

func (b *bertStack) weights() []weight {
	d, e, f := b.hiddenSize, b.embeddingSize, b.intermediateSize
	ws := []weight{
		embedding(b.prefix+"embeddings.word_embeddings.weight", b.vocabSize, e),
		embedding(b.prefix+"embeddings.position_embeddings.weight", b.positions, e),
		embedding(b.prefix+"embeddings.token_type_embeddings.weight", b.types, e),
	}
	ws = append(ws, layerNorm(b.prefix+"embeddings.LayerNorm", e)...)
	if e != d {
		ws = append(ws, linear(b.prefix+"embeddings_project", d, e)...)
	}
	for i := range b.layers {
		l := b.prefix + "encoder.layer." + strconv.Itoa(i)
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

// embed gives the sum of word, position and type embeddings, normed, and
// brought to the width of the blocks. [N, T, D]
func (b *bertStack) embed(p *pass) *Node {
	x := Add(p.words(b.prefix+"embeddings.word_embeddings.weight"), b.positionEmbeddings(p))
	// One sequence a row: every token is of type 0.
	kind := Slice(p.weight(b.prefix+"embeddings.token_type_embeddings.weight"), AxisElem(0)) // [1, E]
	x = Add(x, ExpandLeftToRank(kind, 3))
	x = p.dropout(p.layerNorm(b.prefix+"embeddings.LayerNorm", x, b.layerNormEps), b.hiddenDropout)
	if b.embeddingSize != b.hiddenSize {
		x = as(p.linear(b.prefix+"embeddings_project", x), x.DType())
	}
	return x
}

// positionEmbeddings are those of 0, 1, … for every sequence [1, T, E]; where
// there is a padding index, those of the tokens counted from the one after
// it, the padding token left out, as fairseq does. [N, T, E]
func (b *bertStack) positionEmbeddings(p *pass) *Node {
	name := b.prefix + "embeddings.position_embeddings.weight"
	if b.paddingIndex < 0 {
		return p.positionRows(name)
	}
	counts := as(NotEqual(p.IDs, Scalar(p.graph(), p.IDs.DType(), b.paddingIndex)), p.IDs.DType()) // [N, T]
	positions := AddScalar(Mul(p.countWithin(counts), counts), b.paddingIndex)
	return p.lookupExcept(name, positions, b.paddingIndex)
}

// block is self-attention and a feed-forward network, each with a residual
// and a norm after it. [N, T, D] to [N, T, D]
func (b *bertStack) block(p *pass, i int, x *Node) *Node {
	name := b.prefix + "encoder.layer." + strconv.Itoa(i)
	self := name + ".attention.self."
	in := attentionInputs{
		query:   p.heads(p.linear(self+"query", p.asking(x)), b.numHeads),
		sees:    maskKind{},
		scale:   1 / math.Sqrt(float64(b.hiddenSize/b.numHeads)),
		dropout: b.attentionDropout,
	}
	var a *Node
	if p.absorbs(self + "key") {
		a = p.absorbedAttention(self, in, x)
	} else {
		in.key, in.value = p.heads(p.linear(self+"key", x), b.numHeads), p.heads(p.linear(self+"value", x), b.numHeads)
		a = p.attention(in)
	}
	a = p.dropout(p.linear(name+".attention.output.dense", p.asked(a)), b.hiddenDropout)
	x = p.layerNorm(name+".attention.output.LayerNorm", add(p.asked(x), a), b.layerNormEps)
	h := p.activated(b.activation, name+".intermediate.dense", x)
	h = p.dropout(p.linear(name+".output.dense", h), b.hiddenDropout)
	return p.layerNorm(name+".output.LayerNorm", add(x, h), b.layerNormEps)
}

func (b *bertStack) norm(_ *pass, x *Node) *Node { return x }

// bert is BertForSequenceClassification: a pooler over [CLS], then the
// classifier.
type bert struct{ bertStack }

func parseBert(r *configReader) family {
	r.padToken(0)
	return &bert{parseBertStack(r, "BertForSequenceClassification", "bert.", bertSizes{30522, 768, 12, 3072})}
}

func (b *bert) headWeights() []weight {
	d := b.hiddenSize
	return append(inGroup("pooler", linear("bert.pooler.dense", d, d)), inGroup(scoreGroup, linear("classifier", 1, d))...)
}

func (b *bert) score(p *pass, x *Node) *Node {
	pooled := p.dropout(Tanh(p.linear("bert.pooler.dense", x)), b.classifierDropout)
	return Squeeze(p.linear("classifier", pooled), -1)
}
