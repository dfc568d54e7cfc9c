package data

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
}

func columnNames(src Source) []string {
	cols := src.Columns()
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.Name
	}
	return out
}

// findColumn finds the column of a name, which may be empty.
func findColumn(src Source, name string) (Column, bool) {
	for _, c := range src.Columns() {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
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
