// Package hostkernels is what XLA's CPU calls, since it has no such operations of its own
// or slower ones (docs/upstream.md): attention over sequences that lie one after another
// in a row of tokens, where each query sees the keys of its own sequence, no scores are kept,
// and nothing is computed for padding; and dense layers and layer norms, whose every row has
// the same bits wherever it lies.
package hostkernels

// #cgo CFLAGS: -O3 -std=gnu11 -Wall -Wextra
// #cgo LDFLAGS: -lm -lpthread
// #include "handlers.h"
import "C"

import (
	"errors"
	"runtime"
	"unsafe"
)

// Handlers are the functions as XLA's foreign function interface calls them,
// XLA_FFI_Handler of its C API, by the names that programs call them by
// (cmd/setup/goxla/hostkernels.go.txt).
func Handlers() map[string]unsafe.Pointer {
	return map[string]unsafe.Pointer{
		"laurel.attention": C.la_forward_handler, "laurel.attention.backward": C.la_backward_handler,
		"laurel.dense": C.la_dense_handler, "laurel.dense.gelu": C.la_dense_gelu_handler, "laurel.dense.turned": C.la_dense_turned_handler,
		"laurel.dense.gradient": C.la_gradient_handler, "laurel.norm": C.la_norm_handler,
	}
}

// Kind says for which vectors the CPU's kernels are written.
func Kind() string { return C.GoString(C.la_usable(0).name) }

// kernels are those that this CPU can run, by what they are for; "" is the fastest.
func kernels() map[string]*C.la_kernels {
	all := map[string]*C.la_kernels{"": C.la_usable(0)}
	for i := C.int(0); C.la_usable(i) != nil; i++ {
		all[C.GoString(C.la_usable(i).name)] = C.la_usable(i)
	}
	return all
}

func floats(pin *runtime.Pinner, x []float32) *C.float {
	pin.Pin(&x[0])
	return (*C.float)(&x[0])
}

func wrong(why *C.char) error {
	if why == nil {
		return nil
	}
	return errors.New(C.GoString(why))
}
