package audit

import (
	"testing"

	"laurel/labels"
)

// TestAgreementOfPeople: α is that of the Python package krippendorff 0.9.0
// (nominal), the second the example of Krippendorff's paper (2011), 0.095.
func TestAgreementOfPeople(t *testing.T) {
	for _, c := range []struct {
		said  []string // of each rater, by comparison; a dot for no answer
		alpha float64
	}{
		{[]string{"abta.bat", "abbab.a.", ".btbbb.t"}, 0.6842105263157894},
		{[]string{"abaaaaaaba", "bbbaabaaaa"}, 0.09523809523809534},
	} {
		var comparisons []RatedComparison
		for i := range c.said[0] {
			var r RatedComparison
			for who, said := range c.said {
				if side := map[byte]labels.Side{'a': labels.SideA, 'b': labels.SideB, 't': labels.Neither}; said[i] != '.' {
					r.Said = append(r.Said, Rating{string(rune('p' + who)), side[said[i]]})
				}
			}
			comparisons = append(comparisons, r)
		}
		p := AmongPeople(comparisons, Config{Seed: 1})
		near(t, "α", p.Alpha.Kappa, c.alpha, 1e-12)
		if lo, hi := float64(p.Alpha.Interval[0]), float64(p.Alpha.Interval[1]); !(lo < c.alpha && c.alpha < hi) {
			t.Errorf("interval %v to %v around %v", lo, hi, c.alpha)
		}
		if want := len(c.said) * (len(c.said) - 1) / 2; len(p.Pairs) != want || p.Pairs[0].A != "p" || p.Pairs[0].B != "q" {
			t.Errorf("pairs %+v", p.Pairs)
		}
	}
	if p := AmongPeople([]RatedComparison{{Said: []Rating{{"one", labels.SideA}}}}, Config{}); p.Alpha.N != 0 || p.Alpha.Kappa.Defined() || len(p.Pairs) != 0 {
		t.Errorf("of one person: %+v", p)
	}
}
