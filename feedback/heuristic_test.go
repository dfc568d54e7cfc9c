package feedback

import (
	"math"
	"testing"

	"laurel/data"
	"laurel/labels"
)

// articleCases are the two comparisons that the article tries its labeller on.
var articleCases = []data.Comparison{
	{ID: "quantum", Prompt: data.Text{Plain: "Explain quantum computing"},
		A: data.Text{Plain: "Quantum computing uses quantum bits (qubits) that can exist in superposition, meaning they can represent both 0 and 1 simultaneously. This property, along with entanglement, allows quantum computers to perform certain calculations much faster than classical computers because they can explore many possibilities at once."},
		B: data.Text{Plain: "It's computers but quantum."}},
	{ID: "programming", Prompt: data.Text{Plain: "How do I learn programming?"},
		A: data.Text{Plain: "Start with Python since it has readable syntax. Practice daily with small projects."},
		B: data.Text{Plain: "Start with Python because it has clean, readable syntax that's beginner-friendly. Practice daily by building small projects that interest you, as motivation helps learning."}},
}

// askBoth puts a comparison to a judge under every principle in both orders.
func askBoth(t testing.TB, judge Judge, c *data.Comparison, constitution *Constitution) (asked []Asked) {
	t.Helper()
	for i := range constitution.Principles {
		one := Asked{Judge: judge.Name(), Weight: 1, Principle: &constitution.Principles[i]}
		for _, swapped := range []bool{false, true} {
			answer, err := judge.Ask(t.Context(), Question{c, one.Principle, swapped})
			if err != nil {
				t.Fatal(err)
			}
			if swapped {
				one.BFirst = &answer
			} else {
				one.AFirst = &answer
			}
		}
		asked = append(asked, one)
	}
	return asked
}

func fourPrinciples(t testing.TB) *Constitution {
	t.Helper()
	c, err := ReadConstitution("../configs/constitutions/rlaif.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestArticleCases: over 50 seeds the first case is a every time, nearly
// always by every principle and with confidence near 0.77; the second abstains
// in at least nine of ten.
func TestArticleCases(t *testing.T) {
	constitution := fourPrinciples(t)
	for _, rules := range []string{"article", "all"} {
		labelled, whole, confidence, abstained := 0, 0, 0.0, 0
		for seed := range uint64(50) {
			judge, err := NewHeuristic("heuristic", HeuristicConfig{Rules: rules, Noise: 0.1}, seed)
			if err != nil {
				t.Fatal(err)
			}
			first := Aggregate(&articleCases[0], askBoth(t, judge, &articleCases[0], constitution), article(PositionAgree))
			if first.Side == labels.SideA {
				labelled++
				confidence += first.Confidence / 50
			}
			if first.VoteShare > 0.999 {
				whole++
			}
			if Aggregate(&articleCases[1], askBoth(t, judge, &articleCases[1], constitution), article(PositionAgree)).Side == labels.Neither {
				abstained++
			}
		}
		t.Logf("rules %s: first case a %d of 50, vote share 1 %d, mean confidence %.3f; second case abstains %d", rules, labelled, whole, confidence, abstained)
		if labelled != 50 || whole < 48 || math.Abs(confidence-0.77) > 0.03 || abstained < 45 {
			t.Errorf("rules %s: not as the article has it", rules)
		}
	}
}
