package data

import (
	"fmt"
	"strings"
)

// summaryLayout is openai/summarize_from_feedback, the comparisons: two
// summaries of a post or an article, and the choice between them. The prompt
// is as that paper's models were asked (Stiennon et al., 2020).
func summaryLayout() *layout {
	info, summaries, choice := value("info"), list("summaries"), number("choice")
	return &layout{name: "summarize_from_feedback", needs: []*Field{info, summaries, choice},
		says: "prompt = SUBREDDIT, TITLE and POST (or Article) of info, and TL;DR:; choice names the better one of summaries",
		read: func() (r ranking, bad *Problem) {
			better, bad := either(choice, "0", "1")
			if bad != nil {
				return r, bad
			}
			r = ranking{prompt: Text{Plain: SummaryPrompt(&info.Cell)}, sure: 1, id: info.Cell.Member("id").scalar()}
			if r.prompt.Plain == "" {
				return r, info.Problem(ReasonNoPrompt, "neither a post nor an article")
			}
			if len(summaries.Cell.Items) != 2 {
				return r, summaries.Problem(ReasonWrongType, "%d summaries where two should be", len(summaries.Cell.Items))
			}
			for i := range summaries.Cell.Items {
				a, bad := answerIn(summaries, i, "text")
				if bad != nil {
					return r, bad
				}
				a.score, a.text.Plain = better*float64(1-2*i), " "+strings.TrimLeft(a.text.Plain, " ")
				r.answers = append(r.answers, a)
			}
			return r, nil
		}}
}

// SummaryPrompt is what the paper's models were asked of a post or an article; "" where
// info is neither.
func SummaryPrompt(info *Cell) string {
	if post := info.Member("post"); post.Kind == CellText && post.Text != "" {
		return fmt.Sprintf("SUBREDDIT: r/%s\n\nTITLE: %s\n\nPOST: %s\n\nTL;DR:", info.Member("subreddit").scalar(), info.Member("title").scalar(), post.Text)
	}
	if article := info.Member("article"); article.Kind == CellText && article.Text != "" {
		return fmt.Sprintf("Article:\n\n%s\n\nTL;DR:", article.Text)
	}
	return ""
}

// answerIn is the i-th answer of a list: the item itself, or what stands under
// a key of it.
func answerIn(list *Field, i int, keys ...string) (answer, *Problem) {
	item := Field{Column: fmt.Sprintf("%s[%d]", list.Column, i), Kind: CellNull, Cell: list.Cell.Items[i]}
	for _, key := range keys {
		if c := list.Cell.Items[i].Member(key); c.Kind != CellMissing {
			item.Column, item.Cell = item.Column+"."+key, *c
			break
		}
	}
	t, bad := item.Text()
	return answer{text: t, column: item.Column}, bad
}

// numberIn is a number of the i-th item of a list, under a key of it where one
// is given; texts that are numbers are taken for them.
func numberIn(list *Field, i int, key string) (float64, *Problem) {
	c, column := &list.Cell.Items[i], fmt.Sprintf("%s[%d]", list.Column, i)
	if key != "" {
		c, column = c.Member(key), column+"."+key
	}
	f := Field{Column: column, Cell: *c}
	x, given := parseNumber(c.scalar())
	if !given {
		return 0, f.Problem(ReasonLabel, "%s where a number should be", describeMissing(c))
	}
	return x, nil
}

func describeMissing(c *Cell) string {
	if c.Kind == CellMissing {
		return "nothing"
	}
	return c.describe()
}
