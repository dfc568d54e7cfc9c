package eval

import "fmt"

func percent(v Value) string {
	if !v.Defined() {
		return "n/a"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(v))
}

func percentInterval(i [2]Value) string {
	if !i[0].Defined() {
		return "n/a"
	}
	return percent(i[0]) + " to " + percent(i[1])
}

func inPercent(i [2]Value) string { return fmt.Sprintf("%.1f to %.1f", 100*i[0], 100*i[1]) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func interval(i [2]Value) string {
	if !i[0].Defined() {
		return "n/a"
	}
	return fmt.Sprintf("%v to %v", i[0], i[1])
}

// within holds for an undefined value never.
func within(v Value, interval [2]Value) bool { return interval[0] <= v && v <= interval[1] }
