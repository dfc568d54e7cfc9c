package model

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// dropout zeroes each value with the given probability and scales the rest
// (Srivastava et al. 2014). The bits come from a hash of (seed, site,
// position) rather than from a generator with state: the step alone decides
// them, on every backend, so that a resumed run draws the same ones.
func (p *pass) dropout(x *Node, rate float64) *Node { return p.drop(x, p.rate(rate)) }

// rate is that of a dropout of the model in this pass.
func (p *pass) rate(model float64) float64 {
	switch {
	case p.Seed == nil:
		return 0
	case p.Dropout >= 0:
		return p.Dropout
	}
	return model
}

// drop is dropout at a rate that the run's own setting does not replace.
func (p *pass) drop(x *Node, rate float64) *Node {
	if p.Seed == nil {
		return x
	}
	p.sites++
	if rate == 0 {
		return x
	}
	bits := hash32(IotaFull(p.graph(), shapes.Make(dtypes.Uint32, x.Shape().Dimensions...)), p.stream(p.sites))
	threshold := Scalar(p.graph(), dtypes.Uint32, uint32(rate*math.MaxUint32))
	kept := GreaterOrEqual(bits, BroadcastToShape(threshold, bits.Shape()))
	return Where(kept, MulScalar(x, 1/(1-rate)), ZerosLike(x))
}

// stream sets the bits of one site apart from those of others. Its number is a
// parameter of the program and not a constant, so that XLA compiles one loop for
// all sites of a shape (docs/experiments.md, "one loop for all dropouts").
func (p *pass) stream(site int) *Node {
	number := p.scope.Store().VariableWithValue(fmt.Sprintf("/dropout/%d", site), uint32(site)*0x9e3779b9)
	return Add(p.Seed, number.NodeValue(p.graph()))
}

// hash32 mixes positions with a stream's number: Wellons' lowbias32
// (nullprogram.com/blog/2018/07/31), whose avalanche bias is 0.17.
func hash32(x, stream *Node) *Node {
	scalar := func(v uint32) *Node { return Scalar(x.Graph(), dtypes.Uint32, v) }
	x = BitwiseXor(x, BroadcastToShape(stream, x.Shape()))
	x = BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(16)))
	x = Mul(x, scalar(0x7feb352d))
	x = BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(15)))
	x = Mul(x, scalar(0x846ca68b))
	return BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(16)))
}
