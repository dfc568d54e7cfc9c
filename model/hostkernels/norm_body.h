// Layer norm, a row at a time: each has the same bits wherever it lies.

INLINE float mean_of(const float *x, int64_t n, float from, int squared) {
	vf sums[4] = {{0}};
	int64_t k = 0;
	for (; k + 4 * VW <= n; k += 4 * VW)
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			vf d = load(x + k + i * VW) - from;
			sums[i] += squared ? d * d : d;
		}
	float sum = sum_of(sums[0] + sums[1] + (sums[2] + sums[3]));
	for (; k < n; k++) sum += squared ? (x[k] - from) * (x[k] - from) : x[k] - from;
	return sum / (float)n;
}

// Rows first … last−1.
static void norm_rows(const la_norm *call, int64_t first, int64_t last) {
	int64_t n = call->features;
	for (int64_t row = first; row < last; row++) {
		const float *x = call->x + row * n;
		float *out = call->out + row * n, mean = mean_of(x, n, 0, 0);
		float scale = 1 / sqrtf(mean_of(x, n, mean, 1) + *call->epsilon);
		int64_t k = 0;
		for (; k + VW <= n; k += VW) {
			vf y = (load(x + k) - mean) * scale * load(call->gain + k);
			store(out + k, call->bias != NULL ? y + load(call->bias + k) : y);
		}
		for (; k < n; k++) out[k] = (x[k] - mean) * scale * call->gain[k] + (call->bias != NULL ? call->bias[k] : 0);
	}
}
