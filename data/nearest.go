package data

import (
	"fmt"
	"strings"
)

// Closest is the name fewest edits away from the one given, letter case aside;
// of several the first. It is empty where there is none to choose from.
func Closest(name string, among []string) string {
	best, least := "", -1
	for _, other := range among {
		if d := EditDistance(strings.ToLower(name), strings.ToLower(other)); least < 0 || d < least {
			best, least = other, d
		}
	}
	return best
}

// Nearest is the closest name where at most a third of the one given must
// change; else it is empty: a word half changed is another word (lose is not
// chosen).
func Nearest(name string, among []string) string {
	near := Closest(name, among)
	if near == "" || EditDistance(strings.ToLower(name), strings.ToLower(near)) > len(name)/3 {
		return ""
	}
	return near
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
