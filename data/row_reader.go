package data

import (
	"errors"
	"fmt"
	"io"
)

// Rows goes through the rows of one file, in order, and counts what becomes of
// them. It is what the readers of all record kinds have in common.
type Rows struct {
	what    string // pairs or comparisons, for errors
	file    string
	skip    bool
	src     Source
	counts  Counts
	total   *Counts         // of all files, where there are several
	first   *RowError       // the first row skipped
	skipped func(*RowError) // as OnSkip
}

// FindFields finds the columns of a record kind's fields in a source, and
// returns the fields to read.
type FindFields func(src Source, cfg ReadConfig) ([]*Field, error)

// OpenRows opens a file, finds the columns of a record kind and chooses those
// it reads. what names the records in errors. What becomes of the rows is
// added to total too, which may be nil.
func OpenRows(what, file string, cfg ReadConfig, total *Counts, find FindFields) (*Rows, error) {
	r := &Rows{what: what, file: file, total: total}
	if err := r.open(cfg, find); err != nil {
		return nil, r.Fail(err)
	}
	return r, nil
}

func (r *Rows) open(cfg ReadConfig, find FindFields) (err error) {
	if r.skip, err = cfg.Skips(); err != nil {
		return err
	}
	if r.src, err = openSource(r.file); err != nil {
		return err
	}
	fields, err := find(r.src, cfg)
	if err == nil {
		err = r.src.Choose(fields)
	}
	if err == nil && r.src.NumRows() == 0 {
		err = errNoRows
	}
	if err != nil {
		r.src.Close()
	}
	return err
}

var errNoRows = errors.New("no rows: the columns are there, but nothing in them")

// Fail puts what was read and the file before an error.
func (r *Rows) Fail(err error) error {
	return fmt.Errorf("read %s %s: %w", r.what, r.file, err)
}

// Unit is "row" or "line", what places count.
func (r *Rows) Unit() string { return r.src.Unit() }

// CSV reports whether the file is CSV, whose cells are text alone.
func (r *Rows) CSV() bool {
	_, is := r.src.(*csvSource)
	return is
}

// lateColumns names what the head of a file of JSON lacks and nothing reads;
// it is complete once the file is read.
func (r *Rows) lateColumns() string {
	src, is := r.src.(*jsonSource)
	if !is || len(src.late) == 0 {
		return ""
	}
	return fmt.Sprintf("columns ignored, which only later rows have (%s %d the first): %s; a row that has them, put among the first, has them read",
		src.Unit(), src.lateAt, List(src.late))
}

// NumRows is the number of rows in the file, -1 where only reading tells.
func (r *Rows) NumRows() int64 { return r.src.NumRows() }

// OnSkip has see called with every row that is skipped from now on.
func (r *Rows) OnSkip(see func(*RowError)) { r.skipped = see }

// Counts says what became of the rows read so far.
func (r *Rows) Counts() Counts { return r.counts.clone() }

// Close closes the file.
func (r *Rows) Close() error { return r.src.Close() }

// Next has use read the fields of row after row until one has no problem, and
// returns its place; io.EOF after the last. A row with a problem is a
// RowError, or is counted and passed over. It is an error if no row at all was
// kept.
func (r *Rows) Next(use func() *Problem) (place int, err error) {
	for {
		place, bad, err := r.src.Next()
		if err == io.EOF {
			return 0, r.atEnd()
		}
		if err != nil {
			return 0, r.Fail(err)
		}
		if bad == nil {
			bad = use()
		}
		if bad == nil {
			r.keep()
			return place, nil
		}
		if err := r.pass(bad.at(r.file, r.src.Unit(), place)); err != nil {
			return 0, err
		}
	}
}

// pass counts a row that cannot be used, and is an error where rows must not
// be skipped.
func (r *Rows) pass(wrong *RowError) error {
	r.count(wrong.Reason)
	if !r.skip {
		return r.Fail(fmt.Errorf("%w; fix it, or leave such rows out: --on-bad-row skip (train: --set data.on_bad_row=skip)", wrong))
	}
	if r.first == nil {
		r.first = wrong
	}
	if r.skipped != nil {
		r.skipped(wrong)
	}
	return nil
}

func (r *Rows) keep() {
	r.counts.keep()
	if r.total != nil {
		r.total.keep()
	}
}

// tally counts the pairs and ties of rows that are no pairs themselves.
func (r *Rows) tally(pairs, ties int) {
	for _, counts := range []*Counts{&r.counts, r.total} {
		if counts != nil {
			counts.Pairs, counts.Ties = counts.Pairs+pairs, counts.Ties+ties
		}
	}
}

// leave moves rows that were kept to the skipped.
func (r *Rows) leave(skipped map[Reason]int) {
	for _, counts := range []*Counts{&r.counts, r.total} {
		if counts != nil {
			counts.Leave(skipped)
		}
	}
}

func (r *Rows) count(skipped Reason) {
	r.counts.skip(skipped)
	if r.total != nil {
		r.total.skip(skipped)
	}
}

// ErrAllSkipped ends the reading of a file of which no row could be used.
var ErrAllSkipped = errors.New("all rows were skipped")

func (r *Rows) atEnd() error {
	switch {
	case r.counts.Read == 0:
		return r.Fail(errNoRows)
	case r.counts.Kept == 0 && r.skip:
		return r.Fail(fmt.Errorf("%w: %d (%s); the first: %w", ErrAllSkipped, r.counts.Read, r.counts.Reasons(), r.first))
	}
	return io.EOF
}
