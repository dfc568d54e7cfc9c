package data

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
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
	missing := slices.DeleteFunc(slices.Clone(need), func(f *Field) bool { return isColumn(src, f.Column) })
	if len(missing) == 0 {
		return nil
	}
	hint := mapping(missing, src)
	if len(missing) == len(need) {
		hint += " (" + layout + ")"
	}
	return fmt.Errorf("no column %s; the columns are %s; %s", strings.Join(fieldNames(missing), ", "), List(columnNames(src)), hint)
}

// mapping is what --columns may say of the fields that have no column: the
// columns that they are likely to be, each for one field, or YOUR_COLUMN. Other
// words for fields count where all fields are found so: a column preferred alone
// is hardly the chosen response.
func mapping(missing []*Field, src Source) string {
	spelt := assign(missing, src, spelling)
	found := spelt
	if all := assign(missing, src, spelling, meaning); len(all) == len(missing) {
		found = all
	}
	var names, flags, keys []string
	for _, f := range missing {
		column := "YOUR_COLUMN"
		if found[f.Name] != "" {
			column = shellWord(found[f.Name])
			names = append(names, fmt.Sprintf("%q", found[f.Name]))
		}
		flags, keys = append(flags, "--columns "+f.Name+"="+column), append(keys, f.Name+": "+column)
	}
	asks := "map yours"
	if len(names) > 0 {
		asks = "did you mean " + strings.Join(names, ", ") + "? Map " + map[bool]string{true: "it", false: "them"}[len(missing) == 1]
	}
	return fmt.Sprintf("%s with %s (data.columns: {%s})", asks, strings.Join(flags, " "), strings.Join(keys, ", "))
}

// assign gives each field the column that the first of the ways finds for it among
// those that may hold it and no other field has.
func assign(fields []*Field, src Source, ways ...func(field string, columns []Column) string) map[string]string {
	found, taken := map[string]string{}, map[string]bool{}
	for _, way := range ways {
		for _, f := range fields {
			if found[f.Name] != "" {
				continue
			}
			free := slices.DeleteFunc(slices.Clone(src.Columns()), func(c Column) bool {
				return taken[c.Name] || c.Kind != CellObject && f.refuses(c.Kind) != ""
			})
			if column := way(f.Name, free); column != "" {
				found[f.Name], taken[column] = column, true
			}
		}
	}
	return found
}

// spelling is the column that a field's name is misspelt as, else the one column
// that has it in its name (response_chosen), else the value of that name inside of
// a column (data.chosen).
func spelling(field string, columns []Column) string {
	if near := Nearest(field, namesOf(columns)); near != "" {
		return near
	}
	if one := only(columns, func(name string) bool { return strings.Contains(name, field) }); one != "" {
		return one
	}
	for _, c := range columns {
		for _, inner := range c.Members {
			if c.Kind == CellObject && strings.EqualFold(inner.Name, field) {
				return c.Name + "." + inner.Name
			}
		}
	}
	return ""
}

// meanings are other words for what a field holds, as people name columns.
var meanings = map[string][]string{
	"chosen":   {"good", "better", "best", "preferred", "winner", "winning", "win", "accepted", "positive", "pos"},
	"rejected": {"bad", "worse", "worst", "dispreferred", "loser", "losing", "lose", "negative", "neg"},
	"response": {"output", "completion", "answer", "reply", "generation"},
	"prompt":   promptColumns,
}

// meaning is the one column that has another word for the field in its name
// (answer_good).
func meaning(field string, columns []Column) string {
	return only(columns, func(name string) bool {
		return slices.ContainsFunc(strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }), func(word string) bool {
			return slices.Contains(meanings[field], word)
		})
	})
}

// only is the one column whose name, in small letters, fits, "" where none or
// several do.
func only(columns []Column, fits func(name string) bool) string {
	found := slices.DeleteFunc(namesOf(columns), func(name string) bool { return !fits(strings.ToLower(name)) })
	if len(found) != 1 {
		return ""
	}
	return found[0]
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
