// Package rowtest has files of simulated rows for benchmarks.
package rowtest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"laurel/data"
	"laurel/data/demo"
)

// Files are n simulated pairs as JSON lines, as a JSON array and as Parquet.
func Files(t testing.TB, n int) []string {
	t.Helper()
	var lines bytes.Buffer
	err := demo.Simulated(&lines, n)
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "short.jsonl"), filepath.Join(dir, "short.json"), filepath.Join(dir, "short.parquet")}
	array := bytes.ReplaceAll(bytes.TrimSpace(lines.Bytes()), []byte("}\n"), []byte("},\n"))
	for i, content := range [][]byte{lines.Bytes(), append(append([]byte("["), array...), ']')} {
		if err == nil {
			err = os.WriteFile(paths[i], content, 0o666)
		}
	}
	if err == nil {
		_, err = data.Convert(t.Context(), paths[:1], paths[2], data.ReadConfig{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
