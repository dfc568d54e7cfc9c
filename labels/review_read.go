package labels

import (
	"crypto/sha256"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"laurel/data"
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
	// Version numbers what an annotator has said of a comparison in one file, from
	// 1; 0 where the file does not count. A later version supersedes the earlier.
	Version    int
	Superseded bool
}

// reviewFields are what a row of a review file is read from.
type reviewFields struct {
	data.Dialogue
	id, answer, annotator, note, version, texts, tools *data.Field
}

func newReviewFields() *reviewFields {
	return &reviewFields{
		Dialogue:  data.Dialogue{Prompt: &data.Field{Name: "prompt", Optional: true}, A: &data.Field{Name: "response_a"}, B: &data.Field{Name: "response_b"}},
		id:        &data.Field{Name: "id", Holds: data.HoldsName, Optional: true},
		answer:    &data.Field{Name: "answer", Holds: data.HoldsSide, Optional: true},
		annotator: &data.Field{Name: "annotator", Holds: data.HoldsName, Optional: true},
		note:      &data.Field{Name: "note", Holds: data.HoldsName, Optional: true},
		version:   &data.Field{Name: "version", Holds: data.HoldsNumber, Optional: true},
		texts:     &data.Field{Name: "texts", Holds: data.HoldsName, Optional: true},
		tools:     &data.Field{Name: "tools", Holds: data.HoldsName, Optional: true},
	}
}

func (f *reviewFields) find(src data.Source, cfg data.ReadConfig) ([]*data.Field, error) {
	fields := append(f.Fields(), f.id, f.answer, f.annotator, f.note, f.version, f.texts)
	if err := data.Resolve(fields, cfg.Columns, src); err != nil {
		return nil, err
	}
	if err := data.Require([]*data.Field{f.id, f.answer}, src, "reviewed comparisons are id and answer (A, B or tie), beside what laurel label --review-out wrote"); err != nil {
		return nil, err
	}
	if err := data.CheckTypes(fields, src); err != nil {
		return nil, err
	}
	return fields, f.Alike()
}

// answered reports whether somebody has filled in an answer.
func (f *reviewFields) answered() bool {
	return f.answer.Cell.Kind == data.CellText && strings.TrimSpace(f.answer.Cell.Text) != ""
}

