// Package inspect says what files of pairs hold: lengths, duplicates,
// contradictions, shortcuts and what files share.
package inspect

import (
	"errors"
	"fmt"
	"io"
	"math"

	"laurel/data"
)

// CountTokens gives the number of tokens that texts have together, one after
// another (a prompt and its response), special tokens included, before any cut.
type CountTokens func(texts ...data.Text) (int, error)

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

	Prompts         int `json:"prompts"`          // distinct ones
	RepeatedPrompts int `json:"repeated_prompts"` // rows whose prompt another row above has
	Duplicates      int `json:"duplicates"`       // rows equal to one above
	Contradictions  int `json:"contradictions"`   // pairs that also occur the other way round

	LongerWins  float64 `json:"longer_wins"`  // accuracy of "the longer response wins", ties half
	ShorterWins float64 `json:"shorter_wins"` // its complement

	Confidence ConfidenceHistogram `json:"confidence"`
	Subsets    map[string]int      `json:"subsets,omitempty"`
	Warnings   []string            `json:"warnings,omitempty"`
}

// ConfidenceHistogram counts confidences in ten equal bins of [0, 1], the last
// closed, and the two special values.
type ConfidenceHistogram struct {
	Bins    [10]int `json:"bins"`
	Half    int     `json:"exactly_half"` // says nothing either way
	Certain int     `json:"exactly_one"`
	Mean    float64 `json:"mean"`
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
// them, and describes them. Tokens are counted where count is given, and
// the tokens of a response are those it adds to its prompt. It keeps 24 bytes
// a row.
func Files(files []string, cfg data.ReadConfig, count CountTokens, maxLength int) (*Inspection, error) {
	cfg.OnBadRow, cfg.AllowZeroWeights = "skip", true
	out := &Inspection{MaxLength: maxLength, Leakage: []Leakage{}}
	hashes := newRowHashes()
	var prompts [][]uint64
	for _, file := range files {
		f := inspector{count: count, maxLength: maxLength, hashes: hashes}
		if err := f.read(file, cfg); err != nil {
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
	count     CountTokens
	maxLength int
	hashes    *rowHashes
	rows      rowSet
	out       File
	tokens    map[string]*histogram
	letters   map[string]*histogram
	over      int
	longer    float64
	sum       float64
}

func (f *inspector) read(file string, cfg data.ReadConfig) error {
	r, err := data.OpenPairs(file, cfg)
	if err != nil {
		return err
	}
	defer r.Close()
	f.out = File{File: file, Format: r.Format(), Notes: r.Notes(), First: map[data.Reason]string{}, Subsets: map[string]int{}}
	f.tokens, f.letters = map[string]*histogram{}, map[string]*histogram{}
	r.OnSkip(func(e *data.RowError) {
		if _, ok := f.out.First[e.Reason]; !ok {
			f.out.First[e.Reason] = e.Error()
		}
	})
	for {
		pair, err := r.Next()
		if err == io.EOF || errors.Is(err, data.ErrAllSkipped) { // which the counts tell
			break
		}
		if err != nil {
			return err
		}
		if err := f.add(pair); err != nil {
			return fmt.Errorf("inspect %s: %s: %w", file, pair.Place(), err)
		}
	}
	f.out.Counts = r.Counts()
	f.finish()
	return nil
}

func (f *inspector) add(p data.Pair) error {
	f.rows.add(f.hashes.of(p))
	f.countSubset(p.Subset)
	f.out.Confidence.add(p.Confidence)
	f.sum += p.Confidence
	chosen, rejected := p.Chosen.Chars(), p.Rejected.Chars()
	at(f.letters, "prompt").add(p.Prompt.Chars())
	at(f.letters, "chosen").add(chosen)
	at(f.letters, "rejected").add(rejected)
	switch {
	case chosen > rejected:
		f.longer++
	case chosen == rejected:
		f.longer += 0.5
	}
	if f.count == nil {
		return nil
	}
	return f.addTokens(p)
}

// countSubset keeps the table small where subsets are as many as rows.
func (f *inspector) countSubset(name string) {
	const most = 1000
	if _, ok := f.out.Subsets[name]; !ok && len(f.out.Subsets) >= most {
		name = "(further subsets)"
	}
	f.out.Subsets[name]++
}

func (f *inspector) addTokens(p data.Pair) error {
	prompt, err := f.count(p.Prompt)
	if err != nil {
		return err
	}
	chosen, err := f.count(p.Prompt, p.Chosen)
	if err != nil {
		return err
	}
	rejected, err := f.count(p.Prompt, p.Rejected)
	if err != nil {
		return err
	}
	at(f.tokens, "prompt").add(prompt)
	at(f.tokens, "chosen").add(chosen - prompt)
	at(f.tokens, "rejected").add(rejected - prompt)
	at(f.tokens, "prompt+chosen").add(chosen)
	at(f.tokens, "prompt+rejected").add(rejected)
	if f.maxLength > 0 && max(chosen, rejected) > f.maxLength {
		f.over++
	}
	return nil
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
	if out.Duplicates > 0 {
		say("%d rows are duplicates", out.Duplicates)
	}
	if out.Contradictions > 0 {
		say("%d pairs also occur with chosen and rejected swapped", out.Contradictions)
	}
	if out.Confidence.Half > 0 {
		say("%d confidences are exactly 0.5: those rows say nothing of what is preferred", out.Confidence.Half)
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

func at(m map[string]*histogram, key string) *histogram {
	if m[key] == nil {
		m[key] = &histogram{}
	}
	return m[key]
}
