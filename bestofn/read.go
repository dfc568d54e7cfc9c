package bestofn

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"laurel/data"
)

// Scores are numbers of a file's rows, NaN where there is none, with what they
// belong to.
type Scores struct {
	Name     string // FILE or FILE:COLUMN, as it was asked for
	Numbers  []float64
	prompts  []data.TextKey // zero where the row has a problem
	answers  []data.TextKey
	problems []string
}

// Read reads the scores of candidates: prompt and response, or messages, with a
// column of numbers, reward unless another is named behind a colon. It is what
// laurel score writes.
func Read(name string, columns map[string]string) (*Scores, error) {
	file, column := FileOf(name)
	s := &Scores{Name: name}
	if err := s.readTexts(file, columns); err != nil {
		return nil, err
	}
	return s, s.readNumbers(file, column)
}

// FileOf are the file and the column of FILE or FILE:COLUMN.
func FileOf(name string) (file, column string) {
	if _, err := os.Stat(name); err != nil {
		if at := strings.LastIndexByte(name, ':'); at > 0 {
			return name[:at], name[at+1:]
		}
	}
	return name, "reward"
}

func (s *Scores) readTexts(file string, columns map[string]string) error {
	table, err := data.OpenTable(file, columns)
	if err != nil {
		return err
	}
	defer table.Close()
	if table.Pairs() || !table.Prompts() {
		return fmt.Errorf("%s has no candidates: each row is to be a prompt and a response, or messages", file)
	}
	for {
		record, err := table.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var prompt, answer data.TextKey
		if record.Problem == "" {
			c := record.Completions[0]
			prompt, answer = data.KeyOf(c.Prompt, data.Text{}, data.Text{}), data.KeyOf(data.Text{}, c.Response, data.Text{})
			if data.PromptKey(c.Prompt) == 0 {
				record.Problem = "an empty prompt"
			}
		}
		s.prompts, s.answers, s.problems = append(s.prompts, prompt), append(s.answers, answer), append(s.problems, record.Problem)
	}
}

func (s *Scores) readNumbers(file, column string) (err error) {
	if s.Numbers, err = data.ReadNumbers(file, column); err != nil {
		return fmt.Errorf("%w; FILE:COLUMN names the column of the candidates' scores", err)
	}
	if len(s.Numbers) != len(s.prompts) {
		return fmt.Errorf("read %s: %d numbers of %d rows", file, len(s.Numbers), len(s.prompts))
	}
	return nil
}

// aligned refuses scores of other rows.
func (s *Scores) aligned(gold *Scores) error {
	if len(s.prompts) != len(gold.prompts) {
		return fmt.Errorf("%s has %d rows and %s %d: both must score the same candidates, in one order", s.Name, len(s.prompts), gold.Name, len(gold.prompts))
	}
	for i := range s.prompts {
		if s.prompts[i] != gold.prompts[i] || s.answers[i] != gold.answers[i] {
			return fmt.Errorf("%s and %s have different texts in row %d (from 0): both must score the same candidates, in one order", s.Name, gold.Name, i)
		}
	}
	return nil
}

// Why candidates are left out.
const noScore = "no score"

// group brings the candidates to each prompt together, in the order of prompts.
func group(gold *Scores, proxies []*Scores) (prompts []Prompt, leftOut map[string]int, err error) {
	leftOut = map[string]int{}
	number := map[data.TextKey]int{}
	for _, p := range proxies {
		if err := p.aligned(gold); err != nil {
			return nil, nil, err
		}
	}
	for row, key := range gold.prompts {
		if why := gold.problems[row]; why != "" {
			leftOut[why]++
			continue
		}
		scores := []float64{gold.Numbers[row]}
		for _, p := range proxies {
			scores = append(scores, p.Numbers[row])
		}
		if !allFinite(scores) {
			leftOut[noScore]++
			continue
		}
		at, known := number[key]
		if !known {
			at = len(prompts)
			number[key] = at
			prompts = append(prompts, Prompt{Proxies: make([][]float64, len(proxies))})
		}
		prompts[at].Gold = append(prompts[at].Gold, scores[0])
		for i, x := range scores[1:] {
			prompts[at].Proxies[i] = append(prompts[at].Proxies[i], x)
		}
	}
	return prompts, leftOut, nil
}

func allFinite(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
