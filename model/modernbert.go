package model

import (
	"fmt"
	"math"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"
)

// modernbert is ModernBertForSequenceClassification (transformers,
// models/modernbert/; Warner et al. 2024, arXiv:2412.13663): norms before
// attention and a gated MLP, rotary positions, windows on most layers.
type modernbert struct {
	vocabSize, hiddenSize, layers, numHeads, intermediateSize int
	hiddenActivation, classifierActivation, pooling           string
	eps                                                       float64
	normBias, attentionBias, mlpBias, classifierBias          bool
	embeddingDropout, attentionDropout, mlpDropout            float64
	classifierDropout                                         float64
	perLayer                                                  []decoderLayer
}

func parseModernbert(r *configReader) family {
	r.padToken(50283)
	b := &modernbert{
		vocabSize:            r.positive("vocab_size", 50368),
		hiddenSize:           r.positive("hidden_size", 768),
		layers:               r.positive("num_hidden_layers", 22),
		numHeads:             r.positive("num_attention_heads", 12),
		intermediateSize:     r.positive("intermediate_size", 1152),
		hiddenActivation:     r.activation("hidden_activation", "gelu"),
		classifierActivation: r.activation("classifier_activation", "gelu"),
		pooling:              r.text("classifier_pooling", "cls"),
		eps:                  r.epsilon("norm_eps", 1e-5),
		normBias:             r.flag("norm_bias", false),
		attentionBias:        r.flag("attention_bias", false),
		mlpBias:              r.flag("mlp_bias", false),
		classifierBias:       r.flag("classifier_bias", false),
		embeddingDropout:     r.probability("embedding_dropout", 0),
		attentionDropout:     r.probability("attention_dropout", 0),
		mlpDropout:           r.probability("mlp_dropout", 0),
		classifierDropout:    r.probability("classifier_dropout", 0),
	}
	if b.hiddenSize%b.numHeads != 0 {
		r.refuse("num_attention_heads", fmt.Sprintf("is %d, which does not divide hidden_size %d", b.numHeads, b.hiddenSize))
		return b
	}
	if b.pooling != "cls" && b.pooling != "mean" {
		r.refuse("classifier_pooling", fmt.Sprintf("is %q; supported: cls, mean", b.pooling))
	}
	r.must("head_dim", strconv.Itoa(b.hiddenSize/b.numHeads))
	b.readLayers(r)
	for _, key := range []string{"initializer_cutoff_factor", "decoder_bias", "deterministic_flash_attn", "sparse_prediction",
		"sparse_pred_ignore_index", "reference_compile", "repad_logits_with_grad", "layer_norm_eps"} {
		r.ignore(key)
	}
	return b
}

// readLayers settles which layers attend within local_attention/2 tokens on
// either side, and how each turns.
func (b *modernbert) readLayers(r *configReader) {
	positions := r.positive("max_position_embeddings", 8192)
	globalTheta := r.number("global_rope_theta", 160000)
	localTheta := 10000.0
	if r.null("local_rope_theta") { // transformers 4: as the global one
		localTheta = globalTheta
	}
	full, local := r.ropePair(ropeShape{headDim: b.hiddenSize / b.numHeads, positions: positions},
		ropeSpelling{fullKey: "global_rope_theta", fullTheta: 160000, localKey: "local_rope_theta", localTheta: localTheta, scalesLocal: true})
	window := r.size("sliding_window", r.positive("local_attention", 128)/2, 0)
	every := r.positive("global_attn_every_n_layers", 3)
	for _, sliding := range r.layerTypes(b.layers, window, func(i int) bool { return i%every != 0 }) {
		layer := decoderLayer{rope: full}
		if sliding {
			layer = decoderLayer{rope: local, window: window}
		}
		b.perLayer = append(b.perLayer, layer)
	}
}

func (b *modernbert) about() about {
	return about{class: "ModernBertForSequenceClassification", hidden: b.hiddenSize, heads: b.numHeads,
		headDim: b.hiddenSize / b.numHeads, inner: b.intermediateSize, gated: true, joined: true, pooling: b.pooling,
		attentionDropout: b.attentionDropout, windows: windowsOf(b.perLayer), trained: trainedPositions(b.perLayer)}
}

