package model

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// lookup gathers rows of an embedding table. [N, T] to [N, T, D]
func (p *pass) lookup(name string, ids *Node) *Node {
	return as(Gather(p.kept(name), ExpandDims(ids, -1)), dtypes.Float32)
}

// words looks the ids up. The padding token's row gets no gradient, also
// where a text holds that token, as in torch.nn.Embedding(padding_idx).
// [N, T, D]
func (p *pass) words(name string) *Node {
	if p.padID < 0 {
		return p.lookup(name, p.IDs)
	}
	return p.lookupExcept(name, p.IDs, p.padID)
}

// lookupExcept is lookup with no gradient to one row.
func (p *pass) lookupExcept(name string, ids *Node, row int) *Node {
	x := p.lookup(name, ids)
	isRow := Equal(ids, Scalar(p.graph(), ids.DType(), row))
	return Where(BroadcastToShape(ExpandDims(isRow, -1), x.Shape()), StopGradient(x), x)
}

// linear is x·Wᵀ + b with W [out, in] as torch keeps it; the bias is left
// out where the model has none. A LoRA adapter of that layer adds its part.
// [..., in] to [..., out]
func (p *pass) linear(name string, x *Node) *Node { return p.activated("linear", name, x) }

// activated is an activation of linear, by its Hugging Face name.
func (p *pass) activated(activation, name string, x *Node) *Node {
	x = p.cast(x)
	if p.adapter != nil && p.has(name+loraA) {
		return activate(activation, Add(p.affine(name, x), p.adapter.change(p, name, x)))
	}
	if p.NoGradient && isGELU(activation) && p.byHost(name) {
		return p.hostDense(name, x, compute.ActivationGelu)
	}
	return activate(activation, p.affine(name, x))
}

// affine is x·Wᵀ + b.
func (p *pass) affine(name string, x *Node) *Node {
	host := func() *Node { return p.hostDense(name, x, compute.ActivationNone) }
	switch {
	case !p.byHost(name):
		return p.writtenOut(name, x)
	case p.NoGradient:
		return host()
	}
	y, _ := InternalFusedOpCaller(host, func() *Node { return p.gradientByHost(name, x) }, true)
	return y
}

// writtenOut is x·Wᵀ + b by operations of the graph.
func (p *pass) writtenOut(name string, x *Node) *Node {
	return p.biased(name, p.product(x, name+".weight"))
}

// biased is y with the bias of a layer added, where it has one.
func (p *pass) biased(name string, y *Node) *Node {
	if bias := p.bias(name); bias != nil {
		y = Add(y, ExpandLeftToRank(p.cast(bias), y.Rank()))
	}
	return y
}

// byHost tells whether a layer is computed by model/hostkernels: an output of a row has the
// same bits there wherever the row lies, and the bias is added as it is computed. One output
// alone is left to product, and what a checkpointed block computes again to XLA.
func (p *pass) byHost(name string) bool {
	w := p.kept(name + ".weight")
	return !p.Checkpoint && HasHostKernels(p.graph().Backend()) && p.dtype == dtypes.Float32 && w.DType() == dtypes.Float32 && w.Shape().Dim(0) > 1
}

// hostDense is an activation of x·Wᵀ + b by model/hostkernels: none, or GELU by erf.
func (p *pass) hostDense(name string, x *Node, activation compute.ActivationType) *Node {
	return BackendFusedDense(x, p.kept(name+".weight"), p.bias(name), compute.DenseConfig{Activation: activation, WeightLayout: compute.DenseLayoutOutputsInput})
}

// bias is that of a layer, nil where it has none. [out] float32
func (p *pass) bias(name string) *Node {
	if !p.has(name + ".bias") {
		return nil
	}
	return p.weight(name + ".bias")
}

// gradientByHost is a layer written out, whose gradients dx = dy·W and dW = dyᵀ·x are computed
// by model/hostkernels.
func (p *pass) gradientByHost(name string, x *Node) *Node {
	var gradient *Node
	w, in := p.kept(name+".weight"), x
	outputs, inputs := w.Shape().Dim(0), w.Shape().Dim(1)
	turned := compute.DenseConfig{WeightLayout: compute.DenseLayoutInputOutputs}
	x = IdentityWithCustomGradient(x, func(_, _ *Node) *Node { return BackendFusedDense(gradient, w, nil, turned) })
	weight := IdentityWithCustomGradient(w, func(_, _ *Node) *Node {
		return BackendFusedDense(Reshape(gradient, -1, outputs), Reshape(in, 1, -1, inputs), nil, turned)
	})
	return noted(p.biased(name, dot(x, weight).General([]int{-1}, nil, []int{1}, nil)), &gradient)
}

// product is x·Wᵀ. [..., in] and W [out, in] to [..., out]
//
// One output, as in a score head, is a sum over x·w rather than a product of
// matrices: XLA multiplies a matrix by a vector eight rows at a time and adds
// up the rows left over in another order, so that a reward would depend on its
// row in the batch.
func (p *pass) product(x *Node, weight string) *Node {
	w := p.kept(weight)
	if w.DType() == dtypes.BFloat16 && p.dtype == dtypes.Float32 {
		return p.halfProduct(x, w)
	}
	w = p.cast(w)
	if w.Shape().Dim(0) == 1 && w.DType() == dtypes.Float32 {
		return ReduceAndKeep(Mul(x, BroadcastToShape(ExpandLeftToRank(w, x.Rank()), x.Shape())), ReduceSum, -1)
	}
	return dot(x, w).General([]int{-1}, nil, []int{1}, nil)
}

// layerNorm is (x-mean)/sqrt(var+eps)·gain + bias over the last axis (Ba et
// al. 2016, arXiv:1607.06450), in float32; the bias is left out where the
// model has none.
func (p *pass) layerNorm(name string, x *Node, eps float64) *Node {
	x = as(x, dtypes.Float32)
	if p.NoGradient && HasHostKernels(p.graph().Backend()) {
		return BackendFusedLayerNorm(x, []int{x.Rank() - 1}, eps, p.weight(name+".weight"), p.bias(name))
	}
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	variance := ReduceAndKeep(Square(centred), ReduceMean, -1)
	y := Div(centred, Sqrt(AddScalar(variance, eps)))
	y = Mul(y, ExpandLeftToRank(p.weight(name+".weight"), x.Rank()))
	if bias := p.bias(name); bias != nil {
		y = Add(y, ExpandLeftToRank(bias, x.Rank()))
	}
	return y
}

// rmsNorm is x/sqrt(mean(x²)+eps)·(offset+gain) over the last axis (Zhang &
// Sennrich 2019, arXiv:1910.07467), in float32. Gemma's offset is 1.
func (p *pass) rmsNorm(name string, x *Node, eps, offset float64) *Node {
	x = as(x, dtypes.Float32)
	y := Div(x, Sqrt(AddScalar(ReduceAndKeep(Square(x), ReduceMean, -1), eps)))
	gain := p.weight(name + ".weight")
	if offset != 0 {
		gain = AddScalar(gain, offset)
	}
	return Mul(y, ExpandLeftToRank(gain, x.Rank()))
}

// heads splits the features. [N, T, H·K] to [N, T, H, K]
func (p *pass) heads(x *Node, heads int) *Node {
	n, t, d := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2)
	return Reshape(x, n, t, heads, d/heads)
}
