package model

import (
	"fmt"
	"math"
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"
)

// decoder is the causal stack that Llama and its kin share: RMS norms before
// attention and MLP, rotary positions, grouped queries, a gated MLP (Touvron
// et al. 2023, arXiv:2302.13971; transformers, models/llama/
// modeling_llama.py). The families differ in the fields.
type decoder struct {
	class                                string
	vocabSize, hiddenSize, layers        int
	numHeads, keyValueHeads, headDim     int
	intermediateSize                     int
	hiddenActivation                     string
	eps                                  float64
	queryBias, outputBias, mlpBias       bool
	queryNorm                            bool    // RMS norm of each head's queries and keys
	normOffset                           float64 // added to every norm's gain
	sandwich                             bool    // norms after attention and MLP too
	embedScale, scoreScale, scoreSoftcap float64
	attentionDropout                     float64
	perLayer                             []decoderLayer
}

// decoderLayer is what may differ between the layers of a decoder.
type decoderLayer struct {
	window int // 0: whole
	rope   *rope
}

// parseDecoder reads the keys that all of the families have.
func parseDecoder(r *configReader, class string) *decoder {
	d := &decoder{
		class:            class,
		vocabSize:        r.positive("vocab_size", 32000),
		hiddenSize:       r.positive("hidden_size", 4096),
		layers:           r.positive("num_hidden_layers", 32),
		numHeads:         r.positive("num_attention_heads", 32),
		intermediateSize: r.positive("intermediate_size", 11008),
		eps:              r.epsilon("rms_norm_eps", 1e-6),
		attentionDropout: r.probability("attention_dropout", 0),
		embedScale:       1,
	}
	r.must("is_decoder", "true", "false") // transformers' own classes do not read it
	r.causal()
	return d
}

// causal refuses is_causal where it is not true: transformers then builds a
// decoder's masks without one direction (masking_utils.py), for null too, which
// is not true in Python.
func (r *configReader) causal() {
	r.ignore("is_causal")
	if raw, ok := r.keys["is_causal"]; ok && string(raw) != "true" {
		r.refuse("is_causal", fmt.Sprintf("is %s: each token would see those after it too, which decoders do not compute here: take the key out where the model was trained causally, else use transformers", oneLine(raw)))
	}
}

// heads settles key-value heads and head_dim, whose absence means what the
// arguments say; 0 is as many as the query heads, or hidden_size/heads.
func (d *decoder) heads(r *configReader, keyValueHeads, headDim int) {
	if keyValueHeads == 0 || r.null("num_key_value_heads") {
		keyValueHeads = d.numHeads
	}
	d.keyValueHeads = r.positive("num_key_value_heads", keyValueHeads)
	if d.numHeads%d.keyValueHeads != 0 {
		r.refuse("num_key_value_heads", fmt.Sprintf("is %d, which does not divide num_attention_heads %d", d.keyValueHeads, d.numHeads))
		d.keyValueHeads = d.numHeads
	}
	if headDim == 0 {
		headDim = d.hiddenSize / d.numHeads
		if !r.given("head_dim") && d.hiddenSize%d.numHeads != 0 {
			r.refuse("num_attention_heads", fmt.Sprintf("is %d, which does not divide hidden_size %d, and there is no head_dim", d.numHeads, d.hiddenSize))
		}
	}
	d.headDim = r.positive("head_dim", max(1, headDim))
	d.scoreScale = 1 / math.Sqrt(float64(d.headDim))
}

// allLayers gives every layer the same window and rotary embedding.
func (d *decoder) allLayers(window int, turn *rope) {
	for range d.layers {
		d.perLayer = append(d.perLayer, decoderLayer{window, turn})
	}
}

func (d *decoder) about() about {
	normed := 0
	if d.queryNorm {
		normed = (d.numHeads + d.keyValueHeads) * d.headDim
	}
	return about{class: d.class, hidden: d.hiddenSize, heads: d.numHeads, headDim: d.headDim, inner: d.intermediateSize, gated: true, normed: normed, causal: true, pooling: "last",
		attentionDropout: d.attentionDropout, windows: windowsOf(d.perLayer), trained: trainedPositions(d.perLayer), softcap: d.scoreSoftcap != 0}
}

// windowsOf lists what each layer's queries see.
func windowsOf(layers []decoderLayer) []int {
	windows := make([]int, len(layers))
	for i, l := range layers {
		windows[i] = l.window
	}
	return windows
}

// trainedPositions is how many the layers' rotary embeddings were trained for.
func trainedPositions(layers []decoderLayer) (most int) {
	for _, l := range layers {
		most = max(most, l.rope.trained)
	}
	return most
}

func (d *decoder) blocks() int { return d.layers }

