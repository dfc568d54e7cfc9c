package model

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

type attentionInputs struct {
	query      *Node    // [N, T, H, K], or [S, 1, H, K] where one token of each sequence is asked for
	key, value *Node    // [N, T, G, K], each shared by H/G query heads
	sees       maskKind // which keys a query may see
	scale      float64  // of the scores
	softcap    float64  // c·tanh(score/c), 0 for none
	dropout    float64
}

// attention is softmax(Q·Kᵀ·scale)·V (Vaswani et al. 2017,
// arXiv:1706.03762), with grouped queries (Ainslie et al. 2023,
// arXiv:2305.13245). Scores and softmax are float32. Gives [N, T, H·K].
func (p *pass) attention(in attentionInputs) *Node {
	if p.spanned {
		return p.spanAttention(in)
	}
	h := in.query.Shape().Dim(2)
	if p.unfused(in) == "" {
		return p.fusedAttention(in)
	}
	in.key, in.value = repeatHeads(in.key, h), repeatHeads(in.value, h)
	if p.banded(in) {
		return p.bandedAttention(in)
	}
	scores := as(p.scores(MulScalar(in.query, in.scale), in.key), dtypes.Float32)
	return p.attend(capped(scores, in.softcap), in.value, p.mask(in.sees), in.dropout)
}

// capped is c·tanh(score/c), or the scores where there is no cap (0).
func capped(scores *Node, softcap float64) *Node {
	if softcap == 0 {
		return scores
	}
	return MulScalar(Tanh(MulScalar(scores, 1/softcap)), softcap)
}

// attend weighs the values by softmax of the scores where the mask is true.
// scores [N, H, T, T], value [N, T, H, K] to [N, T, H·K]; of as many queries as
// there are scores
func (p *pass) attend(scores, value, mask *Node, dropout float64) *Node {
	n, t, h, k := value.Shape().Dim(0), scores.Shape().Dim(2), value.Shape().Dim(2), value.Shape().Dim(3)
	probs := p.dropout(maskedSoftmax(scores, mask), dropout)
	return Reshape(p.weighted(as(probs, value.DType()), value), n, t, h*k)
}

// maskedSoftmax is softmax over the last axis where the mask is true.
func maskedSoftmax(scores, mask *Node) *Node {
	return Softmax(Where(BroadcastToShape(mask, scores.Shape()), scores, Scalar(scores.Graph(), scores.DType(), -1e30)), -1)
}

// repeatHeads gives each query head its key-value head. [N, T, G, K] to
// [N, T, H, K]
func repeatHeads(x *Node, heads int) *Node {
	n, t, g, k := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2), x.Shape().Dim(3)
	if g == heads {
		return x
	}
	x = BroadcastToDims(ExpandDims(x, 3), n, t, g, heads/g, k)
	return Reshape(x, n, t, heads, k)
}

// maskKind names a mask that several blocks share.
type maskKind struct {
	causal bool
	window int // 0: none
}

// mask is true where a query may see a key: at tokens of its sequence, not
// padding; if causal, not after the query; with a window w, within w-1 tokens
// before it, or, where not causal, within w tokens on both sides.
// [N, 1, 1, T], [1, 1, T, T] or [N, 1, T, T]
func (p *pass) mask(kind maskKind) *Node {
	if m, ok := p.masks[kind]; ok {
		return m
	}
	p.masks[kind] = p.buildMask(kind)
	return p.masks[kind]
}

func (p *pass) buildMask(kind maskKind) *Node {
	whole := kind == maskKind{}
	switch {
	case whole && p.Packed != nil:
		return p.sameSequence()
	case whole:
		return Reshape(p.isToken(), p.IDs.Shape().Dim(0), 1, 1, p.tokens())
	}
	near := p.near(kind)
	if kind.causal && p.Packed == nil { // padding lies on the right, after every token
		return near
	}
	return LogicalAnd(p.mask(maskKind{}), near)
}

// near is true where causality and the window let a query see a key.
func (p *pass) near(kind maskKind) *Node {
	before := p.queryMinusKey()
	window := Scalar(p.graph(), dtypes.Int32, kind.window)
	switch {
	case kind.causal && kind.window > 0:
		return LogicalAnd(GreaterOrEqual(before, ZerosLike(before)), LessThan(before, BroadcastToShape(window, before.Shape())))
	case kind.causal:
		return GreaterOrEqual(before, ZerosLike(before))
	}
	return LessOrEqual(Abs(before), BroadcastToShape(window, before.Shape()))
}

// isToken is true at tokens, false at padding. [N, T]
func (p *pass) isToken() *Node {
	if p.Packed != nil {
		return NotEqual(p.Packed.Segments, ZerosLike(p.Packed.Segments))
	}
	shape := shapes.Make(dtypes.Int32, p.IDs.Shape().Dimensions...)
	return LessThan(Iota(p.graph(), shape, 1), BroadcastToShape(ExpandDims(p.Lengths, -1), shape))
}
