package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// deberta is DebertaV2ForSequenceClassification, of DeBERTa v2 and v3
// (transformers, models/deberta_v2/; He et al. 2021, arXiv:2006.03654 and
// arXiv:2111.09543): a post-norm encoder whose scores also compare contents
// with relative positions. See deberta_attention.go.
type deberta struct {
	vocabSize, hiddenSize, embeddingSize int
	layers, numHeads, intermediateSize   int
	positions, types                     int
	positionBiased                       bool // whether words are given their absolute positions
	activation, poolerActivation         string
	eps                                  float64
	hiddenDropout, attentionDropout      float64
	poolerDropout, classifierDropout     float64
	relative, relativeNorm, shareKey     bool
	contentToPosition, positionToContent bool
	buckets, maxRelative                 int // buckets ≤ 0: one for each distance
	convKernel, convGroups               int // kernel 0: no convolution
	convActivation                       string
}

func parseDeberta(r *configReader) family {
	r.padToken(0)
	b := &deberta{
		vocabSize:        r.positive("vocab_size", 128100),
		hiddenSize:       r.positive("hidden_size", 1536),
		layers:           r.positive("num_hidden_layers", 24),
		numHeads:         r.positive("num_attention_heads", 24),
		intermediateSize: r.positive("intermediate_size", 6144),
		positions:        r.positive("max_position_embeddings", 512),
		types:            r.size("type_vocab_size", 0, 0),
		positionBiased:   r.flag("position_biased_input", true),
		activation:       r.activation("hidden_act", "gelu"),
		poolerActivation: r.activation("pooler_hidden_act", "gelu"),
		eps:              r.epsilon("layer_norm_eps", 1e-7),
		hiddenDropout:    r.probability("hidden_dropout_prob", 0.1),
		attentionDropout: r.probability("attention_probs_dropout_prob", 0.1),
		poolerDropout:    r.probability("pooler_dropout", 0),
		relative:         r.flag("relative_attention", false),
		shareKey:         r.flag("share_att_key", false),
		buckets:          r.size("position_buckets", -1, -mostWidth),
		maxRelative:      r.size("max_relative_positions", -1, -mostWidth),
		convKernel:       max(0, r.size("conv_kernel_size", 0, -mostWidth)),
		convGroups:       r.positive("conv_groups", 1),
		convActivation:   r.activation("conv_act", "tanh"),
	}
	b.embeddingSize = r.positive("embedding_size", b.hiddenSize)
	b.classifierDropout = r.probability("cls_dropout", b.hiddenDropout)
	if b.maxRelative < 1 {
		b.maxRelative = b.positions
	}
	kinds := r.parts("pos_att_type")
	b.contentToPosition, b.positionToContent = slices.Contains(kinds, "c2p"), slices.Contains(kinds, "p2c")
	b.relativeNorm = slices.Contains(r.parts("norm_rel_ebd"), "layer_norm")
	b.check(r)
	r.ignore("legacy") // of the language model's head
	return b
}

// check refuses sizes that do not go together.
func (b *deberta) check(r *configReader) {
	if b.hiddenSize%b.numHeads != 0 {
		r.refuse("num_attention_heads", fmt.Sprintf("is %d, which does not divide hidden_size %d", b.numHeads, b.hiddenSize))
		return
	}
	r.must("attention_head_size", strconv.Itoa(b.hiddenSize/b.numHeads))
	r.must("pooler_hidden_size", strconv.Itoa(b.hiddenSize))
	if b.convKernel > 0 && b.convKernel%2 == 0 {
		r.refuse("conv_kernel_size", fmt.Sprintf("is %d, want an odd number", b.convKernel))
	}
	if b.hiddenSize%b.convGroups != 0 {
		r.refuse("conv_groups", fmt.Sprintf("is %d, which does not divide hidden_size %d", b.convGroups, b.hiddenSize))
	}
	if b.relative && b.buckets > 0 && (b.buckets < 4 || b.maxRelative-1 <= b.buckets/2) {
		r.refuse("position_buckets", fmt.Sprintf("is %d: want 4 or more, and max_relative_positions %d of more than half of it", b.buckets, b.maxRelative))
	}
}

