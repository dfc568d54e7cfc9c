package eval

import (
	"fmt"
	"strings"

	"laurel/eval/benchmarks"
	"laurel/eval/stats"
)

// RewardBench is the accuracy on the sections of RewardBench (Lambert et al. 2024,
// arXiv:2403.13787), as its authors count it: a tie is wrong, a section is the mean
// over its pairs, of which those of math-prm weigh 984/447, so that all 447 weigh as
// much as the 984 of code. Score is the mean of the four sections, without the
// prior test sets; undefined where a section is not there.
type RewardBench struct {
	Score    stats.Value `json:"score"`
	Sections []Section   `json:"sections"`
}

// Section is one of them. The interval is Wilson's, at 95%, at the effective number
// of pairs (Kish 1965).
type Section struct {
	Name     string         `json:"name"`
	N        int            `json:"n"`
	Accuracy stats.Value    `json:"accuracy"`
	Interval stats.Interval `json:"interval"`
}

// rewardBench is nil where a subset is none of RewardBench's, or there is none.
func rewardBench(subsets map[string]*Metrics) *RewardBench {
	out, known, sum := &RewardBench{}, 0, stats.Value(0)
	for _, section := range benchmarks.RewardBenchSections {
		n, weight, squares, right := 0, 0.0, 0.0, 0.0
		for _, subset := range section.Subsets {
			m, there := subsets[subset.Name]
			if !there {
				continue
			}
			w := 1.0
			if subset.Name == benchmarks.MathPRM {
				w = subset.Weight / benchmarks.MathPRMRows
			}
			pairs := float64(m.N)
			n, known = n+m.N, known+1
			weight, squares, right = weight+w*pairs, squares+w*w*pairs, right+w*pairs*float64(m.AccuracyStrict)
		}
		s := Section{Name: section.Name, N: n, Accuracy: stats.Over(right, weight)}
		s.Interval = stats.Wilson95(float64(s.Accuracy), float64(stats.Over(weight*weight, squares)))
		out.Sections, sum = append(out.Sections, s), sum+s.Accuracy
	}
	if known == 0 || known < len(subsets) {
		return nil
	}
	out.Score = sum / stats.Value(len(out.Sections))
	return out
}

// line is the summary's.
func (b *RewardBench) line() line {
	var parts []string
	for _, s := range b.Sections {
		parts = append(parts, fmt.Sprintf("%s %v", s.Name, s.Accuracy))
	}
	return line{"RewardBench", b.Score.String(), "mean of " + strings.Join(parts, ", ") + "; ties wrong"}
}
