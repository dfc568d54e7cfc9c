// Package selection keeps the best of the candidates to each prompt, by their
// rewards: best-of-n and rejection sampling (Llama 2, arXiv:2307.09288, 3.2.3),
// and pairs of the best and the worst.
package selection

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"laurel/data"
)

// Config says which candidates are kept.
type Config struct {
	// BestOf is how many candidates each prompt must have, of which the first so
	// many are looked at: the n of best-of-n. 0: all that a prompt has.
	BestOf int `json:"best_of"`
	// TopK is how many of a prompt are kept at most, by falling reward.
	TopK int `json:"top_k"`
	// MinMargin is by how much a kept candidate's reward must exceed the lowest
	// reward of its prompt's candidates.
	MinMargin float64 `json:"min_margin"`
}

// Check refuses what means nothing.
func (c Config) Check() error {
	switch {
	case c.BestOf < 0:
		return fmt.Errorf("best-of is %d, want at least 1", c.BestOf)
	case c.TopK < 1:
		return fmt.Errorf("top-k is %d, want at least 1", c.TopK)
	case !(c.MinMargin >= 0):
		return fmt.Errorf("min-margin is %v, want at least 0", c.MinMargin)
	case c.BestOf > 0 && c.TopK > c.BestOf:
		return fmt.Errorf("top-k is %d, more than best-of, %d", c.TopK, c.BestOf)
	}
	return nil
}

// Why candidates and prompts are left out: they are with …
const (
	Unscored   = "no reward"
	CutShort   = "a finish_reason that says they were cut"
	Repeated   = "the text of an earlier response to their prompt"
	NoPrompt   = "an empty prompt"
	BeyondBest = "best-of responses before them"

	TooFew     = "fewer responses than best-of"
	LowMargin  = "no margin, or less than min-margin"
	OneOnly    = "a single response"
	NoneScored = "no response that can be kept"
)

// Summary is what a selection came to.
type Summary struct {
	Candidates int            `json:"candidates"`
	Prompts    int            `json:"prompts"`
	Out        map[string]int `json:"candidates_left_out"` // by why
	Messages   Kept           `json:"messages"`
	Pairs      Kept           `json:"pairs"`
}

// Kept is what one form of the output came to.
type Kept struct {
	Rows    int            `json:"rows"`
	Prompts int            `json:"prompts"`          // with a row or more
	Out     map[string]int `json:"prompts_left_out"` // by why
}

// candidate is a response as a selection remembers it.
type candidate struct {
	row    int // of the table, from 0
	which  int // completion of the row
	reward float32
	text   data.TextKey
}

// Selection gathers the candidates of a table. It holds some 50 bytes for each,
// and no text.
type Selection struct {
	config     Config
	file       string
	columns    map[string]string
	table      *data.Table
	rows       int
	prompts    map[data.TextKey]int
	candidates [][]candidate // by prompt, in the table's order
	chat       *bool         // whether the responses are messages; nil while none is known
	summary    Summary
}

// New begins a selection among the rows of a file that is scored. columns are as
// in data.OpenTable.
func New(file string, columns map[string]string, c Config) (*Selection, error) {
	table, err := data.OpenTable(file, columns)
	if err != nil {
		return nil, err
	}
	if !table.Prompts() {
		return nil, errors.Join(fmt.Errorf("%s has texts and no prompts: candidates are prompt and response, messages, or pairs", file), table.Close())
	}
	s := &Selection{config: c, file: file, columns: columns, table: table, prompts: map[data.TextKey]int{}}
	s.summary.Out = map[string]int{}
	return s, nil
}

// Close closes the file.
func (s *Selection) Close() error { return s.table.Close() }

