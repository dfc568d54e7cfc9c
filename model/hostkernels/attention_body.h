// Attention's passes, in tiles of MR rows by NV vectors.

enum {
	BLOCK = 32, // queries at a time
	WIDE = 32   // rows of scores are padded to multiples of it
};

INLINE int64_t padded(int64_t n) { return (n + WIDE - 1) / WIDE * WIDE; }

// Rows are a cache line longer, so that those of one column do not meet in the cache.
INLINE int64_t row_width(int64_t keys) { return padded(keys) + 16; }

// e^x for x ≤ 0, to about one unit in the last place (Cody and Waite's reduction,
// the polynomial of Cephes' expf).
INLINE vf exp_of(vf x) {
	x = VMAX(splat(-87.0f), x); // what is not a number stays so
	vf n = x * 1.44269504088896341f + 12582912.0f;
	vi k = (vi)n; // the integer lies in the low bits
	n -= 12582912.0f;
	vf r = x - n * 0.693359375f;
	r -= n * -2.12194440e-4f;
	vf y = r * 1.9875691500e-4f + 1.3981999507e-3f;
	y = y * r + 8.3334519073e-3f;
	y = y * r + 4.1665795894e-2f;
	y = y * r + 1.6666665459e-1f;
	y = y * r + 5.0000001201e-1f;
	y = y * (r * r) + r + 1.0f;
	return (vf)((vi)y + (k << 23));
}

INLINE vu hash(vu x) { // Wellons' lowbias32, as in model/dropout.go
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ x >> 16;
}

INLINE float sum_of(vf x) {
	float s = 0;
	for (int i = 0; i < VW; i++) s += x[i];
	return s;
}

INLINE float max_of(vf x) {
	float m = x[0];
	for (int i = 1; i < VW; i++) m = x[i] > m ? x[i] : m;
	return m;
}

INLINE void column_of_tiles(int nv, int64_t m, int64_t depth, const float *a, int64_t rows, int64_t columns, const float *b, int64_t ldb, float *c, int64_t ldc, int add) {
	int64_t i = 0;
	for (; i + MR <= m; i += MR) tile(MR, nv, depth, a + i * rows, rows, columns, b, ldb, c + i * ldc, ldc, add);
	a += i * rows;
	c += i * ldc;
	switch (m - i) {
#define LEFT(n) case n: tile(n, nv, depth, a, rows, columns, b, ldb, c, ldc, add); break;
	LEFT(1) LEFT(2) LEFT(3)
#if MR > 4
	LEFT(4) LEFT(5)
#endif
#if MR > 6
	LEFT(6) LEFT(7)
#endif
#undef LEFT
	}
}

// C [m, n] (+)= A [m, depth] · B [depth, n]; n is a multiple of VW.
INLINE void product_of(int64_t m, int64_t n, int64_t depth, const float *a, int64_t rows, int64_t columns, const float *b, int64_t ldb, float *c, int64_t ldc, int add) {
	int64_t j = 0;
	for (; j + NV * VW <= n; j += NV * VW) column_of_tiles(NV, m, depth, a, rows, columns, b + j, ldb, c + j, ldc, add);
	for (; j < n; j += VW) column_of_tiles(1, m, depth, a, rows, columns, b + j, ldb, c + j, ldc, add);
}

static __attribute__((noinline)) void product(int64_t m, int64_t n, int64_t depth, const float *a, int64_t rows, const float *b, int64_t ldb, float *c, int64_t ldc, int add) {
	product_of(m, n, depth, a, rows, 1, b, ldb, c, ldc, add);
}

// C (+)= Aᵀ·B
static __attribute__((noinline)) void transposed_product(int64_t m, int64_t n, int64_t depth, const float *a, int64_t columns, const float *b, int64_t ldb, float *c, int64_t ldc, int add) {
	product_of(m, n, depth, a, 1, columns, b, ldb, c, ldc, add);
}

// The keys that a query sees: from … to−1, counted from the first that its span sees.
typedef struct {
	int64_t from, to;
} seen;

INLINE seen seen_by(const la_call *call, int64_t query, int64_t keys) {
	seen s = {0, keys};
	if (call->one) return s;
	if (call->causal) s.to = query + 1;
	if (call->window > 0 && call->causal && query + 1 > call->window) s.from = query + 1 - call->window;
	if (call->window > 0 && !call->causal) {
		if (query > call->window) s.from = query - call->window;
		if (query + call->window + 1 < keys) s.to = query + call->window + 1;
	}
	return s;
}

// What all queries of a block see, widened to whole vectors: rows of scores are
// computed there, and set to zero where their own query sees nothing.
INLINE seen seen_by_block(const la_call *call, int64_t first, int64_t count, int64_t keys) {
	seen s = {seen_by(call, first, keys).from / WIDE * WIDE, padded(seen_by(call, first + count - 1, keys).to)};
	return s;
}

