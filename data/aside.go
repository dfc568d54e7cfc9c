package data

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// WriteAside fills a new file beside path, syncs it to disk and renames it to
// path: path is the old file or the whole new one at every instant. On any
// error path is as it was and nothing is left beside it.
func WriteAside(path string, fill func(io.Writer) error) error {
	file, err := createAside(path)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	if err := fill(buffered); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), file.abort())
	}
	if err := buffered.Flush(); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), file.abort())
	}
	return file.commit()
}

// WriteFile is WriteAside for content that is at hand.
func WriteFile(path string, content []byte) error {
	return WriteAside(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

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
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.OpenFile(fmt.Sprintf("%s.%s.partial", path, rand.Text()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return &asideFile{f, path}, nil
}

// partial matches the names that createAside gives.
var partial = regexp.MustCompile(`\.[A-Z2-7]{26}\.partial$`)

// RemovePartial removes from a folder what a killed process left half written
// there. A folder that does not exist holds nothing.
func RemovePartial(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if partial.MatchString(entry.Name()) {
			if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
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
	return SyncFolder(filepath.Dir(f.path))
}

func (f *asideFile) abort() error {
	f.Close()
	return os.Remove(f.Name())
}

// SyncFolder makes a rename in the folder last through a power cut.
func SyncFolder(path string) (err error) {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	return folder.Sync()
}
