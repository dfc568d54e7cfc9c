// For x86 CPUs with AVX-512: 32 registers of 16 floats.
#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx2,fma,prefer-vector-width=512")
#endif
#define VW 16
#define MR 24 // each of a tile's products reads a row's number as an operand: few instructions
#define NV 1
#define NAME la_avx512
#define KIND "AVX-512"
#define VMAX(a, b) ((vf)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define VKEEP(bits, threshold, factor) ((vf)_mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask((__m512i)(bits), _mm512_set1_epi32((int)(threshold))), _mm512_set1_ps(factor)))

// 16 rows of 16 floats turned.
static void turn16(const float *x, int64_t apart, float *to, int64_t wide) {
	__m512 r[16], t[16];
	for (int i = 0; i < 16; i++) r[i] = _mm512_loadu_ps(x + i * apart);
	for (int i = 0; i < 16; i += 2) t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]), t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
	for (int i = 0; i < 16; i += 4)
		for (int j = 0; j < 2; j++) {
			__m512d a = _mm512_castps_pd(t[i + j]), b = _mm512_castps_pd(t[i + j + 2]);
			r[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
			r[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
		}
	for (int i = 0; i < 16; i += 8)
		for (int j = 0; j < 4; j++) {
			t[i + j] = _mm512_shuffle_f32x4(r[i + j], r[i + j + 4], 0x88);
			t[i + j + 4] = _mm512_shuffle_f32x4(r[i + j], r[i + j + 4], 0xdd);
		}
	for (int j = 0; j < 8; j++) {
		_mm512_storeu_ps(to + j * wide, _mm512_shuffle_f32x4(t[j], t[j + 8], 0x88));
		_mm512_storeu_ps(to + (j + 8) * wide, _mm512_shuffle_f32x4(t[j], t[j + 8], 0xdd));
	}
}
#define TURN16 turn16

// 8 rows of 16 floats turned.
static void turn8(const float *x, int64_t apart, float *to, int64_t wide) {
	__m512 r[8], t[8];
	for (int i = 0; i < 8; i++) r[i] = _mm512_loadu_ps(x + i * apart);
	for (int i = 0; i < 8; i += 2) t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]), t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
	for (int i = 0; i < 8; i += 4)
		for (int j = 0; j < 2; j++) {
			__m512d a = _mm512_castps_pd(t[i + j]), b = _mm512_castps_pd(t[i + j + 2]);
			r[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
			r[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
		}
	const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
	for (int j = 0; j < 4; j++) { // r[j] holds columns j, 4+j, 8+j and 12+j of rows 0 … 3, r[4+j] those of rows 4 … 7
		__m512d a = _mm512_castps_pd(r[j]), b = _mm512_castps_pd(r[4 + j]), first = _mm512_permutex2var_pd(a, low, b), last = _mm512_permutex2var_pd(a, high, b);
		_mm256_storeu_pd((double *)(to + j * wide), _mm512_castpd512_pd256(first));
		_mm256_storeu_pd((double *)(to + (4 + j) * wide), _mm512_extractf64x4_pd(first, 1));
		_mm256_storeu_pd((double *)(to + (8 + j) * wide), _mm512_castpd512_pd256(last));
		_mm256_storeu_pd((double *)(to + (12 + j) * wide), _mm512_extractf64x4_pd(last, 1));
	}
}
#define TURN8 turn8
#include "body.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
