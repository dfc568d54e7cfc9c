package eval

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Ranked is a pair with its rewards, and what finds its texts again.
type Ranked struct {
	ID          string  `json:"id,omitempty"`
	Place       int     `json:"place"` // in the order of reading, from 0
	Prompt      string  `json:"prompt_key"`
	Subset      string  `json:"subset,omitempty"`
	Chosen      float64 `json:"reward_chosen"`
	Rejected    float64 `json:"reward_rejected"`
	Margin      float64 `json:"margin"`
	Confidence  float64 `json:"confidence"`
	LenChosen   int     `json:"len_chosen"`
	LenRejected int     `json:"len_rejected"`
}

// maxWorst bounds the report.
const maxWorst = 20

// worstRanked are the pairs with the lowest margins below 0; of equal ones the
// first read.
func worstRanked(rows []Row) []Ranked {
	var wrong []int
	for i, r := range rows {
		if r.Chosen < r.Rejected {
			wrong = append(wrong, i)
		}
	}
	margin := func(i int) float64 { return rows[i].Chosen - rows[i].Rejected }
	slices.SortStableFunc(wrong, func(a, b int) int { return cmp.Compare(margin(a), margin(b)) })
	out := []Ranked{}
	for _, i := range wrong[:min(len(wrong), maxWorst)] {
		out = append(out, rows[i].ranked())
	}
	return out
}

func (r *Row) ranked() Ranked {
	return Ranked{ID: r.ID, Place: r.Place, Prompt: promptKey(r.Prompt), Subset: strings.ToValidUTF8(r.Subset, "\uFFFD"), Chosen: r.Chosen, Rejected: r.Rejected,
		Margin: r.Chosen - r.Rejected, Confidence: r.Confidence, LenChosen: r.LenChosen, LenRejected: r.LenRejected}
}

// promptKey is a string, since JSON's numbers are too short for it.
func promptKey(key uint64) string { return strconv.FormatUint(key, 16) }

// promptOf is promptKey's inverse; what is no key stands for no prompt.
func promptOf(key string) uint64 {
	n, err := strconv.ParseUint(key, 16, 64)
	if err != nil {
		return 0
	}
	return n
}

// Examples are the worst ranked pairs with their texts, from the files that
// they were read from. A pair that the files no longer hold at its place, with
// its prompt and lengths, is shown without texts.
func (r *Report) Examples(pairs iter.Seq2[data.Pair, error]) ([]draw.Example, error) {
	at := map[int]int{}
	last := -1
	for i, w := range r.Worst {
		at[w.Place] = i
		last = max(last, w.Place)
	}
	out := make([]draw.Example, len(r.Worst))
	for i, w := range r.Worst {
		out[i] = w.example()
	}
	place := 0
	for pair, err := range pairs {
		if err != nil {
			return nil, fmt.Errorf("texts of the worst ranked pairs: %w", err)
		}
		if i, wanted := at[place]; wanted && r.Worst[i].is(&pair) {
			out[i].Note += fmt.Sprintf("; %s, %s", pair.File, pair.Place())
			out[i].Texts = textsOf(draw.Words(pair.Prompt), draw.Words(pair.Chosen), draw.Words(pair.Rejected))
		}
		if place++; place > last {
			break
		}
	}
	return out, nil
}

// WorstOf are the report's worst ranked pairs with the texts that pairs.jsonl has.
func WorstOf(pairs []Evaluated, r *Report) (out []draw.Example) {
	at := map[int]int{}
	for i, e := range pairs {
		at[e.Place] = i
	}
	for _, w := range r.Worst {
		if i, known := at[w.Place]; known && pairs[i].Ranked == w {
			out = append(out, pairs[i].example())
		} else {
			out = append(out, w.example())
		}
	}
	return out
}

func (e *Evaluated) example() draw.Example {
	out := e.Ranked.example()
	if e.Key != "" {
		out.Note += "; " + e.At
		out.Texts = textsOf(e.PromptText, e.ChosenText, e.RejectedText)
	}
	return out
}

func textsOf(prompt, chosen, rejected string) []draw.Passage {
	return []draw.Passage{{Name: "prompt", Text: prompt}, {Name: "chosen", Text: chosen}, {Name: "rejected, ranked higher", Text: rejected}}
}

// is says whether the pair is the one that was ranked, by all that is known of
// that: rewards computed elsewhere may come without prompt and lengths.
func (w Ranked) is(p *data.Pair) bool {
	switch {
	case w.Prompt != promptKey(0) && w.Prompt != promptKey(data.PromptKey(p.Prompt)):
		return false
	case w.LenChosen+w.LenRejected > 0:
		return p.Chosen.Chars() == w.LenChosen && p.Rejected.Chars() == w.LenRejected
	case w.ID != "" && p.ID != "":
		return w.ID == p.ID
	}
	return w.Prompt != promptKey(0)
}

func (w Ranked) example() draw.Example {
	e := draw.Example{Title: fmt.Sprintf("Margin %v", stats.Value(w.Margin))}
	if w.ID != "" {
		e.Title += ", " + draw.Label(w.ID, 80)
	}
	e.Note = fmt.Sprintf("rewards: chosen %v, rejected %v; the label's confidence %v", stats.Value(w.Chosen), stats.Value(w.Rejected), stats.Value(w.Confidence))
	if w.Subset != "" {
		e.Note += "; subset " + draw.Label(w.Subset, 60)
	}
	return e
}
