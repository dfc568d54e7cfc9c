package data

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
)

// comparisonFields can be mapped when comparisons are read. source stands in
// where the file has no subset.
var comparisonFields = []field{fieldPrompt, fieldResponseA, fieldResponseB, fieldSubset, fieldSource, fieldID, fieldModelA, fieldModelB}

// findComparisons finds the shape of a file of comparisons. A file without
// prompts is read, as whole transcripts or conversations, only where the
// mapping says so with an empty column.
func findComparisons(src source, mapping map[string]string) (shape, error) {
	n, err := resolve(mapping, comparisonFields, src)
	if err != nil {
		return shape{}, err
	}
	s := shape{names: n, labelled: true}
	need := []field{fieldPrompt, fieldResponseA, fieldResponseB}
	if column, mapped := mapping[fieldPrompt.String()]; mapped && column == "" {
		need = need[1:]
	}
	s.preferSubset(src)
	if err := missingColumns(n, need, src, "comparisons are prompt, response_a and response_b; pairs are read so with data.columns: {response_a: chosen, response_b: rejected}"); err != nil {
		return shape{}, err
	}
	return s, s.types(src)
}

// comparison checks a row and makes a comparison of it. Equal responses are
// kept: nothing need be asked about them.
func (s *shape) comparison(r *row) (c Comparison, bad *problem) {
	if c.Prompt, c.A, c.B, bad = s.dialogue(r); bad != nil {
		return c, bad
	}
	if bad = response(c.A, s.names[fieldResponseA]); bad != nil {
		return c, bad
	}
	if bad = response(c.B, s.names[fieldResponseB]); bad != nil {
		return c, bad
	}
	return c, s.words(r, wordField{fieldSource, &c.Subset}, wordField{fieldSubset, &c.Subset}, wordField{fieldID, &c.ID},
		wordField{fieldModelA, &c.ModelA}, wordField{fieldModelB, &c.ModelB})
}

// wordField is a field that names something, and where it goes.
type wordField struct {
	field
	into *string
}

// words reads fields that name something; one that is not there changes
// nothing.
func (s *shape) words(r *row, fields ...wordField) *problem {
	for _, to := range fields {
		word, bad := s.label(r, to.field)
		if bad != nil {
			return bad
		}
		if word != "" {
			*to.into = word
		}
	}
	return nil
}

// preferSubset drops source where the file has a subset.
func (s *shape) preferSubset(src source) {
	if _, ok := findColumn(src, s.names[fieldSubset]); ok && s.names[fieldSubset] != "" {
		s.drop(fieldSource)
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

// givenIDs are the ids given so far, by their hash.
type givenIDs struct {
	seen  map[[16]byte]idPlace
	files []string
	units []string // what rows are called, for each file opened
	chat  bool     // of the first file
}

type idPlace struct{ file, row int }

func (g *givenIDs) readFile(at int, cfg ReadConfig, counts *Counts, yield func(Comparison, error) bool) (more bool) {
	r := rowReader{what: "comparisons", file: g.files[at], total: counts}
	if err := r.open(cfg, findComparisons); err != nil {
		yield(Comparison{}, r.fail(err))
		return false
	}
	defer r.Close()
	if err := g.sameLayout(at, &r); err != nil {
		yield(Comparison{}, r.fail(err))
		return false
	}
	for {
		c, err := g.next(&r, at)
		if err == io.EOF {
			return true
		}
		if !yield(c, err) || err != nil {
			return false
		}
	}
}

// sameLayout opens the books of a file: text and messages do not go into one file of labels.
func (g *givenIDs) sameLayout(at int, r *rowReader) error {
	g.units = append(g.units, r.src.unit())
	if at == 0 {
		g.chat = r.Chat()
	}
	if r.Chat() != g.chat {
		return fmt.Errorf("it has %s, unlike %s: text and messages do not go into one file of labels; label them apart", r.Format(), g.files[0])
	}
	return nil
}

func (g *givenIDs) next(r *rowReader, at int) (c Comparison, err error) {
	id, place, err := g.identify(r, at, func(row *row) (id string, bad *problem) {
		c, bad = r.shape.comparison(row)
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
func (g *givenIDs) identify(r *rowReader, at int, read func(*row) (string, *problem)) (id string, place int, err error) {
	place, err = r.next(func(row *row) (bad *problem) {
		if id, bad = read(row); bad == nil && id != "" {
			bad = g.again(id, r.shape.names[fieldID])
		}
		return bad
	})
	if err != nil {
		return "", 0, err
	}
	if id == "" {
		id = g.rowID(at, place)
		if bad := g.again(id, "id"); bad != nil {
			return "", 0, r.fail(bad.at(r.file, r.src.unit(), place))
		}
	}
	g.seen[hashID(id)] = idPlace{at, place}
	return id, place, nil
}

// again is a problem where the id was given before.
func (g *givenIDs) again(id, column string) *problem {
	first, ok := g.seen[hashID(id)]
	if !ok {
		return nil
	}
	return &problem{ReasonDuplicateID, column, fmt.Sprintf("the id %q was given before, to %s, %s %d: ids must differ, or turn the column off with data.columns: {id: \"\"}",
		clip([]byte(id), 40), g.files[first.file], g.units[first.file], first.row)}
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
