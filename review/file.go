package review

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"laurel/data"
)

// answerFile is the file of answers, open to one process at a time. It only
// grows; a line is on disk when add returns.
type answerFile struct {
	path     string
	file     *os.File
	lock     *flock.Flock
	size     int64
	repaired string // what opening did to a last line whose writer was killed
	wrong    error  // after which nothing more is written
}

// openAnswers opens the file, a new one where there is none, and gives take every
// line. The last line may be torn: it was never said to be saved, unless only its
// end is missing.
func openAnswers(path string, take func(Answer) error) (*answerFile, error) {
	f := &answerFile{path: path, lock: flock.New(path, flock.SetPermissions(0o644))}
	if locked, err := f.lock.TryLock(); err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	} else if !locked {
		return nil, fmt.Errorf("answers %s are written by another laurel review: use its page, or name another --out", path)
	}
	err := f.load(take)
	if err == nil {
		err = data.SyncFolder(filepath.Dir(path)) // the file may be new
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("answers %s: %w", path, err), f.close())
	}
	return f, nil
}

func (f *answerFile) load(take func(Answer) error) (err error) {
	if f.file, err = os.OpenFile(f.path, os.O_RDWR, 0); err != nil {
		return err
	}
	rest, n, err := readAnswers(f.file, take)
	if err != nil {
		return err
	}
	end, err := f.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	f.size = end - int64(len(rest))
	if len(rest) == 0 {
		return nil
	}
	if a, err := parseAnswer(rest); err == nil {
		if err := take(a); err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
		f.repaired = fmt.Sprintf("%s: the end of the last line was missing and is repaired", f.path)
		return f.append([]byte("\n"), end)
	}
	f.repaired = fmt.Sprintf("%s: the last line was cut short after %d bytes, as a killed run leaves it, and is cut off: its answer was never said to be saved", f.path, len(rest))
	return errors.Join(f.file.Truncate(f.size), f.file.Sync())
}

// readAnswers gives take the whole lines, counts them, and returns what follows
// the last one.
func readAnswers(in io.Reader, take func(Answer) error) (rest []byte, n int, err error) {
	rest, err = io.ReadAll(in)
	if err != nil {
		return nil, 0, err
	}
	for {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return rest, n, nil
		}
		n++
		a, err := parseAnswer(rest[:end])
		if err != nil {
			return nil, n, fmt.Errorf("line %d is no answer of laurel review: %w; restore it from a copy, or name another --out", n, err)
		}
		if err := take(a); err != nil {
			return nil, n, fmt.Errorf("line %d: %w", n, err)
		}
		rest = rest[end+1:]
	}
}

// add appends an answer and brings it to disk. What a failed write leaves is cut
// off.
func (f *answerFile) add(a Answer) error {
	line, err := a.line()
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return f.append(line, f.size)
}

func (f *answerFile) append(line []byte, at int64) error {
	if f.wrong != nil {
		return f.wrong
	}
	if _, err := f.file.WriteAt(line, at); err != nil {
		err = fmt.Errorf("write %s: %w", f.path, err)
		if cut := f.file.Truncate(at); cut != nil {
			f.wrong = errors.Join(err, cut)
		}
		return err
	}
	if err := f.file.Sync(); err != nil { // what is on disk is not known any more
		f.wrong = fmt.Errorf("write %s: %w: look after the disk, and start laurel review again", f.path, err)
		return f.wrong
	}
	f.size = at + int64(len(line))
	return nil
}

func (f *answerFile) close() error {
	var err error
	if f.file != nil {
		err = f.file.Close()
	}
	return errors.Join(err, f.lock.Unlock())
}
