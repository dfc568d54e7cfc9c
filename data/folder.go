package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFolder fills a new folder beside dir and renames it to dir, which must
// be empty or not there: dir is whole or as it was.
func WriteFolder(dir string, fill func(aside string) error) error {
	aside := filepath.Clean(dir) + ".writing"
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.MkdirAll(aside, 0o755); err != nil {
		return err
	}
	if err := fill(aside); err != nil {
		return errors.Join(err, os.RemoveAll(aside))
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(aside, dir)
}

// CheckNewFolder refuses a place that holds anything.
func CheckNewFolder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is a file: name a new directory", dir)
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s holds files already: name a new directory", dir)
	}
	return err
}
