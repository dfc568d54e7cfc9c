// Attention's passes, a block of queries at a time. Scores lie turned, [keys, BLOCK]: a
// query is a column, so that the softmax of a vector of them needs no sums across it, and
// every product reads the numbers of its rows as operands (dense_body.h).

enum {
	BLOCK = 48,       // queries at a time: of each kind of tile a whole number
	COLUMN = NV * VW, // of those whose scores are computed together
	WIDE = 32         // rows of turned keys are padded to multiples of it
};

// Rows are a cache line longer, so that those of one column do not meet in the cache.
INLINE int64_t row_width(int64_t keys) { return (keys + WIDE - 1) / WIDE * WIDE + 16; }

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

// C [m, n] (+)= A [m, depth] · B [depth, n]; n is a multiple of COLUMN. A's element i, k is at
// a[i·rows + k·columns].
INLINE void product_of(int64_t m, int64_t n, int64_t depth, const float *a, int64_t rows, int64_t columns, const float *b, int64_t ldb, float *c, int64_t ldc, int add) {
	for (int64_t j = 0; j < n; j += COLUMN, b += COLUMN, c += COLUMN) {
		int64_t i = 0;
		for (; i + MR <= m; i += MR) tile(MR, depth, a + i * rows, rows, columns, b, ldb, c + i * ldc, ldc, add);
		for (; i + FEW <= m; i += FEW) tile(FEW, depth, a + i * rows, rows, columns, b, ldb, c + i * ldc, ldc, add);
		const float *left = a + i * rows;
		float *last = c + i * ldc;
		switch (m - i) {
#define LEFT(n) case n: tile(n, depth, left, rows, columns, b, ldb, last, ldc, add); break;
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
}

// Of A that lies turned, [depth, …].
static __attribute__((noinline)) void turned_product(int64_t m, int64_t n, int64_t depth, const float *a, int64_t columns, const float *b, int64_t ldb, float *c, int64_t ldc, int add) {
	product_of(m, n, depth, a, 1, columns, b, ldb, c, ldc, add);
}

// Of A that is the scores of some keys.
static __attribute__((noinline)) void product(int64_t m, int64_t n, int64_t depth, const float *a, const float *b, int64_t ldb, float *c, int64_t ldc, int add) {
	product_of(m, n, depth, a, BLOCK, 1, b, ldb, c, ldc, add);
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

// What queries first … first+count−1 see, one or the other of them.
INLINE seen seen_by_any(const la_call *call, int64_t first, int64_t count, int64_t keys) {
	seen s = {seen_by(call, first, keys).from, seen_by(call, first + count - 1, keys).to};
	return s;
}

// What dropout multiplies the probabilities of a key by.
INLINE vf kept(vu streams, int64_t key, uint32_t threshold, float factor) {
	vu bits = hash(((vu){0} + (uint32_t)key) ^ streams);
	return VKEEP(bits, threshold, factor);
}

// The part of a call that a pass works on.
typedef struct {
	int64_t first, own;      // tokens of the span
	int64_t before, shared;  // those that it goes on from
	int64_t keys;            // shared and own ones
	// What attends: the queries of a head, for each of the heads that share the keys; or, where a
	// span has one query, that of all these heads. Each is numbered query·H + head.
	int64_t heads, queries;
	int64_t at, step;        // number of the first one of the first head, and from one to the next
	int64_t wide;            // of a row of turned keys
	int64_t qk, gk;          // from a query's features, and a key's, to the next's
	uint32_t threshold;
	float factor;
} part;

INLINE part part_of(const la_call *call, int64_t span, int kv_head) {
	part p;
	int group = call->heads / call->kv_heads;
	p.first = call->start[span];
	p.own = call->end[span] - p.first;
	p.before = call->from[span];
	p.shared = p.own > 0 ? call->to[span] - p.before : 0;
	p.keys = p.shared + p.own;
	p.heads = call->one ? 1 : group;
	p.queries = call->one && p.own > 0 ? group : p.own;
	p.at = (call->one ? span : p.first) * call->heads + (int64_t)kv_head * group;
	p.step = call->one ? 1 : call->heads;
	p.wide = row_width(p.keys);
	p.qk = p.step * call->features;
	p.gk = (int64_t)call->kv_heads * call->features;
	p.threshold = (uint32_t)((double)call->dropout * 4294967295.0);
	p.factor = 1 / (1 - call->dropout);
	return p;
}

INLINE uint32_t row_stream(const la_call *call, int64_t number) { return hash((vu){(uint32_t)number ^ call->stream})[0]; }

// Keys, or values, of one head, x [N, G, K] from its first, to [features, wide].
INLINE void lay_out(const part *p, int features, const float *x, float *to) {
	if (p->shared > 0) transposed(p->shared, features, x + p->before * p->gk, p->gk, to, p->wide, p->shared);
	transposed(p->own, features, x + p->first * p->gk, p->gk, to + p->shared, p->wide, p->wide - p->shared);
}

// A column: queries of a block whose scores are computed together, and how keys are seen by
// them. What makes it up to COLUMN is like its last one.
typedef struct {
	seen any, all;        // keys that some of them see, and those that all do
	vi from[NV], to[NV];  // what each sees
	vu streams[NV];       // of each one's dropout
} column;

INLINE column column_of(const la_call *call, const part *p, int64_t head, int64_t first, int64_t count) {
	column c;
	c.any = seen_by_any(call, p->shared + first, count, p->keys);
	c.all.from = seen_by(call, p->shared + first + count - 1, p->keys).from;
	c.all.to = seen_by(call, p->shared + first, p->keys).to;
	for (int i = 0; i < COLUMN; i++) {
		int64_t query = first + (i < count ? i : count - 1);
		seen s = seen_by(call, p->shared + query, p->keys);
		c.from[i / VW][i % VW] = (int32_t)s.from;
		c.to[i / VW][i % VW] = (int32_t)s.to;
		c.streams[i / VW][i % VW] = p->threshold > 0 ? row_stream(call, p->at + head + query * p->step) : 0;
	}
	return c;
}

// x at the queries that see a key, else otherwise.
INLINE vf where_seen(const column *c, int64_t key, int vector, vf x, float otherwise) {
	if (key >= c->all.from && key < c->all.to) return x;
	vi k = (vi){0} + (int32_t)key;
	return pick((k >= c->from[vector]) & (k < c->to[vector]), x, splat(otherwise));
}

// Zero scores of the keys of a block that no query of a column sees.
INLINE void clear_unseen(const column *c, seen of_block, float *scores) {
	for (int64_t k = of_block.from; k < of_block.to; k++)
		for (int j = 0; j < NV && (k < c->any.from || k >= c->any.to); j++) store(scores + k * BLOCK + j * VW, (vf){0});
}

// Queries, or what is like them, x [n, …, K] from the first, to [features, BLOCK],
// zero beyond n.
INLINE void turn_block(const part *p, int64_t n, int features, const float *x, float scale, float *to) {
	transposed(n, features, x, p->qk, to, BLOCK, BLOCK);
	if (scale != 1)
		for (int64_t i = 0; i < (int64_t)features * BLOCK; i += VW) store(to + i, load(to + i) * scale);
}

// C [n, features] = Aᵀ [n, keys] · x, of the keys from … to−1.
INLINE void weigh(const part *p, int64_t n, int features, const float *a, seen of, const float *x, float *c) {
	int64_t end = of.to < p->shared ? of.to : p->shared, begin = of.from > p->shared ? of.from : p->shared;
	if (of.from < end) turned_product(n, features, end - of.from, a + of.from * BLOCK, BLOCK, x + (p->before + of.from) * p->gk, p->gk, c, p->qk, 0);
	if (begin < of.to) turned_product(n, features, of.to - begin, a + begin * BLOCK, BLOCK, x + (p->first + begin - p->shared) * p->gk, p->gk, c, p->qk, of.from < end);
}

// weigh, of queries that see other keys each: a tile of them at a time.
INLINE void weigh_seen(const la_call *call, const part *p, int64_t at, int64_t n, int features, const float *a, const float *x, float *c) {
	if (!call->causal && call->window == 0) {
		weigh(p, n, features, a, seen_by_any(call, p->shared + at, n, p->keys), x, c);
		return;
	}
	for (int64_t i = 0; i < n; i += MR) {
		int64_t some = n - i < MR ? n - i : MR;
		weigh(p, some, features, a + i, seen_by_any(call, p->shared + at + i, some, p->keys), x, c + i * p->qk);
	}
}

// x += A [keys, n] · B [n, features], of the keys from … to−1; or x = where add is 0, of its
// own ones.
INLINE void spread(const part *p, int64_t n, int features, const float *a, seen of, const float *b, float *x, int add) {
	int64_t end = of.to < p->shared ? of.to : p->shared, begin = of.from > p->shared ? of.from : p->shared;
	if (of.from < end) product(end - of.from, features, n, a + of.from * BLOCK, b, p->qk, x + (p->before + of.from) * p->gk, p->gk, 1);
	if (begin < of.to) product(of.to - begin, features, n, a + begin * BLOCK, b, p->qk, x + (p->first + begin - p->shared) * p->gk, p->gk, add);
}

// Of each query of a column the greatest score.
INLINE void greatest(const column *c, const float *scores, vf top[NV]) {
	enum { APART = 4 }; // maxima, so that none waits for the one before
	vf tops[NV][APART];
	for (int j = 0; j < NV; j++)
		for (int i = 0; i < APART; i++) tops[j][i] = splat(-INFINITY);
	int64_t k = c->any.from;
	for (; k + APART <= c->any.to; k += APART)
#pragma GCC unroll 4
		for (int i = 0; i < APART; i++)
			for (int j = 0; j < NV; j++) tops[j][i] = VMAX(tops[j][i], where_seen(c, k + i, j, load(scores + (k + i) * BLOCK + j * VW), -INFINITY));
	for (; k < c->any.to; k++)
		for (int j = 0; j < NV; j++) tops[j][0] = VMAX(tops[j][0], where_seen(c, k, j, load(scores + k * BLOCK + j * VW), -INFINITY));
	for (int j = 0; j < NV; j++) top[j] = VMAX(VMAX(tops[j][0], tops[j][1]), VMAX(tops[j][2], tops[j][3]));
}

// Scores of a column to e^score by the greatest, and dropout; sums of them before it, and the
// greatest, of each query.
INLINE void exponentials(const part *p, const column *c, float *scores, float *sum, float *most) {
	vf top[NV], sums[NV] = {{0}};
	greatest(c, scores, top);
	for (int64_t k = c->any.from; k < c->any.to; k++)
		for (int j = 0; j < NV; j++) {
			float *s = scores + k * BLOCK + j * VW;
			vf x = where_seen(c, k, j, exp_of(load(s) - top[j]), 0);
			sums[j] += x;
			if (p->threshold > 0) x *= kept(c->streams[j], k, p->threshold, p->factor);
			store(s, x);
		}
	for (int j = 0; j < NV; j++) store(sum + j * VW, sums[j]), store(most + j * VW, top[j]);
}

static void forward(const la_call *call, int64_t span, int kv_head, float *scratch) {
	part p = part_of(call, span, kv_head);
	int features = call->features;
	float *keys = scratch, *queries = keys + features * p.wide, *scores = queries + features * BLOCK;
	lay_out(&p, features, call->key + kv_head * features, keys);
	for (int64_t head = 0; head < p.heads; head++)
		for (int64_t at = 0; at < p.queries; at += BLOCK) {
			int64_t n = p.queries - at < BLOCK ? p.queries - at : BLOCK, number = p.at + head + at * p.step, row = number * features;
			seen any = seen_by_any(call, p.shared + at, n, p.keys);
			float sum[BLOCK], most[BLOCK];
			turn_block(&p, n, features, call->query + row, call->scale, queries);
			for (int64_t i = 0; i < n; i += COLUMN) {
				column c = column_of(call, &p, head, at + i, n - i < COLUMN ? n - i : COLUMN);
				turned_product(c.any.to - c.any.from, COLUMN, features, keys + c.any.from, p.wide, queries + i, BLOCK, scores + c.any.from * BLOCK + i, BLOCK, 0);
				exponentials(&p, &c, scores + i, sum + i, most + i);
				clear_unseen(&c, any, scores + i);
			}
			weigh_seen(call, &p, at, n, features, scores, call->value + kv_head * features, call->out + row);
			for (int64_t i = 0; i < n; i++) {
				float inverse = 1 / sum[i];
				call->lse[number + i * p.step] = most[i] + logf(sum[i]);
				for (int k = 0; k < features; k += VW) {
					float *o = call->out + row + i * p.qk + k;
					store(o, load(o) * inverse);
				}
			}
		}
}

// With P the probabilities, M what dropout multiplies them by, and D = Σ dO·O of a
// query: dV = (P∘M)ᵀ·dO, dS = P∘(M∘(dO·Vᵀ) − D), dQ = dS·K and dK = dSᵀ·Q, both times
// the scale. Scores become P∘M, and what the values give dS times the scale.
INLINE void differentiate(const la_call *call, const part *p, const column *c, const float *lse, const float *dot, float *scores, float *dscores) {
	for (int64_t k = c->any.from; k < c->any.to; k++)
		for (int j = 0; j < NV; j++) {
			float *s = scores + k * BLOCK + j * VW, *d = dscores + k * BLOCK + j * VW;
			vf prob = where_seen(c, k, j, exp_of(load(s) - load(lse + j * VW)), 0), grad = load(d), used = prob;
			if (p->threshold > 0) {
				vf m = kept(c->streams[j], k, p->threshold, p->factor);
				grad *= m;
				used *= m;
			}
			store(d, prob * (grad - load(dot + j * VW)) * call->scale);
			store(s, used);
		}
}

static void backward(const la_call *call, int64_t span, int kv_head, float *scratch) {
	part p = part_of(call, span, kv_head);
	int features = call->features;
	int64_t of_head = kv_head * features, first = p.first * p.gk + of_head;
	float *keys = scratch, *values = keys + features * p.wide, *queries = values + features * p.wide, *douts = queries + features * BLOCK;
	float *probs = douts + features * BLOCK, *dscores = probs + p.keys * BLOCK;
	lay_out(&p, features, call->key + of_head, keys);
	lay_out(&p, features, call->value + of_head, values);
	int every = !call->causal && call->window == 0; // block of queries reaches every key: the first sets what the others add to
	for (int64_t i = 0; i < p.own && !every; i++) {
		memset(call->dkey + first + i * p.gk, 0, features * sizeof(float));
		memset(call->dvalue + first + i * p.gk, 0, features * sizeof(float));
	}
	for (int64_t head = 0; head < p.heads; head++)
		for (int64_t at = 0; at < p.queries; at += BLOCK) {
			int64_t n = p.queries - at < BLOCK ? p.queries - at : BLOCK, number = p.at + head + at * p.step, row = number * features;
			seen any = seen_by_any(call, p.shared + at, n, p.keys);
			float lse[BLOCK] = {0}, dot[BLOCK] = {0};
			for (int64_t i = 0; i < n; i++) {
				vf dots = {0};
				for (int k = 0; k < features; k += VW) dots += load(call->dout + row + i * p.qk + k) * load(call->out + row + i * p.qk + k);
				dot[i] = sum_of(dots);
				lse[i] = call->lse[number + i * p.step];
			}
			turn_block(&p, n, features, call->query + row, call->scale, queries);
			turn_block(&p, n, features, call->dout + row, 1, douts);
			for (int64_t i = 0; i < n; i += COLUMN) {
				column c = column_of(call, &p, head, at + i, n - i < COLUMN ? n - i : COLUMN);
				int64_t m = c.any.to - c.any.from, from = c.any.from * BLOCK + i;
				turned_product(m, COLUMN, features, keys + c.any.from, p.wide, queries + i, BLOCK, probs + from, BLOCK, 0);
				turned_product(m, COLUMN, features, values + c.any.from, p.wide, douts + i, BLOCK, dscores + from, BLOCK, 0);
				differentiate(call, &p, &c, lse + i, dot + i, probs + i, dscores + i);
				clear_unseen(&c, any, probs + i);
				clear_unseen(&c, any, dscores + i);
			}
			weigh_seen(call, &p, at, n, features, dscores, call->key + of_head, call->dquery + row);
			int add = !every || at > 0 || head > 0;
			spread(&p, n, features, dscores, any, call->query + row, call->dkey + of_head, add);
			spread(&p, n, features, probs, any, call->dout + row, call->dvalue + of_head, add);
		}
}
