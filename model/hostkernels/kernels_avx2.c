// For x86 CPUs with AVX2: 16 registers of 8 floats.
#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define VW 8
#define NV 2
#define MR 6
#define NAME la_avx2
#define KIND "AVX2"
#define VMAX(a, b) ((vf)_mm256_max_ps((__m256)(a), (__m256)(b)))
#include "body.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
