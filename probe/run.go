package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Score gives the outcome of each completion, in order, as scoring.Scorer.Score
// does.
type Score func(context.Context, []data.Completion) ([]data.Score, error)

// Config says what is measured, and how.
type Config struct {
	Rows      int    // of the table, the first so many; 0: all
	Seed      uint64 // of what edits draw, and of the bootstrap
	Resamples int    // of the bootstrap
}

// Default probes every row.
func Default() Config { return Config{Seed: 1, Resamples: 1000} }

// Edit is an edited response with its reward, a line of probe.jsonl. That of
// each response itself comes before those of its edits; its Probe is "original".
type Edit struct {
	Row      int      `json:"row"`      // from 0; of JSON lines the line, from 1
	Response string   `json:"response"` // chosen, rejected, or response
	Probe    string   `json:"probe"`
	Prompt   string   `json:"prompt,omitempty"` // of an original
	Text     string   `json:"text"`
	Reward   *float32 `json:"reward"`           // null where there is none
	Change   *float64 `json:"change,omitempty"` // reward minus that of the original, where both have one
	Cut      bool     `json:"cut"`              // whether ids were cut to max_length
	Reason   string   `json:"reason,omitempty"` // why there is no reward
}

// original is the Probe of a response that is not edited.
const original = "original"

// Edits are made and scored for so many rows together; the response to another
// prompt is one of theirs.
const groupRows = 128

// response is one that is probed.
type response struct {
	data.Completion
	turn
	row, which int
	key        uint64 // of its prompt
	prompt     int32  // number of its prompt
}

// Why responses are not probed, besides the reasons for which a row is refused.
const (
	notText = "the last turn holds more than a text" // calls, parts, reasoning
	isEmpty = "an empty response"
)

// Run edits and scores the responses of a table, and says by how much rewards
// change. put, if not nil, is given each edit; done, if not nil, hears how many rows
// are through.
func Run(ctx context.Context, table *data.Table, score Score, cfg Config, put func(Edit) error, done func(rows int)) (*Report, error) {
	if !table.Prompts() {
		return nil, fmt.Errorf("%s has texts, in which prompt and response are one: probes edit responses, of prompt and response, messages, or pairs", table.File())
	}
	r := newRun(table, cfg, put)
	for cfg.Rows == 0 || r.rows < cfg.Rows {
		group, err := r.read()
		if err != nil {
			return nil, err
		}
		if group == nil {
			break
		}
		if err := r.probe(ctx, group, score); err != nil {
			return nil, err
		}
		if done != nil {
			done(r.rows)
		}
	}
	if len(r.rewards) == 0 {
		return nil, fmt.Errorf("%s has no response that can be probed%s", table.File(), whyNone(r.leftOut))
	}
	return r.report(), nil
}

