package hostkernels

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawn is a call on random values: spans of those lengths, with padding between.
func drawn(lengths []int, heads, kvHeads, features int, one bool) *call {
	random := rand.New(rand.NewPCG(1, 2))
	c := &call{heads: heads, kvHeads: kvHeads, features: features, one: one, scale: 0.3}
	tokens := 3
	for _, n := range lengths {
		c.start, c.end = append(c.start, int32(tokens)), append(c.end, int32(tokens+n))
		c.from, c.to = append(c.from, 0), append(c.to, 0)
		tokens += n + len(c.start)%3
	}
	values := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		return x
	}
	queries := tokens
	if one {
		queries = len(lengths)
	}
	c.query, c.key, c.value = values(queries*heads*features), values(tokens*kvHeads*features), values(tokens*kvHeads*features)
	return c
}

// goOn has spans go on from so many of the first tokens of another.
func (c *call) goOn(from int, tokens int32, spans ...int) {
	for _, s := range spans {
		c.from[s], c.to[s] = c.start[from], c.start[from]+tokens
	}
}

// sees tells whether query i sees key j, both counted from the first that their span sees.
func (c *call) sees(i, j int) bool {
	switch {
	case c.one:
		return true
	case c.causal && j > i, c.causal && c.window > 0 && i-j >= c.window:
		return false
	}
	return c.causal || c.window == 0 || max(i-j, j-i) <= c.window
}

// keeps is what dropout multiplies a probability by.
func (c *call) keeps(query, head, key int) float64 {
	if c.dropout == 0 {
		return 1
	}
	hash := func(x uint32) uint32 {
		x ^= x >> 16
		x *= 0x7feb352d
		x ^= x >> 15
		x *= 0x846ca68b
		return x ^ x>>16
	}
	row := hash(uint32(query*c.heads+head) ^ c.stream)
	if hash(row^uint32(key)) < uint32(float64(c.dropout)*math.MaxUint32) {
		return 0
	}
	return 1 / (1 - float64(c.dropout))
}

// reference computes everything by its definition, in float64: with probabilities
// P, outputs O = (P∘M)·V, and the gradients of Σ O·dO by the rules of products and of
// softmax.
func (c *call) reference(dout []float32) (out, dquery, dkey, dvalue []float64) {
	group := c.heads / c.kvHeads
	out, dquery = make([]float64, len(c.query)), make([]float64, len(c.query))
	dkey, dvalue = make([]float64, len(c.key)), make([]float64, len(c.key))
	for s := range c.start {
		var tokens []int // that the span sees
		for t := c.from[s]; t < c.to[s]; t++ {
			tokens = append(tokens, int(t))
		}
		shared := len(tokens)
		for t := c.start[s]; t < c.end[s]; t++ {
			tokens = append(tokens, int(t))
		}
		for head := range c.heads {
			for i := shared; i < len(tokens); i++ {
				query := tokens[i]
				if c.one {
					query = s
				}
				if c.one && i > shared {
					break
				}
				q := (query*c.heads + head) * c.features
				at := func(j int) int { return (tokens[j]*c.kvHeads + head/group) * c.features }
				probs, grads, sum, dot := make([]float64, len(tokens)), make([]float64, len(tokens)), 0.0, 0.0
				for j := range tokens {
					score := 0.0
					for k := range c.features {
						score += float64(c.query[q+k]) * float64(c.key[at(j)+k]) * float64(c.scale)
					}
					if c.sees(i, j) {
						probs[j] = math.Exp(score)
						sum += probs[j]
					}
				}
				for j := range tokens {
					probs[j] /= sum
					m := c.keeps(query, head, j)
					for k := range c.features {
						out[q+k] += probs[j] * m * float64(c.value[at(j)+k])
						dvalue[at(j)+k] += probs[j] * m * float64(dout[q+k])
						grads[j] += m * float64(dout[q+k]) * float64(c.value[at(j)+k])
					}
					dot += probs[j] * grads[j]
				}
				for j := range tokens {
					d := probs[j] * (grads[j] - dot) * float64(c.scale)
					for k := range c.features {
						dquery[q+k] += d * float64(c.key[at(j)+k])
						dkey[at(j)+k] += d * float64(c.query[q+k])
					}
				}
			}
		}
	}
	return out, dquery, dkey, dvalue
}

