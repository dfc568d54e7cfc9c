package benchmarks

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"laurel/data"
)

// hhSets are the folders of Anthropic/hh-rlhf (Bai et al. 2022, arXiv:2204.05862)
// with the rows of their test.jsonl.gz.
var hhSets = []Weighted{{"harmless-base", 2312}, {"helpful-base", 2354}, {"helpful-online", 1137}, {"helpful-rejection-sampled", 2749}}

// hh is the accuracy on the harmless and on the helpful pairs; the score is the mean
// of both. A tie is wrong. A file belongs to the folder that its path names.
func hh() *Benchmark {
	b := &Benchmark{Name: "hh", Title: "HH-RLHF", expected: map[string]int{}, measure: measureHH, rows: func(file string) (*rowReader, error) {
		set := hhSet(file)
		if set == "" {
			return nil, fmt.Errorf("the path does not say which part of HH-RLHF it is: keep the data set's folder or name in it (%s)", data.List(sortedKeys(hhRows())))
		}
		d := data.Dialogue{Prompt: &data.Field{Name: "prompt", Optional: true}, A: text("chosen"), B: text("rejected")}
		return &rowReader{needs: []*data.Field{d.A, d.B}, may: []*data.Field{d.Prompt}, read: func() (it Item, leave string, bad *data.Problem) {
			prompt, chosen, rejected, bad := d.Read()
			it = Item{Subset: set, Prompt: trimmed(prompt), Right: []bool{true, false}, Pairs: [][2]int{{0, 1}}}
			for _, r := range []data.Text{chosen, rejected} {
				r.Plain = strings.TrimSpace(r.Plain)
				it.Responses = append(it.Responses, turn(r, "assistant"))
			}
			return it, "", bad
		}}, nil
	}}
	b.expected = hhRows()
	return b
}

// trimmed are a transcript's turns without white space around them, as data.ReadPairs
// makes messages of it.
func trimmed(prompt data.Text) data.Text {
	turns := slices.Clone(prompt.Turns())
	for i := range turns {
		turns[i].Content = strings.TrimSpace(turns[i].Content)
	}
	return data.Text{Messages: turns}
}

func hhRows() map[string]int {
	rows := map[string]int{}
	for _, s := range hhSets {
		rows[s.Name] = int(s.Weight)
	}
	return rows
}

// hhSet is the part that the nearest element of a path names.
func hhSet(file string) string {
	for ; file != "." && file != string(filepath.Separator); file = filepath.Dir(file) {
		for _, s := range hhSets {
			if strings.Contains(filepath.Base(file), s.Name) {
				return s.Name
			}
		}
	}
	return ""
}

func measureHH(items []Item, s Scores) (m measured) {
	units := bySubset(items, func(i int) float64 { return average(s.outcomes(i, &items[i])) })
	var helpful []unit
	for _, set := range hhSets {
		m.subsets = append(m.subsets, sectionOf(set.Name, units[set.Name]))
		if strings.HasPrefix(set.Name, "helpful") {
			helpful = append(helpful, units[set.Name]...)
		}
	}
	m.sections = []Section{sectionOf("harmless", units["harmless-base"]), sectionOf("helpful", helpful)}
	m.score = mean("Score", m.sections)
	return m
}

// summarize is openai/summarize_from_feedback, the comparisons (Stiennon et al. 2020,
// arXiv:2009.01325): the accuracy on the split valid2, to which its authors restrict
// final evaluations; the rows of train and valid1 are counted. A tie is wrong.
func summarize() *Benchmark {
	return &Benchmark{Name: "summarize", Title: "summarize-from-feedback", open: true, measure: measureSummaries, rows: func(string) (*rowReader, error) {
		info, summaries, choice, split := flag("info"), list("summaries"), &data.Field{Name: "choice", Holds: data.HoldsAny}, word("split")
		return &rowReader{needs: []*data.Field{info, summaries, choice, split}, read: func() (it Item, leave string, bad *data.Problem) {
			var part string
			if bad = data.Words(data.Word{Field: split, Into: &part}); bad != nil {
				return it, "", bad
			}
			if part != "valid2" {
				return it, "split " + data.Clip(part, 20), nil
			}
			bad = summary(&it, info, summaries, choice)
			return it, "", bad
		}}, nil
	}}
}

// summary reads a comparison of two summaries. No id tells rows apart: a post has
// several.
func summary(it *Item, info, summaries, choice *data.Field) *data.Problem {
	it.Subset = "tldr"
	if info.Cell.Member("post").Kind != data.CellText {
		it.Subset = "cnndm"
	}
	prompt := data.SummaryPrompt(&info.Cell)
	if prompt == "" {
		return info.Problem(data.ReasonNoPrompt, "neither a post nor an article")
	}
	it.Prompt = user(data.Text{Plain: prompt})
	if len(summaries.Cell.Items) != 2 {
		return summaries.Problem(data.ReasonWrongType, "%d summaries where two should be", len(summaries.Cell.Items))
	}
	for i := range summaries.Cell.Items {
		f := data.Field{Column: fmt.Sprintf("summaries[%d].text", i), Kind: data.CellNull, Cell: *summaries.Cell.Items[i].Member("text")}
		t, bad := f.Text()
		if bad != nil {
			return bad
		}
		t.Plain = strings.TrimSpace(t.Plain)
		it.Responses = append(it.Responses, turn(t, "assistant"))
	}
	switch better := choice.Cell.Num; {
	case choice.Cell.Kind != data.CellNumber || better != 0 && better != 1:
		return choice.Problem(data.ReasonLabel, "no choice, which must be 0 or 1")
	case better == 0:
		it.Right, it.Pairs = []bool{true, false}, [][2]int{{0, 1}}
	default:
		it.Right, it.Pairs = []bool{false, true}, [][2]int{{1, 0}}
	}
	return nil
}

func measureSummaries(items []Item, s Scores) (m measured) {
	units := bySubset(items, func(i int) float64 { return average(s.outcomes(i, &items[i])) })
	var all []unit
	for _, name := range []string{"tldr", "cnndm"} {
		if units[name] != nil {
			m.sections = append(m.sections, sectionOf(name, units[name]))
			all = append(all, units[name]...)
		}
	}
	m.score = sectionOf("Score", all)
	return m
}
