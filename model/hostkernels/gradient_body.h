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

// Columns first … first+n−1 of rows, x [rows, apart], to [rows, wide], zeros beyond n.
INLINE void cut_out(int64_t rows, int64_t n, const float *x, int64_t apart, float *to, int64_t wide) {
	for (int64_t k = 0; k < rows; k++, x += apart, to += wide) {
		if (n < wide) memset(to + n, 0, (size_t)(wide - n) * sizeof *to);
		memcpy(to, x, (size_t)n * sizeof *to);
	}
}

// One tile, of m outputs by n inputs, which begins at out.
INLINE void gradient_tile(const la_gradient *call, int64_t m, int64_t n, int64_t depth, const float *of_outputs, const float *panel, float *out, float *spare, int add) {
	float *c = out;
	int64_t ldc = call->inputs;
	if (m < MR || n < DENSE_WIDTH) {
		c = spare;
		ldc = DENSE_WIDTH;
		for (int64_t i = 0; i < m && add; i++) memcpy(c + i * ldc, out + i * call->inputs, (size_t)n * sizeof *c);
	}
	if (m <= FEW) tile(FEW, NV, depth, of_outputs, 1, MR, panel, DENSE_WIDTH, c, ldc, add);
	else tile(MR, NV, depth, of_outputs, 1, MR, panel, DENSE_WIDTH, c, ldc, add);
	for (int64_t i = 0; i < m && c == spare; i++) memcpy(out + i * call->inputs, c + i * ldc, (size_t)n * sizeof *c);
}

// The gradients of the weights of outputs first … last−1.
static void gradient_of(const la_gradient *call, int64_t first, int64_t last, float *scratch) {
	int64_t width = gradient_width(call), most = gradient_depth(call);
	float *panels = scratch, *of_outputs = panels + most * width, *spare = of_outputs + most * MR;
	memset(spare, 0, MR * DENSE_WIDTH * sizeof *spare);
	for (int64_t row = 0; row < call->rows; row += most) {
		int64_t depth = call->rows - row < most ? call->rows - row : most;
		for (int64_t at = 0; at < call->inputs; at += DENSE_WIDTH) {
			int64_t n = call->inputs - at;
			if (n >= DENSE_WIDTH) cut_out(depth, DENSE_WIDTH, call->x + row * call->inputs + at, call->inputs, panels + at * depth, DENSE_WIDTH);
			else cut_out(depth, n, call->x + row * call->inputs + at, call->inputs, panels + at * depth, DENSE_WIDTH);
		}
		for (int64_t o = first; o < last; o += MR) {
			int64_t m = last - o;
			if (m >= MR) cut_out(depth, MR, call->dy + row * call->outputs + o, call->outputs, of_outputs, MR);
			else cut_out(depth, m, call->dy + row * call->outputs + o, call->outputs, of_outputs, MR);
			for (int64_t at = 0; at < call->inputs; at += DENSE_WIDTH)
				gradient_tile(call, m < MR ? m : MR, call->inputs - at < DENSE_WIDTH ? call->inputs - at : DENSE_WIDTH, depth, of_outputs, panels + at * depth, call->out + o * call->inputs + at, spare, row > 0);
		}
	}
}