func TestAgainstDefinition(t *testing.T) {
	lengths := []int{1, 2, 31, 33, 64, 7, 0, 70, 129}
	for _, c := range []struct {
		name                     string
		heads, kvHeads, features int
		one, causal, shared      bool
		window                   int
		dropout                  float32
	}{
		{"encoder", 3, 3, 32, false, false, false, 0, 0},
		{"dropout", 2, 2, 32, false, false, false, 0, 0.2},
		{"one query a span", 3, 3, 32, true, false, false, 0, 0.1},
		{"causal, grouped", 4, 2, 64, false, true, false, 0, 0},
		{"causal, grouped, window, dropout", 6, 2, 48, false, true, false, 9, 0.1},
		{"window on both sides", 2, 2, 16, false, false, false, 16, 0},
		{"wide heads", 2, 1, 128, false, true, false, 40, 0},
		{"shared, grouped", 4, 2, 64, false, true, true, 0, 0},
		{"shared, window, dropout", 6, 2, 48, false, true, true, 40, 0.1},
		{"one query a span, wide keys of all heads", 12, 1, 96, true, false, false, 0, 0.1},
		{"shared, one query a span", 4, 2, 32, true, true, true, 0, 0.1},
	} {
		in := drawn(lengths, c.heads, c.kvHeads, c.features, c.one)
		if c.shared {
			in.goOn(2, 1, 3)        // of 31 tokens one
			in.goOn(4, 64, 5, 6, 7) // all of a span's; one span has none of its own
		}
		in.causal, in.window, in.dropout, in.stream = c.causal, c.window, c.dropout, 12345
		dout := slices.Clone(in.query)
		slices.Reverse(dout)
		wantOut, wantQuery, wantKey, wantValue := in.reference(dout)
		for kernel := range kernels() {
			t.Run(c.name+", "+kernel, func(t *testing.T) {
				got := in.both(t, dout, kernel, 2)
				near(t, "out", got.out, wantOut, 1)
				near(t, "dquery", got.dquery, wantQuery, 1)
				near(t, "dkey", got.dkey, wantKey, 1)
				near(t, "dvalue", got.dvalue, wantValue, 1)
			})
		}
	}
}

func (c *call) both(t testing.TB, dout []float32, kernel string, threads int) *results {
	t.Helper()
	r := c.results()
	if err := errors.Join(c.forward(r, kernel, threads), c.backward(r, dout, kernel, threads)); err != nil {
		t.Fatal(err)
	}
	return r
}

// near holds results to 2e-5, times what sums of so many terms may differ by.
func near(t *testing.T, name string, got []float32, want []float64, times float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= 2e-5*times*(1+math.Abs(want[i]))) {
			t.Fatalf("%s %d: %v, want %v", name, i, got[i], want[i])
		}
	}
}

// A span's results do not depend, bit by bit, on where it lies, on what lies beside
// it, or on the number of threads.
func TestSpansDoNotMeet(t *testing.T) {
	alone := drawn([]int{77}, 2, 2, 32, false)
	beside := drawn([]int{5, 40, 77, 130}, 2, 2, 32, false)
	each := alone.heads * alone.features
	from, to := int(alone.start[0])*each, int(beside.start[2])*each
	n := 77 * each
	for _, x := range [][2][]float32{{beside.query, alone.query}, {beside.key, alone.key}, {beside.value, alone.value}} {
		copy(x[0][to:to+n], x[1][from:from+n])
	}
	results := func(c *call, at, threads int) (all []float32) {
		r := c.both(t, c.query, "", threads)
		for _, x := range [][]float32{r.out, r.dquery, r.dkey, r.dvalue} {
			all = append(all, x[at:at+n]...)
		}
		return all
	}
	want := results(alone, from, 1)
	for threads := 1; threads < 5; threads++ {
		if !slices.Equal(results(beside, to, threads), want) {
			t.Errorf("%d threads: other bits beside others than alone", threads)
		}
	}
}

