package hostkernels

// #include "handlers.h"
import "C"

import "runtime"

// denseLayer is act(x·Wᵀ + bias): x [N, inputs], weight [outputs, inputs], bias [outputs] or none
// give [N, outputs].
type denseLayer struct {
	x, weight, bias []float32
	inputs, outputs int
	turned, gelu    bool // turned: weight is [inputs, outputs]
}

func (d *denseLayer) forward(out []float32, kernel string, threads int) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	in := C.la_dense{x: floats(&pin, d.x), weight: floats(&pin, d.weight), out: floats(&pin, out),
		rows: C.int64_t(len(d.x) / d.inputs), inputs: C.int64_t(d.inputs), outputs: C.int64_t(d.outputs)}
	if len(d.bias) > 0 {
		in.bias = floats(&pin, d.bias)
	}
	if d.gelu {
		in.gelu = 1
	}
	if d.turned {
		in.turned = 1
	}
	return wrong(C.la_run_dense(&in, kernels()[kernel], C.int(threads)))
}

// gradient is that of the weights for dy [N, outputs]: dyᵀ·x. [outputs, inputs]
func (d *denseLayer) gradient(dy, out []float32, kernel string, threads int) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	in := C.la_gradient{dy: floats(&pin, dy), x: floats(&pin, d.x), out: floats(&pin, out),
		rows: C.int64_t(len(d.x) / d.inputs), outputs: C.int64_t(d.outputs), inputs: C.int64_t(d.inputs)}
	return wrong(C.la_run_gradient(&in, kernels()[kernel], C.int(threads)))
}
