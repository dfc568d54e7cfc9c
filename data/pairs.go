package data

import (
	"errors"
	"fmt"
	"io"
	"iter"
)

// ReadConfig says how files are read.
type ReadConfig struct {
	// Columns maps a field (prompt, chosen, confidence, …) to the column that
	// holds it, where the names differ. An empty column name turns an optional
	// field off. score_chosen and score_rejected, where both are mapped, give
	// margin = score_chosen - score_rejected; unmapped they are ignored.
	Columns map[string]string
	// OnBadRow is "fail" (or empty): the first bad row ends the reading, or
	// "skip": bad rows are counted by reason.
	OnBadRow string
	// AllowZeroWeights accepts a file whose confidences are all 0.
	AllowZeroWeights bool
}

func (c ReadConfig) skips() (bool, error) {
	switch c.OnBadRow {
	case "", "fail":
		return false, nil
	case "skip":
		return true, nil
	}
	return false, fmt.Errorf("data.on_bad_row is %q%s; it is fail or skip", c.OnBadRow, didYouMean(c.OnBadRow, []string{"fail", "skip"}))
}

// PairReader reads the pairs of one file, in order.
type PairReader struct {
	file   string
	cfg    ReadConfig
	skip   bool
	src    source
	shape  shape
	row    row
	counts Counts
	total  *Counts   // of all files, where there are several
	weight float64   // sum of the confidences of the rows kept
	first  *RowError // the first row skipped
	// skipped, where set, sees every row that is skipped.
	skipped func(*RowError)
}

// OpenPairs opens a Parquet, JSON lines (also gzipped) or CSV file of pairs
// and finds its format from its columns. Without rows it is an error.
func OpenPairs(file string, cfg ReadConfig) (*PairReader, error) {
	r := &PairReader{file: file, cfg: cfg}
	if err := r.open(); err != nil {
		return nil, r.fail(err)
	}
	return r, nil
}

func (r *PairReader) open() (err error) {
	if r.skip, err = r.cfg.skips(); err != nil {
		return err
	}
	if r.src, err = openSource(r.file); err != nil {
		return err
	}
	if r.shape, err = findPairs(r.src, r.cfg.Columns); err == nil {
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

func (r *PairReader) fail(err error) error {
	return fmt.Errorf("read pairs %s: %w", r.file, err)
}

// Format names the format found, for example "chat, implicit prompt".
func (r *PairReader) Format() string { return r.shape.String() }

// Chat reports whether the pairs are messages.
func (r *PairReader) Chat() bool { return r.shape.chat() }

// NumRows is the number of rows in the file, -1 where only reading tells.
func (r *PairReader) NumRows() int64 { return r.src.numRows() }

// Counts says what became of the rows read so far.
func (r *PairReader) Counts() Counts { return r.counts.clone() }

// Close closes the file.
func (r *PairReader) Close() error { return r.src.Close() }

// Next returns the next pair, io.EOF after the last. A row that cannot be used
// is a RowError, or is counted and passed over. It is an error if no row at
// all was kept, or if the confidences add up to 0.
func (r *PairReader) Next() (Pair, error) {
	for {
		place, bad, err := r.src.next(&r.row)
		if err == io.EOF {
			return Pair{}, r.atEnd()
		}
		if err != nil {
			return Pair{}, r.fail(err)
		}
		var pair Pair
		if bad == nil {
			pair, bad = r.shape.pair(&r.row)
		}
		if bad == nil {
			r.keep()
			r.weight += pair.Confidence
			pair.File, pair.Row = r.file, place
			return pair, nil
		}
		r.count(bad.reason)
		wrong := bad.at(r.file, r.src.unit(), place)
		if !r.skip {
			return Pair{}, r.fail(fmt.Errorf("%w; mend it, or set data.on_bad_row: skip to leave such rows out", wrong))
		}
		if r.first == nil {
			r.first = wrong
		}
		if r.skipped != nil {
			r.skipped(wrong)
		}
	}
}

func (r *PairReader) keep() {
	r.counts.keep()
	if r.total != nil {
		r.total.keep()
	}
}

func (r *PairReader) count(skipped Reason) {
	r.counts.skip(skipped)
	if r.total != nil {
		r.total.skip(skipped)
	}
}

var errAllSkipped = errors.New("all rows were skipped")

func (r *PairReader) atEnd() error {
	switch {
	case r.counts.Read == 0:
		return r.fail(errNoRows)
	case r.counts.Kept == 0 && r.skip:
		return r.fail(fmt.Errorf("%w: %d (%s); the first: %w", errAllSkipped, r.counts.Read, r.counts.reasons(), r.first))
	case r.counts.Kept > 0 && r.weight == 0 && !r.cfg.AllowZeroWeights:
		return r.fail(fmt.Errorf("column %s: every confidence is 0, so the sum of the weights is 0 and nothing can be learnt; give confidences above 0, or turn the column off with data.columns: {confidence: \"\"}",
			r.shape.names[fieldConfidence]))
	}
	return io.EOF
}

// ReadPairs yields the pairs of the files, one file after another, and stops
// after the first error. What became of the rows is added to counts, which may
// be nil.
func ReadPairs(files []string, cfg ReadConfig, counts *Counts) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		for _, file := range files {
			if !readFile(file, cfg, counts, yield) {
				return
			}
		}
	}
}

func readFile(file string, cfg ReadConfig, counts *Counts, yield func(Pair, error) bool) (more bool) {
	r, err := OpenPairs(file, cfg)
	if err != nil {
		yield(Pair{}, err)
		return false
	}
	defer r.Close()
	r.total = counts
	for {
		pair, err := r.Next()
		if err == io.EOF {
			return true
		}
		if !yield(pair, err) || err != nil {
			return false
		}
	}
}
