package drift

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/eval/stats"
)

// prompt is one prompt of a set, with what its responses come to.
type prompt struct {
	key       uint64
	row       int
	text      string // each message under its role
	words     string // its texts alone
	responses int
	chars     float64   // of its responses, sum
	has       []float64 // of its responses, how many have each layout
	rewards   []float64
}

// Set is what is read of one file.
type Set struct {
	File      string         `json:"file"`
	Rows      int            `json:"rows"`
	Prompts   int            `json:"prompts"` // different ones
	Responses int            `json:"responses"`
	LeftOut   map[string]int `json:"left_out"` // rows, by reason
	prompts   []*prompt
}

// layouts are what responses are looked through for.
func layouts() []struct {
	name string
	in   *regexp.Regexp
} {
	return []struct {
		name string
		in   *regexp.Regexp
	}{
		{"list", regexp.MustCompile(`(?m)^\s*([-*+•]|\d+[.)])\s`)},
		{"heading", regexp.MustCompile(`(?m)^#{1,6} `)},
		{"bold", regexp.MustCompile(`\*\*\S`)},
		{"code block", regexp.MustCompile("(?m)^\\s*```")},
		{"several paragraphs", regexp.MustCompile(`\S\s*\n\s*\n\s*\S`)},
		{"question", regexp.MustCompile(`[?？]`)},
	}
}

// Read reads what laurel score reads, or a file of prompts alone. rewards are
// columns of numbers; those of all are taken together. A row that cannot be read is
// an error, or with cfg.OnBadRow "skip" left out and counted.
func Read(file string, cfg data.ReadConfig, rewards []string) (*Set, error) {
	s := &Set{File: file, LeftOut: map[string]int{}}
	numbers := make([][]float64, len(rewards))
	for i, column := range rewards {
		var err error
		if numbers[i], err = data.ReadNumbers(file, column); err != nil {
			return nil, err
		}
	}
	table, err := data.OpenTable(file, cfg.Columns)
	if err != nil {
		if alone := s.readPrompts(file, cfg); alone != nil {
			return nil, errors.Join(err, alone)
		}
		return s, nil
	}
	return s, errors.Join(s.readTable(table, numbers, cfg), table.Close())
}

func (s *Set) readTable(table *data.Table, numbers [][]float64, cfg data.ReadConfig) error {
	skips, err := cfg.Skips()
	if err != nil {
		return err
	}
	if !table.Prompts() {
		return fmt.Errorf("%s has texts, in which prompt and response are one: prompts are compared", s.File)
	}
	found := layouts()
	known := map[uint64]*prompt{}
	for ; ; s.Rows++ {
		record, err := table.Next()
		if err == io.EOF {
			return s.some()
		}
		if err != nil {
			return err
		}
		if record.Problem != "" && !skips {
			return fmt.Errorf("%s: %s; fix it, or leave such rows out: --on-bad-row skip", s.File, record.Detail)
		}
		if record.Problem != "" {
			s.LeftOut[record.Problem]++
			continue
		}
		p := s.add(record.Completions[0].Prompt, record.Row, known)
		for _, c := range record.Completions {
			p.responses, s.Responses = p.responses+1, s.Responses+1
			p.chars += float64(c.Response.Chars())
			text := plainWords(c.Response)
			for len(p.has) < len(found) {
				p.has = append(p.has, 0)
			}
			for i, l := range found {
				p.has[i] += stats.Indicator(l.in.MatchString(text))
			}
		}
		for _, column := range numbers {
			if x := column[s.Rows]; !math.IsNaN(x) && !math.IsInf(x, 0) {
				p.rewards = append(p.rewards, x)
			}
		}
	}
}

// readPrompts reads a file that has prompts and no responses.
func (s *Set) readPrompts(file string, cfg data.ReadConfig) error {
	known := map[uint64]*prompt{}
	var counts data.Counts
	for p, err := range data.ReadPrompts([]string{file}, cfg, &counts) {
		if err != nil {
			return err
		}
		s.Rows++
		s.add(data.Text{Messages: p.Messages, Context: p.Context}, p.Row, known)
	}
	for reason, n := range counts.Skipped {
		s.Rows, s.LeftOut[string(reason)] = s.Rows+n, n
	}
	return s.some()
}

func (s *Set) add(text data.Text, row int, known map[uint64]*prompt) *prompt {
	words := plainWords(text)
	key := data.Text{Plain: words}.FoldedKey() // text or messages, whatever the case
	if p := known[key]; p != nil {
		return p
	}
	p := &prompt{key: key, row: row, text: draw.Words(text), words: words}
	known[key], s.prompts = p, append(s.prompts, p)
	s.Prompts++
	return p
}

func (s *Set) some() error {
	if s.Prompts == 0 {
		return fmt.Errorf("%s has no row with a prompt that can be read: %v", s.File, s.LeftOut)
	}
	return nil
}

// plainWords are the texts of a part of a dialogue, without roles.
func plainWords(t data.Text) string {
	parts := []string{t.Plain}
	for _, m := range t.Messages {
		parts = append(parts, m.Content)
	}
	return strings.TrimSpace(strings.Join(parts, "\n\n"))
}
