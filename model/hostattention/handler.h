#ifndef LAUREL_HOSTATTENTION_HANDLER_H
#define LAUREL_HOSTATTENTION_HANDLER_H

#include "ffi.h"
#include "kernel.h"

// Functions as XLA calls them. Forward takes query, key, value and the call's
// description, and gives out and lse; backward takes these, out, lse and dout, and
// gives dquery, dkey and dvalue.
void *la_forward_handler(ffi_call *frame);
void *la_backward_handler(ffi_call *frame);

// The same without XLA, on so many threads of its own; what is wrong, or NULL.
const char *la_run(const la_call *call, const la_kernels *kernels, int backward, int threads);

#endif
