// Attention as XLA calls it.

#include <stdlib.h>
#include <string.h>

#include "handlers.h"

// families are the spans of a call in the order of their tokens, those that go on from
// what another begins with behind that one: a family each, order[first[i]] …
// order[first[i+1]−1]. One thread computes a family, whose keys have gradients in common.
typedef struct {
	int32_t *order, *first;
	int64_t n;
} families;

// job is what threads share: pieces of a family and a key-value head.
typedef struct {
	const la_call *call;
	families of;
	la_pass *pass;
} job;

static void compute(const void *what, int64_t piece, float *scratch) {
	const job *j = what;
	int64_t family = piece / j->call->kv_heads;
	for (int32_t i = j->of.first[family]; i < j->of.first[family + 1]; i++)
		j->pass(j->call, j->of.order[i], (int)(piece % j->call->kv_heads), scratch);
}

// run makes a pass over all spans. It frees what find_families gave.
static int run(const la_call *call, families of, la_pass *pass, const la_threads *threads) {
	job j = {call, of, pass};
	int64_t longest = 0;
	for (int64_t s = 0; s < call->spans; s++) {
		int64_t keys = call->end[s] - call->start[s] + call->to[s] - call->from[s];
		if (keys > longest) longest = keys;
	}
	int fine = la_share(threads, compute, &j, of.n * call->kv_heads, la_scratch(call, longest));
	free(of.order);
	return fine;
}

static void zero(const la_call *call, float *x, int64_t from, int64_t to, int heads, int backward) {
	memset(x + from * heads * call->features, 0, (size_t)(to - from) * heads * call->features * sizeof *x);
	if (!backward) memset(call->lse + from * heads, 0, (size_t)(to - from) * heads * sizeof *x);
}

// Whether span a comes before span b: by the first token that each sees, then those that
// go on from no other, then by their own tokens.
static int comes_before(const la_call *call, int32_t a, int32_t b) {
	int goes_on_a = call->from[a] < call->to[a], goes_on_b = call->from[b] < call->to[b];
	int32_t first_a = goes_on_a ? call->from[a] : call->start[a], first_b = goes_on_b ? call->from[b] : call->start[b];
	if (first_a != first_b) return first_a < first_b;
	if (goes_on_a != goes_on_b) return goes_on_b;
	if (call->start[a] != call->start[b]) return call->start[a] < call->start[b];
	return call->end[a] < call->end[b];
}

// find_families sorts the spans, and says what is wrong with them.
static const char *find_families(const la_call *call, families *of) {
	of->order = malloc((size_t)(2 * call->spans + 1) * sizeof *of->order);
	if (of->order == NULL) return "no memory";
	of->first = of->order + call->spans;
	of->n = 0;
	for (int64_t s = 0; s < call->spans; s++) {
		if (call->start[s] < 0 || call->end[s] < call->start[s] || call->end[s] > call->tokens) return "a span lies outside of the tokens";
		if (call->from[s] < 0 || call->to[s] < call->from[s]) return "what a span goes on from ends before it begins";
		int64_t i = s;
		for (; i > 0 && comes_before(call, (int32_t)s, of->order[i - 1]); i--) of->order[i] = of->order[i - 1];
		of->order[i] = (int32_t)s;
	}
	int64_t last = 0;
	for (int64_t i = 0; i < call->spans; i++) {
		int32_t s = of->order[i], begun = of->n > 0 ? of->order[of->first[of->n - 1]] : -1;
		if (call->from[s] == call->to[s]) {
			of->first[of->n++] = (int32_t)i;
		} else if (begun < 0 || call->from[s] != call->start[begun] || call->to[s] > call->end[begun]) {
			return "a span goes on from tokens that no other begins with";
		} else if (!call->causal) {
			return "a span goes on from tokens that would see it too";
		}
		if (call->start[s] == call->end[s]) continue;
		if (call->start[s] < last) return "spans have tokens in common, or lie among those of another family";
		last = call->end[s];
	}
	of->first[of->n] = (int32_t)call->spans;
	return NULL;
}

// clear zeroes what a pass does not write: rows of no span.
static void clear(const la_call *call, const families *of, int backward) {
	float *of_queries = backward ? call->dquery : call->out;
	int64_t last = 0;
	for (int64_t i = 0; i <= call->spans; i++) { // the tokens before each span, and those after all
		int64_t s = i < call->spans ? of->order[i] : -1, start = s < 0 ? call->tokens : call->start[s], end = s < 0 ? start : call->end[s];
		int none = s >= 0 && start == end;
		if (call->one && none) zero(call, of_queries, s, s + 1, call->heads, backward);
		if (none) continue;
		if (!call->one) zero(call, of_queries, last, start, call->heads, backward);
		if (backward) {
			zero(call, call->dkey, last, start, call->kv_heads, 1);
			zero(call, call->dvalue, last, start, call->kv_heads, 1);
		}
		last = end;
	}
}

