package benchmarks

import (
	"fmt"
	"strings"

	"laurel/data"
)

// judgeBenchSources begin the sources of ScalerLab/JudgeBench (Tan et al. 2025,
// arXiv:2410.12784) that make a section each.
var judgeBenchSources = []string{"mmlu-pro", "livebench-reasoning", "livebench-math", "livecodebench"}

// judgeBenchRows are the rows of each file, named by the model whose responses they
// are.
var judgeBenchRows = map[string]map[string]int{
	"gpt-4o-2024-05-13":          {"mmlu-pro": 154, "livebench-reasoning": 98, "livebench-math": 56, "livecodebench": 42},
	"claude-3-5-sonnet-20240620": {"mmlu-pro": 154, "livebench-reasoning": 51, "livebench-math": 34, "livecodebench": 31},
}

// judgeBench compares two responses of which one is right, A>B or B>A.
func judgeBench() *Benchmark {
	b := &Benchmark{Name: "judgebench", Title: "JudgeBench", open: true, measure: measureJudgeBench, check: checkJudgeBench, rows: func(string) (*rowReader, error) {
		id, source, question, model := word("pair_id"), word("source"), text("question"), word("response_model")
		a, b, label := text("response_A"), text("response_B"), word("label")
		r := &rowReader{needs: []*data.Field{id, source, question, a, b, label, model}}
		r.read = func() (it Item, leave string, bad *data.Problem) {
			var side, from string
			if it, bad = pairOf(question, a, b); bad == nil {
				bad = data.Words(data.Word{Field: id, Into: &it.ID}, data.Word{Field: source, Into: &from}, data.Word{Field: label, Into: &side}, data.Word{Field: model, Into: &it.Group})
			}
			if bad != nil {
				return it, "", bad
			}
			switch side {
			case "A>B":
			case "B>A":
				it.Right, it.Pairs = []bool{false, true}, [][2]int{{1, 0}}
			default:
				return it, "", label.Problem(data.ReasonLabel, "%q where A>B or B>A should be", data.Clip(side, 20))
			}
			if it.Subset = judgeSource(from); it.Subset == "" {
				return it, "", source.Problem(data.ReasonLabel, "unknown source %q: they begin with %s", data.Clip(from, 40), strings.Join(judgeBenchSources, ", "))
			}
			return it, "", nil
		}
		return r, nil
	}}
	return b
}

func judgeSource(source string) string {
	for _, s := range judgeBenchSources {
		if strings.HasPrefix(source, s) {
			return s
		}
	}
	return ""
}

// checkJudgeBench keeps the pairs of two models apart, as the leaderboard does.
func checkJudgeBench(items []Item) ([]string, error) {
	have, model := map[string]int{}, items[0].Group
	for i := range items {
		it := &items[i]
		if it.Group != model {
			return nil, fmt.Errorf("%s, %s: a pair of %s, and the first are of %s: JudgeBench reports them apart, so give one file", it.File, it.Place, it.Group, model)
		}
		have[it.Subset]++
	}
	for i := range items {
		items[i].Group = "" // the prompt is what rows share
	}
	want, known := judgeBenchRows[model]
	if !known {
		return []string{fmt.Sprintf("responses of %s are none of JudgeBench's published pairs", data.Clip(model, 40))}, nil
	}
	return compare(have, want, "JudgeBench ("+model+")")
}

// measureJudgeBench is run_judge.py's report: a reward model decides A>B where A's
// reward is higher and B>A otherwise, ties included (utils/judges.py); a judge is
// asked in both orders (Decided). The score is over all pairs.
func measureJudgeBench(items []Item, s Scores) (m measured) {
	value := func(i int) float64 {
		if s.Rewards == nil {
			return s.Outcomes[i][0]
		}
		aWins, aRight := s.Rewards[i][0] > s.Rewards[i][1], items[i].Right[0]
		if aWins == aRight {
			return 1
		}
		return 0
	}
	units := bySubset(items, value)
	var all []unit
	for _, source := range judgeBenchSources {
		m.sections = append(m.sections, sectionOf(source, units[source]))
		all = append(all, units[source]...)
	}
	m.score = sectionOf("Score", all)
	return m
}
