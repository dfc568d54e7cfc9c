// For any CPU: vectors of 4 floats.
#define VW 4
#define NV 2
#define MR 4
#define NAME la_generic
#define KIND "4 floats a vector"
#include "body.h"

// Keys and values turned, a block of queries and of outputs' gradients turned, and two blocks
// of scores.
int64_t la_scratch(const la_call *call, int64_t longest) { return 2 * call->features * (row_width(longest) + BLOCK) + 2 * longest * BLOCK; }

const la_kernels *la_usable(int i) {
	const la_kernels *usable[4] = {0};
	int n = 0;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) usable[n++] = &la_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) usable[n++] = &la_avx2;
#endif
	usable[n++] = &la_generic;
	return i < n ? usable[i] : 0;
}
