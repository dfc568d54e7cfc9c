// Dense layers as XLA calls them.

#include "handlers.h"

enum {
	PANELS = 1 << 20, // floats that the panels of a piece take at most, if it has two: they are read once a tile of rows, from the second cache or the third
	PIECES = 2        // for a thread at least, so that none is left waiting for long
};

// job is a call in pieces: some panels by some rows.
typedef struct {
	const la_dense *call;
	const la_dense_kernels *kernels;
	int64_t panels, rows; // of a piece
	int64_t across;       // pieces that all panels make
} job;

static int64_t parts(int64_t n, int64_t of) { return (n + of - 1) / of; }

static job divide(const la_dense *call, const la_dense_kernels *kernels, int64_t threads) {
	int64_t all = parts(call->outputs, kernels->width), each = kernels->width * call->inputs, height = kernels->height;
	job j = {.call = call, .kernels = kernels, .panels = each < PANELS ? PANELS / each : 1, .rows = call->rows};
	if (j.panels > all) j.panels = all;
	if (threads > 1) { // rows first: weights laid out once more cost less than rows, where there are many
		int64_t down = PIECES * threads;
		if (down > parts(call->rows, 8 * height)) down = parts(call->rows, 8 * height);
		j.rows = parts(parts(call->rows, down), height) * height;
		int64_t across = parts(PIECES * threads, parts(call->rows, j.rows));
		if (j.panels > parts(all, across)) j.panels = parts(all, across);
	}
	j.across = parts(all, j.panels);
	return j;
}

// What the rows of a tile need, in floats: a multiple of a cache line.
static int64_t room(const job *j) { return parts(j->kernels->height * (j->call->inputs + j->kernels->width), 16) * 16; }

static void compute(const void *what, int64_t piece, float *scratch) {
	const job *j = what;
	const la_dense *call = j->call;
	int64_t width = j->kernels->width, first = piece % j->across * j->panels * width, from = piece / j->across * j->rows;
	int64_t last = first + j->panels * width, to = from + j->rows;
	if (last > call->outputs) last = call->outputs;
	if (to > call->rows) to = call->rows;
	float *panels = scratch + room(j);
	for (int64_t at = first; at < last; at += width) j->kernels->lay_out(call, at, panels + (at - first) * call->inputs);
	for (int64_t row = from; row < to; row += j->kernels->height)
		j->kernels->rows(call, row, to - row < j->kernels->height ? to - row : j->kernels->height, first, last, panels, scratch);
}

static int run(const la_dense *call, const la_kernels *kernels, const la_threads *threads) {
	job j = divide(call, &kernels->dense, threads->n);
	return la_share(threads, compute, &j, j.across * parts(call->rows, j.rows), room(&j) + j.panels * j.kernels->width * call->inputs);
}

const char *la_run_dense(const la_dense *call, const la_kernels *kernels, int threads) {
	la_threads own = la_own_threads(threads);
	return run(call, kernels, &own) ? NULL : "no memory";
}

// x [..., inputs], weight [outputs, inputs], or [inputs, outputs] if turned, and, if there is
// one, bias [outputs] give [..., outputs].
static const char *read_call(const ffi_call *frame, la_dense *call) {
	const char *wrong = la_takes_floats(frame, 2, 3);
	if (wrong != NULL) return wrong;
	ffi_buffer **in = (ffi_buffer **)frame->args.values, *out = frame->results.values[0];
	if (in[0]->rank < 1 || in[1]->rank != 2 || in[0]->dims[in[0]->rank - 1] != in[1]->dims[!call->turned]) return "its inputs are not those of its weights";
	call->rows = la_rows(in[0]);
	call->outputs = in[1]->dims[call->turned];
	call->inputs = in[1]->dims[!call->turned];
	call->x = in[0]->data;
	call->weight = in[1]->data;
	call->bias = frame->args.size == 3 ? in[2]->data : NULL;
	call->out = out->data;
	if (call->bias != NULL && (in[2]->rank != 1 || in[2]->dims[0] != call->outputs)) return "its bias is not one of its outputs";
	return NULL;
}

// What threads share of a gradient: pieces of some outputs.
typedef struct {
	const la_gradient *call;
	const la_gradient_kernels *kernels;
	int64_t outputs; // of a piece
} gradient_job;

static void compute_gradient(const void *what, int64_t piece, float *scratch) {
	const gradient_job *j = what;
	int64_t first = piece * j->outputs, last = first + j->outputs;
	j->kernels->of(j->call, first, last < j->call->outputs ? last : j->call->outputs, scratch);
}

static int run_gradient(const la_gradient *call, const la_gradient_kernels *kernels, const la_threads *threads) {
	int64_t pieces = threads->n > 1 ? PIECES * threads->n : 1;
	gradient_job j = {call, kernels, parts(parts(call->outputs, pieces), kernels->height) * kernels->height};
	return la_share(threads, compute_gradient, &j, parts(call->outputs, j.outputs), kernels->scratch(call));
}

const char *la_run_gradient(const la_gradient *call, const la_kernels *kernels, int threads) {
	la_threads own = la_own_threads(threads);
	return run_gradient(call, &kernels->gradient, &own) ? NULL : "no memory";
}

static ffi_error *handle(ffi_call *frame, la_dense call) {
	if (!la_is_execution(frame)) return NULL;
	const char *wrong = read_call(frame, &call);
	if (wrong != NULL) return la_failed(frame, "dense layer", FFI_INVALID_ARGUMENT, wrong);
	la_threads threads = la_threads_of(frame);
	if (!run(&call, la_usable(0), &threads)) return la_failed(frame, "dense layer", FFI_RESOURCE_EXHAUSTED, "no memory");
	return NULL;
}

void *la_dense_handler(ffi_call *frame) { return handle(frame, (la_dense){0}); }

void *la_dense_gelu_handler(ffi_call *frame) { return handle(frame, (la_dense){.gelu = 1}); }

void *la_dense_turned_handler(ffi_call *frame) { return handle(frame, (la_dense){.turned = 1}); }

// dy [rows, outputs] and x [1, rows, inputs] give [outputs, inputs].
static const char *read_gradient(const ffi_call *frame, la_gradient *call) {
	const char *wrong = la_takes_floats(frame, 2, 2);
	if (wrong != NULL) return wrong;
	ffi_buffer **in = (ffi_buffer **)frame->args.values, *out = frame->results.values[0];
	if (in[0]->rank != 2 || in[1]->rank != 3 || in[1]->dims[0] != 1 || in[0]->dims[0] != in[1]->dims[1]) return "its inputs are not those of its outputs";
	*call = (la_gradient){in[0]->data, in[1]->data, out->data, in[0]->dims[0], in[0]->dims[1], in[1]->dims[2]};
	return NULL;
}

void *la_gradient_handler(ffi_call *frame) {
	la_gradient call;
	if (!la_is_execution(frame)) return NULL;
	const char *wrong = read_gradient(frame, &call);
	if (wrong != NULL) return la_failed(frame, "gradient of a dense layer", FFI_INVALID_ARGUMENT, wrong);
	la_threads threads = la_threads_of(frame);
	if (!run_gradient(&call, &la_usable(0)->gradient, &threads)) return la_failed(frame, "gradient of a dense layer", FFI_RESOURCE_EXHAUSTED, "no memory");
	return NULL;
}
