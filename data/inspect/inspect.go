// Package inspect says what files of pairs hold: lengths, duplicates,
// contradictions, shortcuts and what files share.
package inspect

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"

	"laurel/data"
)

// Tokens is what the lengths are measured with in tokens. Its functions are
// called by several goroutines at once.
type Tokens struct {
	// Lengths counts the tokens of the prompt, and of the prompt with each
	// response; special tokens included, before any cut. nil: none are counted.
	Lengths func(data.Pair) (Lengths, error)
	// Alike tells whether both sides are the same ids once cut to MaxLength at
	// the right, or at the left.
	Alike     func(data.Pair) (cutRight, cutLeft bool, err error)
	MaxLength int // 0: nothing is cut
}

// Lengths of a prompt and of the two responses to it.
type Lengths struct{ Prompt, Chosen, Rejected int }

// Inspection is what Files found.
type Inspection struct {
	MaxLength int       `json:"max_length"`
	Files     []File    `json:"files"`
	Leakage   []Leakage `json:"leakage"` // of every two files that share a prompt
}

// File describes one file. Lengths, duplicates and all that follows
// are of the rows kept.
type File struct {
	File   string                 `json:"file"`
	Format string                 `json:"format"`
	Notes  []string               `json:"notes,omitempty"` // what was taken for the prompt, and which columns are ignored
	Counts data.Counts            `json:"counts"`
	First  map[data.Reason]string `json:"first_skipped,omitempty"` // the first row of each reason

	Tokens     map[string]Quantiles `json:"tokens,omitempty"` // prompt, chosen, rejected, prompt+chosen, prompt+rejected
	Characters map[string]Quantiles `json:"characters"`       // prompt, chosen, rejected
	Truncated  float64              `json:"truncated"`        // share of the rows with a sequence over MaxLength tokens
	Identical  Identical            `json:"identical_after_cut"`

	Prompts         int `json:"prompts"`          // distinct ones
	RepeatedPrompts int `json:"repeated_prompts"` // rows whose prompt another row above has
	Duplicates      int `json:"duplicates"`       // rows equal to one above
	Contradictions  int `json:"contradictions"`   // pairs that also occur the other way round

	LongerWins  float64 `json:"longer_wins"`  // accuracy of "the longer response wins", equal lengths half
	ShorterWins float64 `json:"shorter_wins"` // its complement

	Confidence ConfidenceHistogram `json:"confidence"`
	Margin     *Margins            `json:"margin,omitempty"` // nil: every margin is 0
	Subsets    map[string]int      `json:"subsets,omitempty"`
	Warnings   []string            `json:"warnings,omitempty"`
}

// Identical counts the pairs whose two sides are the same ids once they are cut
// to MaxLength at the right, or at the left: they teach nothing.
type Identical struct {
	Right int `json:"right"`
	Left  int `json:"left"`
}

// ConfidenceHistogram counts confidences in ten equal bins of [0, 1], the last
// closed, and the two special values.
type ConfidenceHistogram struct {
	Bins    [10]int `json:"bins"`
	Half    int     `json:"exactly_half"` // says nothing either way
	Certain int     `json:"exactly_one"`
	Mean    float64 `json:"mean"`
}

// Margins are what training asks rewards to differ by (train.margin).
type Margins struct {
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Mean  float64 `json:"mean"`
	Below int     `json:"below_zero"` // whose rejected response has the higher score
}

// Leakage counts the prompts two files share, equal but for white space and
// case.
type Leakage struct {
	A       string `json:"a"`
	B       string `json:"b"`
	Prompts int    `json:"prompts"`
	RowsA   int    `json:"rows_a"` // rows of A with such a prompt
	RowsB   int    `json:"rows_b"`
}

// Files reads the files to the end, bad rows counted whatever cfg says of
// them, and describes them. The tokens of a response are those it adds to its
// prompt. It keeps 24 bytes a row.
func Files(ctx context.Context, files []string, cfg data.ReadConfig, how Tokens) (*Inspection, error) {
	cfg.OnBadRow, cfg.AllowZeroWeights = "skip", true
	out := &Inspection{MaxLength: how.MaxLength, Leakage: []Leakage{}}
	seed := maphash.MakeSeed()
	var prompts [][]uint64
	for _, file := range files {
		f := inspector{how: how, seed: seed}
		if err := f.read(ctx, file, cfg); err != nil {
			return nil, err
		}
		out.Files = append(out.Files, f.out)
		prompts = append(prompts, f.rows.prompts)
	}
	for i := range files {
		for j := i + 1; j < len(files); j++ {
			if l := leakage(prompts[i], prompts[j]); l.Prompts > 0 {
				l.A, l.B = files[i], files[j]
				out.Leakage = append(out.Leakage, l)
			}
		}
	}
	return out, nil
}

// inspector gathers what is said of one file.
type inspector struct {
	how     Tokens
	seed    maphash.Seed
	rows    rowSet
	out     File
	tokens  map[string]*histogram
	letters map[string]*histogram
	over    int
	longer  float64
	bare    int     // rows with an empty prompt
	sum     float64 // of confidences
	margins Margins
}

