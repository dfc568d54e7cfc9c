package inspect_test

import (
	"path/filepath"
	"testing"

	"laurel/data"
	"laurel/data/inspect"
	"laurel/data/rowtest"
	"laurel/data/tokenizer"
)

// BenchmarkFiles inspects 20,000 rows of a few words each, tokens counted by
// the demo's tokenizer.
func BenchmarkFiles(b *testing.B) {
	t, err := tokenizer.Open(filepath.Join("..", "..", "configs", "demo-encoder"))
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	const rows = 20_000
	for _, path := range rowtest.Files(b, rows) {
		b.Run(filepath.Ext(path)[1:], func(b *testing.B) {
			for b.Loop() {
				if _, err := inspect.Files(b.Context(), []string{path}, data.ReadConfig{}, inspect.With(t, 512)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
