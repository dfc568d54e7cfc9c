package data

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// resolve finds the column of every field: the mapped one, else the one of the
// field's own name. Fields outside allowed cannot be mapped. An empty column
// name turns a field off. Scores become margins only where they are mapped:
// a rating scale is no reward scale, so nobody gets margins unasked.
func resolve(mapping map[string]string, allowed []field, src source) (names, error) {
	var n names
	have := columnNames(src)
	for _, f := range allowed {
		known := slices.Contains(have, f.String())
		if f != fieldScoreChosen && f != fieldScoreRejected && (known || src.openEnded() && f.optional()) {
			n[f] = f.String()
		}
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(mapping)) {
		f, err := fieldNamed(key, allowed)
		switch col := mapping[key]; {
		case err != nil:
			errs = append(errs, err)
		case col == "" || slices.Contains(have, col):
			n[f] = col
		default:
			errs = append(errs, fmt.Errorf("columns maps %s to %q, which is not there%s; the columns are %s",
				key, col, didYouMean(col, have), list(have)))
		}
	}
	if err := unambiguous(n, have); err != nil {
		errs = append(errs, err)
	}
	return n, errors.Join(errs...)
}

// optional fields are looked for in every JSON object, even where the first
// objects of the file lack them.
func (f field) optional() bool {
	switch f {
	case fieldConfidence, fieldMargin, fieldVoteShare, fieldVoteShareA, fieldPrompt, fieldResponse,
		fieldAILabel, fieldVotesA, fieldVotesB, fieldVotesTie, fieldAnswer:
		return true
	}
	return f.name()
}

func fieldNamed(name string, allowed []field) (field, error) {
	var known []string
	for _, f := range allowed {
		if f.String() == name {
			return f, nil
		}
		known = append(known, f.String())
	}
	return 0, fmt.Errorf("columns has the unknown field %q%s; the fields are %s", name, didYouMean(name, known), list(known))
}

// unambiguous refuses a wanted column that the file has twice.
func unambiguous(n names, have []string) error {
	for _, name := range n {
		count := 0
		for _, h := range have {
			if h == name {
				count++
			}
		}
		if name != "" && count > 1 {
			return fmt.Errorf("column %s is there %d times; rename one of them", name, count)
		}
	}
	return nil
}

func columnNames(src source) []string {
	cols := src.columns()
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.name
	}
	return out
}

func findColumn(src source, name string) (column, bool) {
	for _, c := range src.columns() {
		if c.name == name {
			return c, true
		}
	}
	return column{}, false
}

func list(words []string) string {
	if len(words) == 0 {
		return "(none)"
	}
	const most = 30
	if len(words) > most {
		return strings.Join(words[:most], ", ") + fmt.Sprintf(" and %d more", len(words)-most)
	}
	return strings.Join(words, ", ")
}

// didYouMean is `; did you mean "rejected"?` where a name is near, else empty.
func didYouMean(name string, among []string) string {
	if near := nearest(name, among); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// nearest is the name fewest edits away, where that is under half its length.
func nearest(name string, among []string) string {
	best, least := "", len(name)/2+1
	for _, other := range among {
		if d := EditDistance(strings.ToLower(name), strings.ToLower(other)); d < least {
			best, least = other, d
		}
	}
	return best
}

// EditDistance is Levenshtein's: insertions, deletions and substitutions.
func EditDistance(a, b string) int {
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		diagonal := last[0]
		last[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = last[j+1]
			last[j+1] = min(substitute, last[j]+1, last[j+1]+1)
		}
	}
	return last[len(b)]
}

// number reports whether the field holds a number.
func (f field) number() bool {
	switch f {
	case fieldVoteShareA, fieldConfidence, fieldMargin, fieldVoteShare, fieldScoreChosen, fieldScoreRejected,
		fieldRewardChosen, fieldRewardRejected, fieldLenChosen, fieldLenRejected,
		fieldVotesA, fieldVotesB, fieldVotesTie:
		return true
	}
	return false
}

// name reports whether the field names something: text, or a number taken as
// text.
func (f field) name() bool {
	switch f {
	case fieldID, fieldSubset, fieldSource, fieldGoldKind, fieldModelA, fieldModelB, fieldAnnotator, fieldNote:
		return true
	}
	return false
}

// dialogue reports whether the field may be text or messages.
func (f field) dialogue() bool {
	switch f {
	case fieldPrompt, fieldChosen, fieldRejected, fieldResponseA, fieldResponseB, fieldText, fieldResponse, fieldMessages:
		return true
	}
	return false
}
