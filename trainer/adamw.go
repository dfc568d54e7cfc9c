package trainer

import (
	"math"
	"regexp"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	ml "github.com/gomlx/gomlx/ml/model"
)

// adamW is torch.optim.AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101)
// with one group that decays and one that does not, as transformers' Trainer
// splits them.
type adamW struct {
	beta1, beta2, eps float64
	weightDecay       float64
	maxGradNorm       float64 // 0 means no clipping
	layerDecay        float64 // the learning rate's factor for each layer further down
}

// Moments live beside the weights in the store, under these scopes.
const (
	firstMoment  = "/adam/m/"
	secondMoment = "/adam/v/"
)

// stepSizes are the scalars of one update for each depth of the model,
// computed in float64 on the host. t is the number of updates made, this one
// included. [depths + 1, 3]; [1, 3] where every depth has the same, so that XLA
// compiles one loop for all tensors of a shape and not one for each depth
func (o adamW) stepSizes(learningRate float64, t, depths int) [][]float32 {
	correction1 := 1 - math.Pow(o.beta1, float64(t))
	correction2 := 1 - math.Pow(o.beta2, float64(t))
	if o.layerDecay == 1 {
		depths = 0
	}
	sizes := make([][]float32, depths+1)
	for d := range sizes {
		rate := learningRate * math.Pow(o.layerDecay, float64(depths-d))
		sizes[d] = []float32{float32(1 - rate*o.weightDecay), float32(rate / correction1), float32(math.Sqrt(correction2))}
	}
	return sizes
}

// notDecayed matches the names of biases and norms (transformers,
// trainer.py, get_decay_parameter_names).
var notDecayed = regexp.MustCompile(`bias|layernorm|rmsnorm|(^|\.)norm($|\.)|_norm($|\.)`)

func decays(name string) bool { return !notDecayed.MatchString(strings.ToLower(name)) }

// gradNorm is the length of all gradients taken as one vector, before
// clipping. Scalar.
func gradNorm(grads []*Node) *Node {
	var sum *Node
	for _, g := range grads {
		square := ReduceAllSum(Square(g))
		if sum == nil {
			sum = square
			continue
		}
		sum = Add(sum, square)
	}
	return Sqrt(sum)
}

// update writes the new weights and moments into the graph's variables, or
// the old ones again where ok (a bool scalar) is false. sizes is stepSizes;
// depth gives its row for each name.
func (o adamW) update(scope *ml.Scope, names []string, depth func(string) int, grads []*Node, norm, sizes, ok *Node) {
	g := sizes.Graph()
	clip := o.clipFactor(norm)
	for i, name := range names {
		row := min(depth(name), sizes.Shape().Dim(0)-1)
		at := func(i int) *Node { return Squeeze(Slice(sizes, AxisElem(row), AxisElem(i))) }
		keep, stepSize, root := at(0), at(1), at(2)
		variable := scope.GetVariable(name)
		m, v := scope.Store().GetVariable(firstMoment+name), scope.Store().GetVariable(secondMoment+name)
		weight, grad := variable.NodeValue(g), grads[i]
		if clip != nil {
			grad = Mul(grad, clip)
		}
		newM := Add(MulScalar(m.NodeValue(g), o.beta1), MulScalar(grad, 1-o.beta1))
		newV := Add(MulScalar(v.NodeValue(g), o.beta2), MulScalar(Square(grad), 1-o.beta2))
		denominator := AddScalar(Div(Sqrt(newV), root), o.eps)
		newWeight := weight
		if decays(name) && o.weightDecay != 0 {
			newWeight = Mul(newWeight, keep)
		}
		newWeight = Sub(newWeight, Mul(stepSize, Div(newM, denominator)))
		variable.SetNodeValue(Where(ok, newWeight, weight))
		m.SetNodeValue(Where(ok, newM, m.NodeValue(g)))
		v.SetNodeValue(Where(ok, newV, v.NodeValue(g)))
	}
}

// clipFactor is torch's clip_grad_norm_: max/(norm + 1e-6), at most 1. nil
// where nothing is clipped.
func (o adamW) clipFactor(norm *Node) *Node {
	if o.maxGradNorm == 0 {
		return nil
	}
	return MinScalar(Div(Scalar(norm.Graph(), norm.DType(), o.maxGradNorm), AddScalar(norm, 1e-6)), 1)
}