func (b *modernbert) blocks() int { return b.layers }

func (b *modernbert) weights() []weight {
	d, f := b.hiddenSize, b.intermediateSize
	ws := append([]weight{embedding("model.embeddings.tok_embeddings.weight", b.vocabSize, d)}, b.normWeights("model.embeddings.norm")...)
	for i := range b.layers {
		l := "model.layers." + strconv.Itoa(i)
		if i > 0 { // the embeddings' norm stands before the first block
			ws = append(ws, b.normWeights(l+".attn_norm")...)
		}
		ws = append(ws, projection(l+".attn.Wqkv", 3*d, d, b.attentionBias)...)
		ws = append(ws, projection(l+".attn.Wo", d, d, b.attentionBias)...)
		ws = append(ws, b.normWeights(l+".mlp_norm")...)
		ws = append(ws, projection(l+".mlp.Wi", 2*f, d, b.mlpBias)...)
		ws = append(ws, projection(l+".mlp.Wo", d, f, b.mlpBias)...)
	}
	return append(ws, b.normWeights("model.final_norm")...)
}

func (b *modernbert) normWeights(name string) []weight {
	ws := layerNorm(name, b.hiddenSize)
	if !b.normBias {
		ws = ws[:1]
	}
	return ws
}

// headWeights has two groups: pre-training leaves the first behind, and a
// classifier is put on it.
func (b *modernbert) headWeights() []weight {
	head := append(projection("head.dense", b.hiddenSize, b.hiddenSize, b.classifierBias), b.normWeights("head.norm")...)
	return append(inGroup("head", head), inGroup(scoreGroup, linear("classifier", 1, b.hiddenSize))...)
}

func (b *modernbert) embed(p *pass) *Node {
	x := p.layerNorm("model.embeddings.norm", p.words("model.embeddings.tok_embeddings.weight"), b.eps)
	return p.dropout(x, b.embeddingDropout)
}

func (b *modernbert) block(p *pass, i int, x *Node) *Node {
	name := "model.layers." + strconv.Itoa(i)
	normed := x
	if i > 0 {
		normed = p.layerNorm(name+".attn_norm", x, b.eps)
	}
	x = add(p.asked(x), b.attention(p, name+".attn.", b.perLayer[i], normed))
	h := p.linear(name+".mlp.Wi", p.layerNorm(name+".mlp_norm", x, b.eps)) // [N, T, 2·F]
	f := b.intermediateSize
	input := Slice(h, AxisRange(), AxisRange(), AxisRangeFromStart(f))
	gate := Slice(h, AxisRange(), AxisRange(), AxisRangeToEnd(f))
	h = p.dropout(Mul(activate(b.hiddenActivation, input), gate), b.mlpDropout)
	return add(x, p.linear(name+".mlp.Wo", h))
}

func (b *modernbert) attention(p *pass, name string, layer decoderLayer, x *Node) *Node {
	d := b.hiddenSize
	qkv := p.linear(name+"Wqkv", x) // [N, T, 3·D]
	part := func(i int) *Node {
		return p.heads(Slice(qkv, AxisRange(), AxisRange(), AxisRange(i*d, (i+1)*d)), b.numHeads)
	}
	a := p.attention(attentionInputs{
		query:   p.cast(p.rotate(layer.rope, part(0))),
		key:     p.cast(p.rotate(layer.rope, part(1))),
		value:   part(2),
		sees:    maskKind{window: layer.window},
		scale:   1 / math.Sqrt(float64(d/b.numHeads)),
		dropout: b.attentionDropout,
	})
	return p.dropout(p.linear(name+"Wo", p.asked(a)), b.attentionDropout)
}

func (b *modernbert) norm(p *pass, x *Node) *Node { return p.layerNorm("model.final_norm", x, b.eps) }

func (b *modernbert) score(p *pass, x *Node) *Node {
	h := p.activated(b.classifierActivation, "head.dense", x)
	h = p.dropout(p.layerNorm("head.norm", h, b.eps), b.classifierDropout)
	return Squeeze(p.linear("classifier", h), -1)
}
