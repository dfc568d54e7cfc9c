package data

import (
	"slices"
	"strings"
)

// Source is a file of rows: Parquet, JSON lines or CSV. It knows columns and
// cells; what a record is made of is said by Fields.
type Source interface {
	Columns() []Column
	// OpenEnded reports whether rows may have columns that Columns lacks.
	OpenEnded() bool
	// Choose sets the fields that Next reads: those with a column.
	Choose([]*Field) error
	// Next reads one row into the cells of the chosen fields. It returns the row's
	// number, and a problem where this row cannot be read but the next can.
	Next() (place int, bad *Problem, err error)
	// Unit is "row" or "line", what places count.
	Unit() string
	// NumRows is -1 where it cannot be told without reading the file.
	NumRows() int64
	Close() error
}

// Column describes a column (or a key of the JSON objects) of a file.
type Column struct {
	Name string
	Kind CellKind
	What string // the type's name in errors
	// Members are the values inside of a CellObject, or of one message.
	Members []Column
}

func columnNames(src Source) []string {
	return namesOf(src.Columns())
}

func namesOf(columns []Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

// findColumn finds the column of a name, which may be empty, or the value
// inside of columns that a path with dots names: question.full_text.
func findColumn(src Source, name string) (Column, bool) {
	return columnAt(src.Columns(), name)
}

func columnAt(columns []Column, path string) (Column, bool) {
	for _, c := range columns {
		if c.Name == path {
			return c, true
		}
	}
	for _, c := range columns {
		if rest, inside := strings.CutPrefix(path, c.Name+"."); inside && c.Members != nil {
			if found, ok := columnAt(c.Members, rest); ok {
				return found, true
			}
		}
	}
	return Column{}, false
}

// chosenField is a field, the column it is in, and the way from there.
type chosenField struct {
	*Field
	column string
	inside []string
}

// chosenFields are those that have a column; a column that is there is not
// taken for a path.
func chosenFields(fields []*Field, columns []Column) (chosen []chosenField) {
	for _, f := range fields {
		if f.Column == "" {
			continue
		}
		top := slices.ContainsFunc(columns, func(c Column) bool { return c.Name == f.Column })
		if way := strings.Split(f.Column, "."); !top && len(way) > 1 {
			chosen = append(chosen, chosenField{f, way[0], way[1:]})
			continue
		}
		chosen = append(chosen, chosenField{f, f.Column, nil})
	}
	return chosen
}

// goInside goes from the column's cell to the field's.
func (f *chosenField) goInside() {
	for _, key := range f.inside {
		if f.Cell.Kind == CellNull {
			return
		}
		f.Cell = *f.Cell.Member(key)
	}
}

// HasColumns reports whether every field has a column that is there.
func HasColumns(src Source, fields ...*Field) bool {
	for _, f := range fields {
		if _, ok := findColumn(src, f.Column); !ok {
			return false
		}
	}
	return true
}