func (d *decoder) weights() []weight {
	h, q, kv := d.hiddenSize, d.numHeads*d.headDim, d.keyValueHeads*d.headDim
	ws := []weight{embedding("model.embed_tokens.weight", d.vocabSize, h)}
	for i := range d.layers {
		l := "model.layers." + strconv.Itoa(i)
		ws = append(ws, d.gain(l+".input_layernorm", h)...)
		ws = append(ws, projection(l+".self_attn.q_proj", q, h, d.queryBias)...)
		ws = append(ws, projection(l+".self_attn.k_proj", kv, h, d.queryBias)...)
		ws = append(ws, projection(l+".self_attn.v_proj", kv, h, d.queryBias)...)
		ws = append(ws, projection(l+".self_attn.o_proj", h, q, d.outputBias)...)
		if d.queryNorm {
			ws = append(ws, d.gain(l+".self_attn.q_norm", d.headDim)...)
			ws = append(ws, d.gain(l+".self_attn.k_norm", d.headDim)...)
		}
		ws = append(ws, d.gain(l+".post_attention_layernorm", h)...)
		if d.sandwich {
			ws = append(ws, d.gain(l+".pre_feedforward_layernorm", h)...)
			ws = append(ws, d.gain(l+".post_feedforward_layernorm", h)...)
		}
		ws = append(ws, projection(l+".mlp.gate_proj", d.intermediateSize, h, d.mlpBias)...)
		ws = append(ws, projection(l+".mlp.up_proj", d.intermediateSize, h, d.mlpBias)...)
		ws = append(ws, projection(l+".mlp.down_proj", h, d.intermediateSize, d.mlpBias)...)
	}
	return append(ws, d.gain("model.norm", h)...)
}

// gain is the weight of an RMS norm, which starts where the norm does
// nothing.
func (d *decoder) gain(name string, n int) []weight {
	start := ones
	if d.normOffset != 0 {
		start = zeros
	}
	return []weight{{name: name + ".weight", shape: []int{n}, init: start}}
}

func (d *decoder) headWeights() []weight {
	return inGroup(scoreGroup, projection("score", 1, d.hiddenSize, false))
}

func (d *decoder) embed(p *pass) *Node {
	x := p.words("model.embed_tokens.weight")
	if d.embedScale != 1 {
		x = MulScalar(x, d.embedScale)
	}
	return x
}

func (d *decoder) block(p *pass, i int, x *Node) *Node {
	l := "model.layers." + strconv.Itoa(i)
	a := d.attention(p, l+".self_attn.", d.perLayer[i], d.normed(p, l+".input_layernorm", x))
	x = p.asked(x)
	if !d.sandwich {
		x = add(x, a)
		return add(x, d.mlp(p, l+".mlp.", d.normed(p, l+".post_attention_layernorm", x)))
	}
	x = add(x, d.normed(p, l+".post_attention_layernorm", a))
	m := d.mlp(p, l+".mlp.", d.normed(p, l+".pre_feedforward_layernorm", x))
	return add(x, d.normed(p, l+".post_feedforward_layernorm", m))
}

func (d *decoder) normed(p *pass, name string, x *Node) *Node {
	return p.rmsNorm(name, x, d.eps, d.normOffset)
}

func (d *decoder) attention(p *pass, name string, layer decoderLayer, x *Node) *Node {
	query := p.heads(p.linear(name+"q_proj", x), d.numHeads)
	key := p.heads(p.linear(name+"k_proj", x), d.keyValueHeads)
	if d.queryNorm {
		query, key = d.normed(p, name+"q_norm", query), d.normed(p, name+"k_norm", key)
	}
	a := p.attention(attentionInputs{
		query:   p.cast(p.rotate(layer.rope, query)),
		key:     p.cast(p.rotate(layer.rope, key)),
		value:   p.heads(p.linear(name+"v_proj", x), d.keyValueHeads),
		sees:    maskKind{causal: true, window: layer.window},
		scale:   d.scoreScale,
		softcap: d.scoreSoftcap,
		dropout: d.attentionDropout,
	})
	return p.linear(name+"o_proj", p.asked(a))
}

// mlp is down(act(gate(x))·up(x)) (Shazeer 2020, arXiv:2002.05202).
func (d *decoder) mlp(p *pass, name string, x *Node) *Node {
	gate := p.activated(d.hiddenActivation, name+"gate_proj", x)
	return p.linear(name+"down_proj", Mul(gate, p.linear(name+"up_proj", x)))
}

func (d *decoder) norm(p *pass, x *Node) *Node { return d.normed(p, "model.norm", x) }

func (d *decoder) score(p *pass, x *Node) *Node {
	return Squeeze(p.linear("score", x), -1)
}
