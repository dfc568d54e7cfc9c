package batches

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"laurel/data"
)

// fakePairs yields n pairs and fails at row bad, if that is not negative.
func fakePairs(n, bad int) iter.Seq2[data.Pair, error] {
	return func(yield func(data.Pair, error) bool) {
		for i := range n {
			if i == bad {
				yield(data.Pair{}, errors.New("row is bad"))
				return
			}
			p := data.Pair{Row: i, Unit: "line", File: "f", Confidence: 0.5 + float64(i%6)/10, Margin: float64(i), Subset: fmt.Sprint(i % 3),
				Chosen: data.Text{Plain: strings.Repeat("é", i%7+1)}, Rejected: data.Text{Plain: "no"}}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// fakeEncode gives lengths that the row's number alone decides.
func fakeEncode(p data.Pair) (chosen, rejected data.Tokens, err error) {
	row := func(n int) []int32 {
		ids := make([]int32, n)
		for i := range ids {
			ids[i] = int32(p.Row*1000 + i)
		}
		return ids
	}
	other := row(1 + p.Row*13%70)
	other[len(other)-1]++
	return data.Tokens{IDs: row(1 + p.Row*7%90), Cut: p.Row % 2}, data.Tokens{IDs: other}, nil
}

func fakeStore(t *testing.T, n int) *Store {
	t.Helper()
	s, err := BuildStore(context.Background(), filepath.Join(t.TempDir(), "tokens"), fakePairs(n, -1), fakeEncode, Options{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestStoreKeepsOrderAndContent: whatever worker encodes a pair, it lies at
// its row with its own ids.
func TestStoreKeepsOrderAndContent(t *testing.T) {
	s := fakeStore(t, 500)
	for row := range s.Len() {
		chosen, rejected, err := s.IDs(row)
		if err != nil {
			t.Fatal(err)
		}
		wantChosen, wantRejected, _ := fakeEncode(data.Pair{Row: row})
		if !slices.Equal(chosen, wantChosen.IDs) || !slices.Equal(rejected, wantRejected.IDs) {
			t.Fatalf("row %d holds other ids", row)
		}
		info, err := s.Info(row)
		if err != nil || info.Subset != fmt.Sprint(row%3) || info.CharsChosen != row%7+1 || info.CharsReject != 2 {
			t.Fatalf("row %d: %+v", row, info)
		}
	}
	if st := s.Stats; st.Pairs != 500 || st.Truncated != 250 || st.TokensCut != 250 || st.Half != 84 || st.Longest != 90 {
		t.Errorf("counted %+v", st)
	}
}

func TestStoreErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	fail := func(p data.Pair) (data.Tokens, data.Tokens, error) {
		if p.Row == 7 {
			return data.Tokens{}, data.Tokens{}, errors.New("no such letter")
		}
		return fakeEncode(p)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for wrong, build := range map[string]func() (*Store, error){
		"row is bad": func() (*Store, error) {
			return BuildStore(context.Background(), path, fakePairs(900, 700), fakeEncode, Options{Workers: 2})
		},
		"encode f: line 7: no such letter": func() (*Store, error) {
			return BuildStore(context.Background(), path, fakePairs(900, -1), fail, Options{Workers: 2})
		},
		"no pairs": func() (*Store, error) {
			return BuildStore(context.Background(), path, fakePairs(0, -1), fakeEncode, Options{Workers: 2})
		},
		"canceled": func() (*Store, error) {
			return BuildStore(canceled, path, fakePairs(90_000, -1), fakeEncode, Options{Workers: 2})
		},
	} {
		if _, err := build(); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("error %v, want one with %q", err, wrong)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the scratch file was left behind", wrong)
		}
	}
}

// bad encodes like fakeEncode, but rows 3, 13, 23 … have an id too many, rows
// 5, 15, … the same ids on both sides.
func bad(p data.Pair) (chosen, rejected data.Tokens, err error) {
	chosen, rejected, err = fakeEncode(p)
	switch p.Row % 10 {
	case 3:
		err = errors.Join(nil, &data.RowError{Column: "rejected", Reason: data.ReasonBeyondEmbeddings, Detail: "id 9 of 8"})
	case 5:
		rejected = chosen
	}
	return chosen, rejected, err
}

// Pairs that only encoding shows to be bad, or to teach nothing, obey the
// options and are counted with their place; the others keep their order.
func TestPairsLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	s, err := BuildStore(t.Context(), path, fakePairs(100, -1), bad, Options{Workers: 3, SkipBadRows: true, SkipIdentical: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if want := (map[data.Reason]int{data.ReasonBeyondEmbeddings: 10, data.ReasonIdenticalIDs: 10}); !maps.Equal(s.Skipped, want) || s.Len() != 80 || s.Stats.Identical != 0 {
		t.Errorf("%d pairs, skipped %v, %+v", s.Len(), s.Skipped, s.Stats)
	}
	if got := s.First[data.ReasonBeyondEmbeddings].Error(); got != "line 3: column rejected: id 9 of 8" {
		t.Error(got)
	}
	if got := s.First[data.ReasonIdenticalIDs].Error(); got != "line 5: chosen and rejected are the same 36 ids once cut to max_length" {
		t.Error(got)
	}
	counts := data.Counts{Read: 101, Kept: 100, Skipped: map[data.Reason]int{data.ReasonTie: 1}}
	counts.Leave(s.Skipped)
	if got := counts.String(); got != "101 rows read, 80 kept, 21 skipped (identical_after_cut 10, token_beyond_embeddings 10, tie 1)" {
		t.Error(got)
	}
	chosen, _, err := s.IDs(4) // rows 0, 1, 2, 4, 6
	if want, _, _ := fakeEncode(data.Pair{Row: 6}); err != nil || !slices.Equal(chosen, want.IDs) {
		t.Errorf("pair 4: %v, %v", chosen, err)
	}
}

func TestPairsKeptOrRefused(t *testing.T) {
	only := func(row int) iter.Seq2[data.Pair, error] {
		return func(yield func(data.Pair, error) bool) {
			for pair := range fakePairs(100, -1) {
				if pair.Row%10 == row && !yield(pair, nil) {
					return
				}
			}
		}
	}
	path := filepath.Join(t.TempDir(), "tokens")
	for _, c := range []struct {
		pairs   iter.Seq2[data.Pair, error]
		options Options
		wrong   string
	}{
		{fakePairs(100, -1), Options{SkipIdentical: true}, "encode f: line 3: column rejected: id 9 of 8; fix it, or leave such rows out: --on-bad-row skip (train: --set data.on_bad_row=skip)"},
		{only(3), Options{SkipBadRows: true}, "all rows were skipped (token_beyond_embeddings 10); the first token_beyond_embeddings: f: line 3"},
		{only(5), Options{}, "all 10 pairs have the same ids on both sides"},
		{only(5), Options{SkipIdentical: true}, "the first: f: line 5: chosen and rejected are the same 36 ids once cut"},
		{fakePairs(100, -1), Options{SkipBadRows: true}, ""},
	} {
		c.options.Workers = 2
		s, err := BuildStore(t.Context(), path, c.pairs, bad, c.options)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("error %v, want one with %q", err, c.wrong)
			}
			continue
		}
		if err != nil || s.Stats.Identical != 10 || s.Len() != 90 {
			t.Fatalf("%v, %+v", err, s)
		}
		s.Close()
	}
}

func TestReadBatch(t *testing.T) {
	s := fakeStore(t, 5)
	b, err := Read(s, Plan{Rows: []int{4, 2}, T: 96, Size: 3}, -7)
	if err != nil {
		t.Fatal(err)
	}
	chosen, rejected, _ := s.IDs(4)
	if !slices.Equal(b.IDs[:len(chosen)], chosen) || b.IDs[len(chosen)] != -7 {
		t.Error("the first row is not the chosen of row 4, padded")
	}
	if at := 3 * 96; !slices.Equal(b.IDs[at:at+len(rejected)], rejected) {
		t.Error("row B is not the rejected of row 4")
	}
	if !slices.Equal(b.Present, []float32{1, 1, 0}) || b.Confidence[2] != 0 || b.End[2] != 1 || b.End[5] != 1 {
		t.Errorf("the row that fills up: present %v, confidence %v, lengths %v", b.Present, b.Confidence, b.Lengths())
	}
	if b.Margin[0] != 4 || b.Margin[1] != 2 || b.Pairs != 2 {
		t.Errorf("margins %v, pairs %d", b.Margin, b.Pairs)
	}
	if _, err := Read(s, Plan{Rows: []int{4}, T: 8, Size: 1}, 0); err == nil {
		t.Error("a row longer than its batch was cut unsaid")
	}
}

// Every sequence lies where the batch says, and nothing lies elsewhere.
func TestBatchSaysWhereSequencesLie(t *testing.T) {
	s := fakeStore(t, 60)
	for _, plan := range (Order{BatchSize: 7, Shuffle: true, Buckets: []int{40, 96}}).Epoch(s, 0) {
		b, err := Read(s, plan, 0)
		if err != nil {
			t.Fatal(err)
		}
		covered := make([]int32, b.R*b.T)
		for j, row := range plan.Rows {
			chosen, rejected, _ := s.IDs(row)
			for sequence, want := range map[int][]int32{j: chosen, b.B + j: rejected} {
				from, to := int(b.Row[sequence])*b.T+int(b.Start[sequence]), int(b.Row[sequence])*b.T+int(b.End[sequence])
				if !slices.Equal(b.IDs[from:to], want) {
					t.Fatalf("sequence %d holds %v, not %v", sequence, b.IDs[from:to], want)
				}
			}
		}
		for sequence := range b.S {
			for i, at := int32(0), int(b.Row[sequence])*b.T+int(b.Start[sequence]); i < b.Lengths()[sequence]; i, at = i+1, at+1 {
				covered[at]++
				if b.Positions[at] != i {
					t.Fatalf("sequence %d: position %d where %d should be", sequence, b.Positions[at], i)
				}
			}
		}
		if !slices.Equal(covered, b.Segments) {
			t.Fatalf("segments %v, but the sequences lie at %v", b.Segments, covered)
		}
	}
}

// Two sequences in one row, as a packing policy places them.
func TestSequencesOfOneRow(t *testing.T) {
	b := newBatch(Plan{Size: 1, T: 6, Shared: true}, 9)
	b.Place(0, 0, 0, b.IDs[:2], 0)
	b.Place(1, 0, 2, b.IDs[2:5], 0)
	if !slices.Equal(b.Segments, []int32{1, 1, 2, 2, 2, 0}) || !slices.Equal(b.Positions, []int32{0, 1, 0, 1, 2, 0}) ||
		!slices.Equal(b.Lengths(), []int32{2, 3}) {
		t.Errorf("segments %v, positions %v, lengths %v", b.Segments, b.Positions, b.Lengths())
	}
}

func TestSharedPrefix(t *testing.T) {
	for _, c := range []struct {
		a, b []int32
		want int
	}{{nil, nil, 0}, {[]int32{1}, nil, 0}, {[]int32{1, 2}, []int32{1, 2}, 2}, {[]int32{1, 2, 3}, []int32{1, 4, 3}, 1}, {[]int32{1}, []int32{1, 2}, 1}} {
		if got := data.SharedPrefix(c.a, c.b); got != c.want || data.SharedPrefix(c.b, c.a) != c.want {
			t.Errorf("%v and %v share %d, want %d", c.a, c.b, got, c.want)
		}
	}
	s := fakeStore(t, 100)
	for row := range s.Len() {
		chosen, rejected, _ := s.IDs(row)
		if got := s.Shared(row); got != data.SharedPrefix(chosen, rejected) {
			t.Fatalf("pair %d: %d shared ids", row, got)
		}
	}
	if size := unsafe.Sizeof(storedPair{}); size != 12 {
		t.Errorf("%d bytes a pair in memory: change what the documents say", size)
	}
}

func BenchmarkReadBatch(b *testing.B) {
	s, err := BuildStore(context.Background(), filepath.Join(b.TempDir(), "tokens"), fakePairs(10_000, -1), fakeEncode, Options{Workers: 2})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	plans := Order{BatchSize: 8, Shuffle: true, Buckets: Buckets(s.Apart(), 1, 1000, 0)}.Epoch(s, 0)
	for i := 0; b.Loop(); i++ {
		if _, err := Read(s, plans[i%len(plans)], 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(8*b.N)/b.Elapsed().Seconds(), "pairs/s")
}

// TestFlatBatch: two of three pairs in one row, by hand: chosen ones first, then
// rejected ones, nothing of the pair that is not there; and dealt to two devices.
func TestFlatBatch(t *testing.T) {
	s := fakeStore(t, 5) // pair 0 has 1 id each, pair 1 has 8 and 14, pair 2 has 15 and 27
	b, err := Read(s, Plan{Rows: []int{1, 0}, T: 26, Size: 3, Flat: true}, -7)
	if err != nil {
		t.Fatal(err)
	}
	chosen, rejected, _ := s.IDs(1)
	if want := slices.Concat(chosen, []int32{0}, rejected, []int32{1}, []int32{-7, -7}); !slices.Equal(b.IDs, want) {
		t.Errorf("ids %v, want %v", b.IDs, want)
	}
	for _, c := range []struct {
		what      string
		got, want []int32
	}{
		{"row", b.Row, []int32{0, 0, 0, 0, 0, 0}},
		{"start", b.Start, []int32{0, 8, 0, 9, 23, 0}},
		{"end", b.End, []int32{8, 9, 0, 23, 24, 0}},
		{"segments", b.Segments, slices.Concat(slices.Repeat([]int32{1}, 8), []int32{2}, slices.Repeat([]int32{3}, 14), []int32{4, 0, 0})},
		{"positions", b.Positions[6:12], []int32{6, 7, 0, 0, 1, 2}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s %v, want %v", c.what, c.got, c.want)
		}
	}
	if b.R != 1 || b.S != 6 || b.Pairs != 2 || b.Tokens != 24 || !slices.Equal(b.Present, []float32{1, 1, 0}) || b.Shared() {
		t.Errorf("%d rows, %d sequences, %d pairs, %d ids, present %v", b.R, b.S, b.Pairs, b.Tokens, b.Present)
	}
	parts := b.Split(2, -7)
	if one := parts[1]; one.B != 2 || one.Pairs != 0 || one.T != 26 || !one.Flat || slices.Max(one.End) != 0 {
		t.Errorf("the second device has %+v", one)
	}
	if _, err := Read(s, Plan{Rows: []int{1, 2}, T: 63, Size: 2, Flat: true}, 0); err == nil || !strings.Contains(err.Error(), "64 ids") {
		t.Errorf("pairs that their row does not hold: %v", err)
	}
}
