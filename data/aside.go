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

	"github.com/gofrs/flock"
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
	lock *flock.Flock // says that the file is being written; nil: not locked
}

func createAside(path string) (*asideFile, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("write %s: it is there and no regular file; give another name", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	if err := removeAbandoned(path); err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.OpenFile(fmt.Sprintf("%s.%s.partial", path, rand.Text()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	file := &asideFile{f, path, flock.New(f.Name())}
	file.lock.TryLock() // where no lock is to be had, the file is never taken for abandoned
	return file, nil
}

// removeAbandoned removes what killed processes left half written of a file: what
// no process that writes it has locked.
func removeAbandoned(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if at := partial.FindStringIndex(entry.Name()); at == nil || entry.Name()[:at[0]] != filepath.Base(path) {
			continue
		}
		left := filepath.Join(filepath.Dir(path), entry.Name())
		lock := flock.New(left, flock.SetFlag(os.O_RDONLY))
		if free, err := lock.TryLock(); err != nil || !free {
			continue
		}
		if err := errors.Join(os.Remove(left), lock.Close()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
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
		f.abort()
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if err := os.Rename(f.Name(), f.path); err != nil {
		f.abort()
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return errors.Join(f.unlock(), SyncFolder(filepath.Dir(f.path)))
}

func (f *asideFile) abort() error {
	f.Close()
	return errors.Join(os.Remove(f.Name()), f.unlock())
}

func (f *asideFile) unlock() error {
	if f.lock == nil {
		return nil
	}
	return f.lock.Close()
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