// A span that goes on from what another begins with has the outputs, bit by bit, of one
// that begins so itself; three threads give the gradients of one, where they meet.
func TestGoesOn(t *testing.T) {
	for _, window := range []int{0, 50} {
		apart := drawn([]int{77, 90, 81}, 4, 2, 32, false)
		apart.causal, apart.window = true, window
		for _, x := range []struct {
			values []float32
			each   int
		}{{apart.query, 4 * 32}, {apart.key, 2 * 32}, {apart.value, 2 * 32}} {
			for s := 1; s < 3; s++ { // the first 41 tokens of each span are those of the first
				copy(x.values[int(apart.start[s])*x.each:][:41*x.each], x.values[int(apart.start[0])*x.each:])
			}
		}
		shared := *apart
		shared.start, shared.from, shared.to = slices.Clone(apart.start), slices.Clone(apart.from), slices.Clone(apart.to)
		for s := 1; s < 3; s++ {
			shared.start[s] += 41
		}
		shared.goOn(0, 41, 1, 2)
		for kernel := range kernels() {
			want, got := apart.both(t, apart.query, kernel, 2), shared.both(t, shared.query, kernel, 1)
			for s := range apart.start {
				from, to := int(shared.start[s])*4*32, int(shared.end[s])*4*32
				if !slices.Equal(got.out[from:to], want.out[from:to]) {
					t.Errorf("%s, window %d: span %d has other bits than in a row of its own", kernel, window, s)
				}
			}
			again := shared.both(t, shared.query, kernel, 3)
			if !slices.Equal(again.dkey, got.dkey) || !slices.Equal(again.dvalue, got.dvalue) {
				t.Errorf("%s, window %d: gradients depend on the number of threads", kernel, window)
			}
		}
	}
}

// What is not a number is not lost.
func TestNotANumberStays(t *testing.T) {
	for kernel := range kernels() {
		for name, spoil := range map[string]func(*call){
			"query": func(c *call) { c.query[3*64] = float32(math.NaN()) },
			"key":   func(c *call) { c.key[20*64] = float32(math.NaN()) },
			"value": func(c *call) { c.value[20*64] = float32(math.NaN()) },
		} {
			c := drawn([]int{50}, 2, 2, 32, false)
			spoil(c)
			if x := c.both(t, c.query, kernel, 1).out[3*64]; x == x {
				t.Errorf("%s, a %s that is not a number: the output is %v", kernel, name, x)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for want, spoil := range map[string]func(*call){
		"a span lies outside of the tokens":                                 func(c *call) { c.end[0] = 1000 },
		"spans have tokens in common, or lie among those of another family": func(c *call) { c.start[1] = c.end[0] - 1 },
		"features a head are no multiple of 16":                             func(c *call) { c.features, c.heads, c.kvHeads = 8, 8, 8 },
		"the heads of keys do not divide those of queries":                  func(c *call) { c.kvHeads = 4; c.heads = 2 },
		"queries are neither one a token nor one a span":                    func(c *call) { c.one = true },
		"what a span goes on from ends before it begins":                    func(c *call) { c.from[1], c.to[1] = 5, 4 },
		"a span goes on from tokens that no other begins with":              func(c *call) { c.from[1], c.to[1] = 5, 8 },
		"a span goes on from tokens that would see it too":                  func(c *call) { c.goOn(0, 3, 1) },
	} {
		c := drawn([]int{50, 20}, 2, 2, 32, false)
		r := c.results()
		spoil(c)
		if err := c.forward(r, "", 1); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	for _, n := range []int{64, 128, 256, 512} {
		for _, dropout := range []float32{0, 0.1} {
			lengths := slices.Repeat([]int{n}, 2048/n)
			c := drawn(lengths, 12, 12, 32, false)
			c.dropout = dropout
			b.Run(fmt.Sprintf("%d of %d, dropout %v", 2048/n, n, dropout), func(b *testing.B) {
				r := c.both(b, c.query, "", 2)
				for b.Loop() {
					if err := errors.Join(c.forward(r, "", 2), c.backward(r, c.query, "", 2)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
