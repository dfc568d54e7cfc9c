// The gradient of a dense layer's weights, in tiles of MR outputs by NV vectors of inputs.
// Each number is the sum over the rows in order, whichever piece computes it.

enum { GRADIENT_PANELS = 1 << 18 }; // floats that the inputs of some rows take: they stay in the second cache

INLINE int64_t gradient_width(const la_gradient *call) { return (call->inputs + DENSE_WIDTH - 1) / DENSE_WIDTH * DENSE_WIDTH; }

// Rows at a time.
INLINE int64_t gradient_depth(const la_gradient *call) {
	int64_t depth = GRADIENT_PANELS / gradient_width(call);
	return depth > DENSE_DEPTH ? DENSE_DEPTH : depth < 32 ? 32 : depth;
}

static int64_t gradient_scratch(const la_gradient *call) { return gradient_depth(call) * (gradient_width(call) + MR) + MR * DENSE_WIDTH; }

// One tile, of m outputs by n inputs, which begins at out.
INLINE void gradient_tile(const la_gradient *call, int64_t m, int64_t n, int64_t depth, const float *of_outputs, const float *panel, float *out, float *spare, int add) {
	float *c = out;
	int64_t ldc = call->inputs;
	if (m < MR || n < DENSE_WIDTH) {
		c = spare;
		ldc = DENSE_WIDTH;
		for (int64_t i = 0; i < m && add; i++) memcpy(c + i * ldc, out + i * call->inputs, (size_t)n * sizeof *c);
	}
	dense_tile(m, depth, of_outputs, panel, c, ldc, add);
	for (int64_t i = 0; i < m && c == spare; i++) memcpy(out + i * call->inputs, c + i * ldc, (size_t)n * sizeof *c);
}

// The gradients of the weights of outputs first … last−1.
static void gradient_of(const la_gradient *call, int64_t first, int64_t last, float *scratch) {
	int64_t width = gradient_width(call), most = gradient_depth(call);
	float *panels = scratch, *of_outputs = panels + most * width, *spare = of_outputs + most * MR;
	memset(spare, 0, MR * DENSE_WIDTH * sizeof *spare);
	for (int64_t row = 0; row < call->rows; row += most) {
		int64_t depth = call->rows - row < most ? call->rows - row : most;
		for (int64_t at = 0; at < call->inputs; at += DENSE_WIDTH)
			cut_out(depth, call->inputs - at, call->x + row * call->inputs + at, call->inputs, panels + at * depth, DENSE_WIDTH);
		for (int64_t o = first; o < last; o += MR) {
			int64_t m = last - o < MR ? last - o : MR;
			cut_out(depth, m, call->dy + row * call->outputs + o, call->outputs, of_outputs, MR);
			for (int64_t at = 0; at < call->inputs; at += DENSE_WIDTH)
				gradient_tile(call, m, call->inputs - at < DENSE_WIDTH ? call->inputs - at : DENSE_WIDTH, depth, of_outputs, panels + at * depth, call->out + o * call->inputs + at, spare, row > 0);
		}
	}
}
