// Package hostadamw makes AdamW's update of tensors that lie in the host's memory,
// over themselves: each value is read once and written once. XLA's CPU makes loops of
// their own for weights and both moments, and reads the gradients in each.
package hostadamw

// #cgo CFLAGS: -O3 -std=gnu11 -Wall -Wextra
// #cgo LDFLAGS: -lm
// #include "kernel.h"
import "C"

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Factors are the scalars of an update of a tensor, which is, with g a gradient times
// Clip, m = Beta1·m + (1−Beta1)·g, v = Beta2·v + (1−Beta2)·g², and
// w = Keep·w − Step·m / (√v/Root + Eps).
type Factors struct {
	Beta1, Beta2, Eps float64
	Clip              float32
	Keep, Step, Root  float32
}

// Tensor is one to update. Shapes: all [n].
type Tensor struct {
	Weight, First, Second []float32 // the weights and both moments, which are written over
	Gradient              []float32
	Factors               Factors
}

// stretch is how many values a thread takes at a time: those of four arrays lie in its
// cache while it computes.
const stretch = 1 << 15

// Norm is the length of all gradients taken as one vector: the same bits on any number of
// threads.
func Norm(tensors []Tensor) float64 {
	parts := stretches(tensors)
	sums := make([]float64, len(parts))
	each(parts, func(i int, p part) {
		sums[i] = float64(C.lw_squares(at(p.Gradient, p.from), C.int64_t(p.to-p.from)))
	})
	var sum float64
	for _, s := range sums {
		sum += s
	}
	return math.Sqrt(sum)
}

// Update updates all tensors.
func Update(tensors []Tensor) {
	each(stretches(tensors), func(_ int, p part) {
		f := p.Factors
		C.lw_update(at(p.Weight, p.from), at(p.First, p.from), at(p.Second, p.from), at(p.Gradient, p.from), C.int64_t(p.to-p.from), C.lw_factors{
			beta1: C.float(f.Beta1), rest1: C.float(1 - f.Beta1), beta2: C.float(f.Beta2), rest2: C.float(1 - f.Beta2),
			eps: C.float(f.Eps), clip: C.float(f.Clip), keep: C.float(f.Keep), step: C.float(f.Step), root: C.float(f.Root)})
	})
}

func at(x []float32, i int) *C.float { return (*C.float)(unsafe.Pointer(&x[i])) }

// part is one stretch of a tensor.
type part struct {
	*Tensor
	from, to int
}

func stretches(tensors []Tensor) (parts []part) {
	for i := range tensors {
		t := &tensors[i]
		for from := 0; from < len(t.Gradient); from += stretch {
			parts = append(parts, part{t, from, min(from+stretch, len(t.Gradient))})
		}
	}
	return parts
}

// each calls a function for every part, on as many threads as Go may use.
func each(parts []part, do func(i int, p part)) {
	var next atomic.Int64
	var threads sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(parts)) {
		threads.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(parts); i = int(next.Add(1)) - 1 {
				do(i, parts[i])
			}
		})
	}
	threads.Wait()
}
