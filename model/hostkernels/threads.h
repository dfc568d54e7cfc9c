// How work is dealt to threads: XLA's, or some of its own.
#ifndef LAUREL_HOSTKERNELS_THREADS_H
#define LAUREL_HOSTKERNELS_THREADS_H

#include "ffi.h"

// schedule has a task run on a thread of the pool; 0 where it cannot.
typedef struct {
	int64_t n;
	int (*schedule)(void *pool, void (*task)(void *), void *data);
	void *pool;
} la_threads;

la_threads la_own_threads(int n);
la_threads la_threads_of(ffi_call *frame);

// la_share computes all pieces of a call, with help of as many threads as there are, and
// waits for them. Each piece is computed by one thread, with room for so many floats, 64
// bytes aligned. 0 where there is no memory.
int la_share(const la_threads *threads, void (*compute)(const void *call, int64_t piece, float *scratch), const void *call, int64_t pieces, int64_t scratch);

// Whether a function is called to compute; if not, what it was asked is answered.
int la_is_execution(ffi_call *frame);

// What is wrong with a call that takes from least to most arguments, all float32, and gives one
// result; NULL if nothing is.
const char *la_takes_floats(const ffi_call *frame, int64_t least, int64_t most);

// Rows of an array: its axes but the last, taken together.
int64_t la_rows(const ffi_buffer *x);

ffi_error *la_failed(const ffi_call *frame, const char *what, int code, const char *why);

#endif
