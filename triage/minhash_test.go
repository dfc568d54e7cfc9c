package triage

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"laurel/data"
)

// twoSets have a Jaccard similarity of about s.
func twoSets(random *rand.Rand, size int, s float64) (a, b []uint64) {
	both := int(math.Round(s * float64(size)))
	for i := range size {
		switch x := random.Uint64(); {
		case i < both:
			a, b = append(a, x), append(b, x)
		case i%2 == 0:
			a = append(a, x)
		default:
			b = append(b, x)
		}
	}
	slices.Sort(a)
	slices.Sort(b)
	return a, b
}

// TestEstimateBound: the estimate is off by five standard deviations, of 100
// independent minima, in none of the trials, by two in at most one of ten, and by
// next to nothing on average.
func TestEstimateBound(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	m := newMinHash()
	for _, s := range []float64{0.1, 0.3, 0.5, 0.8, 0.95} {
		const trials = 200
		mean, beyond := 0.0, 0
		for range trials {
			a, b := twoSets(random, 40+random.IntN(200), s)
			exact := jaccard(a, b)
			off := estimate(m.signature(a), m.signature(b)) - exact
			deviation := math.Sqrt(exact * (1 - exact) / minima)
			if mean += off / trials; math.Abs(off) > 5*deviation {
				t.Errorf("similarity %v estimated %v off, deviation %v", exact, off, deviation)
			}
			if math.Abs(off) > 2*deviation {
				beyond++
			}
		}
		if limit := 4 * math.Sqrt(s*(1-s)/minima/trials); math.Abs(mean) > limit || beyond > trials/10 {
			t.Errorf("similarity %v: %v off on average (limit %v), %d of %d beyond two deviations", s, mean, limit, beyond, trials)
		}
	}
}

// TestBandsMeet: sets of similarity 0.8 and more meet in some band, those of 0.2
// mostly not.
func TestBandsMeet(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	m := newMinHash()
	met := func(s float64) (n int) {
		for range 300 {
			a, b := twoSets(random, 100, s)
			x, y := banded(m.signature(a)), banded(m.signature(b))
			for k := range x {
				if x[k] == y[k] {
					n++
					break
				}
			}
		}
		return n
	}
	if high, low := met(0.82), met(0.2); high < 299 || low > 15 {
		t.Errorf("of 300 pairs met %d of similarity 0.82, %d of 0.2", high, low)
	}
}

func TestJaccardByHand(t *testing.T) {
	for _, c := range []struct {
		a, b []uint64
		want float64
	}{{[]uint64{1}, []uint64{1}, 1}, {[]uint64{1}, []uint64{2}, 0}, {[]uint64{1, 2, 3}, []uint64{2, 3, 4}, 0.5}} {
		if got := jaccard(c.a, c.b); got != c.want {
			t.Errorf("%v %v: %v", c.a, c.b, got)
		}
	}
	text := func(s string) []uint64 { return shingles(data.Text{Plain: s}) }
	for _, c := range []struct {
		a, b string
		want float64
	}{{"a b c d", "a b c e", 1.0 / 3}, {"A, b. C", "a b c", 1}, {"a b", "a b c", 0}, {"!?", "! ?", 0}, {"!?", "!?", 1}, {"", "", 1}, {"a b", "b a", 0}} {
		if got := jaccard(text(c.a), text(c.b)); got != c.want {
			t.Errorf("%q %q: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func FuzzShingles(f *testing.F) {
	for _, text := range []string{"", "a b c d", "日本語 を 話す", "\x00\xff", "x'’y"} {
		f.Add(text, text+" z")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := shingles(data.Text{Plain: a}), shingles(data.Text{Plain: b})
		if len(x) == 0 || !slices.IsSorted(x) || jaccard(x, x) != 1 {
			t.Errorf("%q: %v", a, x)
		}
		if s := jaccard(x, y); s < 0 || s > 1 || s != jaccard(y, x) {
			t.Errorf("%q %q: %v", a, b, s)
		}
	})
}

func TestSetFile(t *testing.T) {
	f, err := newSetFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	want := [][3][]uint64{{{1, 2}, {3}, {4, 5, 6}}, {{7}, {1 << 63}, {9}}}
	for _, sets := range want {
		if err := f.add(sets); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.written(); err != nil {
		t.Fatal(err)
	}
	for i, sets := range want {
		got, err := f.of(int32(i))
		for part := range sets {
			if err != nil || !slices.Equal(got[part], sets[part]) {
				t.Errorf("pair %d: %v, %v", i, got, err)
			}
		}
	}
}

// TestUnion: sides agree with a walk over the joins, whatever their order.
func TestUnion(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		const n = 40
		side := make([]bool, n)
		for i := range side {
			side[i] = random.IntN(2) == 0
		}
		u, part := newUnion(n), make([]int, n)
		for i := range part {
			part[i] = i
		}
		for range 30 {
			i, j := random.IntN(n), random.IntN(n)
			u.join(int32(i), int32(j), side[i] != side[j])
			for k, from, to := 0, part[j], part[i]; k < n; k++ {
				if part[k] == from {
					part[k] = to
				}
			}
		}
		for i := range n {
			for j := range n {
				a, turnedA := u.root(int32(i))
				b, turnedB := u.root(int32(j))
				if (a == b) != (part[i] == part[j]) || a == b && (turnedA != turnedB) != (side[i] != side[j]) {
					t.Fatalf("%d and %d", i, j)
				}
			}
		}
	}
}
