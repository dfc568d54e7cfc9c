package batches

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"laurel/data"
)

// promptStore holds n pairs of prompts and responses whose lengths the row's
// number alone decides; some prompts are empty, some responses begin alike, some
// begin with the other whole.
func promptStore(t *testing.T, n int) *Store {
	t.Helper()
	encode := func(p data.Pair) (chosen, rejected data.Tokens, err error) {
		random := rand.New(rand.NewPCG(uint64(p.Row), 1))
		ids := func(n int) []int32 {
			row := make([]int32, n)
			for i := range row {
				row[i] = int32(1 + random.IntN(50))
			}
			return row
		}
		prompt, a, b := ids(random.IntN(60)), ids(1+random.IntN(30)), ids(1+random.IntN(30))
		if p.Row%9 == 0 {
			b = slices.Concat(a, b)
		}
		return data.Tokens{IDs: slices.Concat(prompt, a)}, data.Tokens{IDs: slices.Concat(prompt, b)}, nil
	}
	s, err := BuildStore(context.Background(), filepath.Join(t.TempDir(), "tokens"), fakePairs(n, -1), encode, Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestPairsThatShare: prompt 7 8, chosen 1, rejected 2 3 in a row of their own, by hand,
// and in one behind a pair that shares nothing; pairs that are not there come last.
func TestPairsThatShare(t *testing.T) {
	pair := pairIDs{[]int32{7, 8, 1}, []int32{7, 8, 2, 3}, 2}
	rows := newBatch(Plan{Size: 2, T: 8, Shared: true}, 9)
	rows.fill([]pairIDs{pair})
	flat := newBatch(Plan{Size: 3, T: 10, Shared: true, Flat: true}, 9)
	flat.fill([]pairIDs{{[]int32{4}, []int32{5, 6}, 0}, pair})
	for _, c := range []struct {
		what      string
		got, want []int32
	}{
		{"ids", rows.IDs, []int32{7, 8, 1, 2, 3, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}},
		{"segments", rows.Segments, []int32{1, 1, 2, 3, 3, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0}},
		{"positions", rows.Positions, []int32{0, 1, 2, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"prefixes", rows.Prefixes, []int32{0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"row", rows.Row, []int32{0, 1, 0, 1}},
		{"start", rows.Start, []int32{2, 0, 3, 1}},
		{"end", rows.End, []int32{3, 1, 5, 2}},
		{"from", rows.From, []int32{0, 0, 0, 0}},
		{"to", rows.To, []int32{2, 0, 2, 0}},

		{"flat ids", flat.IDs, []int32{4, 5, 6, 7, 8, 1, 2, 3, 9, 9}},
		{"flat segments", flat.Segments, []int32{1, 2, 2, 3, 3, 4, 5, 5, 0, 0}},
		{"flat positions", flat.Positions, []int32{0, 0, 1, 0, 1, 2, 2, 3, 0, 0}},
		{"flat prefixes", flat.Prefixes, []int32{0, 0, 0, 0, 0, 3, 3, 3, 0, 0}},
		{"flat row", flat.Row, []int32{0, 0, 0, 0, 0, 0}},
		{"flat start", flat.Start, []int32{0, 5, 0, 1, 6, 0}},
		{"flat end", flat.End, []int32{1, 6, 0, 3, 8, 0}},
		{"flat from", flat.From, []int32{0, 3, 0, 0, 3, 0}},
		{"flat to", flat.To, []int32{0, 5, 0, 0, 5, 0}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s %v, want %v", c.what, c.got, c.want)
		}
	}
}

// TestShares: one row suits a pair where T² ≤ 2·L², and holds an id of each
// sequence beside the common ones.
func TestShares(t *testing.T) {
	s := &Store{}
	for _, c := range []struct {
		chosen, rejected, shared int32
		together                 int
		shares                   bool
	}{{10, 10, 6, 14, true}, {10, 10, 5, 15, false}, {10, 4, 0, 14, true}, {10, 10, 10, 11, true}, {5, 9, 5, 10, true}, {1, 1, 1, 2, false}} {
		s.index = index{}
		s.index.add(storedPair{chosen: c.chosen, rejected: c.rejected, shared: c.shared})
		if got, shares := s.Together(0), s.Shares(0); got != c.together || shares != c.shares {
			t.Errorf("%+v: %d ids, %v", c, got, shares)
		}
	}
}

// TestEveryPairInItsLayout: over orders, an epoch has every pair once, in the
// layout that suits it but for a few left over, within its length, with its own
// ids in its own places; one batch at most is short, and every epoch has as many.
func TestEveryPairInItsLayout(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 30 {
		s := promptStore(t, 1+random.IntN(150))
		apart, shared := s.Dealt()
		o := Order{BatchSize: 1 + random.IntN(9), Shuffle: random.IntN(2) == 0, Seed: random.Uint64(),
			Buckets: Lengths(data.BucketChoice{}, apart, 1, 100, 0), Shared: Lengths(data.BucketChoice{}, shared, 1, 100, 0)}
		batches := len(o.Epoch(s, 0))
		for epoch := range 2 {
			seen, short, leftOver, plans := make([]int, s.Len()), 0, 0, o.Epoch(s, epoch)
			for _, p := range plans {
				if len(p.Rows) < o.BatchSize {
					short++
				}
				b, err := Read(s, p, 0)
				if err != nil {
					t.Fatal(err)
				}
				checkRead(t, s, p, b)
				for _, row := range p.Rows {
					seen[row]++
					if s.Shares(row) && !p.Shared {
						leftOver++
					}
				}
			}
			if slices.Min(seen) != 1 || slices.Max(seen) != 1 || short > 1 || len(plans) != batches || leftOver >= o.BatchSize {
				t.Fatalf("pairs seen %v times, %d short batches, %d batches, in epoch 0 %d, %d left over", seen, short, len(plans), batches, leftOver)
			}
		}
	}
}

// checkRead holds a batch, and its parts for two devices, to the pairs of its
// plan.
func checkRead(t *testing.T, s *Store, p Plan, b *Batch) {
	t.Helper()
	real, parts := 0, b.Split(2, 0)
	for j, row := range p.Rows {
		if p.Shared && !p.Flat && !s.Shares(row) {
			t.Fatalf("row %d lies in one row", row)
		}
		wantChosen, wantRejected, err := s.IDs(row)
		if err != nil {
			t.Fatal(err)
		}
		size := parts[0].B
		for _, from := range []struct {
			b *Batch
			j int
		}{{b, j}, {parts[j/size], j % size}} {
			got := from.b.pair(from.j)
			if !slices.Equal(got.chosen, wantChosen) || !slices.Equal(got.rejected, wantRejected) {
				t.Fatalf("row %d: %v and %v, want %v and %v", row, got.chosen, got.rejected, wantChosen, wantRejected)
			}
			if p.Shared && got.prefix != s.prefix(row) || from.b.Present[from.j] != 1 {
				t.Fatalf("row %d: a prefix of %d ids, want %d", row, got.prefix, s.prefix(row))
			}
		}
		real += s.Tokens(row)
		if p.Shared {
			real -= s.prefix(row)
		}
	}
	ids := 0
	for _, segment := range b.Segments {
		if segment != 0 {
			ids++
		}
	}
	filled := 2 * (b.B - len(p.Rows)) // ids of pairs that fill up
	if p.Flat {
		filled = 0
	}
	if b.Tokens != real || ids != real+filled {
		t.Fatalf("%d ids counted, %d placed, want %d and %d", b.Tokens, ids, real, real+filled)
	}
}

// TestOnce: an endless run in file order takes every pair once, and a batch is
// shared where that suits all of its pairs.
func TestOnce(t *testing.T) {
	s := promptStore(t, 23)
	o := Order{BatchSize: 3, Wrap: true, Buckets: OneBucket(s.Apart(), 0), Shared: []int{128}}
	var rows []int
	layouts := map[bool]int{}
	for _, plan := range o.Once(s) {
		rows = append(rows, plan.Rows...)
		layouts[plan.Shared]++
		if suits := !slices.ContainsFunc(plan.Rows, func(row int) bool { return !s.Shares(row) }); len(plan.Rows) == 3 && plan.Shared != suits {
			t.Errorf("rows %v: shared %v", plan.Rows, plan.Shared)
		}
	}
	want := make([]int, 23)
	for i := range want {
		want[i] = i
	}
	if !slices.Equal(rows, want) || layouts[true] == 0 || layouts[false] == 0 {
		t.Errorf("rows %v, layouts %v", rows, layouts)
	}
}
