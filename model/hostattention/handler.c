// What XLA calls, and how the work is dealt to its threads.

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ffi.h"
#include "handler.h"

// families are the spans of a call in the order of their tokens, those that go on from
// what another begins with behind that one: a family each, order[first[i]] …
// order[first[i+1]−1]. One thread computes a family, whose keys have gradients in common.
typedef struct {
	int32_t *order, *first;
	int64_t n;
} families;

// work is one call, in pieces of a family and a key-value head. Whoever holds it
// takes pieces until none is left; the last to let go of it frees it.
typedef struct {
	la_call call;
	families of;
	la_pass *pass;
	int64_t scratch, pieces;
	atomic_llong next, done;
	atomic_int holders, starved;
	pthread_mutex_t lock;
	pthread_cond_t finished;
} work;

static void let_go(work *w) {
	if (atomic_fetch_sub(&w->holders, 1) > 1) return;
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->finished);
	free(w->of.order);
	free(w);
}

static void compute(work *w, int64_t piece, float *scratch) {
	int64_t family = piece / w->call.kv_heads;
	for (int32_t i = w->of.first[family]; i < w->of.first[family + 1]; i++)
		w->pass(&w->call, w->of.order[i], (int)(piece % w->call.kv_heads), scratch);
}

static void take_part(work *w) {
	float *scratch = NULL;
	for (;;) {
		long long i = atomic_fetch_add(&w->next, 1);
		if (i >= w->pieces) break;
		if (scratch == NULL && posix_memalign((void **)&scratch, 64, (size_t)(w->scratch + 16) * sizeof(float)) != 0) {
			scratch = NULL;
			atomic_store(&w->starved, 1);
		}
		if (scratch != NULL) compute(w, i, scratch);
		if (atomic_fetch_add(&w->done, 1) + 1 == w->pieces) {
			pthread_mutex_lock(&w->lock);
			pthread_cond_broadcast(&w->finished);
			pthread_mutex_unlock(&w->lock);
		}
	}
	free(scratch);
}

static void help(void *data) {
	take_part(data);
	let_go(data);
}

// run makes a pass over all spans, with help of as many threads as there are, and
// waits for it. A helper that comes too late finds nothing to do: nobody waits for one
// that has not begun. It frees what find_families gave.
static int run(const la_call *call, families of, la_pass *pass, int64_t threads, int (*schedule)(void *, void (*)(void *), void *), void *pool) {
	work *w = malloc(sizeof *w);
	if (w == NULL) {
		free(of.order);
		return 0;
	}
	memset(w, 0, sizeof *w);
	w->call = *call;
	w->of = of;
	w->pass = pass;
	w->pieces = of.n * call->kv_heads;
	int64_t longest = 0;
	for (int64_t s = 0; s < call->spans; s++) {
		int64_t keys = call->end[s] - call->start[s] + call->to[s] - call->from[s];
		if (keys > longest) longest = keys;
	}
	w->scratch = la_scratch(call, longest);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->finished, NULL);
	atomic_store(&w->holders, 1);
	for (int64_t i = 1; i < threads && i < w->pieces; i++) {
		atomic_fetch_add(&w->holders, 1);
		if (!schedule(pool, help, w)) {
			atomic_fetch_sub(&w->holders, 1);
			break;
		}
	}
	take_part(w);
	pthread_mutex_lock(&w->lock);
	while (atomic_load(&w->done) < w->pieces) pthread_cond_wait(&w->finished, &w->lock);
	pthread_mutex_unlock(&w->lock);
	int fine = !atomic_load(&w->starved);
	let_go(w);
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

static int schedule_thread(void *pool, void (*task)(void *), void *data) {
	(void)pool;
	pthread_t thread;
	if (pthread_create(&thread, NULL, (void *(*)(void *))(void *)task, data) != 0) return 0;
	pthread_detach(thread);
	return 1;
}

const char *la_run(const la_call *call, const la_kernels *kernels, int backward, int threads) {
	families of;
	const char *wrong = prepare(call, &of, backward);
	if (wrong != NULL) return wrong;
	if (!run(call, of, backward ? kernels->backward : kernels->forward, threads, schedule_thread, NULL)) return "no memory";
	return NULL;
}

static int schedule_in_pool(void *pool, void (*task)(void *), void *data) {
	const ffi_call *call = pool;
	ffi_schedule args = {.struct_size = sizeof args, .context = call->context, .task = task, .data = data};
	ffi_error *error = call->api->schedule(&args);
	if (error == NULL) return 1;
	ffi_error_destroy destroy = {.struct_size = sizeof destroy, .error = error};
	call->api->error_destroy(&destroy);
	return 0;
}

static ffi_error *failed(const ffi_call *call, int code, const char *why) {
	char message[256];
	snprintf(message, sizeof message, "laurel's attention over spans: %s", why);
	ffi_error_create args = {.struct_size = sizeof args, .message = message, .code = code};
	return call->api->error_create(&args);
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
	if (frame->extensions != NULL && frame->extensions->type == FFI_METADATA) {
		ffi_metadata *metadata = ((ffi_metadata_extension *)frame->extensions)->metadata;
		metadata->version.major = frame->api->version.major;
		metadata->version.minor = frame->api->version.minor;
		metadata->traits = 0;
		return NULL;
	}
	if (frame->stage != FFI_EXECUTE) return NULL;
	la_call call;
	const char *wrong = backward ? read_call(frame, 7, 3, &call) : read_call(frame, 4, 2, &call);
	if (wrong != NULL) return failed(frame, FFI_INVALID_ARGUMENT, wrong);
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
	if ((wrong = prepare(&call, &of, backward)) != NULL) return failed(frame, FFI_INVALID_ARGUMENT, wrong);
	int64_t threads = 1;
	ffi_threads ask = {.struct_size = sizeof ask, .context = frame->context, .threads = &threads};
	ffi_error *error = frame->api->num_threads(&ask);
	if (error != NULL) {
		ffi_error_destroy destroy = {.struct_size = sizeof destroy, .error = error};
		frame->api->error_destroy(&destroy);
		threads = 1;
	}
	const la_kernels *kernels = la_usable(0);
	if (!run(&call, of, backward ? kernels->backward : kernels->forward, threads, schedule_in_pool, frame))
		return failed(frame, FFI_RESOURCE_EXHAUSTED, "no memory");
	return NULL;
}

void *la_forward_handler(ffi_call *frame) { return handle(frame, 0); }

void *la_backward_handler(ffi_call *frame) { return handle(frame, 1); }
