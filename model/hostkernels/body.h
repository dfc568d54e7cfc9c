// All kernels, written once for vectors of VW floats. Each kernels_*.c sets VW, the sizes of
// tiles, and NAME for a kind of CPU.

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernels.h"

typedef float vf __attribute__((vector_size(4 * VW)));
typedef float vfu __attribute__((vector_size(4 * VW), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * VW)));
typedef uint32_t vu __attribute__((vector_size(4 * VW)));

#define INLINE static inline __attribute__((always_inline))

enum { FEW = MR < 8 ? MR : 8 }; // rows of the tile for a few

// Four of the eight floats of two vectors, as GCC and Clang have it.
#if defined(__clang__)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (i4){i, j, k, l})
#endif
typedef int32_t i4 __attribute__((vector_size(16)));

INLINE vf load(const float *p) { return *(const vfu *)p; }
INLINE void store(float *p, vf x) { *(vfu *)p = x; }
INLINE vf splat(float x) { return x - (vf){0}; }
INLINE vf pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
#ifndef VMAX // the greater, b where either is not a number
#define VMAX(a, b) pick((a) > (b), (a), (b))
#endif
#ifndef VKEEP // factor where the bits are at least the threshold, else 0
#define VKEEP(bits, threshold, factor) pick((vi)((bits) >= (threshold)), splat(factor), (vf){0})
#endif

// One tile of C (+)= A·B: mr rows by NV vectors, over depth. A's element i, k is at
// a[i·rows + k·columns].
INLINE void tile(int mr, int64_t depth, const float *a, int64_t rows, int64_t columns, const float *b, int64_t ldb, float *c, int64_t ldc, int add) {
	vf sums[MR][NV];
#pragma GCC unroll 32
	for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
		for (int j = 0; j < NV; j++) sums[i][j] = add ? load(c + i * ldc + j * VW) : (vf){0};
#pragma GCC unroll 4
	for (int64_t k = 0; k < depth; k++) {
		vf line[NV];
#pragma GCC unroll 4
		for (int j = 0; j < NV; j++) line[j] = load(b + k * ldb + j * VW);
#pragma GCC unroll 32
		for (int i = 0; i < mr; i++) {
			vf factor = splat(a[i * rows + k * columns]);
#pragma GCC unroll 4
			for (int j = 0; j < NV; j++) sums[i][j] += factor * line[j];
		}
	}
#pragma GCC unroll 32
	for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
		for (int j = 0; j < NV; j++) store(c + i * ldc + j * VW, sums[i][j]);
}

// x [n, features], rows so far apart, to [features, room] of rows of wide; zero beyond n.
static __attribute__((noinline)) void transposed(int64_t n, int features, const float *x, int64_t apart, float *to, int64_t wide, int64_t room) {
	typedef float v4 __attribute__((vector_size(16)));
	typedef float v4u __attribute__((vector_size(16), aligned(4), may_alias));
	int64_t turned = 0; // rows that are done, of the features before whole
	int k = 0, whole = 0;
#ifdef TURN16
	turned = n / 16 * 16;
	whole = features / 16 * 16;
	for (; k < whole; k += 16)
		for (int64_t i = 0; i < turned; i += 16) TURN16(x + i * apart + k, apart, to + k * wide + i, wide);
	if (n - turned >= 8) {
		for (k = 0; k < whole; k += 16) TURN8(x + turned * apart + k, apart, to + k * wide + turned, wide);
		turned += 8;
	}
#endif
	for (k = 0; k + 4 <= features; k += 4) {
		int64_t i = k < whole ? turned : 0;
		for (; i + 4 <= n; i += 4) {
			const float *p = x + i * apart + k;
			v4 a = *(const v4u *)p, b = *(const v4u *)(p + apart), c = *(const v4u *)(p + 2 * apart), d = *(const v4u *)(p + 3 * apart);
			v4 ab = SHUFFLE(a, b, 0, 4, 1, 5), AB = SHUFFLE(a, b, 2, 6, 3, 7);
			v4 cd = SHUFFLE(c, d, 0, 4, 1, 5), CD = SHUFFLE(c, d, 2, 6, 3, 7);
			float *q = to + k * wide + i;
			*(v4u *)q = SHUFFLE(ab, cd, 0, 1, 4, 5);
			*(v4u *)(q + wide) = SHUFFLE(ab, cd, 2, 3, 6, 7);
			*(v4u *)(q + 2 * wide) = SHUFFLE(AB, CD, 0, 1, 4, 5);
			*(v4u *)(q + 3 * wide) = SHUFFLE(AB, CD, 2, 3, 6, 7);
		}
		for (; i < n; i++)
			for (int j = k; j < k + 4; j++) to[j * wide + i] = x[i * apart + j];
	}
	for (; k < features; k++)
		for (int64_t i = 0; i < n; i++) to[k * wide + i] = x[i * apart + k];
	for (k = 0; n < room && k < features; k++) memset(to + k * wide + n, 0, (room - n) * sizeof *to);
}

#include "attention_body.h"
#include "dense_body.h"
#include "gradient_body.h"
#include "norm_body.h"

const la_kernels NAME = {forward, backward, {lay_out_weights, dense_rows, DENSE_WIDTH, MR}, {gradient_scratch, gradient_of, MR}, norm_rows, KIND};
