package trainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// useFile is locked while a process trains in a run directory; the lock goes with
// the process, however it ends.
const useFile = "config.yaml"

// Use says that this process trains in a run directory, whose config.yaml is
// there, until done is called.
func Use(runDir string) (done func() error, err error) {
	lock := flock.New(filepath.Join(runDir, useFile), flock.SetFlag(os.O_RDONLY))
	if err := lock.RLock(); err != nil {
		return nil, fmt.Errorf("lock the run directory: %w", err)
	}
	return lock.Close, nil
}

// InUse tells whether some process trains in a run directory.
func InUse(runDir string) (bool, error) {
	lock := flock.New(filepath.Join(runDir, useFile), flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("state of the run: %w", err)
	}
	return !free, lock.Close()
}
