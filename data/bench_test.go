package data_test

import (
	"path/filepath"
	"testing"

	"laurel/data"
	"laurel/data/rowtest"
)

// BenchmarkConvert converts 20,000 rows of a few words each to Parquet.
func BenchmarkConvert(b *testing.B) {
	const rows = 20_000
	out := filepath.Join(b.TempDir(), "out.parquet")
	for _, path := range rowtest.Files(b, rows) {
		b.Run(filepath.Ext(path)[1:], func(b *testing.B) {
			for b.Loop() {
				if _, err := data.Convert(b.Context(), []string{path}, out, data.ReadConfig{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
