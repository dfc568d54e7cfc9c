package draw

import (
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

// TestDecades: powers of ten within the range, nine of them at most.
func TestDecades(t *testing.T) {
	labels := func(ticks []plot.Tick) string {
		var out []string
		for _, tick := range ticks {
			out = append(out, tick.Label)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.01, 1000, "0.01 0.1 1 10 100 1000"}, {1e3, 1e6, "1000 10k 100k 1M"}, {1e-8, 1e20, "1e-8 1e-4 1 10k 100M 1e12 1e16 1e20"},
	} {
		if got := labels(Decades{}.Ticks(c.low, c.high)); got != c.want {
			t.Errorf("from %v to %v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}
