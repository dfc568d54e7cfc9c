#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "threads.h"

// work is one call, in pieces. Whoever holds it takes pieces until none is left; the last
// to let go of it frees it.
typedef struct {
	void (*compute)(const void *call, int64_t piece, float *scratch);
	const void *call;
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
	free(w);
}

// Each thread keeps its scratch from call to call, as large as the largest needed: it is
// megabytes, often.
typedef struct {
	float *at;
	int64_t floats;
} own_scratch;

static pthread_key_t kept;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void drop(void *of_thread) {
	free(((own_scratch *)of_thread)->at);
	free(of_thread);
}

static void make_key(void) { pthread_key_create(&kept, drop); }

// NULL where there is no memory.
static float *scratch_of_thread(int64_t floats) {
	pthread_once(&once, make_key);
	own_scratch *s = pthread_getspecific(kept);
	if (s == NULL) {
		s = calloc(1, sizeof *s);
		if (s == NULL || pthread_setspecific(kept, s) != 0) {
			free(s);
			return NULL;
		}
	}
	if (s->floats < floats) {
		free(s->at);
		s->floats = 0;
		if (posix_memalign((void **)&s->at, 64, (size_t)floats * sizeof *s->at) != 0) {
			s->at = NULL;
			return NULL;
		}
		s->floats = floats;
	}
	return s->at;
}

static void take_part(work *w) {
	float *scratch = NULL;
	for (;;) {
		long long i = atomic_fetch_add(&w->next, 1);
		if (i >= w->pieces) break;
		if (scratch == NULL) scratch = scratch_of_thread(w->scratch + 16);
		if (scratch != NULL) w->compute(w->call, i, scratch);
		else atomic_store(&w->starved, 1);
		if (atomic_fetch_add(&w->done, 1) + 1 == w->pieces) {
			pthread_mutex_lock(&w->lock);
			pthread_cond_broadcast(&w->finished);
			pthread_mutex_unlock(&w->lock);
		}
	}
}

static void help(void *data) {
	take_part(data);
	let_go(data);
}

// A helper that comes too late finds nothing to do: nobody waits for one that has not begun.
int la_share(const la_threads *threads, void (*compute)(const void *, int64_t, float *), const void *call, int64_t pieces, int64_t scratch) {
	work *w = malloc(sizeof *w);
	if (w == NULL) return 0;
	memset(w, 0, sizeof *w);
	w->compute = compute;
	w->call = call;
	w->pieces = pieces;
	w->scratch = scratch;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->finished, NULL);
	atomic_store(&w->holders, 1);
	for (int64_t i = 1; i < threads->n && i < pieces; i++) {
		atomic_fetch_add(&w->holders, 1);
		if (!threads->schedule(threads->pool, help, w)) {
			atomic_fetch_sub(&w->holders, 1);
			break;
		}
	}
	take_part(w);
	pthread_mutex_lock(&w->lock);
	while (atomic_load(&w->done) < pieces) pthread_cond_wait(&w->finished, &w->lock);
	pthread_mutex_unlock(&w->lock);
	int fine = !atomic_load(&w->starved);
	let_go(w);
	return fine;
}

static int schedule_thread(void *pool, void (*task)(void *), void *data) {
	(void)pool;
	pthread_t thread;
	if (pthread_create(&thread, NULL, (void *(*)(void *))(void *)task, data) != 0) return 0;
	pthread_detach(thread);
	return 1;
}

la_threads la_own_threads(int n) { return (la_threads){n, schedule_thread, NULL}; }

static void forget(const ffi_call *frame, ffi_error *error) {
	ffi_error_destroy destroy = {.struct_size = sizeof destroy, .error = error};
	frame->api->error_destroy(&destroy);
}

static int schedule_in_pool(void *pool, void (*task)(void *), void *data) {
	const ffi_call *frame = pool;
	ffi_schedule args = {.struct_size = sizeof args, .context = frame->context, .task = task, .data = data};
	ffi_error *error = frame->api->schedule(&args);
	if (error != NULL) forget(frame, error);
	return error == NULL;
}

la_threads la_threads_of(ffi_call *frame) {
	int64_t n = 1;
	ffi_threads ask = {.struct_size = sizeof ask, .context = frame->context, .threads = &n};
	ffi_error *error = frame->api->num_threads(&ask);
	if (error != NULL) {
		forget(frame, error);
		n = 1;
	}
	return (la_threads){n, schedule_in_pool, frame};
}

int la_is_execution(ffi_call *frame) {
	if (frame->extensions != NULL && frame->extensions->type == FFI_METADATA) {
		ffi_metadata *metadata = ((ffi_metadata_extension *)frame->extensions)->metadata;
		metadata->version.major = frame->api->version.major;
		metadata->version.minor = frame->api->version.minor;
		metadata->traits = 0;
		return 0;
	}
	return frame->stage == FFI_EXECUTE;
}

const char *la_takes_floats(const ffi_call *frame, int64_t least, int64_t most) {
	if (frame->args.size < least || frame->args.size > most || frame->results.size != 1) return "it has another number of arguments or results";
	for (int64_t i = 0; i < frame->args.size; i++)
		if (((ffi_buffer *)frame->args.values[i])->dtype != FFI_F32) return "its arguments are not float32";
	return NULL;
}

int64_t la_rows(const ffi_buffer *x) {
	int64_t rows = 1;
	for (int64_t i = 0; i + 1 < x->rank; i++) rows *= x->dims[i];
	return rows;
}

ffi_error *la_failed(const ffi_call *frame, const char *what, int code, const char *why) {
	char message[256];
	snprintf(message, sizeof message, "laurel's %s: %s", what, why);
	ffi_error_create args = {.struct_size = sizeof args, .message = message, .code = code};
	return frame->api->error_create(&args);
}
