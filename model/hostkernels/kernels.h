// What a CPU computes for XLA.
#ifndef LAUREL_HOSTKERNELS_KERNELS_H
#define LAUREL_HOSTKERNELS_KERNELS_H

#include <stdint.h>

// Attention over spans, forward and backward.
//
// A span is a sequence of tokens that lie one after another; a query sees the
// keys of its own span. A span may go on from what another begins with, as a
// second response to a prompt does: it then sees those keys before its own. Scores
// are computed a block of queries at a time and never kept (Dao et al. 2022,
// arXiv:2205.14135): the backward pass computes them again from the logarithm of
// each softmax's denominator.
//
// Shapes: N tokens, H heads, G key-value heads, K features a head, Q queries: N,
// or one for each span. All arrays are row-major.
typedef struct {
	const float *query;      // [Q, H, K]
	const float *key, *value; // [N, G, K]
	float *out;              // [Q, H, K]
	float *lse;              // [Q, H]: log Σ exp(score) of each softmax
	// The backward pass reads out and lse, and these, and writes the others.
	const float *dout;       // [Q, H, K]
	float *dquery;           // [Q, H, K]
	float *dkey, *dvalue;    // [N, G, K]

	// [spans]: a span is tokens start … end−1, none where they are equal, and goes on
	// from tokens from … to−1, which another begins with; from nothing where they are
	// equal. Spans come in any order; those that go on from another lie next to it.
	const int32_t *start, *end, *from, *to;
	int64_t spans, tokens, queries;
	int heads, kv_heads, features;
	int one;         // one query for each span, which sees all of its keys
	int causal;      // a query sees no key after it
	int window;      // > 0: a query sees keys less than so many tokens before it if causal, else at most so many on either side
	float scale;     // of the scores
	float dropout;   // rate at which probabilities are dropped
	uint32_t stream; // decides which
} la_call;

// What one thread needs to work on a span that sees so many keys, in floats.
int64_t la_scratch(const la_call *call, int64_t longest);

// A pass over one span and one key-value head with all heads that share it. A span
// that others go on from comes before them, on the same thread.
typedef void la_pass(const la_call *call, int64_t span, int kv_head, float *scratch);

// A dense layer: x·Wᵀ + bias, then GELU (Hendrycks & Gimpel 2016, arXiv:1606.08415, by erf)
// if asked for. Arrays are row-major.
typedef struct {
	const float *x;      // [rows, inputs]
	const float *weight; // [outputs, inputs], or, if turned, [inputs, outputs]
	const float *bias;   // [outputs], or NULL
	float *out;          // [rows, outputs]
	int64_t rows, inputs, outputs;
	int turned, gelu;
} la_dense;

// Weights are laid out in panels, of the outputs that a tile gives, from one output on;
// then come outputs first … last−1 of at most height rows by their panels, with room for
// height·(inputs + width) floats.
typedef struct {
	void (*lay_out)(const la_dense *call, int64_t first, float *panel);
	void (*rows)(const la_dense *call, int64_t row, int64_t rows, int64_t first, int64_t last, const float *panels, float *scratch);
	int64_t width, height;
} la_dense_kernels;

// The gradient of a dense layer's weights: dyᵀ·x. Arrays are row-major.
typedef struct {
	const float *dy; // [rows, outputs]
	const float *x;  // [rows, inputs]
	float *out;      // [outputs, inputs]
	int64_t rows, outputs, inputs;
} la_gradient;

// It is computed for outputs first … last−1; first is a multiple of height.
typedef struct {
	int64_t (*scratch)(const la_gradient *call); // floats that a thread needs
	void (*of)(const la_gradient *call, int64_t first, int64_t last, float *scratch);
	int64_t height;
} la_gradient_kernels;

// Layer norm (Ba et al. 2016, arXiv:1607.06450): (x−mean)/√(variance+epsilon)·gain + bias of
// each row. Arrays are row-major.
typedef struct {
	const float *x;       // [rows, features]
	const float *epsilon; // one
	const float *gain;    // [features]
	const float *bias;    // [features], or NULL
	float *out;           // [rows, features]
	int64_t rows, features;
} la_norm;

typedef struct {
	la_pass *forward, *backward;
	la_dense_kernels dense;
	la_gradient_kernels gradient;
	void (*norm)(const la_norm *call, int64_t first, int64_t last); // of rows first … last−1
	const char *name;
} la_kernels;

extern const la_kernels la_generic;
#if defined(__x86_64__)
extern const la_kernels la_avx2, la_avx512;
#endif

// The i-th of those that this CPU can run, the fastest first; NULL after the last.
const la_kernels *la_usable(int i);

#endif
