package data

import (
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"
)

// Reviewed is a row of a review file that came back.
type Reviewed struct {
	ID        string
	Answered  bool
	Side      Side // Neither is a tie
	Annotator string
	Note      string
	File      string
	Row       int // from 0; for JSONL the line, from 1
}

var reviewFields = []field{fieldID, fieldPrompt, fieldResponseA, fieldResponseB, fieldAnswer, fieldAnnotator, fieldNote}

func findReviewed(src source, mapping map[string]string) (shape, error) {
	n, err := resolve(mapping, reviewFields, src)
	if err != nil {
		return shape{}, err
	}
	s := shape{names: n, labelled: true}
	if err := missingColumns(n, []field{fieldID, fieldAnswer}, src, "reviewed comparisons are id and answer (A, B or tie), beside what laurel label --review-out wrote"); err != nil {
		return shape{}, err
	}
	return s, s.types(src)
}

// ReadReviewed reads the answers of people about the comparisons of labels, of
// all files, in their order. A row without an answer is kept, unanswered.
// Where a file has texts, they must be those of the labels, line ends aside;
// where it names no annotator, the file's name without its ending stands for
// one. An unknown id, other texts, an answer that is none, and an annotator's
// second answer about a comparison are bad rows.
func ReadReviewed(files []string, labels iter.Seq2[Label, error], cfg ReadConfig, counts *Counts) ([]Reviewed, error) {
	b := reviewBooks{known: map[[16]byte]*reviewTexts{}, seen: map[[2]string]string{}}
	for l, err := range labels {
		if err != nil {
			return nil, err
		}
		b.known[hashID(l.ID)] = &reviewTexts{hashes: [3][8]byte{hashCell(reviewText(l.Prompt)), hashCell(reviewText(l.A)), hashCell(reviewText(l.B))}, identical: l.Identical()}
	}
	var out []Reviewed
	for _, file := range files {
		rows, err := b.read(file, cfg, counts)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// reviewBooks hold what answers are checked against.
type reviewBooks struct {
	known map[[16]byte]*reviewTexts
	seen  map[[2]string]string // place of an annotator's answer about an id
}

type reviewTexts struct {
	hashes    [3][8]byte // of prompt and responses
	identical bool
}

// hashCell is of a cell's text with its line ends, which spreadsheets change,
// made one kind.
func hashCell(text string) [8]byte {
	sum := sha256.Sum256([]byte(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")))
	return [8]byte(sum[:8])
}

func (b *reviewBooks) read(file string, cfg ReadConfig, counts *Counts) (out []Reviewed, err error) {
	r := rowReader{what: "reviewed", file: file, total: counts}
	if err := r.open(cfg, findReviewed); err != nil {
		return nil, r.fail(err)
	}
	defer r.Close()
	_, guarded := r.src.(*csvSource)
	for {
		var v Reviewed
		place, err := r.next(func(row *row) (bad *problem) {
			v = Reviewed{File: file}
			if bad = r.shape.reviewed(row, &v); bad == nil {
				bad = b.check(row, &r.shape, &v, guarded)
			}
			return bad
		})
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		v.Row = place
		if v.Answered {
			b.seen[[2]string{v.ID, v.Annotator}] = fmt.Sprintf("%s, %s %d", file, r.src.unit(), v.Row)
		}
		out = append(out, v)
	}
}

// reviewed reads a row.
func (s *shape) reviewed(r *row, v *Reviewed) (bad *problem) {
	v.Annotator = strings.TrimSuffix(filepath.Base(v.File), filepath.Ext(v.File))
	if r[fieldAnswer].kind == cellText && strings.TrimSpace(r[fieldAnswer].text) == "" {
		r[fieldAnswer].kind = cellNull
	}
	if v.Side, v.Answered, bad = s.goldSide(r, fieldAnswer); bad != nil {
		return bad
	}
	annotator := ""
	if bad := s.words(r, wordField{fieldID, &v.ID}, wordField{fieldAnnotator, &annotator}, wordField{fieldNote, &v.Note}); bad != nil {
		return bad
	}
	if annotator = strings.TrimSpace(annotator); annotator != "" {
		v.Annotator = annotator
	}
	return nil
}

// check holds a row against the labels and the answers before it. guarded says
// that its cells have apostrophes before what looks like a formula, unless
// another program wrote them.
func (b *reviewBooks) check(r *row, s *shape, v *Reviewed, guarded bool) *problem {
	id := s.names[fieldID]
	if plain := unguarded(v.ID); guarded && b.known[hashID(plain)] != nil {
		v.ID = plain
	}
	known := b.known[hashID(v.ID)]
	if known == nil {
		return &problem{ReasonUnknownID, id, fmt.Sprintf("the labels have no comparison %q: are they the labels that this file was written from? (Spreadsheets change ids such as 007)", clip([]byte(v.ID), 40))}
	}
	for i, f := range []field{fieldPrompt, fieldResponseA, fieldResponseB} {
		if bad := known.same(i, &r[f], s.names[f], guarded); bad != nil {
			return bad
		}
	}
	if !v.Answered {
		return nil
	}
	if known.identical && v.Side != Neither {
		return &problem{ReasonIdentical, s.names[fieldAnswer], "the responses are the same: neither can be preferred"}
	}
	if first, again := b.seen[[2]string{v.ID, v.Annotator}]; again {
		return &problem{ReasonDuplicateID, id, fmt.Sprintf("annotator %q has answered %q before, in %s: give every annotator a name of their own in the column annotator, or drop one of the two", v.Annotator, clip([]byte(v.ID), 40), first)}
	}
	return nil
}

// same checks one text, where the row has it.
func (t *reviewTexts) same(i int, c *cell, column string, guarded bool) *problem {
	text := c.text
	switch {
	case c.kind == cellText && guarded && hashCell(unguarded(text)) == t.hashes[i]:
		return nil
	case c.kind == cellTurns:
		m, bad := messages(c.turns, column)
		if bad != nil {
			return bad
		}
		text = reviewText(Text{Messages: m})
	case c.kind != cellText:
		return nil
	}
	if hashCell(text) != t.hashes[i] {
		return &problem{ReasonTextsDiffer, column, "the text is not that of the comparison of this id in the labels: was it edited, or cut by a spreadsheet?"}
	}
	return nil
}

// AnswersIn counts the answers in a review file, so that nobody's work is
// written over.
func AnswersIn(path string) (n int, err error) {
	r := rowReader{what: "reviewed", file: path}
	if err := r.open(ReadConfig{OnBadRow: "skip"}, findReviewed); err != nil {
		return 0, r.fail(err)
	}
	defer r.Close()
	for {
		_, err := r.next(func(row *row) *problem {
			if c := row[fieldAnswer]; c.kind == cellText && strings.TrimSpace(c.text) != "" {
				n++
			}
			return nil
		})
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
