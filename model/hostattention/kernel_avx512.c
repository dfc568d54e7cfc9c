// For x86 CPUs with AVX-512: 32 registers of 16 floats.
#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx2,fma,prefer-vector-width=512")
#endif
#define VW 16
#define NV 2
#define MR 8
#define NAME la_avx512
#define KIND "AVX-512"
#define VMAX(a, b) ((vf)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define VKEEP(bits, threshold, factor) ((vf)_mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask((__m512i)(bits), _mm512_set1_epi32((int)(threshold))), _mm512_set1_ps(factor)))
#include "kernel_body.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
