package hostattention

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

// sees tells whether query i of a span of n sees key j.
func (c *call) sees(i, j, n int) bool {
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
		first, n := int(c.start[s]), int(c.end[s]-c.start[s])
		for head := range c.heads {
			for i := range n {
				if c.one && i > 0 {
					break
				}
				query := first + i
				if c.one {
					query = s
				}
				q := (query*c.heads + head) * c.features
				at := func(j int) int { return ((first+j)*c.kvHeads + head/group) * c.features }
				probs, grads, sum, dot := make([]float64, n), make([]float64, n), 0.0, 0.0
				for j := range n {
					score := 0.0
					for k := range c.features {
						score += float64(c.query[q+k]) * float64(c.key[at(j)+k]) * float64(c.scale)
					}
					if c.sees(i, j, n) {
						probs[j] = math.Exp(score)
						sum += probs[j]
					}
				}
				for j := range n {
					probs[j] /= sum
					m := c.keeps(query, head, j)
					for k := range c.features {
						out[q+k] += probs[j] * m * float64(c.value[at(j)+k])
						dvalue[at(j)+k] += probs[j] * m * float64(dout[q+k])
						grads[j] += m * float64(dout[q+k]) * float64(c.value[at(j)+k])
					}
					dot += probs[j] * grads[j]
				}
				for j := range n {
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
		one, causal              bool
		window                   int
		dropout                  float32
	}{
		{"encoder", 3, 3, 32, false, false, 0, 0},
		{"dropout", 2, 2, 32, false, false, 0, 0.2},
		{"one query a span", 3, 3, 32, true, false, 0, 0.1},
		{"causal, grouped", 4, 2, 64, false, true, 0, 0},
		{"causal, grouped, window, dropout", 6, 2, 48, false, true, 9, 0.1},
		{"window on both sides", 2, 2, 16, false, false, 16, 0},
		{"wide heads", 2, 1, 128, false, true, 40, 0},
	} {
		in := drawn(lengths, c.heads, c.kvHeads, c.features, c.one)
		in.causal, in.window, in.dropout, in.stream = c.causal, c.window, c.dropout, 12345
		dout := slices.Clone(in.query)
		slices.Reverse(dout)
		wantOut, wantQuery, wantKey, wantValue := in.reference(dout)
		for kernel := range kernels() {
			t.Run(c.name+", "+kernel, func(t *testing.T) {
				got := in.both(t, dout, kernel, 2)
				near(t, "out", got.out, wantOut)
				near(t, "dquery", got.dquery, wantQuery)
				near(t, "dkey", got.dkey, wantKey)
				near(t, "dvalue", got.dvalue, wantValue)
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

func near(t *testing.T, name string, got []float32, want []float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= 2e-5*(1+math.Abs(want[i]))) {
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
		"a span lies outside of the tokens":                                  func(c *call) { c.end[0] = 1000 },
		"spans are not in the order of their tokens, or have some in common": func(c *call) { c.start, c.end = append(c.start, 5), append(c.end, 20) },
		"features a head are no multiple of 16":                              func(c *call) { c.features, c.heads, c.kvHeads = 8, 8, 8 },
		"the heads of keys do not divide those of queries":                   func(c *call) { c.kvHeads = 4; c.heads = 2 },
		"queries are neither one a token nor one a span":                     func(c *call) { c.one = true },
	} {
		c := drawn([]int{50}, 2, 2, 32, false)
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
