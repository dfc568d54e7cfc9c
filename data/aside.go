package data

import (
	"fmt"
	"os"
	"path/filepath"
)

// asideFile is an output file written beside its final name, so that the name
// only ever holds a whole file.
type asideFile struct {
	*os.File
	path string
}

func createAside(path string) (*asideFile, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("write %s: it is there and no regular file; give another name", path)
	}
	f, err := os.OpenFile(fmt.Sprintf("%s.%d.partial", path, os.Getpid()), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return &asideFile{f, path}, nil
}

// commit gives the file its name, once it is on disk.
func (f *asideFile) commit() error {
	if err := f.Sync(); err != nil {
		f.abort()
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if err := f.Close(); err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if err := os.Rename(f.Name(), f.path); err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return syncFolder(filepath.Dir(f.path))
}

func (f *asideFile) abort() error {
	f.Close()
	return os.Remove(f.Name())
}

// syncFolder makes a rename last. Folders that cannot be synced (some network
// file systems) are left to their system.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer dir.Close()
	dir.Sync()
	return nil
}
