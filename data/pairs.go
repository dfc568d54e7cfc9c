package data

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// ReadConfig says how files are read.
type ReadConfig struct {
	// Columns maps a field (prompt, chosen, confidence, …) to the column that
	// holds it, where the names differ. An empty column name turns an optional
	// field off. score_chosen and score_rejected, where both are mapped, give
	// margin = score_chosen - score_rejected; unmapped they are ignored.
	Columns map[string]string
	// LabelValues says how the file writes a, b and tie in its label column, where
	// it does not write them so.
	LabelValues map[string]string
	// From names the layout of the files; empty, it is found by the columns.
	From string
	// PairsPerPrompt bounds the pairs taken of a list of ranked responses, by a
	// draw from Seed; 0 takes all.
	PairsPerPrompt int
	Seed           int64
	// Say is told, once a file, what a reader of it should know: which columns
	// were taken for the prompt, and which are ignored. It may be nil.
	Say func(file, note string)
	// Chat makes messages of texts: a prompt is the user's turn, or the turns of
	// an HH transcript, a response the assistant's, both without white space around
	// them.
	Chat bool
	// OnBadRow is "fail" (or empty): the first bad row ends the reading, or
	// "skip": bad rows are counted by reason.
	OnBadRow string
	// AllowZeroWeights accepts a file whose confidences are all 0.
	AllowZeroWeights bool
}

// Skips says whether bad rows are left out; what OnBadRow cannot be is an error.
func (c ReadConfig) Skips() (bool, error) {
	switch c.OnBadRow {
	case "", "fail":
		return false, nil
	case "skip":
		return true, nil
	}
	return false, fmt.Errorf("--on-bad-row (data.on_bad_row) is %q%s; it is fail or skip", c.OnBadRow, DidYouMean(c.OnBadRow, []string{"fail", "skip"}))
}

// PairReader reads the pairs of one file, in order.
type PairReader struct {
	*Rows
	fields *pairFields
	cfg    ReadConfig
	laid   *laidOut // of another layout than ours; else nil
	weight float64  // sum of the confidences of the rows kept
	said   bool     // that texts begin with the same paragraph
}

// OpenPairs opens a Parquet, JSON lines (also gzipped) or CSV file of pairs
// and finds its format from its columns. Without rows it is an error.
func OpenPairs(file string, cfg ReadConfig) (*PairReader, error) {
	return openPairs(file, cfg, nil)
}

func openPairs(file string, cfg ReadConfig, total *Counts) (*PairReader, error) {
	fields := newPairFields()
	rows, err := OpenRows("pairs", file, cfg, total, fields.find)
	if err != nil {
		return nil, err
	}
	if fields.layout == nil {
		said, err := fields.findRepeated(file)
		if err != nil {
			return nil, errors.Join(rows.Fail(err), rows.Close())
		}
		fields.note(said)
	}
	for _, note := range fields.notes {
		if cfg.Say != nil {
			cfg.Say(file, note)
		}
	}
	r := &PairReader{Rows: rows, fields: fields, cfg: cfg}
	if fields.layout != nil {
		r.laid = &laidOut{layout: fields.layout, rows: rows, cfg: cfg, chat: r.Chat(), media: fields.media}
	}
	return r, nil
}

// Notes say what a reader of the file should know: which columns were taken
// for the prompt, and which are ignored.
func (r *PairReader) Notes() []string { return r.fields.notes }

// Format names the format found, for example "chat, implicit prompt".
func (r *PairReader) Format() string { return r.fields.String() }

// Chat reports whether the texts are messages.
func (r *PairReader) Chat() bool { return r.cfg.Chat || r.fields.Chat() }

// Next returns the next pair, io.EOF after the last. A row that cannot be used
// is a RowError, or is counted and passed over. It is an error if no row at
// all was kept, or if the confidences add up to 0.
func (r *PairReader) Next() (pair Pair, err error) {
	pair, place, err := r.next()
	if err == io.EOF {
		r.say(r.Rows.lateColumns())
		r.say(r.fields.inverted())
		if r.laid != nil && r.laid.told != nil {
			r.say(r.laid.told())
		}
	}
	if err == io.EOF && r.weight == 0 && !r.cfg.AllowZeroWeights {
		err = r.Fail(fmt.Errorf("column %s: every confidence is 0, so the sum of the weights is 0 and nothing can be learnt; give confidences above 0, or turn the column off with data.columns: {confidence: \"\"}",
			r.fields.confidence.Column))
	}
	if err != nil {
		return Pair{}, err
	}
	r.weight += pair.Confidence
	pair.File, pair.Row, pair.Unit = r.file, place, r.src.Unit()
	return pair, nil
}

// RowIsPair reports whether every row kept is one pair.
func (r *PairReader) RowIsPair() bool { return r.laid == nil }

func (r *PairReader) next() (pair Pair, place int, err error) {
	if r.laid != nil {
		return r.laid.next()
	}
	place, err = r.Rows.Next(func() (bad *Problem) {
		if bad = r.fields.media.check(); bad != nil {
			return bad
		}
		if pair, bad = r.fields.pair(); bad == nil && r.cfg.Chat && !r.fields.Chat() {
			bad = r.fields.asTurns(&pair)
		}
		return bad
	})
	if r.fields.paragraphs > 0 && !r.said {
		r.said = true
		r.say(fmt.Sprintf("%s %d and maybe more: no column holds the prompt, and the texts are no transcripts but begin with the same paragraph: it stays in both texts, and the prompt is empty", r.Unit(), place))
	}
	if err == nil {
		r.sayUnused()
	}
	return pair, place, err
}

// sayUnused tells once of what a row has for a chat template, beside texts: a
// column that is null in every row is nothing to tell of.
func (r *PairReader) sayUnused() {
	r.fields.unused = slices.DeleteFunc(r.fields.unused, func(f *Field) bool {
		if f.Cell.Absent() {
			return false
		}
		r.say("column " + f.Name + " is not used: it is for chat templates, and these are texts (convert --chat makes messages of them)")
		return true
	})
}

// say notes what only the rows tell.
func (r *PairReader) say(note string) {
	r.fields.note(note)
	if r.cfg.Say != nil && note != "" {
		r.cfg.Say(r.file, note)
	}
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
	r, err := openPairs(file, cfg, counts)
	if err != nil {
		yield(Pair{}, err)
		return false
	}
	defer r.Close()
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