// prepare says what is wrong with a call, and finds the families that it is made of.
static const char *prepare(const la_call *call, families *of, int backward) {
	of->order = NULL;
	if (call->heads < 1 || call->kv_heads < 1 || call->heads % call->kv_heads != 0) return "the heads of keys do not divide those of queries";
	if (call->features < 16 || call->features % 16 != 0) return "features a head are no multiple of 16";
	if (call->queries != (call->one ? call->spans : call->tokens)) return "queries are neither one a token nor one a span";
	const char *wrong = find_families(call, of);
	if (wrong != NULL) {
		free(of->order);
		return wrong;
	}
	clear(call, of, backward);
	return NULL;
}

const char *la_run(const la_call *call, const la_kernels *kernels, int backward, int threads) {
	families of;
	const char *wrong = prepare(call, &of, backward);
	if (wrong != NULL) return wrong;
	la_threads own = la_own_threads(threads);
	if (!run(call, of, backward ? kernels->backward : kernels->forward, &own)) return "no memory";
	return NULL;
}

// The description of a call [6 + 4·spans] int32: the stream of dropout; the bits of
// its rate and of the scale, float32; the window; whether causal; whether one query a
// span; all starts; all ends; where what each goes on from starts, and where it ends.
enum { STREAM, RATE, SCALE, WINDOW, CAUSAL, ONE, SPANS };

static float float_of(int32_t bits) {
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

// query, key and value are [_, _, heads, features], of 4 axes each.
static const char *read_call(const ffi_call *frame, int64_t args, int64_t results, la_call *call) {
	if (frame->args.size != args || frame->results.size != results) return "it has another number of arguments or results";
	ffi_buffer **in = (ffi_buffer **)frame->args.values;
	for (int i = 0; i < 3; i++)
		if (in[i]->rank != 4 || in[i]->dtype != FFI_F32) return "queries, keys and values are not float32 of 4 axes";
	if (in[3]->rank != 1 || in[3]->dtype != FFI_S32 || in[3]->dims[0] < SPANS || (in[3]->dims[0] - SPANS) % 4 != 0) return "the description is not int32 of 1 axis, four numbers a span";
	const int32_t *about = in[3]->data;
	memset(call, 0, sizeof *call);
	call->query = in[0]->data;
	call->key = in[1]->data;
	call->value = in[2]->data;
	call->queries = in[0]->dims[0] * in[0]->dims[1];
	call->tokens = in[1]->dims[0] * in[1]->dims[1];
	call->heads = (int)in[0]->dims[2];
	call->kv_heads = (int)in[1]->dims[2];
	call->features = (int)in[0]->dims[3];
	call->spans = (in[3]->dims[0] - SPANS) / 4;
	call->start = about + SPANS;
	call->end = call->start + call->spans;
	call->from = call->end + call->spans;
	call->to = call->from + call->spans;
	call->stream = (uint32_t)about[STREAM];
	call->dropout = float_of(about[RATE]);
	call->scale = float_of(about[SCALE]);
	call->window = about[WINDOW];
	call->causal = about[CAUSAL];
	call->one = about[ONE];
	return NULL;
}

static ffi_error *handle(ffi_call *frame, int backward) {
	if (!la_is_execution(frame)) return NULL;
	la_call call;
	const char *wrong = backward ? read_call(frame, 7, 3, &call) : read_call(frame, 4, 2, &call);
	if (wrong != NULL) return la_failed(frame, "attention over spans", FFI_INVALID_ARGUMENT, wrong);
	ffi_buffer **in = (ffi_buffer **)frame->args.values, **out = (ffi_buffer **)frame->results.values;
	call.out = backward ? in[4]->data : out[0]->data;
	call.lse = backward ? in[5]->data : out[1]->data;
	if (backward) {
		call.dout = in[6]->data;
		call.dquery = out[0]->data;
		call.dkey = out[1]->data;
		call.dvalue = out[2]->data;
	}
	families of;
	if ((wrong = prepare(&call, &of, backward)) != NULL) return la_failed(frame, "attention over spans", FFI_INVALID_ARGUMENT, wrong);
	const la_kernels *kernels = la_usable(0);
	la_threads threads = la_threads_of(frame);
	if (!run(&call, of, backward ? kernels->backward : kernels->forward, &threads))
		return la_failed(frame, "attention over spans", FFI_RESOURCE_EXHAUSTED, "no memory");
	return NULL;
}

void *la_forward_handler(ffi_call *frame) { return handle(frame, 0); }

void *la_backward_handler(ffi_call *frame) { return handle(frame, 1); }