// ReadReviewed reads the answers of people about the comparisons of labels, of
// all files, in their order. A row without an answer is kept, unanswered.
// Where a file has texts, they must be those of the labels, line ends aside;
// where it names no annotator, the file's name without its ending stands for
// one. An unknown id, other texts, an answer that is none, and an annotator's
// second answer about a comparison are bad rows; but in one file a higher version
// supersedes what the annotator said before, an answer taken back included.
func ReadReviewed(files []string, labels iter.Seq2[Label, error], cfg data.ReadConfig, counts *data.Counts) ([]Reviewed, error) {
	b := reviewBooks{known: map[string]*reviewTexts{}, seen: map[[2]string]reviewedAt{}}
	for l, err := range labels {
		if err != nil {
			return nil, err
		}
		b.known[l.ID] = textsOf(&l.Comparison)
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
	known map[string]*reviewTexts
	seen  map[[2]string]reviewedAt // an annotator's answer about an id
}

// reviewedAt is where an answer stands, and in which version.
type reviewedAt struct {
	file, unit   string
	row, version int
	at           int // among the rows of its file
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

func (b *reviewBooks) read(file string, cfg data.ReadConfig, counts *data.Counts) (out []Reviewed, err error) {
	fields := newReviewFields()
	r, err := data.OpenRows("reviewed", file, cfg, counts, fields.find)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		var v Reviewed
		place, err := r.Next(func() (bad *data.Problem) {
			v = Reviewed{File: file}
			if bad = fields.read(&v); bad == nil {
				bad = b.check(fields, &v, r.CSV())
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
		if v.Answered || v.Version > 0 {
			key := [2]string{v.ID, v.Annotator}
			if first, again := b.seen[key]; again {
				out[first.at].Superseded = true
			}
			b.seen[key] = reviewedAt{file, r.Unit(), v.Row, v.Version, len(out)}
		}
		out = append(out, v)
	}
}

// read reads a row.
func (f *reviewFields) read(v *Reviewed) (bad *data.Problem) {
	v.Annotator = strings.TrimSuffix(filepath.Base(v.File), filepath.Ext(v.File))
	if f.answer.Cell.Kind == data.CellText && !f.answered() {
		f.answer.Cell.Kind = data.CellNull
	}
	if v.Side, v.Answered, bad = sideOf(f.answer); bad != nil {
		return bad
	}
	annotator := ""
	if bad = data.Words(data.Word{Field: f.id, Into: &v.ID}, data.Word{Field: f.annotator, Into: &annotator}, data.Word{Field: f.note, Into: &v.Note}); bad != nil {
		return bad
	}
	if annotator = strings.TrimSpace(annotator); annotator != "" {
		v.Annotator = annotator
	}
	version, bad := f.version.Number(0)
	if v.Version = int(version); bad == nil && (version < 0 || version != float64(v.Version)) {
		bad = f.version.Problem(data.ReasonWrongType, "%v is no version: want 1, 2, 3, …", version)
	}
	return bad
}

// check holds a row against the labels and the answers before it. guarded says
// that its cells have apostrophes before what looks like a formula, unless
// another program wrote them.
func (b *reviewBooks) check(f *reviewFields, v *Reviewed, guarded bool) *data.Problem {
	if plain := unguarded(v.ID); guarded && b.known[plain] != nil {
		v.ID = plain
	}
	known := b.known[v.ID]
	if known == nil {
		return f.id.Problem(data.ReasonUnknownID, "the labels have no comparison %q: are they the labels that this file was written from? (Spreadsheets change ids such as 007)", data.Clip(v.ID, 40))
	}
	for i, text := range f.Fields() {
		if bad := known.same(i, text, guarded); bad != nil {
			return bad
		}
	}
	if key := f.texts.Cell; key.Kind == data.CellText && key.Text != known.key() {
		return f.texts.Problem(data.ReasonTextsDiffer, "the answer is about other texts than those of this id in the labels")
	}
	if !v.Answered && v.Version == 0 {
		return nil
	}
	if v.Answered && known.identical && v.Side != Neither {
		return f.answer.Problem(data.ReasonIdentical, "the responses are the same: neither can be preferred")
	}
	if first, again := b.seen[[2]string{v.ID, v.Annotator}]; again && (first.file != v.File || v.Version <= first.version) {
		return f.id.Problem(data.ReasonDuplicateID, "annotator %q has answered %q before, in %s, %s %d: give every annotator a name of their own in the column annotator, or drop one of the two", v.Annotator, data.Clip(v.ID, 40), first.file, first.unit, first.row)
	}
	return nil
}

// same checks one text, where the row has it.
func (t *reviewTexts) same(i int, f *data.Field, guarded bool) *data.Problem {
	text := f.Cell.Text
	switch kind := f.Cell.Kind; {
	case kind == data.CellText && guarded && hashCell(unguarded(text)) == t.hashes[i]:
		return nil
	case kind == data.CellMessages:
		m, bad := f.Messages()
		if bad != nil {
			return bad
		}
		text = reviewText(data.Text{Messages: m})
	case kind != data.CellText:
		return nil
	}
	if hashCell(text) != t.hashes[i] {
		return f.Problem(data.ReasonTextsDiffer, "the text is not that of the comparison of this id in the labels: was it edited, or cut by a spreadsheet?")
	}
	return nil
}

// AnswersIn counts the answers in a review file, so that nobody's work is
// written over.
func AnswersIn(path string) (n int, err error) {
	fields := newReviewFields()
	r, err := data.OpenRows("reviewed", path, data.ReadConfig{OnBadRow: "skip"}, nil, fields.find)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for {
		_, err := r.Next(func() *data.Problem {
			if fields.answered() {
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
