// Package board shows training runs of a folder on a local page: what state they
// are in, curves that follow metrics.jsonl while it grows, and two responses scored
// as they are typed.
package board

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"laurel/trainer"
)

// tail follows a run's metrics.jsonl. The file may grow, be written anew under its
// name (a resumed run drops lines), be cut or go away.
type tail struct {
	path   string
	is     os.FileInfo // the file read last; nil for none
	offset int64       // whole lines read
	last   []byte      // the line that ends there
	lines  []trainer.Line
	bad    int // lines that are no JSON
	began  int // how often the file was read from its beginning
}

// longestRead of one look at the file; the next look goes on.
const longestRead = 16 << 20

// look reads what is new, whole lines alone, and says whether anything is.
func (t *tail) look() (changed bool, err error) {
	file, err := os.Open(t.path)
	if errors.Is(err, os.ErrNotExist) {
		changed = t.is != nil
		t.forget()
		return changed, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	is, err := file.Stat()
	if err != nil {
		return false, err
	}
	if t.is == nil || !os.SameFile(t.is, is) || !t.goesOn(file) {
		changed = t.is == nil || t.offset > 0
		t.forget()
	}
	t.is = is
	raw := make([]byte, min(max(is.Size()-t.offset, 0), longestRead))
	n, err := file.ReadAt(raw, t.offset)
	if err != nil && err != io.EOF {
		return changed, err
	}
	whole := raw[:bytes.LastIndexByte(raw[:n], '\n')+1]
	t.take(whole)
	return changed || len(whole) > 0, nil
}

// goesOn tells whether the last line that was read is still where it was.
func (t *tail) goesOn(file *os.File) bool {
	there := make([]byte, len(t.last))
	n, _ := file.ReadAt(there, t.offset-int64(len(t.last))) // short where the file was cut
	return bytes.Equal(there[:n], t.last)
}

func (t *tail) forget() {
	*t = tail{path: t.path, began: t.began + 1}
}

func (t *tail) take(whole []byte) {
	for line := range bytes.Lines(whole) {
		var l trainer.Line
		if json.Unmarshal(line, &l) != nil {
			t.bad++
		} else {
			t.lines = append(t.lines, l)
		}
		t.last = bytes.Clone(line)
	}
	t.offset += int64(len(whole))
}

// warning says what could not be read.
func (t *tail) warning() string {
	if t.bad == 0 {
		return ""
	}
	return fmt.Sprintf("%d lines of metrics.jsonl are no JSON and are left out", t.bad)
}
