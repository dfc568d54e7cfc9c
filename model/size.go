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
	Half                  int // values that are kept in bfloat16: a frozen base's matrices
	// Linear counts the values that multiply every token: those of the blocks'
	// linear layers, an adapter's included. TrainedLinear are those of them
	// that training changes.
	Linear, TrainedLinear int
	Blocks, Hidden        int
	Heads, HeadDim        int
	Intermediate          int // features within an MLP, both halves of a gated one
	// Outputs are what a block's linear layers give of a token, AdapterOutputs what
	// an adapter adds to each of them. Inputs are what they read, once where several
	// read the same.
	Outputs, AdapterOutputs, Inputs int
	// Activated are those of a block's outputs that come from the matrix before the
	// MLP's activation, Normed those that have a norm of their own: queries and keys.
	Activated, Normed int
	// LastForOne tells that the last block, after its attention, is computed for one
	// token a sequence: the one that the reward is pooled from.
	LastForOne bool
}

// Size measures the model.
func (m *Model) Size() Size {
	a, blocks := m.Config.family.about(), m.Config.family.blocks()
	s := Size{Parameters: m.NumParameters(), Trainable: m.NumTrainable(), Half: m.NumHalf(), Blocks: blocks,
		Hidden: a.hidden, Heads: a.heads, HeadDim: a.headDim, Intermediate: a.inner, Activated: a.inner, Normed: a.normed,
		Inputs: 2*a.hidden + a.heads*a.headDim + a.inner, LastForOne: takesOne(m.Config.pooling())}
	if a.gated {
		s.Intermediate = 2 * a.inner
	}
	if a.joined {
		s.Activated = 2 * a.inner
	}
	for _, t := range m.tensors() {
		if d := depth(t, blocks); (t.linear || isLoRA(t.name)) && d > 0 && d <= blocks {
			s.Linear += t.size()
			if isLoRA(t.name) {
				s.AdapterOutputs += t.shape[0]
			} else {
				s.Outputs += t.shape[0]
			}
			if m.frozen == nil || !m.frozen(t) {
				s.TrainedLinear += t.size()
			}
		}
	}
	s.Outputs, s.AdapterOutputs = s.Outputs/blocks, s.AdapterOutputs/blocks
	return s
}

// rateSize is the width of the matrices whose products measure a backend.
const rateSize = 1024

// ProductRate measures how many floating-point operations a second the backend
// makes in matrix products of a precision, the best of what a quarter of a second
// holds. Where one product takes no time beside the call, a call makes eight.
func ProductRate(backend compute.Backend, dtype dtypes.DType) (rate float64, err error) {
	for _, products := range []int{1, 8} {
		exec, err := productsExec(backend, dtype, products)
		if err != nil {
			return 0, err
		}
		best, err := fastest(exec, time.Second/4)
		if err != nil {
			return 0, err
		}
		rate = 2 * float64(products) * rateSize * rateSize * rateSize / best.Seconds()
		if best > 5*time.Millisecond {
			break
		}
	}
	return rate, nil
}

// productsExec multiplies by one matrix so many times.
func productsExec(backend compute.Backend, dtype dtypes.DType, products int) (*Exec, error) {
	return NewExec(backend, func(x *Node) *Node {
		w := MulScalar(Ones(x.Graph(), shapes.Make(dtype, rateSize, rateSize)), 1.0/rateSize)
		x = ConvertDType(x, dtype)
		for range products {
			x = Add(DotGeneral(x, []int{1}, nil, w, []int{0}, nil), w)
		}
		return ReduceAllSum(ConvertDType(x, dtypes.Float32))
	})
}

// fastest is the least time that a call takes, of those that fit into a time and
// of two at least.
func fastest(exec *Exec, within time.Duration) (best time.Duration, err error) {
	x := tensors.FromShape(shapes.Make(dtypes.Float32, rateSize, rateSize))
	began := time.Now()
	for i := 0; i < 3 || time.Since(began) < within && i < 1000; i++ {
		start := time.Now()
		out, err := exec.Call1(x)
		if err != nil {
			return 0, err
		}
		_ = tensors.ToScalar[float32](out)
		took := time.Since(start)
		switch i {
		case 0: // it compiles
			began = time.Now()
		case 1:
			best = took
		default:
			best = min(best, took)
		}
	}
	return best, nil
}
