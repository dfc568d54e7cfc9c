#include "kernel.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// Each of SUMS sums takes every SUMS-th square: the order is the same for all CPUs.
enum { SUMS = 32 };

INLINE double squares(const float *g, int64_t n) {
	float sums[SUMS] = {0};
	int64_t i = 0;
	for (; i + SUMS <= n; i += SUMS)
		for (int j = 0; j < SUMS; j++) sums[j] += g[i + j] * g[i + j];
	double sum = 0;
	for (int j = 0; j < SUMS; j++) sum += sums[j];
	for (; i < n; i++) sum += (double)g[i] * g[i];
	return sum;
}

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,fma")))

// Eight elements; each product that is added to is fused with its sum.
AVX2 INLINE void update_eight(float *w, float *m, float *v, const float *g, const lw_factors *f) {
	__m256 grad = _mm256_mul_ps(_mm256_loadu_ps(g), _mm256_set1_ps(f->clip));
	__m256 mean = _mm256_fmadd_ps(_mm256_loadu_ps(m), _mm256_set1_ps(f->beta1), _mm256_mul_ps(grad, _mm256_set1_ps(f->rest1)));
	__m256 square = _mm256_fmadd_ps(_mm256_loadu_ps(v), _mm256_set1_ps(f->beta2), _mm256_mul_ps(_mm256_mul_ps(grad, grad), _mm256_set1_ps(f->rest2)));
	_mm256_storeu_ps(m, mean);
	_mm256_storeu_ps(v, square);
	__m256 by = _mm256_add_ps(_mm256_div_ps(_mm256_sqrt_ps(square), _mm256_set1_ps(f->root)), _mm256_set1_ps(f->eps));
	__m256 kept = _mm256_mul_ps(_mm256_loadu_ps(w), _mm256_set1_ps(f->keep));
	_mm256_storeu_ps(w, _mm256_fnmadd_ps(_mm256_set1_ps(f->step), _mm256_div_ps(mean, by), kept));
}

AVX2 static void update_avx2(float *w, float *m, float *v, const float *g, int64_t n, const lw_factors *f) {
	int64_t i = 0;
	for (; i + 8 <= n; i += 8) update_eight(w + i, m + i, v + i, g + i, f);
	if (i == n) return;
	float rest[4][8] = {0};
	size_t bytes = (size_t)(n - i) * sizeof(float);
	const float *from[] = {w + i, m + i, v + i, g + i};
	for (int j = 0; j < 4; j++) memcpy(rest[j], from[j], bytes);
	update_eight(rest[0], rest[1], rest[2], rest[3], f);
	memcpy(w + i, rest[0], bytes);
	memcpy(m + i, rest[1], bytes);
	memcpy(v + i, rest[2], bytes);
}

AVX2 static double squares_avx2(const float *g, int64_t n) { return squares(g, n); }

static int has_avx2(void) {
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

void lw_update(float *w, float *m, float *v, const float *g, int64_t n, lw_factors f) {
#if defined(__x86_64__)
	if (has_avx2()) {
		update_avx2(w, m, v, g, n, &f);
		return;
	}
#endif
	for (int64_t i = 0; i < n; i++) {
		float grad = g[i] * f.clip;
		m[i] = m[i] * f.beta1 + grad * f.rest1;
		v[i] = v[i] * f.beta2 + grad * grad * f.rest2;
		w[i] = w[i] * f.keep - f.step * (m[i] / (sqrtf(v[i]) / f.root + f.eps));
	}
}

double lw_squares(const float *g, int64_t n) {
#if defined(__x86_64__)
	if (has_avx2()) return squares_avx2(g, n);
#endif
	return squares(g, n);
}
