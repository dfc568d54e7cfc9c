package model

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"laurel/model/safetensors"
)

// Shards are the files that the index of a directory's weights names; none where
// there is no index.
func Shards(dir string) ([]string, error) {
	index := filepath.Join(dir, safetensors.IndexFile)
	if _, err := os.Stat(index); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return safetensors.Shards(index)
}