// parts reads a list of words, or one text with bars between them.
func (r *configReader) parts(key string) []string {
	var text string
	var list []string
	r.read[key] = true
	if raw := r.keys[key]; r.given(key) {
		if json.Unmarshal(raw, &text) == nil {
			list = strings.Split(strings.ToLower(text), "|")
		} else if json.Unmarshal(raw, &list) != nil {
			r.refuse(key, fmt.Sprintf("is %s, want a list of words or words with | between them", raw))
		}
	}
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

func (b *deberta) about() about {
	a := about{class: "DebertaV2ForSequenceClassification", hidden: b.hiddenSize, heads: b.numHeads,
		headDim: b.hiddenSize / b.numHeads, inner: b.intermediateSize, pooling: "cls", attentionDropout: b.attentionDropout, relative: true}
	if b.positionBiased {
		a.positions = b.positions
	}
	return a
}

func (b *deberta) blocks() int { return b.layers }

func (b *deberta) weights() []weight {
	d, e := b.hiddenSize, b.embeddingSize
	ws := []weight{embedding("deberta.embeddings.word_embeddings.weight", b.vocabSize, e)}
	if b.positionBiased {
		ws = append(ws, embedding("deberta.embeddings.position_embeddings.weight", b.positions, e))
	}
	if b.types > 0 {
		ws = append(ws, embedding("deberta.embeddings.token_type_embeddings.weight", b.types, e))
	}
	if e != d {
		ws = append(ws, projection("deberta.embeddings.embed_proj", d, e, false)...)
	}
	ws = append(ws, layerNorm("deberta.embeddings.LayerNorm", d)...)
	if b.relative {
		ws = append(ws, embedding("deberta.encoder.rel_embeddings.weight", 2*b.span(), d))
	}
	if b.relativeNorm {
		ws = append(ws, layerNorm("deberta.encoder.LayerNorm", d)...)
	}
	for i := range b.layers {
		ws = append(ws, b.blockWeights("deberta.encoder.layer."+strconv.Itoa(i))...)
	}
	if b.convKernel > 0 {
		ws = append(ws, weight{name: "deberta.encoder.conv.conv.weight", shape: []int{d, d / b.convGroups, b.convKernel}, init: normal},
			weight{name: "deberta.encoder.conv.conv.bias", shape: []int{d}, init: zeros})
		ws = append(ws, layerNorm("deberta.encoder.conv.LayerNorm", d)...)
	}
	return ws
}

func (b *deberta) blockWeights(l string) []weight {
	d, f := b.hiddenSize, b.intermediateSize
	names := []string{"query_proj", "key_proj", "value_proj"}
	if b.relative && !b.shareKey && b.contentToPosition {
		names = append(names, "pos_key_proj")
	}
	if b.relative && !b.shareKey && b.positionToContent {
		names = append(names, "pos_query_proj")
	}
	var ws []weight
	for _, name := range names {
		ws = append(ws, linear(l+".attention.self."+name, d, d)...)
	}
	ws = append(ws, linear(l+".attention.output.dense", d, d)...)
	ws = append(ws, layerNorm(l+".attention.output.LayerNorm", d)...)
	ws = append(ws, linear(l+".intermediate.dense", f, d)...)
	ws = append(ws, linear(l+".output.dense", d, f)...)
	return append(ws, layerNorm(l+".output.LayerNorm", d)...)
}

func (b *deberta) headWeights() []weight {
	d := b.hiddenSize
	return append(inGroup("pooler", linear("pooler.dense", d, d)), inGroup(scoreGroup, linear("classifier", 1, d))...)
}

func (b *deberta) embed(p *pass) *Node {
	x := p.words("deberta.embeddings.word_embeddings.weight")
	if b.positionBiased {
		x = Add(x, p.positionRows("deberta.embeddings.position_embeddings.weight"))
	}
	if b.types > 0 { // one sequence a row: every token is of type 0
		x = Add(x, ExpandLeftToRank(Slice(p.weight("deberta.embeddings.token_type_embeddings.weight"), AxisElem(0)), 3))
	}
	if b.embeddingSize != b.hiddenSize {
		x = p.linear("deberta.embeddings.embed_proj", x)
	}
	x = p.layerNorm("deberta.embeddings.LayerNorm", x, b.eps)
	return p.dropout(p.withoutPadding(x), b.hiddenDropout)
}

// withoutPadding sets the rows at padding to zero. [N, T, D]
func (p *pass) withoutPadding(x *Node) *Node {
	return Mul(x, as(ExpandDims(p.isToken(), -1), x.DType()))
}

func (b *deberta) block(p *pass, i int, x *Node) *Node {
	name := "deberta.encoder.layer." + strconv.Itoa(i)
	a := p.dropout(p.linear(name+".attention.output.dense", p.asked(b.attention(p, name+".attention.self.", x))), b.hiddenDropout)
	y := p.layerNorm(name+".attention.output.LayerNorm", add(p.asked(x), a), b.eps)
	h := p.activated(b.activation, name+".intermediate.dense", y)
	h = p.dropout(p.linear(name+".output.dense", h), b.hiddenDropout)
	y = p.layerNorm(name+".output.LayerNorm", add(y, h), b.eps)
	if i == 0 && b.convKernel > 0 {
		y = b.convolution(p, x, y)
	}
	return y
}

// convolution adds what a convolution over the tokens makes of the
// embeddings to the first block's output. [N, T, D]
func (b *deberta) convolution(p *pass, x, residual *Node) *Node {
	n, t, d, g := x.Shape().Dim(0), x.Shape().Dim(1), b.hiddenSize, b.convGroups
	padded := x
	if half := (b.convKernel - 1) / 2; half > 0 { // Pad has no gradient
		edge := Zeros(p.graph(), shapes.Make(x.DType(), n, half, d))
		padded = Concatenate([]*Node{edge, x, edge}, 1)
	}
	kernel := Reshape(p.weight("deberta.encoder.conv.conv.weight"), g, d/g, d/g, b.convKernel) // groups, out, in, offset
	var sum *Node
	for j := range b.convKernel {
		shifted := Reshape(Slice(padded, AxisRange(), AxisRange(j, j+t)), n, t, g, d/g)
		part := einsum("ntgi,goi->ntgo", p.cast(shifted), p.cast(Squeeze(Slice(kernel, AxisRange(), AxisRange(), AxisRange(), AxisElem(j)), -1)))
		if sum == nil {
			sum = part
			continue
		}
		sum = Add(sum, part)
	}
	out := Add(as(Reshape(sum, n, t, d), x.DType()), ExpandLeftToRank(p.weight("deberta.encoder.conv.conv.bias"), 3))
	out = activate(b.convActivation, p.dropout(p.withoutPadding(out), b.hiddenDropout))
	y := p.layerNorm("deberta.encoder.conv.LayerNorm", Add(residual, p.asked(out)), b.eps)
	if p.only != "" { // never padding
		return y
	}
	return p.withoutPadding(y)
}

func (b *deberta) norm(_ *pass, x *Node) *Node { return x }

func (b *deberta) score(p *pass, x *Node) *Node {
	pooled := p.activated(b.poolerActivation, "pooler.dense", p.dropout(x, b.poolerDropout))
	return Squeeze(p.linear("classifier", p.dropout(pooled, b.classifierDropout)), -1)
}