INLINE vi lanes(void) {
	vi x;
	for (int i = 0; i < VW; i++) x[i] = i;
	return x;
}

// x at those of the VW keys from at on that are seen, else otherwise.
INLINE vf where_seen(seen s, int64_t at, vf x, float otherwise) {
	if (at >= s.from && at + VW <= s.to) return x;
	vi k = lanes() + (int32_t)at;
	return pick((k >= (int32_t)s.from) & (k < (int32_t)s.to), x, splat(otherwise));
}

// What dropout multiplies the VW probabilities from key at on by.
INLINE vf kept(uint32_t row, int64_t at, uint32_t threshold, float factor) {
	vu bits = hash(((vu)lanes() + (uint32_t)at) ^ row);
	return VKEEP(bits, threshold, factor);
}

// The part of a call that a pass works on.
typedef struct {
	int64_t first, own;      // tokens of the span
	int64_t before, shared;  // those that it goes on from
	int64_t keys;            // shared and own ones
	int64_t query, queries;  // rows of query
	int64_t wide;            // of a row of scores
	int64_t hk, gk;          // from a token's to the next's
	uint32_t threshold;
	float factor;
} part;

INLINE part part_of(const la_call *call, int64_t span) {
	part p;
	p.first = call->start[span];
	p.own = call->end[span] - p.first;
	p.before = call->from[span];
	p.shared = p.own > 0 ? call->to[span] - p.before : 0;
	p.keys = p.shared + p.own;
	p.query = call->one ? span : p.first;
	p.queries = call->one && p.own > 0 ? 1 : p.own;
	p.wide = row_width(p.keys);
	p.hk = (int64_t)call->heads * call->features;
	p.gk = (int64_t)call->kv_heads * call->features;
	p.threshold = (uint32_t)((double)call->dropout * 4294967295.0);
	p.factor = 1 / (1 - call->dropout);
	return p;
}

INLINE uint32_t row_stream(const la_call *call, int64_t query, int head) {
	return hash((vu){(uint32_t)(query * call->heads + head) ^ call->stream})[0];
}

// Keys, or values, of one head, x [N, G, K] from its first, to [features, wide].
INLINE void lay_out(const part *p, int features, const float *x, float *to) {
	if (p->shared > 0) transposed(p->shared, features, x + p->before * p->gk, p->gk, to, p->wide, p->shared);
	transposed(p->own, features, x + p->first * p->gk, p->gk, to + p->shared, p->wide, p->wide - p->shared);
}

// C [n, features] = A [n, wide] · x, of the keys from … to−1.
INLINE void weigh(const part *p, int64_t n, int features, const float *a, int64_t from, int64_t to, const float *x, float *c) {
	int64_t end = to < p->shared ? to : p->shared, begin = from > p->shared ? from : p->shared;
	if (from < end) product(n, features, end - from, a + from, p->wide, x + (p->before + from) * p->gk, p->gk, c, p->hk, 0);
	if (begin < to) product(n, features, to - begin, a + begin, p->wide, x + (p->first + begin - p->shared) * p->gk, p->gk, c, p->hk, from < end);
}

// x += Aᵀ [wide, n] · B [n, features], of the keys from … to−1; or x = where add is 0, of
// its own ones.
INLINE void spread(const part *p, int64_t n, int features, const float *a, int64_t from, int64_t to, const float *b, float *x, int add) {
	int64_t end = to < p->shared ? to : p->shared, begin = from > p->shared ? from : p->shared;
	if (from < end) transposed_product(end - from, features, n, a + from, p->wide, b, p->hk, x + (p->before + from) * p->gk, p->gk, 1);
	if (begin < to) transposed_product(to - begin, features, n, a + begin, p->wide, b, p->hk, x + (p->first + begin - p->shared) * p->gk, p->gk, add);
}

