package model

import (
	"fmt"
	"math"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"
)

// distilbert is DistilBertForSequenceClassification (transformers,
// models/distilbert/; Sanh et al. 2019, arXiv:1910.01108).
type distilbert struct {
	vocabSize, positions, dim, hiddenDim int
	layers, numHeads                     int
	activation                           string
	rate, attentionDropout               float64
	classifierDropout                    float64
}

// distilbertEps is fixed in transformers' code.
const distilbertEps = 1e-12

func parseDistilbert(r *configReader) family {
	r.padToken(0)
	b := &distilbert{
		vocabSize:         r.positive("vocab_size", 30522),
		positions:         r.positive("max_position_embeddings", 512),
		dim:               r.positive("dim", 768),
		hiddenDim:         r.positive("hidden_dim", 3072),
		layers:            r.positive("n_layers", 6),
		numHeads:          r.positive("n_heads", 12),
		activation:        r.activation("activation", "gelu"),
		rate:              r.probability("dropout", 0.1),
		attentionDropout:  r.probability("attention_dropout", 0.1),
		classifierDropout: r.probability("seq_classif_dropout", 0.2),
	}
	if b.dim%b.numHeads != 0 {
		r.refuse("n_heads", fmt.Sprintf("is %d, which does not divide dim %d", b.numHeads, b.dim))
	}
	// Names of other families that transformers takes for this one's.
	r.must("hidden_size", strconv.Itoa(b.dim))
	r.must("num_attention_heads", strconv.Itoa(b.numHeads))
	r.must("num_hidden_layers", strconv.Itoa(b.layers))
	r.must("pruned_heads", "{}")
	r.ignore("sinusoidal_pos_embds") // how positions start, not what they are
	r.ignore("qa_dropout")
	r.ignore("tie_weights_")
	return b
}

func (b *distilbert) about() about {
	return about{class: "DistilBertForSequenceClassification", hidden: b.dim, heads: b.numHeads, headDim: b.dim / b.numHeads, pooling: "cls",
		inner: b.hiddenDim, positions: b.positions, attentionDropout: b.attentionDropout}
}

func (b *distilbert) blocks() int { return b.layers }

func (b *distilbert) weights() []weight {
	ws := []weight{
		embedding("distilbert.embeddings.word_embeddings.weight", b.vocabSize, b.dim),
		embedding("distilbert.embeddings.position_embeddings.weight", b.positions, b.dim),
	}
	ws = append(ws, layerNorm("distilbert.embeddings.LayerNorm", b.dim)...)
	for i := range b.layers {
		l := "distilbert.transformer.layer." + strconv.Itoa(i)
		for _, name := range []string{"q_lin", "k_lin", "v_lin", "out_lin"} {
			ws = append(ws, linear(l+".attention."+name, b.dim, b.dim)...)
		}
		ws = append(ws, layerNorm(l+".sa_layer_norm", b.dim)...)
		ws = append(ws, linear(l+".ffn.lin1", b.hiddenDim, b.dim)...)
		ws = append(ws, linear(l+".ffn.lin2", b.dim, b.hiddenDim)...)
		ws = append(ws, layerNorm(l+".output_layer_norm", b.dim)...)
	}
	return ws
}

// headWeights is one group: PEFT, which goes by the ends of names, saves both
// layers under "classifier".
func (b *distilbert) headWeights() []weight {
	return inGroup(scoreGroup, append(linear("pre_classifier", b.dim, b.dim), linear("classifier", 1, b.dim)...))
}

func (b *distilbert) embed(p *pass) *Node {
	x := Add(p.words("distilbert.embeddings.word_embeddings.weight"), p.positionRows("distilbert.embeddings.position_embeddings.weight"))
	return p.dropout(p.layerNorm("distilbert.embeddings.LayerNorm", x, distilbertEps), b.rate)
}

func (b *distilbert) block(p *pass, i int, x *Node) *Node {
	name := "distilbert.transformer.layer." + strconv.Itoa(i)
	a := p.attention(attentionInputs{
		query:   p.heads(p.linear(name+".attention.q_lin", p.asking(x)), b.numHeads),
		key:     p.heads(p.linear(name+".attention.k_lin", x), b.numHeads),
		value:   p.heads(p.linear(name+".attention.v_lin", x), b.numHeads),
		sees:    maskKind{},
		scale:   1 / math.Sqrt(float64(b.dim/b.numHeads)),
		dropout: b.attentionDropout,
	})
	x = p.layerNorm(name+".sa_layer_norm", add(p.asked(x), p.linear(name+".attention.out_lin", p.asked(a))), distilbertEps)
	h := p.activated(b.activation, name+".ffn.lin1", x)
	h = p.dropout(p.linear(name+".ffn.lin2", h), b.rate)
	return p.layerNorm(name+".output_layer_norm", add(x, h), distilbertEps)
}

func (b *distilbert) norm(_ *pass, x *Node) *Node { return x }

func (b *distilbert) score(p *pass, x *Node) *Node {
	h := MaxScalar(p.linear("pre_classifier", x), 0)
	return Squeeze(p.linear("classifier", p.dropout(h, b.classifierDropout)), -1)
}
