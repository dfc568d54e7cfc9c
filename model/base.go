package model

import (
	"fmt"

	"laurel/model/safetensors"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"
)

// A base is the model under an adapter. Its matrices (embeddings, linear layers)
// may be kept in bfloat16, at half the memory: they are never trained, so that
// rounding them once is all that it costs. Gains of norms and biases, which take
// next to nothing, the score head and the adapter are float32 either way.

// ParseBaseDType tells whether a base's matrices are kept in bfloat16. "" is
// float32.
func ParseBaseDType(name string) (half bool, err error) {
	if name == "" {
		return false, nil
	}
	dtype, err := ParseDType(name)
	return dtype == dtypes.BFloat16, err
}

// Base is how a model is read that an adapter is put on.
type Base struct {
	DType string // of its matrices: float32 ("" too) or bfloat16
	Saved LoRA   // whose modules to save are trained whole, and kept in float32
}

// LoadBase is LoadWithHead of a model that an adapter is put on. Matrices kept in
// bfloat16 are read part by part, with no copy in float32.
func LoadBase(dir string, seed uint64, head Head, base Base) (*Model, error) {
	m, err := withoutValues(dir, head)
	if err != nil {
		return nil, err
	}
	if err := m.readBase(dir, seed, base); err != nil {
		return nil, err
	}
	return m, nil
}

// OutlineBase is what LoadBase would load, without values.
func OutlineBase(dir string, head Head, base Base) (*Model, error) {
	m, err := Outline(dir, head)
	if err != nil {
		return nil, err
	}
	if err := m.setBase(base); err != nil {
		return nil, err
	}
	return m, nil
}

// readBase reads the values of a directory's weights.
func (m *Model) readBase(dir string, seed uint64, base Base) error {
	if err := m.setBase(base); err != nil {
		return err
	}
	m.Store = ml.NewStore()
	return m.loadDir(dir, seed)
}

// setBase settles what is kept in bfloat16. It is recorded with the adapter, so
// that whoever scores with it has the weights that it was trained on.
func (m *Model) setBase(base Base) error {
	half, err := ParseBaseDType(base.DType)
	if err != nil {
		return fmt.Errorf("dtype of the base %w", err)
	}
	m.half, m.Config.Recorded.BaseDType = nil, ""
	if half {
		m.half = func(t weight) bool { return len(t.shape) > 1 && !isLoRA(t.name) && !base.Saved.saved(t) }
		m.Config.Recorded.BaseDType = base.DType
	}
	return nil
}

// isHalf tells whether a tensor is kept in bfloat16.
func (m *Model) isHalf(t weight) bool { return m.half != nil && m.half(t) }

// NumHalf counts the values that are kept in bfloat16.
func (m *Model) NumHalf() int {
	n := 0
	for _, t := range m.tensors() {
		if m.isHalf(t) {
			n += t.size()
		}
	}
	return n
}

// read gives a tensor of a file as it is kept.
func (m *Model) read(t weight, name string, w *safetensors.Weights) (*tensors.Tensor, error) {
	if !m.isHalf(t) {
		return readFloat32(t, name, w)
	}
	return readInto(t, dtypes.BFloat16, func(flat []bfloat16.BFloat16) error { return safetensors.ReadBFloat16(w, name, flat) })
}

func readFloat32(t weight, name string, w *safetensors.Weights) (*tensors.Tensor, error) {
	return readInto(t, dtypes.Float32, func(flat []float32) error { return safetensors.ReadFloat32(w, name, flat) })
}

// readInto makes a tensor of what read fills.
func readInto[T float32 | bfloat16.BFloat16](t weight, dtype dtypes.DType, read func(flat []T) error) (*tensors.Tensor, error) {
	value := tensors.FromShape(shapes.Make(dtype, t.shape...))
	var err error
	if accessed := tensors.MutableFlatData(value, func(flat []T) { err = read(flat) }); accessed != nil {
		return nil, accessed
	}
	return value, err
}

// values copies a variable of the store, in float32.
func (m *Model) values(path string) (values []float32, err error) {
	value, err := m.Store.GetVariable(path).Value()
	if err != nil {
		return nil, err
	}
	if value.DType() == dtypes.Float32 {
		return tensors.CopyFlatData[float32](value)
	}
	err = tensors.ConstFlatData(value, func(flat []bfloat16.BFloat16) {
		values = make([]float32, len(flat))
		for i, v := range flat {
			values[i] = v.Float32()
		}
	})
	return values, err
}

// halfProduct is x·Wᵀ in float32 of a frozen W in bfloat16. The float32 copy of W
// that is multiplied with depends on x, and for the backward pass is made anew
// and depends on the product's gradient, so that it need not live from one to the
// other. A checkpointed block makes it anew with all else.
func (p *pass) halfProduct(x, w *Node) *Node {
	if !p.Checkpoint {
		w = w.Checkpoint()
	}
	w = StopGradient(ConvertDType(SchedulingBarrier(w, x), dtypes.Float32))
	y := dot(x, w).General([]int{-1}, nil, []int{1}, nil)
	if !p.Checkpoint {
		y = y.StopCheckpoint()
	}
	return y
}