static void forward(const la_call *call, int64_t span, int kv_head, float *scratch) {
	part p = part_of(call, span);
	int features = call->features, group = call->heads / call->kv_heads;
	float *keys = scratch, *scores = keys + features * p.wide;
	lay_out(&p, features, call->key + kv_head * features, keys);
	for (int head = kv_head * group; head < (kv_head + 1) * group; head++)
		for (int64_t at = 0; at < p.queries; at += BLOCK) {
			int64_t n = p.queries - at < BLOCK ? p.queries - at : BLOCK;
			seen all = seen_by_block(call, p.shared + at, n, p.keys);
			int64_t row = (p.query + at) * p.hk + head * features;
			product(n, all.to - all.from, features, call->query + row, p.hk, keys + all.from, p.wide, scores + all.from, p.wide, 0);
			float inverse[BLOCK];
			for (int64_t i = 0; i < n; i++) {
				float *s = scores + i * p.wide;
				seen own = seen_by(call, p.shared + at + i, p.keys);
				vf top = splat(-INFINITY);
				for (int64_t k = all.from; k < all.to; k += VW) {
					vf x = where_seen(own, k, load(s + k) * call->scale, -INFINITY);
					store(s + k, x);
					top = VMAX(top, x);
				}
				float max = max_of(top);
				vf sums = {0};
				uint32_t stream = row_stream(call, p.query + at + i, head);
				for (int64_t k = all.from; k < all.to; k += VW) {
					vf x = where_seen(own, k, exp_of(load(s + k) - max), 0);
					sums += x;
					if (p.threshold > 0) x *= kept(stream, k, p.threshold, p.factor);
					store(s + k, x);
				}
				float sum = sum_of(sums);
				inverse[i] = 1 / sum;
				call->lse[(p.query + at + i) * call->heads + head] = max + logf(sum);
			}
			int64_t to = all.to < p.keys ? all.to : p.keys;
			weigh(&p, n, features, scores, all.from, to, call->value + kv_head * features, call->out + row);
			for (int64_t i = 0; i < n; i++)
				for (int k = 0; k < features; k += VW) {
					float *o = call->out + row + i * p.hk + k;
					store(o, load(o) * inverse[i]);
				}
		}
}

// With P the probabilities, M what dropout multiplies them by, and D = Σ dO·O of a
// query: dV = (P∘M)ᵀ·dO, dS = P∘(M∘(dO·Vᵀ) − D), dQ = dS·K and dK = dSᵀ·Q, both times
// the scale.
static void backward(const la_call *call, int64_t span, int kv_head, float *scratch) {
	part p = part_of(call, span);
	int features = call->features, group = call->heads / call->kv_heads;
	int64_t of_head = kv_head * features, first = p.first * p.gk + of_head;
	float *keys = scratch, *values = keys + features * p.wide, *probs = values + features * p.wide, *dscores = probs + BLOCK * p.wide;
	lay_out(&p, features, call->key + of_head, keys);
	lay_out(&p, features, call->value + of_head, values);
	int every = !call->causal && call->window == 0; // block of queries reaches every key: the first sets what the others add to
	for (int64_t i = 0; i < p.own && !every; i++) {
		memset(call->dkey + first + i * p.gk, 0, features * sizeof(float));
		memset(call->dvalue + first + i * p.gk, 0, features * sizeof(float));
	}
	for (int head = kv_head * group; head < (kv_head + 1) * group; head++)
		for (int64_t at = 0; at < p.queries; at += BLOCK) {
			int64_t n = p.queries - at < BLOCK ? p.queries - at : BLOCK;
			seen all = seen_by_block(call, p.shared + at, n, p.keys);
			int64_t row = (p.query + at) * p.hk + head * features, to = all.to < p.keys ? all.to : p.keys;
			product(n, all.to - all.from, features, call->query + row, p.hk, keys + all.from, p.wide, probs + all.from, p.wide, 0);
			product(n, all.to - all.from, features, call->dout + row, p.hk, values + all.from, p.wide, dscores + all.from, p.wide, 0);
			for (int64_t i = 0; i < n; i++) {
				float *s = probs + i * p.wide, *d = dscores + i * p.wide;
				seen own = seen_by(call, p.shared + at + i, p.keys);
				float lse = call->lse[(p.query + at + i) * call->heads + head];
				vf dots = {0};
				for (int k = 0; k < features; k += VW) dots += load(call->dout + row + i * p.hk + k) * load(call->out + row + i * p.hk + k);
				float dot = sum_of(dots);
				uint32_t stream = row_stream(call, p.query + at + i, head);
				for (int64_t k = all.from; k < all.to; k += VW) {
					vf prob = where_seen(own, k, exp_of(load(s + k) * call->scale - lse), 0);
					vf grad = load(d + k), used = prob;
					if (p.threshold > 0) {
						vf m = kept(stream, k, p.threshold, p.factor);
						grad *= m;
						used *= m;
					}
					store(d + k, prob * (grad - dot) * call->scale);
					store(s + k, used);
				}
			}
			weigh(&p, n, features, dscores, all.from, to, call->key + of_head, call->dquery + row);
			int add = !every || at > 0 || head > kv_head * group;
			spread(&p, n, features, dscores, all.from, to, call->query + row, call->dkey + of_head, add);
			spread(&p, n, features, probs, all.from, to, call->dout + row, call->dvalue + of_head, add);
		}
}
