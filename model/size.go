package model

import (
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Size is what a model's cost follows from.
type Size struct {
	Parameters, Trainable int // values of all tensors, and of those that training changes
	// Linear counts the values that multiply every token: those of the blocks'
	// linear layers, an adapter's included. TrainedLinear are those of them
	// that training changes.
	Linear, TrainedLinear int
	Blocks, Hidden        int
	Heads, HeadDim        int
	Intermediate          int // features within an MLP
}

// Size measures the model.
func (m *Model) Size() Size {
	a, blocks := m.Config.family.about(), m.Config.family.blocks()
	s := Size{Parameters: m.NumParameters(), Trainable: m.NumTrainable(), Blocks: blocks,
		Hidden: a.hidden, Heads: a.heads, HeadDim: a.headDim, Intermediate: a.intermediate}
	for _, t := range m.tensors() {
		if d := depth(t, blocks); (t.linear || isLoRA(t.name)) && d > 0 && d <= blocks {
			s.Linear += t.size()
			if m.frozen == nil || !m.frozen(t) {
				s.TrainedLinear += t.size()
			}
		}
	}
	return s
}

// rateSize is the width of the matrices whose products measure a backend.
const rateSize = 1024

// ProductRate measures how many floating-point operations a second the
// backend makes in matrix products of a precision, for about a third of a second.
func ProductRate(backend compute.Backend, dtype dtypes.DType) (float64, error) {
	const products = 8
	exec, err := NewExec(backend, func(x *Node) *Node {
		w := MulScalar(Ones(x.Graph(), shapes.Make(dtype, rateSize, rateSize)), 1.0/rateSize)
		x = ConvertDType(x, dtype)
		for range products {
			x = Add(DotGeneral(x, []int{1}, nil, w, []int{0}, nil), w)
		}
		return ReduceAllSum(ConvertDType(x, dtypes.Float32))
	})
	if err != nil {
		return 0, err
	}
	x := tensors.FromShape(shapes.Make(dtypes.Float32, rateSize, rateSize))
	best, began := 0.0, time.Now()
	for i := 0; i < 3 || time.Since(began) < time.Second/3 && i < 1000; i++ {
		start := time.Now()
		out, err := exec.Call1(x)
		if err != nil {
			return 0, err
		}
		_ = tensors.ToScalar[float32](out)
		if i > 0 { // the first one compiles
			best = max(best, 2*products*rateSize*rateSize*rateSize/time.Since(start).Seconds())
		}
	}
	return best, nil
}
