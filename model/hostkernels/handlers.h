#ifndef LAUREL_HOSTKERNELS_HANDLERS_H
#define LAUREL_HOSTKERNELS_HANDLERS_H

#include "kernels.h"
#include "threads.h"

// Attention as XLA calls it. Forward takes query, key, value and the call's
// description, and gives out and lse; backward takes these, out, lse and dout, and
// gives dquery, dkey and dvalue.
void *la_forward_handler(ffi_call *frame);
void *la_backward_handler(ffi_call *frame);

// Dense layers: x, weight and, if there is one, bias give out.
void *la_dense_handler(ffi_call *frame);
void *la_dense_gelu_handler(ffi_call *frame);
void *la_dense_turned_handler(ffi_call *frame);

// The gradient of a dense layer's weights: dy [rows, outputs] and x [1, rows, inputs] give out.
void *la_gradient_handler(ffi_call *frame);

// Layer norm: x, epsilon, gain and, if there is one, bias give out.
void *la_norm_handler(ffi_call *frame);

// The same without XLA, on so many threads of its own; what is wrong, or NULL.
const char *la_run(const la_call *call, const la_kernels *kernels, int backward, int threads);
const char *la_run_dense(const la_dense *call, const la_kernels *kernels, int threads);
const char *la_run_gradient(const la_gradient *call, const la_kernels *kernels, int threads);
const char *la_run_norm(const la_norm *call, const la_kernels *kernels, int threads);

#endif
