package data

import (
	"fmt"
	"strings"
)

// Nearest is the name fewest edits away from the one given, letter case aside,
// where that is at most a third of its length; else it is empty: a word half
// changed is another word (lose is not chosen).
func Nearest(name string, among []string) string {
	best, least := "", len(name)/3+1
	for _, other := range among {
		if d := EditDistance(strings.ToLower(name), strings.ToLower(other)); d < least {
			best, least = other, d
		}
	}
	return best
}

// DidYouMean is ` (did you mean "rejected"?)` where a name is near, else empty.
func DidYouMean(name string, among []string) string {
	if near := Nearest(name, among); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
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

// List names words in an error, the first thirty.
func List(words []string) string {
	if len(words) == 0 {
		return "(none)"
	}
	const most = 30
	if len(words) > most {
		return strings.Join(words[:most], ", ") + fmt.Sprintf(" and %d more", len(words)-most)
	}
	return strings.Join(words, ", ")
}
