package trainer

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"laurel/trainer/hostadamw"
)

// canUpdateInPlace tells whether weights and moments can be updated where they lie,
// by hostadamw: on a CPU, whose memory is the host's.
func (s *stepper) canUpdateInPlace() bool {
	for _, name := range s.names {
		if s.model.Store.GetVariable("/"+name).DType() != dtypes.Float32 {
			return false
		}
	}
	return s.devices == 1 && s.backend.HasSharedBuffers()
}

// updateInPlace does what updateGraph's program does.
func (s *stepper) updateInPlace(sizes [][]float32, sums []*tensors.Tensor) (norm *tensors.Tensor, err error) {
	updated := make([]hostadamw.Tensor, len(s.names))
	for i, name := range s.names {
		if updated[i], err = s.inMemory(name, sums[1+i]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	length := hostadamw.Norm(updated)
	if finite(length) && finite(float64(tensors.ToScalar[float32](sums[0]))) {
		factors := hostadamw.Factors{Beta1: s.adam.beta1, Beta2: s.adam.beta2, Eps: s.adam.eps, Clip: 1}
		if s.adam.maxGradNorm > 0 { // as clipFactor
			factors.Clip = float32(min(1, s.adam.maxGradNorm/(length+1e-6)))
		}
		for i, name := range s.names {
			size := sizes[min(s.model.Depth(name), len(sizes)-1)]
			factors.Keep, factors.Step, factors.Root = 1, size[1], size[2]
			if decays(name) {
				factors.Keep = size[0]
			}
			updated[i].Factors = factors
		}
		hostadamw.Update(updated)
	}
	for _, sum := range sums {
		if err := sum.FinalizeAll(); err != nil {
			return nil, err
		}
	}
	return tensors.FromScalar(float32(length)), nil
}

// inMemory gives where a weight, its moments and its gradient lie. They stay there until
// the tensors are handed to a program again.
func (s *stepper) inMemory(name string, grad *tensors.Tensor) (t hostadamw.Tensor, err error) {
	for scope, at := range map[string]*[]float32{"/": &t.Weight, firstMoment: &t.First, secondMoment: &t.Second} {
		value, err := s.model.Store.GetVariable(scope + name).Value()
		if err != nil {
			return t, err
		}
		if err := tensors.MutableFlatData(value, func(flat []float32) { *at = flat }); err != nil {
			return t, err
		}
	}
	return t, tensors.ConstFlatData(grad, func(flat []float32) { t.Gradient = flat })
}
