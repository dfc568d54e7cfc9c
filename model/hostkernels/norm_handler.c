// Layer norm as XLA calls it.

#include "handlers.h"

enum { NORM_ROWS = 64 }; // of a piece

typedef struct {
	const la_norm *call;
	const la_kernels *kernels;
} job;

static void compute(const void *what, int64_t piece, float *scratch) {
	(void)scratch;
	const job *j = what;
	int64_t first = piece * NORM_ROWS, last = first + NORM_ROWS;
	j->kernels->norm(j->call, first, last < j->call->rows ? last : j->call->rows);
}

static int run(const la_norm *call, const la_kernels *kernels, const la_threads *threads) {
	job j = {call, kernels};
	return la_share(threads, compute, &j, (call->rows + NORM_ROWS - 1) / NORM_ROWS, 0);
}

const char *la_run_norm(const la_norm *call, const la_kernels *kernels, int threads) {
	la_threads own = la_own_threads(threads);
	return run(call, kernels, &own) ? NULL : "no memory";
}

// x [..., features], epsilon [], gain [features] and, if there is one, bias [features] give
// [..., features].
static const char *read_call(const ffi_call *frame, la_norm *call) {
	const char *wrong = la_takes_floats(frame, 3, 4);
	if (wrong != NULL) return wrong;
	ffi_buffer **in = (ffi_buffer **)frame->args.values, *out = frame->results.values[0];
	if (in[0]->rank < 1 || in[1]->rank != 0) return "its arguments have other axes";
	call->features = in[0]->dims[in[0]->rank - 1];
	for (int64_t i = 2; i < frame->args.size; i++)
		if (in[i]->rank != 1 || in[i]->dims[0] != call->features) return "its gain or bias is not one of its features";
	call->rows = la_rows(in[0]);
	call->x = in[0]->data;
	call->epsilon = in[1]->data;
	call->gain = in[2]->data;
	call->bias = frame->args.size == 4 ? in[3]->data : NULL;
	call->out = out->data;
	return NULL;
}

void *la_norm_handler(ffi_call *frame) {
	la_norm call;
	if (!la_is_execution(frame)) return NULL;
	const char *wrong = read_call(frame, &call);
	if (wrong != NULL) return la_failed(frame, "layer norm", FFI_INVALID_ARGUMENT, wrong);
	la_threads threads = la_threads_of(frame);
	if (!run(&call, la_usable(0), &threads)) return la_failed(frame, "layer norm", FFI_RESOURCE_EXHAUSTED, "no memory");
	return NULL;
}
