package data

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
)

// comparisonFields are what a comparison is read from. source stands in where
// the file has no subset.
type comparisonFields struct {
	Dialogue
	subset, source, id, modelA, modelB *Field
	media                              media
	said                               string // of the system message's column
}

func newComparisonFields() *comparisonFields {
	return &comparisonFields{
		Dialogue: Dialogue{Prompt: &Field{Name: "prompt", Optional: true}, A: &Field{Name: "response_a"}, B: &Field{Name: "response_b"}, Context: NewContextFields(),
			System:  &Field{Name: "system", Optional: true, Mapped: true},
			Input:   &Field{Name: "input", Optional: true, Mapped: true},
			History: &Field{Name: "history", Holds: HoldsAny, Optional: true, Mapped: true}},
		subset: &Field{Name: "subset", Holds: HoldsName, Optional: true},
		source: &Field{Name: "source", Holds: HoldsName, Optional: true},
		id:     &Field{Name: "id", Holds: HoldsName, Optional: true},
		modelA: &Field{Name: "model_a", Holds: HoldsName, Optional: true},
		modelB: &Field{Name: "model_b", Holds: HoldsName, Optional: true},
	}
}

// find finds the columns of a file of comparisons. A file without prompts is
// read, as whole transcripts or conversations, only where the mapping says so
// with an empty column.
func (c *comparisonFields) find(src Source, cfg ReadConfig) ([]*Field, error) {
	var err error
	if c.media, err = findMedia(src, cfg.Columns); err != nil {
		return nil, err
	}
	cfg.Columns = withoutMedia(cfg.Columns)
	fields := append(c.Fields(), c.subset, c.source, c.id, c.modelA, c.modelB, c.System, c.Input, c.History)
	if err := Resolve(fields, cfg.Columns, src); err != nil {
		return nil, err
	}
	need := c.Fields()[:3]
	if column, mapped := cfg.Columns[c.Prompt.Name]; mapped && column == "" {
		need = need[1:]
	}
	preferSubset(c.subset, c.source, src)
	if err := Require(need, src, "comparisons are prompt, response_a and response_b; pairs are read so with data.columns: {response_a: chosen, response_b: rejected}"); err != nil {
		if first := convertFirst(src); first != "" && len(cfg.Columns) == 0 {
			err = fmt.Errorf("no comparisons as laurel label reads them (prompt, response_a, response_b)%s; pairs are labelled with data.columns: {response_a: chosen, response_b: rejected}", first)
		}
		if isColumn(src, "chosen") && isColumn(src, "rejected") && len(cfg.Columns) == 0 {
			err = fmt.Errorf("no comparisons as laurel label reads them (prompt, response_a, response_b), but pairs: --columns response_a=chosen --columns response_b=rejected labels them, with --columns prompt=COLUMN where the prompt has another name, and --columns prompt= where chosen and rejected hold whole conversations; the columns are %s", List(columnNames(src)))
		}
		return nil, err
	}
	c.said = c.findSystem(src, cfg.Columns)
	if err := CheckTypes(fields, src); err != nil {
		return nil, err
	}
	return append(fields, c.media...), c.Alike()
}

// String names the format, for reports.
func (c *comparisonFields) String() string {
	return "comparisons (response_a/response_b), " + responsesFormat(&c.Dialogue)
}

// comparison checks a row and makes a comparison of it. Equal responses are
// kept: nothing need be asked about them.
func (c *comparisonFields) comparison() (out Comparison, bad *Problem) {
	if bad = c.media.check(); bad != nil {
		return out, bad
	}
	if out.Prompt, out.A, out.B, bad = c.Read(); bad != nil {
		return out, bad
	}
	if bad = response(out.A, c.A.Column); bad != nil {
		return out, bad
	}
	if bad = response(out.B, c.B.Column); bad != nil {
		return out, bad
	}
	return out, Words(Word{c.source, &out.Subset}, Word{c.subset, &out.Subset}, Word{c.id, &out.ID},
		Word{c.modelA, &out.ModelA}, Word{c.modelB, &out.ModelB})
}

// preferSubset drops source where the file has a subset.
func preferSubset(subset, source *Field, src Source) {
	if _, ok := findColumn(src, subset.Column); ok && subset.Column != "" {
		Drop(source)
	}
}

// Identical reports whether both responses are the same.
func (c *Comparison) Identical() bool { return c.A.equal(c.B) }

// Chat reports whether the comparison is messages, not plain text.
func (c *Comparison) Chat() bool { return c.A.Messages != nil }

