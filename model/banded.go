package model

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Shapes: B blocks of C tokens, as wide as the window; M = 3·C keys that a
// block's queries can see, or 2·C where they see none after themselves.

// banded tells whether only the scores within a window are computed: in half
// precision, whose products are for GPUs, where that leaves some out. float32
// stays as it was, bit by bit.
func (p *pass) banded(in attentionInputs) bool {
	return in.sees.window > 0 && in.query.DType().IsHalfPrecision() && p.Packed == nil && in.sees.reach() < p.tokens()
}

// reach is M of a window's blocks.
func (k maskKind) reach() int {
	if k.causal {
		return 2 * k.window
	}
	return 3 * k.window
}

// bandedAttention is attention within a window (Beltagy et al. 2020,
// arXiv:2004.05150, section 3.1): the queries of each block against the keys of
// that block and its neighbours, T·M scores a head and not T².
// [N, T, H, K] to [N, T, H·K]
func (p *pass) bandedAttention(in attentionInputs) *Node {
	n, t, h, k := in.query.Shape().Dim(0), p.tokens(), in.query.Shape().Dim(2), in.query.Shape().Dim(3)
	c := in.sees.window
	query := inBlocks(MulScalar(in.query, in.scale), c)
	key, value := withNeighbours(inBlocks(in.key, c), in.sees.causal), withNeighbours(inBlocks(in.value, c), in.sees.causal)
	scores := as(einsum("nbqhk,nbmhk->nbhqm", query, key), dtypes.Float32)
	probs := p.dropout(maskedSoftmax(capped(scores, in.softcap), p.bandMask(in.sees)), in.dropout)
	out := einsum("nbhqm,nbmhk->nbqhk", as(probs, value.DType()), value)
	out = Reshape(out, n, out.Shape().Dim(1)*c, h, k)
	return Reshape(Slice(out, AxisRange(), AxisRangeFromStart(t)), n, t, h*k)
}

// inBlocks cuts tokens into blocks of c, the last filled up with zeros.
// [N, T, H, K] to [N, B, C, H, K]
func inBlocks(x *Node, c int) *Node {
	n, t, h, k := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2), x.Shape().Dim(3)
	blocks := (t + c - 1) / c
	if missing := blocks*c - t; missing > 0 {
		x = Concatenate([]*Node{x, Zeros(x.Graph(), shapes.Make(x.DType(), n, missing, h, k))}, 1)
	}
	return Reshape(x, n, blocks, c, h, k)
}

// withNeighbours puts the block before in front of each block, and the one after
// it behind unless it is causal. [N, B, C, H, K] to [N, B, M, H, K]
func withNeighbours(x *Node, causal bool) *Node {
	shape := x.Shape().Clone()
	shape.Dimensions[1] = 1
	none := Zeros(x.Graph(), shape)
	before := Concatenate([]*Node{none, Slice(x, AxisRange(), AxisRange(0, -1))}, 1)
	if causal {
		return Concatenate([]*Node{before, x}, 2)
	}
	after := Concatenate([]*Node{Slice(x, AxisRange(), AxisRangeToEnd(1)), none}, 1)
	return Concatenate([]*Node{before, x, after}, 2)
}

// bandMask is mask for the scores of blocks. [1, B, 1, C, M], or [N, B, 1, C, M]
// where keys end at their row's length
func (p *pass) bandMask(kind maskKind) *Node {
	c := kind.window
	shape := shapes.Make(dtypes.Int32, 1, (p.tokens()+c-1)/c, 1, c, kind.reach())
	query, inReach := Iota(p.graph(), shape, 3), Iota(p.graph(), shape, 4)
	key := AddScalar(Add(MulScalar(Iota(p.graph(), shape, 1), c), inReach), -c) // its place in the row
	before := AddScalar(Sub(query, inReach), c)                                 // how far before the query it lies
	near := LogicalAnd(LessOrEqual(before, Scalar(p.graph(), dtypes.Int32, c)), GreaterOrEqual(key, ZerosLike(key)))
	if kind.causal {
		near = LogicalAnd(LessThan(before, Scalar(p.graph(), dtypes.Int32, c)), near)
		return LogicalAnd(near, GreaterOrEqual(before, ZerosLike(before)))
	}
	near = LogicalAnd(near, GreaterOrEqual(before, Scalar(p.graph(), dtypes.Int32, -c)))
	shape.Dimensions[0] = p.IDs.Shape().Dim(0)
	token := LessThan(BroadcastToShape(key, shape), BroadcastToShape(Reshape(p.Lengths, -1, 1, 1, 1, 1), shape))
	return LogicalAnd(BroadcastToShape(near, shape), token)
}
