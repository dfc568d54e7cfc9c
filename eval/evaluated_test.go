package eval

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

// TestRowsAreKept: rows that are written without texts are read as they were.
func TestRowsAreKept(t *testing.T) {
	rows, path := randomRows(50, 3), filepath.Join(t.TempDir(), PairsFile)
	for i := range rows {
		rows[i].Place, rows[i].Prompt, rows[i].ID = i, uint64(i)<<60+7, strings.Repeat("x", i%3)
	}
	if err := WritePairs(path, rows, func(func(data.Pair, error) bool) {}); err != nil {
		t.Fatal(err)
	}
	pairs, err := ReadPairs(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []Row
	for i := range pairs {
		got = append(got, pairs[i].Row())
	}
	if !slices.Equal(got, rows) {
		t.Errorf("read %+v, wrote %+v", got, rows)
	}
}

// TestOneResample: few pairs and one resample, of which every kind comes up.
func TestOneResample(t *testing.T) {
	for seed := range uint64(200) {
		if _, err := Evaluate(randomRows(4, seed), Config{Bootstrap: 1, Seed: seed}); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkWritePairs is what keeping a validation costs: 10,000 rows, without texts as
// in a checkpoint.
func BenchmarkWritePairs(b *testing.B) {
	rows, path := randomRows(10_000, 1), filepath.Join(b.TempDir(), PairsFile)
	for i := range rows {
		rows[i].Place = i
	}
	for b.Loop() {
		if err := WritePairs(path, rows, func(func(data.Pair, error) bool) {}); err != nil {
			b.Fatal(err)
		}
	}
}
