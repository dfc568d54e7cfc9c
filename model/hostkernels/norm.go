package hostkernels

// #include "handlers.h"
import "C"

import "runtime"

// layerNorm is (x-mean)/sqrt(variance+epsilon)·gain + bias of each row: x [N, features],
// gain [features] and bias [features] or none give [N, features].
type layerNorm struct {
	x, gain, bias []float32
	epsilon       float32
}

func (l *layerNorm) forward(out []float32, kernel string, threads int) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	in := C.la_norm{x: floats(&pin, l.x), epsilon: floats(&pin, []float32{l.epsilon}), gain: floats(&pin, l.gain), out: floats(&pin, out),
		rows: C.int64_t(len(l.x) / len(l.gain)), features: C.int64_t(len(l.gain))}
	if len(l.bias) > 0 {
		in.bias = floats(&pin, l.bias)
	}
	return wrong(C.la_run_norm(&in, kernels()[kernel], C.int(threads)))
}
