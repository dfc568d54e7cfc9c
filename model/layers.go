package model

import (
	"math"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	ml "github.com/gomlx/gomlx/ml/model"
)

// Shapes: N sequences, T tokens, D features, H heads, K features a head.

// pass is one forward pass while its graph is built.
type pass struct {
	scope   *ml.Scope
	ids     *Node // [N, T] int32, padded on the right
	lengths *Node // [N] int32, tokens of each row
	mask    *Node // [N, 1, 1, T] bool, true at tokens; see attend

	seed  *Node // scalar uint32 for dropout; nil when scoring
	rate  float64
	sites int // dropout sites so far, each with a stream of its own

	hidden []*Node // outputs of the embeddings and of every layer, where kept
	keep   bool
}

func (p *pass) graph() *Graph { return p.ids.Graph() }

// weight gives a tensor by its Hugging Face name.
func (p *pass) weight(name string) *Node {
	return p.scope.GetVariable(name).NodeValue(p.graph())
}

func (p *pass) keepHidden(x *Node) {
	if p.keep {
		p.hidden = append(p.hidden, x)
	}
}

// lookup gathers rows of an embedding table. [N, T] to [N, T, D]
func (p *pass) lookup(name string, ids *Node) *Node {
	return Gather(p.weight(name), ExpandDims(ids, -1))
}

// linear is x·Wᵀ + b with W [out, in] as torch keeps it; the bias is left
// out where the model has none. [..., in] to [..., out]
func (p *pass) linear(name string, x *Node) *Node {
	y := DotGeneral(x, []int{-1}, nil, p.weight(name+".weight"), []int{1}, nil)
	if b := p.scope.GetVariable(name + ".bias"); b != nil {
		y = Add(y, ExpandLeftToRank(b.NodeValue(p.graph()), y.Rank()))
	}
	return y
}

// layerNorm is (x-mean)/sqrt(var+eps)·gain + bias over the last axis (Ba et
// al. 2016, arXiv:1607.06450).
func (p *pass) layerNorm(name string, x *Node, eps float64) *Node {
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	variance := ReduceAndKeep(Square(centred), ReduceMean, -1)
	y := Div(centred, Sqrt(AddScalar(variance, eps)))
	gain := ExpandLeftToRank(p.weight(name+".weight"), x.Rank())
	bias := ExpandLeftToRank(p.weight(name+".bias"), x.Rank())
	return Add(Mul(y, gain), bias)
}

// heads splits the features. [N, T, H·K] to [N, T, H, K]
func (p *pass) heads(x *Node, heads int) *Node {
	n, t, d := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2)
	return Reshape(x, n, t, heads, d/heads)
}

type attentionInputs struct{ query, key, value *Node } // each [N, T, H, K]

// attention is softmax(Q·Kᵀ/√K)·V over the tokens of each row (Vaswani et
// al. 2017, arXiv:1706.03762). Gives [N, T, H·K].
func (p *pass) attention(in attentionInputs, dropout float64) *Node {
	n, t, h, k := in.query.Shape().Dim(0), in.query.Shape().Dim(1), in.query.Shape().Dim(2), in.query.Shape().Dim(3)
	query := MulScalar(in.query, 1/math.Sqrt(float64(k)))
	scores := Einsum("nqhk,nmhk->nhqm", query, in.key)
	scores = Where(BroadcastToShape(p.attend(), scores.Shape()), scores, Scalar(p.graph(), scores.DType(), -1e30))
	probs := p.dropout(Softmax(scores, -1), dropout)
	return Reshape(Einsum("nhqm,nmhk->nqhk", probs, in.value), n, t, h*k)
}

// attend is true at the tokens that may be attended to. [N, 1, 1, T]
func (p *pass) attend() *Node {
	if p.mask == nil {
		n, t := p.ids.Shape().Dim(0), p.ids.Shape().Dim(1)
		at := Iota(p.graph(), shapes.Make(dtypes.Int32, n, t), 1)
		p.mask = Reshape(LessThan(at, BroadcastToShape(ExpandDims(p.lengths, -1), at.Shape())), n, 1, 1, t)
	}
	return p.mask
}

// dropout zeroes each value with the given probability and scales the rest
// (Srivastava et al. 2014). The bits come from a hash of (seed, site,
// position) rather than from a generator with state: the step alone decides
// them, on every backend, so that a resumed run draws the same ones.
func (p *pass) dropout(x *Node, rate float64) *Node {
	if p.seed == nil {
		return x
	}
	if p.rate >= 0 {
		rate = p.rate
	}
	p.sites++
	if rate == 0 {
		return x
	}
	bits := hash32(IotaFull(p.graph(), shapes.Make(dtypes.Uint32, x.Shape().Dimensions...)), p.seed, uint32(p.sites))
	threshold := Scalar(p.graph(), dtypes.Uint32, uint32(rate*math.MaxUint32))
	kept := GreaterOrEqual(bits, BroadcastToShape(threshold, bits.Shape()))
	return Where(kept, MulScalar(x, 1/(1-rate)), ZerosLike(x))
}

// hash32 mixes positions with a seed: Wellons' lowbias32
// (nullprogram.com/blog/2018/07/31), whose avalanche bias is 0.17.
func hash32(x, seed *Node, site uint32) *Node {
	g := x.Graph()
	scalar := func(v uint32) *Node { return Scalar(g, dtypes.Uint32, v) }
	stream := Add(seed, scalar(site*0x9e3779b9))
	x = BitwiseXor(x, BroadcastToShape(stream, x.Shape()))
	x = BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(16)))
	x = Mul(x, scalar(0x7feb352d))
	x = BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(15)))
	x = Mul(x, scalar(0x846ca68b))
	return BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(16)))
}

// activation reads the name of an activation function.
func (r *configReader) activation(key, otherwise string) string {
	name := r.text(key, otherwise)
	if !strings.Contains(" gelu gelu_new gelu_pytorch_tanh gelu_fast relu silu swish tanh ", " "+name+" ") {
		r.refuse(key, `is "`+name+`"; supported: gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, relu, silu, swish, tanh`)
	}
	return name
}

// activate applies an activation by its Hugging Face name.
func activate(name string, x *Node) *Node {
	switch name {
	case "gelu_new", "gelu_pytorch_tanh", "gelu_fast":
		return activation.GeluApproximate(x)
	case "relu":
		return MaxScalar(x, 0)
	case "silu", "swish":
		return Mul(x, Sigmoid(x))
	case "tanh":
		return Tanh(x)
	}
	return activation.Gelu(x)
}
