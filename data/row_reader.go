package data

import (
	"errors"
	"fmt"
	"io"
)

// rowReader goes through the rows of one file, in order, and counts what
// becomes of them. It is what readers of pairs and of comparisons have in
// common.
type rowReader struct {
	what    string // pairs or comparisons, for errors
	file    string
	skip    bool
	src     source
	shape   shape
	row     row
	counts  Counts
	total   *Counts         // of all files, where there are several
	first   *RowError       // the first row skipped
	skipped func(*RowError) // as OnSkip
}

// open opens the file, finds its shape from its columns and chooses those it
// reads.
func (r *rowReader) open(cfg ReadConfig, find func(source, map[string]string) (shape, error)) (err error) {
	if r.skip, err = cfg.skips(); err != nil {
		return err
	}
	if r.src, err = openSource(r.file); err != nil {
		return err
	}
	if r.shape, err = find(r.src, cfg.Columns); err == nil {
		err = r.src.choose(r.shape.names)
	}
	if err == nil && r.src.numRows() == 0 {
		err = errNoRows
	}
	if err != nil {
		r.src.Close()
	}
	return err
}

func (r *rowReader) fail(err error) error {
	return fmt.Errorf("read %s %s: %w", r.what, r.file, err)
}

// Format names the format found, for example "chat, implicit prompt".
func (r *rowReader) Format() string { return r.shape.String() }

// Chat reports whether the texts are messages.
func (r *rowReader) Chat() bool { return r.shape.chat() }

// NumRows is the number of rows in the file, -1 where only reading tells.
func (r *rowReader) NumRows() int64 { return r.src.numRows() }

// OnSkip has see called with every row that is skipped from now on.
func (r *rowReader) OnSkip(see func(*RowError)) { r.skipped = see }

// Counts says what became of the rows read so far.
func (r *rowReader) Counts() Counts { return r.counts.clone() }

// Close closes the file.
func (r *rowReader) Close() error { return r.src.Close() }

// next gives row after row to use until one has no problem, and returns its
// place; io.EOF after the last. A row with a problem is a RowError, or is
// counted and passed over. It is an error if no row at all was kept.
func (r *rowReader) next(use func(*row) *problem) (place int, err error) {
	for {
		place, bad, err := r.src.next(&r.row)
		if err == io.EOF {
			return 0, r.atEnd()
		}
		if err != nil {
			return 0, r.fail(err)
		}
		if bad == nil {
			bad = use(&r.row)
		}
		if bad == nil {
			r.keep()
			return place, nil
		}
		if err := r.pass(bad.at(r.file, r.src.unit(), place)); err != nil {
			return 0, err
		}
	}
}

// pass counts a row that cannot be used, and is an error where rows must not
// be skipped.
func (r *rowReader) pass(wrong *RowError) error {
	r.count(wrong.Reason)
	if !r.skip {
		return r.fail(fmt.Errorf("%w; mend it, or set data.on_bad_row: skip to leave such rows out", wrong))
	}
	if r.first == nil {
		r.first = wrong
	}
	if r.skipped != nil {
		r.skipped(wrong)
	}
	return nil
}

func (r *rowReader) keep() {
	r.counts.keep()
	if r.total != nil {
		r.total.keep()
	}
}

func (r *rowReader) count(skipped Reason) {
	r.counts.skip(skipped)
	if r.total != nil {
		r.total.skip(skipped)
	}
}

// ErrAllSkipped ends the reading of a file of which no row could be used.
var ErrAllSkipped = errors.New("all rows were skipped")

func (r *rowReader) atEnd() error {
	switch {
	case r.counts.Read == 0:
		return r.fail(errNoRows)
	case r.counts.Kept == 0 && r.skip:
		return r.fail(fmt.Errorf("%w: %d (%s); the first: %w", ErrAllSkipped, r.counts.Read, r.counts.reasons(), r.first))
	}
	return io.EOF
}