func whyNone(leftOut map[string]int) string {
	var out []string
	for _, reason := range sortedKeys(leftOut) {
		out = append(out, fmt.Sprintf("%s %d", reason, leftOut[reason]))
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}

// run is a Run under way.
type run struct {
	table   *data.Table
	cfg     Config
	put     func(Edit) error
	rows    int
	prompts *stats.Prompts
	leftOut map[string]int // responses, by reason
	rewards []float64      // of responses as they are
	tallies []*tally
}

func newRun(table *data.Table, cfg Config, put func(Edit) error) *run {
	r := &run{table: table, cfg: cfg, put: put, prompts: stats.NewPrompts(), leftOut: map[string]int{}}
	for _, p := range Probes() {
		r.tallies = append(r.tallies, &tally{probe: p, unscored: map[string]int{}})
	}
	return r
}

// read reads the responses of the next rows; nil after the last.
func (r *run) read() (group []response, err error) {
	limit := groupRows
	if r.cfg.Rows > 0 {
		limit = min(limit, r.cfg.Rows-r.rows)
	}
	group = []response{}
	for i := range limit {
		record, err := r.table.Next()
		if err == io.EOF && i == 0 {
			return nil, nil
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		r.rows++
		if record.Problem != "" {
			r.leftOut[record.Problem] += r.table.PerRow()
		}
		for which, c := range record.Completions {
			turn, why := lastTurn(c.Response)
			if why != "" {
				r.leftOut[why]++
				continue
			}
			key := data.PromptKey(c.Prompt)
			group = append(group, response{c, turn, record.Row, which, key, r.prompts.Of(key)})
		}
	}
	return group, nil
}

// turn is the assistant's last turn in a response: its text without white space
// at its ends, and what stands around it.
type turn struct{ before, text, after string }

// lastTurn finds what of a response is edited, or says why nothing is.
func lastTurn(t data.Text) (out turn, why string) {
	whole := t.Plain
	if t.Messages != nil {
		last := t.Messages[len(t.Messages)-1]
		if last.Role != "assistant" || last.Whole != "" {
			return out, notText
		}
		whole = last.Content
	} else if at := strings.LastIndex(whole, assistantTurn); at >= 0 { // a transcript of several turns
		out.before, whole = whole[:at+len(assistantTurn)], whole[at+len(assistantTurn):]
	}
	rest := strings.TrimLeftFunc(whole, unicode.IsSpace)
	out.text = strings.TrimRightFunc(rest, unicode.IsSpace)
	out.before += whole[:len(whole)-len(rest)]
	out.after = rest[len(out.text):]
	if out.text == "" {
		return out, isEmpty
	}
	return out, ""
}

// assistantTurn begins a turn of the assistant in a transcript of HH.
const assistantTurn = "\n\nAssistant:"

// with is the completion with another text in the last turn.
func (r response) with(text string) data.Completion {
	c := r.Completion
	text = r.before + text + r.after
	if c.Response.Messages == nil {
		c.Response.Plain = text
		return c
	}
	c.Response.Messages = slices.Clone(c.Response.Messages)
	c.Response.Messages[len(c.Response.Messages)-1].Content = text
	return c
}

// attempt is a text to be scored: a response as it is, or an edit of it.
type attempt struct {
	of    int    // index of the response
	probe *tally // nil: as it is
	data.Completion
	text string // of the last turn
}

// probe edits and scores the responses of a group.
func (r *run) probe(ctx context.Context, group []response, score Score) error {
	var attempts []attempt
	for i, response := range group {
		attempts = append(attempts, attempt{i, nil, response.Completion, response.text})
		from := source{text: response.text, other: r.otherThan(group, i)}
		for _, tally := range r.tallies {
			edited, changed := tally.probe.apply(from, r.cfg.Seed, response.row, response.which)
			if !changed {
				tally.unchanged++
				continue
			}
			attempts = append(attempts, attempt{i, tally, response.with(edited), edited})
		}
	}
	completions := make([]data.Completion, len(attempts))
	for i, a := range attempts {
		completions[i] = a.Completion
	}
	scores, err := score(ctx, completions)
	if err != nil {
		return fmt.Errorf("probe %s: rows up to %d: %w", r.table.File(), r.rows, err)
	}
	if len(scores) != len(attempts) {
		return errors.New("probe: as many scores as texts are wanted")
	}
	before := 0 // the last attempt that is as it was
	for i, a := range attempts {
		if a.probe == nil {
			before = i
		}
		if err := r.take(group[a.of], a, scores[i], attempts[before], scores[before]); err != nil {
			return err
		}
	}
	return nil
}

// otherThan draws the response to another prompt than that of response i from
// its group; "" where all are to one.
func (r *run) otherThan(group []response, i int) string {
	mine := group[i]
	draw := rand.New(rand.NewPCG(r.cfg.Seed, uint64(mine.row)<<1|uint64(mine.which)))
	start := draw.IntN(len(group))
	for k := range group {
		if other := group[(start+k)%len(group)]; other.prompt != mine.prompt && other.text != mine.text {
			return other.text
		}
	}
	return ""
}

// take counts the score of an attempt, and hands it on.
func (r *run) take(of response, a attempt, score data.Score, was attempt, scoreWas data.Score) error {
	edit := Edit{Row: of.row, Response: "response", Probe: original, Text: a.text, Cut: score.Truncated, Reason: score.Reason}
	if r.table.Pairs() {
		edit.Response = []string{"chosen", "rejected"}[of.which]
	}
	if score.Valid {
		edit.Reward = &score.Reward
	}
	switch {
	case a.probe == nil:
		edit.Prompt = draw.Words(of.Prompt)
		if !score.Valid {
			r.leftOut[score.Reason]++
			break
		}
		r.rewards = append(r.rewards, float64(score.Reward))
	default:
		edit.Probe = a.probe.probe.Name
		if score.Valid && scoreWas.Valid {
			change := float64(score.Reward) - float64(scoreWas.Reward)
			edit.Change = &change
		}
		if scoreWas.Valid {
			a.probe.take(of, edit, was.text, score.Truncated || scoreWas.Truncated)
		}
	}
	if r.put == nil {
		return nil
	}
	return r.put(edit)
}