// ReadComparisons yields the comparisons of the files, one file after another,
// and stops after the first error. Every comparison has an id that no other
// has: the file's, or row:N, of several files FILE:row:N; a row whose id was
// given before is refused as bad rows are. What became of the rows is added to
// counts, which may be nil. It keeps some 50 bytes a row, to know the ids.
func ReadComparisons(files []string, cfg ReadConfig, counts *Counts) iter.Seq2[Comparison, error] {
	return func(yield func(Comparison, error) bool) {
		ids := givenIDs{seen: map[[16]byte]idPlace{}, files: files}
		for i := range files {
			if !ids.readFile(i, cfg, counts, yield) {
				return
			}
		}
		if len(files) == 0 {
			yield(Comparison{}, errors.New("read comparisons: no files"))
		}
	}
}

// CheckComparisons opens the files for a moment: what is wrong with paths and
// columns is better said before a model is loaded or a judge is asked.
func CheckComparisons(files []string, cfg ReadConfig) error {
	for _, file := range files {
		r, err := OpenRows("comparisons", file, cfg, nil, newComparisonFields().find)
		if err != nil {
			return err
		}
		if err := r.Close(); err != nil {
			return err
		}
	}
	return nil
}

// givenIDs are the ids given so far, by their hash.
type givenIDs struct {
	seen  map[[16]byte]idPlace
	files []string
	units []string // what rows are called, for each file opened
	chat  bool     // of the first file
}

type idPlace struct{ file, row int }

func (g *givenIDs) readFile(at int, cfg ReadConfig, counts *Counts, yield func(Comparison, error) bool) (more bool) {
	fields := newComparisonFields()
	r, err := OpenRows("comparisons", g.files[at], cfg, counts, fields.find)
	if err != nil {
		yield(Comparison{}, err)
		return false
	}
	defer r.Close()
	repeated, err := fields.findRepeated(g.files[at])
	if err != nil {
		yield(Comparison{}, r.Fail(err))
		return false
	}
	for _, note := range []string{fields.said, repeated} {
		if note != "" && cfg.Say != nil {
			cfg.Say(g.files[at], note)
		}
	}
	if note := ignored(unreadColumns(r.src, slices.Concat(fields.Fields(), []*Field{fields.subset, fields.source, fields.id, fields.modelA, fields.modelB, fields.System, fields.Input, fields.History}, fields.media))); note != "" && cfg.Say != nil {
		cfg.Say(g.files[at], note)
	}
	if err := g.sameLayout(at, r, fields); err != nil {
		yield(Comparison{}, r.Fail(err))
		return false
	}
	for {
		c, err := g.next(r, at, fields)
		if err == io.EOF {
			return true
		}
		if !yield(c, err) || err != nil {
			return false
		}
	}
}

// sameLayout opens the books of a file: text and messages do not go into one file of labels.
func (g *givenIDs) sameLayout(at int, r *Rows, fields *comparisonFields) error {
	g.units = append(g.units, r.Unit())
	if at == 0 {
		g.chat = fields.Chat()
	}
	if fields.Chat() != g.chat {
		return fmt.Errorf("it has %s, unlike %s: text and messages do not go into one file of labels; label them apart", fields, g.files[0])
	}
	return nil
}

func (g *givenIDs) next(r *Rows, at int, fields *comparisonFields) (c Comparison, err error) {
	id, place, err := g.identify(r, at, fields.id, func() (id string, bad *Problem) {
		c, bad = fields.comparison()
		return c.ID, bad
	})
	if err != nil {
		return Comparison{}, err
	}
	c.ID, c.File, c.Row = id, r.file, place
	return c, nil
}

// identify reads the next row with read, and checks its id while the row can
// still be refused. Where it stands is known only afterwards.
func (g *givenIDs) identify(r *Rows, at int, field *Field, read func() (string, *Problem)) (id string, place int, err error) {
	place, err = r.Next(func() (bad *Problem) {
		if id, bad = read(); bad == nil && id != "" {
			bad = g.again(id, field.Column)
		}
		return bad
	})
	if err != nil {
		return "", 0, err
	}
	if id == "" {
		id = g.rowID(at, place)
		if bad := g.again(id, "id"); bad != nil {
			return "", 0, r.Fail(bad.at(r.file, r.Unit(), place))
		}
	}
	g.seen[hashID(id)] = idPlace{at, place}
	return id, place, nil
}

// again is a problem where the id was given before.
func (g *givenIDs) again(id, column string) *Problem {
	first, ok := g.seen[hashID(id)]
	if !ok {
		return nil
	}
	return &Problem{ReasonDuplicateID, column, fmt.Sprintf("the id %q was given before, to %s, %s %d: ids must differ, or turn the column off with data.columns: {id: \"\"}",
		Clip(id, 40), g.files[first.file], g.units[first.file], first.row)}
}

func (g *givenIDs) rowID(at, place int) string {
	id := "row:" + strconv.Itoa(place)
	if len(g.files) > 1 {
		id = g.files[at] + ":" + id
	}
	return id
}

func hashID(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}
