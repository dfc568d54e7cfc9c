package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFolder fills a new folder beside dir and renames it to dir; what was at
// dir is removed when the new one is whole.
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
	old := filepath.Clean(dir) + ".replaced"
	if err := errors.Join(os.RemoveAll(old), os.MkdirAll(filepath.Dir(old), 0o755)); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, os.RemoveAll(aside))
	}
	if err := os.Rename(aside, dir); err != nil {
		os.Rename(old, dir) // what was there, if anything
		return errors.Join(err, os.RemoveAll(aside))
	}
	return os.RemoveAll(old)
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
