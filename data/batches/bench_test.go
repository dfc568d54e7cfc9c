package batches_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"laurel/data"
	"laurel/data/batches"
	"laurel/data/rowtest"
	"laurel/data/tokenizer"
)

// BenchmarkBuildStore goes from JSON lines to the store: short rows with the
// demo's tokenizer, and hh-harmless with MiniLM's.
func BenchmarkBuildStore(b *testing.B) {
	shared := filepath.Join("..", "..", "..", "shared")
	for _, c := range []struct {
		name, tokenizer string
		rows            func(b *testing.B) string
	}{
		{"short", filepath.Join("..", "..", "configs", "demo-encoder"), func(b *testing.B) string { return rowtest.Files(b, 20_000)[0] }},
		{"hh-harmless", filepath.Join(shared, "models", "all-MiniLM-L6-v2"), func(b *testing.B) string {
			path := filepath.Join(b.TempDir(), "hh.jsonl")
			if _, err := data.Convert(b.Context(), []string{filepath.Join(shared, "data", "hh-harmless", "train.parquet")}, path, data.ReadConfig{}); err != nil {
				b.Fatal(err)
			}
			return path
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			if _, err := os.Stat(c.tokenizer); err != nil {
				b.Skipf("SKIPPED, the pace of tokenizing is not measured: %v", err)
			}
			t, err := tokenizer.Open(c.tokenizer)
			if err != nil {
				b.Fatal(err)
			}
			defer t.Close()
			encode := func(p data.Pair) (chosen, rejected data.Tokens, err error) {
				return t.EncodePair(p, 512, tokenizer.Left)
			}
			files, store, tokens := []string{c.rows(b)}, filepath.Join(b.TempDir(), "tokens"), int64(0)
			for b.Loop() {
				s, err := batches.BuildStore(b.Context(), store, data.ReadPairs(files, data.ReadConfig{}, nil), encode, batches.Options{Workers: runtime.NumCPU()})
				if err != nil {
					b.Fatal(err)
				}
				tokens += s.Stats.Tokens
				s.Close()
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
