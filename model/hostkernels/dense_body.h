// x·Wᵀ, in tiles of MR rows by NV vectors. Each output is the sum over its
// inputs in order, whichever tile computes it: the same bits in every row.

enum {
	DENSE_WIDTH = NV * VW, // outputs of a panel
	DENSE_DEPTH = 384 // inputs at a time: of so many, the rows of a tile stay in the first cache
};

// erf(x) as x·P(x²)/Q(x²), to a few units in the last place (Eigen's generic_fast_erf_float,
// which XLA's CPU has too).
INLINE vf erf_of(vf x) {
	x = VMAX(splat(-3.832506856900711f), x); // what is not a number stays so
	x = -VMAX(splat(-3.832506856900711f), -x);
	vf s = x * x;
	vf p = s * -2.72614225801306e-10f + 2.77068142495902e-08f;
	p = p * s - 2.10102402082508e-06f;
	p = p * s - 5.69250639462346e-05f;
	p = p * s - 7.34990630326855e-04f;
	p = p * s - 2.95459980854025e-03f;
	p = p * s - 1.60960333262415e-02f;
	vf q = s * -1.45660718464996e-05f - 2.13374055278905e-04f;
	q = q * s - 1.68282697438203e-03f;
	q = q * s - 7.37332916720468e-03f;
	q = q * s - 1.42647390514189e-02f;
	return x * p / q;
}

// The outputs of the panel that begins with one.
INLINE int64_t panel_outputs(const la_dense *call, int64_t first) { return call->outputs - first < DENSE_WIDTH ? call->outputs - first : DENSE_WIDTH; }

// The first n columns of rows, x [rows, apart], to [rows, wide]: at most as many as that, zeros
// beyond them.
INLINE void cut_out(int64_t rows, int64_t n, const float *x, int64_t apart, float *to, int64_t wide) {
	for (int64_t k = 0; k < rows; k++, x += apart, to += wide) {
		if (n >= wide) {
			memcpy(to, x, (size_t)wide * sizeof *to);
			continue;
		}
		memcpy(to, x, (size_t)n * sizeof *to);
		memset(to + n, 0, (size_t)(wide - n) * sizeof *to);
	}
}

// A tile of so many rows, or at least of them, whose numbers lie [depth, MR], by a panel.
INLINE void dense_tile(int64_t rows, int64_t depth, const float *of_rows, const float *panel, float *c, int64_t ldc, int add) {
	if (rows <= FEW) tile(FEW, depth, of_rows, 1, MR, panel, DENSE_WIDTH, c, ldc, add);
	else tile(MR, depth, of_rows, 1, MR, panel, DENSE_WIDTH, c, ldc, add);
}

// A panel of outputs: their weights as [inputs, DENSE_WIDTH], zeros where there are fewer.
static void lay_out_weights(const la_dense *call, int64_t first, float *panel) {
	int64_t n = panel_outputs(call, first);
	if (!call->turned) {
		transposed(n, call->inputs, call->weight + first * call->inputs, call->inputs, panel, DENSE_WIDTH, DENSE_WIDTH);
		return;
	}
	cut_out(call->inputs, n, call->weight + first, call->outputs, panel, DENSE_WIDTH);
}

// The bias added, and the activation, of what a panel gave.
INLINE vf finished(const la_dense *call, vf x, vf bias) {
	x += bias;
	return call->gelu ? x * 0.5f * (erf_of(x * 0.70710678118654752f) + 1.0f) : x;
}

// One panel's outputs of so many rows; those of rows are [inputs, MR].
INLINE void dense_panel(const la_dense *call, int64_t row, int64_t rows, int64_t first, const float *of_rows, const float *panel, float *spare) {
	int64_t n = panel_outputs(call, first);
	float *out = call->out + row * call->outputs + first, *c = out, bias[DENSE_WIDTH] = {0};
	int64_t ldc = call->outputs;
	if (n < DENSE_WIDTH || rows < MR) {
		c = spare;
		ldc = DENSE_WIDTH;
	}
	for (int64_t k = 0; k < call->inputs; k += DENSE_DEPTH) {
		int64_t depth = call->inputs - k < DENSE_DEPTH ? call->inputs - k : DENSE_DEPTH;
		dense_tile(rows, depth, of_rows + k * MR, panel + k * DENSE_WIDTH, c, ldc, k > 0);
	}
	if (call->bias != NULL) memcpy(bias, call->bias + first, (size_t)n * sizeof *bias);
	for (int64_t i = 0; i < rows && (call->bias != NULL || call->gelu); i++)
		for (int j = 0; j < DENSE_WIDTH; j += VW) store(c + i * ldc + j, finished(call, load(c + i * ldc + j), load(bias + j)));
	for (int64_t i = 0; i < rows && c == spare; i++) memcpy(out + i * call->outputs, spare + i * DENSE_WIDTH, (size_t)n * sizeof *out);
}

// Outputs first … last−1 of at most MR rows, by their panels.
static void dense_rows(const la_dense *call, int64_t row, int64_t rows, int64_t first, int64_t last, const float *panels, float *scratch) {
	float *spare = scratch + MR * call->inputs;
	transposed(rows, call->inputs, call->x + row * call->inputs, call->inputs, scratch, MR, MR);
	for (int64_t at = first; at < last; at += DENSE_WIDTH) dense_panel(call, row, rows, at, scratch, panels + (at - first) * call->inputs, spare);
}
