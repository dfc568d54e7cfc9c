package stats

import "fmt"

// Percent is a share in per cent.
func Percent(v Value) string {
	if !v.Defined() {
		return "n/a"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(v))
}

// Plural is a count with its noun: 1 pair, 2 pairs.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
