package batches

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"laurel/data"
)

// lengthsStore holds pairs that have so many ids, about half of them in each
// sequence.
func lengthsStore(t *testing.T, lengths []int) *Store {
	t.Helper()
	pairs := func(yield func(data.Pair, error) bool) {
		for i := range lengths {
			if !yield(data.Pair{Row: i, Unit: "line", File: "f", Confidence: 1}, nil) {
				return
			}
		}
	}
	encode := func(p data.Pair) (chosen, rejected data.Tokens, err error) {
		ids := make([]int32, lengths[p.Row])
		for i := range ids {
			ids[i] = int32(i)
		}
		half := len(ids) / 2
		return data.Tokens{IDs: ids[:half]}, data.Tokens{IDs: ids[half:]}, nil
	}
	s, err := BuildStore(context.Background(), filepath.Join(t.TempDir(), "tokens"), pairs, encode, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// likeHH are lengths of n pairs of two conversations that begin alike, each cut to
// 512 ids: log-normal, as those of hh-rlhf about are.
func likeHH(n int) []int {
	random := rand.New(rand.NewPCG(9, 9))
	draw := func(median, spread float64) float64 { return median * math.Exp(spread*random.NormFloat64()) }
	lengths := make([]int, n)
	for i := range lengths {
		prompt := draw(110, 0.7)
		for range 2 {
			lengths[i] += min(512, 2+int(prompt+draw(45, 0.9)))
		}
	}
	return lengths
}

// TestFlatOrder: over lengths, batch sizes and rows' limits, an epoch has every pair
// once, batches have exactly BatchSize pairs but for one, parts hold their batch's
// pairs and no others, within their length, which is one of the order's, and their
// ids lie where they say.
func TestFlatOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	for try := range 60 {
		lengths := make([]int, 1+random.IntN(120))
		alike := 2 + random.IntN(50)
		for i := range lengths {
			lengths[i] = alike
			if try%3 > 0 {
				lengths[i] = 2 + random.IntN(80)
			}
		}
		if try%4 == 0 { // one is longer than all others together, or nearly so
			lengths[random.IntN(len(lengths))] = 3000
		}
		s := lengthsStore(t, lengths)
		o := Order{BatchSize: 1 + random.IntN(9), Shuffle: try%5 > 0, Seed: random.Uint64(), FlatShared: try%2 == 0}
		if o.FlatShared && try%3 > 0 {
			s = promptStore(t, len(lengths))
		}
		longest := 0
		for row := range s.Len() {
			longest = max(longest, s.IDsOf(row, o.FlatShared))
		}
		most := []int{0, 1, 64, 200}[random.IntN(4)]
		o.Flat = o.FlatLengths(s, most, 1+2*random.Float64(), random.IntN(5000))
		if last := o.Flat[len(o.Flat)-1]; last < longest || most > 0 && last > roundUp(max(most, longest), flatStep) {
			t.Fatalf("rows of at most %d ids have lengths %v, the longest pair %d", most, o.Flat, longest)
		}
		for epoch := range 3 {
			checkFlatEpoch(t, s, o, epoch)
		}
	}
}

func checkFlatEpoch(t *testing.T, s *Store, o Order, epoch int) {
	t.Helper()
	seen, short, plans := make([]int, s.Len()), 0, o.Epoch(s, epoch)
	for i, plan := range plans {
		if len(plan.Rows) < o.BatchSize {
			short++
		}
		if !o.Shuffle && plan.Rows[0] != i*o.BatchSize {
			t.Fatalf("batch %d in file order begins with pair %d", i, plan.Rows[0])
		}
		var inParts []int
		for _, part := range o.MicroBatches(s, plan) {
			inParts = append(inParts, part.Rows...)
			if !slices.Contains(o.Flat, part.T) {
				t.Fatalf("a row of %d ids, of %v", part.T, o.Flat)
			}
			b, err := Read(s, part, 0)
			if err != nil {
				t.Fatal(err)
			}
			if b.R != 1 || b.S != 2*o.BatchSize {
				t.Fatalf("%d rows, %d sequences", b.R, b.S)
			}
			checkRead(t, s, part, b)
		}
		if slices.Sort(inParts); !slices.Equal(inParts, slices.Sorted(slices.Values(plan.Rows))) {
			t.Fatalf("parts have pairs %v, their batch %v", inParts, plan.Rows)
		}
		for _, row := range plan.Rows {
			seen[row]++
		}
	}
	if slices.Min(seen) != 1 || slices.Max(seen) != 1 || short > 1 || len(plans) != (s.Len()+o.BatchSize-1)/o.BatchSize {
		t.Fatalf("pairs seen %v times, %d short batches of %d", seen, short, len(plans))
	}
}

// TestFlatBatchesAreEven: batches of pairs as hh-rlhf has them hold about as many
// ids, and so do the rows that they are divided into, of which little is padding.
func TestFlatBatchesAreEven(t *testing.T) {
	s := lengthsStore(t, likeHH(4003))
	for _, c := range []struct {
		size, most     int
		apart, padding float64 // the standard deviation of ids, of the mean; the share of padding
	}{{8, 0, 0.006, 0.012}, {64, 0, 0.002, 0.015}, {64, 5000, 0.002, 0.015}} {
		o := Order{BatchSize: c.size, Shuffle: true, Seed: 3}
		o.Flat = o.FlatLengths(s, c.most, 1, 10_000)
		for epoch := range 2 {
			var ids []float64
			computed, lengths := 0, map[int]int{}
			for _, plan := range o.Epoch(s, epoch) {
				ids = append(ids, float64(plan.T)/float64(len(plan.Rows)))
				for _, part := range o.MicroBatches(s, plan) {
					computed += part.T
					lengths[part.T]++
				}
			}
			mean, square := 0.0, 0.0
			for _, n := range ids {
				mean += n / float64(len(ids))
			}
			for _, n := range ids {
				square += (n/mean - 1) * (n/mean - 1) / float64(len(ids))
			}
			padding := 1 - float64(s.Stats.Tokens)/float64(computed)
			t.Logf("%+v: epoch %d: rows %v, standard deviation %.2g, padding %.2g", c, epoch, lengths, math.Sqrt(square), padding)
			if math.Sqrt(square) > c.apart || padding > c.padding {
				t.Errorf("%+v: standard deviation %.3f, padding %.3f", c, math.Sqrt(square), padding)
			}
		}
	}
}

// TestFlatOrderFollowsTheSeed: seed and epoch alone decide, and others give other
// batches, not the same ones in another order.
func TestFlatOrderFollowsTheSeed(t *testing.T) {
	s := lengthsStore(t, likeHH(300))
	batches := func(seed uint64, epoch int) (all []string) {
		o := Order{BatchSize: 5, Shuffle: true, Seed: seed, Flat: []int{6000}}
		for _, p := range o.Epoch(s, epoch) {
			all = append(all, fmt.Sprint(slices.Sorted(slices.Values(p.Rows))))
		}
		return all
	}
	if !slices.Equal(batches(1, 0), batches(1, 0)) {
		t.Error("one seed gave two orders")
	}
	asSet := func(all []string) map[string]bool {
		set := map[string]bool{}
		for _, b := range all {
			set[b] = true
		}
		return set
	}
	first := asSet(batches(1, 0))
	for _, other := range [][]string{batches(2, 0), batches(1, 1)} {
		same := 0
		for b := range maps.Keys(asSet(other)) {
			if first[b] {
				same++
			}
		}
		if same > 3 {
			t.Errorf("%d of %d batches are the same", same, len(first))
		}
	}
}

// TestFlatParts, by hand: ids 50, 40, 30, 20 in rows of at most 80 lie as 50+20 and
// 40+30; in rows of at most 50 as 50, 40 and 30+20; each is padded to the shortest
// length that holds it.
func TestFlatParts(t *testing.T) {
	s := lengthsStore(t, []int{20, 50, 30, 40})
	for _, c := range []struct {
		lengths []int
		want    string
	}{{[]int{80}, "[{[1 0] 80} {[3 2] 80}]"}, {[]int{60, 80}, "[{[1 0] 80} {[3 2] 80}]"}, {[]int{45, 50}, "[{[1] 50} {[3] 45} {[2 0] 50}]"},
		{[]int{140}, "[{[0 1 2 3] 140}]"}} {
		o := Order{BatchSize: 4, Flat: c.lengths}
		type part struct {
			rows []int
			t    int
		}
		var got []part
		for _, p := range o.MicroBatches(s, o.Epoch(s, 0)[0]) {
			got = append(got, part{p.Rows, p.T})
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("rows of %v: %v, want %s", c.lengths, got, c.want)
		}
	}
}

// TestFlatLengths, by hand: file order's batches have 100, 100 and 140 ids, which are
// lengths of 112 and 144 where compiling one costs less than the 64 ids that it saves;
// in rows of less than 140, or than the longest pair's 100, the last batch is 100 and 40.
func TestFlatLengths(t *testing.T) {
	s := lengthsStore(t, []int{60, 40, 50, 50, 100, 40})
	for _, c := range []struct {
		compile, most int
		want          []int
	}{{60, 0, []int{112, 144}}, {70, 0, []int{144}}, {70, 128, []int{112}}, {60, 64, []int{48, 112}}} {
		if got := (Order{BatchSize: 2}).FlatLengths(s, c.most, 1, c.compile); !slices.Equal(got, c.want) {
			t.Errorf("%+v: lengths %v", c, got)
		}
	}
}

func BenchmarkFlatOrder(b *testing.B) {
	s := &Store{}
	for _, n := range likeHH(1_000_000) {
		s.index.add(storedPair{chosen: int32(n / 2), rejected: int32(n - n/2)})
		s.Stats.Tokens += int64(n)
	}
	for b.Loop() {
		o := Order{BatchSize: 8, Shuffle: true, Seed: 1}
		o.Flat = o.FlatLengths(s, 0, 1, 10_000)
		o.Epoch(s, 1)
	}
	b.ReportMetric(float64(s.Len()*b.N)/b.Elapsed().Seconds(), "pairs/s")
}
