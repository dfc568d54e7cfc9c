package trainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	configFile = "config.yaml"
	// useFile is locked by the process that trains in a run directory, and holds its
	// number; the lock goes with the process, however it ends.
	useFile = "train.lock"
)

// ErrInUse is that of a run directory in which another process trains.
var ErrInUse = errors.New("another process")

// Use makes a run directory this process's own until done is called. It fails with
// ErrInUse where another process trains there.
func Use(runDir string) (done func() error, err error) {
	path := filepath.Join(runDir, useFile)
	for {
		lock := flock.New(path, flock.SetPermissions(0o644))
		if err := lockSoon(lock); errors.Is(err, ErrInUse) {
			return nil, fmt.Errorf("%w%s trains in %s: wait for it, or stop it", err, processIn(path), runDir)
		} else if err != nil {
			return nil, fmt.Errorf("lock the run directory: %w", err)
		}
		if lost, err := removed(lock); err != nil || lost { // by the process that had it until now
			if err := errors.Join(err, lock.Close()); err != nil {
				return nil, fmt.Errorf("lock the run directory: %w", err)
			}
			continue
		}
		done = func() error { return errors.Join(os.Remove(path), lock.Close()) }
		if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
			return nil, errors.Join(fmt.Errorf("lock the run directory: %w", err), done())
		}
		return done, nil
	}
}

// lockSoon waits no longer than those need it who only look (InUse).
func lockSoon(lock *flock.Flock) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := lock.TryLockContext(ctx, 20*time.Millisecond)
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrInUse
	}
	return err
}

// removed tells whether the file that is locked is no longer that of its name.
func removed(lock *flock.Flock) (bool, error) {
	mine, err := lock.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(lock.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return err == nil && !os.SameFile(mine, there), err
}

// processIn is the process that a lock file names.
func processIn(path string) string {
	content, err := os.ReadFile(path)
	if pid := strings.TrimSpace(string(content)); err == nil && pid != "" {
		return " (pid " + pid + ")"
	}
	return ""
}

// InUse tells whether some process trains in a run directory.
func InUse(runDir string) (bool, error) {
	lock := flock.New(filepath.Join(runDir, useFile), flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("state of the run: %w", err)
	}
	return !free, lock.Close()
}
