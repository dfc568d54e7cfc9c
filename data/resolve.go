package data

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Resolve finds the column of every field: the mapped one, else the one of the
// field's own name. Other fields than these cannot be mapped. An empty column
// name turns a field off. Fields that are Mapped (scores) have a column only
// where one is named: a rating scale is no reward scale, so nobody gets
// margins unasked.
func Resolve(fields []*Field, mapping map[string]string, src Source) error {
	have := columnNames(src)
	for _, f := range fields {
		if f.Column == "" && !f.Mapped && (slices.Contains(have, f.Name) || src.OpenEnded() && f.Optional) {
			f.Column = f.Name
		}
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(mapping)) {
		f, err := fieldNamed(key, fields)
		switch col := mapping[key]; {
		case err != nil:
			errs = append(errs, err)
		case col == "" || isColumn(src, col):
			f.Column = col
		default:
			errs = append(errs, fmt.Errorf("columns maps %s to %q, which is not there%s; the columns are %s",
				key, col, DidYouMean(col, have), List(have)))
		}
	}
	if err := unambiguous(fields, have); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func isColumn(src Source, name string) bool {
	_, ok := findColumn(src, name)
	return ok
}

func fieldNamed(name string, fields []*Field) (*Field, error) {
	var known []string
	for _, f := range fields {
		if f.Name == name {
			return f, nil
		}
		known = append(known, f.Name)
	}
	return nil, fmt.Errorf("columns has the unknown field %q%s; the fields are %s", name, DidYouMean(name, known), List(known))
}

// unambiguous refuses a wanted column that the file has twice.
func unambiguous(fields []*Field, have []string) error {
	for _, f := range fields {
		count := 0
		for _, h := range have {
			if h == f.Column {
				count++
			}
		}
		if f.Column != "" && count > 1 {
			return fmt.Errorf("column %s is there %d times; rename one of them", f.Column, count)
		}
	}
	return nil
}

// Require names the columns that are not there and what to do; layout says
// what such files have.
func Require(need []*Field, src Source, layout string) error {
	have := columnNames(src)
	var missing []string
	hint := ""
	for _, f := range need {
		if _, ok := findColumn(src, f.Column); !ok {
			missing = append(missing, f.Name)
			if near := likely(f.Name, have); near != "" && hint == "" {
				hint = fmt.Sprintf("did you mean %q? Map it with --columns %s=%s (data.columns: {%s: %s})", near, f.Name, shellWord(near), f.Name, shellWord(near))
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if hint == "" {
		hint = fmt.Sprintf("map yours with --columns %s=YOUR_COLUMN (data.columns: {%s: YOUR_COLUMN})", missing[0], missing[0])
	}
	if len(missing) == len(need) {
		hint += " (" + layout + ")"
	}
	return fmt.Errorf("no column %s; the columns are %s; %s", strings.Join(missing, ", "), List(have), hint)
}

// likely is the column that a field's name is misspelt as, or the one column
// that has it in its name (response_chosen).
func likely(field string, columns []string) string {
	if near := Nearest(field, columns); near != "" {
		return near
	}
	var holding []string
	for _, column := range columns {
		if strings.Contains(strings.ToLower(column), field) {
			holding = append(holding, column)
		}
	}
	if len(holding) == 1 {
		return holding[0]
	}
	return ""
}

// CheckTypes checks the type of every column that is read, all at once, and
// notes which hold text and which messages.
func CheckTypes(fields []*Field, src Source) error {
	var wrong []string
	for _, f := range fields {
		c, ok := findColumn(src, f.Column)
		if f.Column == "" || !ok {
			continue
		}
		if want := f.refuses(c.Kind); want != "" && !src.OpenEnded() {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", c.Name, c.What, want))
		}
		f.Kind = c.Kind
		if c.Kind != CellText && c.Kind != CellMessages {
			f.Kind = CellNull
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("wrong column types: column %s; convert them, or map others with --columns (data.columns)", strings.Join(wrong, "; column "))
	}
	return nil
}

// shellWord is a column's name as a shell takes it for one word.
func shellWord(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:+,@%", r) || r > 127
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