func (f *inspector) read(ctx context.Context, file string, cfg data.ReadConfig) error {
	r, err := data.OpenPairs(file, cfg)
	if err != nil {
		return err
	}
	defer r.Close()
	f.out = File{File: file, Format: r.Format(), First: map[data.Reason]string{}, Subsets: map[string]int{}}
	f.tokens, f.letters = map[string]*histogram{}, map[string]*histogram{}
	f.margins = Margins{Min: math.Inf(1), Max: math.Inf(-1)}
	r.OnSkip(func(e *data.RowError) {
		if _, ok := f.out.First[e.Reason]; !ok {
			f.out.First[e.Reason] = e.Error()
		}
	})
	for m, err := range f.measured(ctx, r) {
		if err != nil {
			return err
		}
		if m.err != nil {
			return fmt.Errorf("inspect %s: %s: %w", file, m.place, m.err)
		}
		f.add(m)
	}
	f.out.Counts, f.out.Notes = r.Counts(), r.Notes()
	f.finish()
	return nil
}

func (f *inspector) add(m measured) {
	f.rows.add(m.pair, m.prompt)
	f.countSubset(m.subset)
	f.out.Confidence.add(m.confidence)
	f.sum += m.confidence
	f.margins.add(m.margin)
	at(f.letters, "prompt").add(m.chars.Prompt)
	at(f.letters, "chosen").add(m.chars.Chosen)
	at(f.letters, "rejected").add(m.chars.Rejected)
	if m.chars.Prompt == 0 {
		f.bare++
	}
	switch {
	case m.chars.Chosen > m.chars.Rejected:
		f.longer++
	case m.chars.Chosen == m.chars.Rejected:
		f.longer += 0.5
	}
	if f.how.Lengths != nil {
		f.addTokens(m)
	}
}

// countSubset keeps the table small where subsets are as many as rows.
func (f *inspector) countSubset(name string) {
	const most = 1000
	if _, ok := f.out.Subsets[name]; !ok && len(f.out.Subsets) >= most {
		name = "(further subsets)"
	}
	f.out.Subsets[name]++
}

func (f *inspector) addTokens(m measured) {
	n := m.tokens
	at(f.tokens, "prompt").add(n.Prompt)
	at(f.tokens, "chosen").add(n.Chosen - n.Prompt)
	at(f.tokens, "rejected").add(n.Rejected - n.Prompt)
	at(f.tokens, "prompt+chosen").add(n.Chosen)
	at(f.tokens, "prompt+rejected").add(n.Rejected)
	if f.how.MaxLength > 0 && max(n.Chosen, n.Rejected) > f.how.MaxLength {
		f.over++
	}
	if m.cutRight {
		f.out.Identical.Right++
	}
	if m.cutLeft {
		f.out.Identical.Left++
	}
}

func (f *inspector) finish() {
	out := &f.out
	out.Characters = quantiles(f.letters)
	out.Tokens = quantiles(f.tokens)
	f.rows.finish()
	out.Prompts, out.RepeatedPrompts = f.rows.distinctPrompts()
	out.Duplicates, out.Contradictions = f.rows.duplicates(), f.rows.contradictions()
	if n := float64(out.Counts.Kept); n > 0 {
		out.Truncated = float64(f.over) / n
		out.LongerWins = f.longer / n
		out.ShorterWins = 1 - out.LongerWins
		out.Confidence.Mean = f.sum / n
		if m := f.margins; m.Min != 0 || m.Max != 0 {
			m.Mean /= n
			out.Margin = &m
		}
	}
	if len(out.Subsets) == 1 && out.Subsets[""] > 0 {
		out.Subsets = nil
	}
	f.warn()
}

func (f *inspector) warn() {
	out := &f.out
	say := func(format string, args ...any) { out.Warnings = append(out.Warnings, fmt.Sprintf(format, args...)) }
	if out.Counts.Kept == 0 {
		say("no row can be used")
		return
	}
	if f.sum == 0 {
		say("every confidence is 0: the sum of the weights is 0 and nothing can be learnt")
	}
	if f.bare > 0 {
		say("%d rows have an empty prompt", f.bare)
	}
	if out.Duplicates > 0 {
		say("%d rows are duplicates", out.Duplicates)
	}
	if out.Contradictions > 0 {
		say("%d pairs also occur with chosen and rejected swapped", out.Contradictions)
	}
	if n := out.Identical; n.Right+n.Left > 0 {
		say("%d pairs have the same ids on both sides once cut to %d tokens at the right, %d once cut at the left: they teach nothing", n.Right, f.how.MaxLength, n.Left)
	}
	if out.Confidence.Half > 0 {
		say("%d confidences are exactly 0.5: those rows say nothing of what is preferred", out.Confidence.Half)
	}
	if m := out.Margin; m != nil && m.Below > 0 {
		say("%d margins are below 0: the rejected response of those rows has the higher score, and training would ask less of them than to be preferred", m.Below)
	}
	if rule := max(out.LongerWins, out.ShorterWins); out.Counts.Kept >= 50 && rule >= 0.65 {
		say("length alone tells the chosen response in %.0f %% of the pairs", 100*rule)
	}
}

func (h *ConfidenceHistogram) add(c float64) {
	h.Bins[min(int(math.Floor(c*10)), 9)]++
	switch c {
	case 0.5:
		h.Half++
	case 1:
		h.Certain++
	}
}

func (m *Margins) add(margin float64) {
	m.Min, m.Max, m.Mean = min(m.Min, margin), max(m.Max, margin), m.Mean+margin
	if margin < 0 {
		m.Below++
	}
}

func at(m map[string]*histogram, key string) *histogram {
	if m[key] == nil {
		m[key] = &histogram{}
	}
	return m[key]
}
