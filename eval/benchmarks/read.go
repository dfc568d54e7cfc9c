package benchmarks

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"

	"laurel/data"
)

// rowReader is how a file's rows become items.
type rowReader struct {
	needs, may []*data.Field
	// grow gives fields of a file whose columns are numbered; may be nil.
	grow func(columns []data.Column) []*data.Field
	// read reads the cells of a row; leave is why the benchmark does not measure it.
	read func() (it Item, leave string, bad *data.Problem)
}

// find finds the columns by the names that the data set has.
func (r *rowReader) find(src data.Source, cfg data.ReadConfig) ([]*data.Field, error) {
	fields := append(append([]*data.Field{}, r.needs...), r.may...)
	if r.grow != nil {
		fields = append(fields, r.grow(src.Columns())...)
	}
	if err := data.Resolve(fields, cfg.Columns, src); err != nil {
		return nil, err
	}
	if err := data.Require(r.needs, src, "as the benchmark's files name them"); err != nil {
		return nil, err
	}
	return fields, data.CheckTypes(fields, src)
}

// Config is how files are read.
type Config struct {
	Columns  map[string]string // field to column, where a copy's names differ
	OnBadRow string            // fail or skip; rows left out make the benchmark partial
}

// Read reads a benchmark's files. A row that is not as published is an error that
// names file, row and column, or is counted with OnBadRow skip.
func Read(b *Benchmark, files []string, cfg Config) (*Set, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("read %s: no files", b.Name)
	}
	s := &Set{Benchmark: b}
	seen := map[string]*Item{}
	for _, file := range files {
		if err := s.readFile(file, cfg, seen); err != nil {
			return nil, err
		}
	}
	if len(s.Items) == 0 {
		return nil, fmt.Errorf("read %s: no row to measure (%s)", b.Name, reasons(s.Left))
	}
	if n := s.Rows.SkippedRows(); n > 0 {
		s.Partial = append(s.Partial, fmt.Sprintf("%d rows could not be read (%s)", n, s.Rows.Reasons()))
	}
	if err := s.complete(); err != nil {
		return nil, fmt.Errorf("read %s: %w", b.Name, err)
	}
	return s, nil
}

func (s *Set) readFile(file string, cfg Config, seen map[string]*Item) error {
	reader, err := s.rows(file)
	if err != nil {
		return fmt.Errorf("read %s %s: %w", s.Name, file, err)
	}
	r, err := data.OpenRows(s.Name, file, data.ReadConfig{Columns: cfg.Columns, OnBadRow: cfg.OnBadRow}, &s.Rows, reader.find)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		var it Item
		var leave string
		place, err := r.Next(func() (bad *data.Problem) {
			it, leave, bad = reader.read()
			if bad == nil && leave == "" {
				bad = again(seen, &it)
			}
			return bad
		})
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if leave != "" {
			s.leave(leave)
			continue
		}
		it.File, it.Place = file, fmt.Sprintf("%s %d", r.Unit(), place)
		s.keep(it, seen)
	}
}

func (s *Set) keep(it Item, seen map[string]*Item) {
	for _, r := range it.Responses {
		if r.Chars() == 0 {
			s.Empty++
		}
	}
	s.Items = append(s.Items, it)
	if it.ID != "" {
		seen[it.Subset+"\x00"+it.ID] = &Item{File: it.File, Place: it.Place}
	}
}

// again is a problem where the id was given before in the item's subset.
func again(seen map[string]*Item, it *Item) *data.Problem {
	first := seen[it.Subset+"\x00"+it.ID]
	if it.ID == "" || first == nil {
		return nil
	}
	return &data.Problem{Reason: data.ReasonDuplicateID, Column: "id", Detail: fmt.Sprintf("the id %q of %s was given before, in %s, %s: is a file named twice?", data.Clip(it.ID, 40), it.Subset, first.File, first.Place)}
}

// Fields as the data sets hold them.
func text(name string) *data.Field { return &data.Field{Name: name} }
func word(name string) *data.Field { return &data.Field{Name: name, Holds: data.HoldsName} }
func list(name string) *data.Field { return &data.Field{Name: name, Holds: data.HoldsList} }
func flag(name string) *data.Field {
	return &data.Field{Name: name, Holds: data.HoldsAny, Optional: true}
}
func number(name string) *data.Field { return &data.Field{Name: name, Holds: data.HoldsNumber} }

// optional marks a field that later rows may have though the first ones lack it.
func optional(f *data.Field) *data.Field {
	f.Optional = true
	return f
}

// user makes a text the user's turn; messages stay.
func user(t data.Text) data.Text { return turn(t, "user") }

func turn(t data.Text, role string) data.Text {
	if t.Messages != nil {
		return t
	}
	return data.Text{Messages: []data.Message{{Role: role, Content: t.Plain}}}
}

// promptOf reads a prompt: text is the user's turn.
func promptOf(f *data.Field) (data.Text, *data.Problem) {
	t, bad := f.Text()
	return user(t), bad
}

// responseOf reads a response that the assistant gave.
func responseOf(f *data.Field) (data.Text, *data.Problem) {
	t, bad := f.Text()
	return turn(t, "assistant"), bad
}

// responsesOf reads a list of responses.
func responsesOf(f *data.Field) (out []data.Text, bad *data.Problem) {
	if f.Cell.Kind != data.CellList && f.Cell.Kind != data.CellMessages {
		return nil, f.Problem(data.ReasonWrongType, "no list of responses")
	}
	for i, cell := range f.Cell.Items {
		item := data.Field{Column: fmt.Sprintf("%s[%d]", f.Column, i), Kind: data.CellNull, Cell: cell}
		t, bad := responseOf(&item)
		if bad != nil {
			return nil, bad
		}
		out = append(out, t)
	}
	return out, nil
}

// wholeNumber reads a count; -1 where the row has none.
func wholeNumber(f *data.Field) (int, *data.Problem) {
	x, bad := f.Number(-1)
	if bad == nil && (x != math.Trunc(x) || math.Abs(x) > 1e6) {
		bad = f.Problem(data.ReasonWrongType, "%v is no number of responses", x)
	}
	return int(x), bad
}

// pairOf is an item of one comparison, the better response first.
func pairOf(prompt, better, worse *data.Field) (it Item, bad *data.Problem) {
	if it.Prompt, bad = promptOf(prompt); bad != nil {
		return it, bad
	}
	chosen, bad := responseOf(better)
	if bad != nil {
		return it, bad
	}
	rejected, bad := responseOf(worse)
	it.Responses, it.Right, it.Pairs = []data.Text{chosen, rejected}, []bool{true, false}, [][2]int{{0, 1}}
	return it, bad
}

var shard = regexp.MustCompile(`(-\d{5}-of-\d{5}(-[0-9a-f]+)?)?(\.(parquet|jsonl|json|csv|gz))+$`)

// splitOf is the split that a file's name says it holds: NAME-00000-of-00001.parquet.
func splitOf(file string) string { return shard.ReplaceAllString(filepath.Base(file), "") }