// Take takes the scores of the next row.
func (s *Selection) Take(scores []data.Score) error {
	record, err := s.table.Next()
	if err == io.EOF {
		err = fmt.Errorf("read %s: it ends after %d rows, and there are scores of more", s.file, s.rows)
	}
	if err != nil {
		return err
	}
	defer func() { s.rows++ }()
	s.summary.Candidates += s.table.PerRow()
	if record.Problem != "" {
		s.summary.Out[Unscored] += s.table.PerRow()
		return nil
	}
	for i, c := range record.Completions {
		if why := s.add(candidate{row: s.rows, which: i, reward: scores[i].Reward, text: data.KeyOf(data.Text{}, c.Response, data.Text{})}, c, scores[i].Valid, record.Finish); why != "" {
			s.summary.Out[why]++
			continue
		}
		chat := c.Response.Messages != nil
		if s.chat == nil {
			s.chat = &chat
		}
		if *s.chat != chat {
			return fmt.Errorf("read %s: %s %d has text and rows before it messages, or the other way round: select from them apart", s.file, record.Unit, record.Row)
		}
	}
	return nil
}

// add takes a candidate, or says why it does not.
func (s *Selection) add(c candidate, text data.Completion, scored bool, finish string) (why string) {
	if data.PromptKey(text.Prompt) == 0 {
		return NoPrompt
	}
	key := data.KeyOf(text.Prompt, data.Text{}, data.Text{})
	at, known := s.prompts[key]
	if !known {
		at = len(s.candidates)
		s.prompts[key], s.candidates = at, append(s.candidates, nil)
	}
	switch {
	case !scored:
		return Unscored
	case finish == "length" || finish == "content_filter":
		return CutShort
	case slices.ContainsFunc(s.candidates[at], func(other candidate) bool { return other.text == c.text }):
		return Repeated
	case s.config.BestOf > 0 && len(s.candidates[at]) == s.config.BestOf:
		return BeyondBest
	}
	s.candidates[at] = append(s.candidates[at], c)
	return ""
}

// Best is a prompt's candidate of the highest reward, of equal ones the first, beside
// the others.
type Best struct {
	Prompt, Response data.TextKey // KeyOf the prompt alone, and of the response as the first of two
	Reward           float64
	Mean             float64 // reward of the prompt's candidates
	Candidates       int
}

// Best gives the best candidate of each prompt that has as many as BestOf says.
func (s *Selection) Best() []Best {
	keys := make([]data.TextKey, len(s.candidates))
	for key, at := range s.prompts {
		keys[at] = key
	}
	var out []Best
	for at, all := range s.candidates {
		if len(all) == 0 || len(all) < s.config.BestOf {
			continue
		}
		best := Best{Prompt: keys[at], Candidates: len(all)}
		top, sum := all[0], 0.0
		for _, c := range all {
			sum += float64(c.reward)
			if c.reward > top.reward {
				top = c
			}
		}
		best.Response, best.Reward, best.Mean = top.text, float64(top.reward), sum/float64(len(all))
		out = append(out, best)
	}
	return out
}

// chosen is what is kept of a prompt.
type chosen struct {
	best   []candidate // for messages, by falling reward
	paired []candidate // of pairs with the worst, by falling reward
	worst  candidate
}

// choose keeps the best of a prompt's candidates; of equal rewards the first.
func (s *Selection) choose(all []candidate) (kept chosen, noMessages, noPairs string) {
	switch {
	case len(all) < s.config.BestOf:
		return kept, TooFew, TooFew
	case len(all) == 0:
		return kept, NoneScored, NoneScored
	}
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b candidate) int { return cmp.Compare(b.reward, a.reward) })
	kept.worst = sorted[len(sorted)-1]
	for _, c := range sorted[:min(s.config.TopK, len(sorted))] {
		margin := float64(c.reward) - float64(kept.worst.reward)
		if margin >= s.config.MinMargin {
			kept.best = append(kept.best, c)
		}
		if margin >= s.config.MinMargin && margin > 0 {
			kept.paired = append(kept.paired, c)
		}
	}
	if len(kept.best) == 0 {
		noMessages = LowMargin
	}
	switch {
	case len(all) < 2:
		noPairs = OneOnly
	case len(kept.paired) == 0:
		noPairs = LowMargin
	}
	return kept, noMessages, noPairs
}
