// Package data reads preference pairs and checks them row by row: files become
// Pairs (ReadPairs). What is made of them lies in packages of their own:
// data/tokenizer gives their ids, data/batches the batches of a training,
// data/inspect
// says what files of pairs hold, data/parquetpages reads the pages of Parquet
// files.
package data

import (
	"fmt"
	"unicode/utf8"
)

// Text is one part of a dialogue: chat messages where Messages is not nil,
// plain text otherwise.
type Text struct {
	Plain    string
	Messages []Message
	Context  Context // of a prompt's messages
}

// Chars is the length of the text, or of all its messages' content, in
// characters.
func (t Text) Chars() int {
	n := utf8.RuneCountInString(t.Plain)
	for _, m := range t.Messages {
		n += utf8.RuneCountInString(m.Content)
	}
	return n
}

// Bytes is about what the text takes.
func (t Text) Bytes() int {
	n := len(t.Plain)
	for _, m := range t.Messages {
		n += len(m.Role) + len(m.Content) + len(m.Whole)
	}
	return n + len(t.Context.Tools) + len(t.Context.TemplateKwargs)
}

// Pair is one comparison: two responses to a prompt, one preferred.
type Pair struct {
	ID         string
	Prompt     Text
	Chosen     Text    // the response alone, without the prompt
	Rejected   Text    // the response alone, without the prompt
	Confidence float64 // probability that the label is right, in [0, 1]; 1 where the file has none
	Margin     float64 // reward difference asked of the model; 0 where the file has none
	VoteShare  float64 // share of the votes for chosen; NaN where the file has none
	Subset     string
	File       string
	Row        int    // from 0; for JSONL the line, from 1
	Unit       string // what Row counts: "row" or "line"
}

// Bytes is about what the pair takes.
func (p Pair) Bytes() int {
	return p.Prompt.Bytes() + p.Chosen.Bytes() + p.Rejected.Bytes() + len(p.ID)
}

// Place says where in its file a pair stands: "row 12", or "line 13".
func (p Pair) Place() string { return fmt.Sprintf("%s %d", p.Unit, p.Row) }

// Completion is one text to score: a response to a prompt, a conversation,
// or a plain text (Prompt empty, IsText true).
type Completion struct {
	Prompt   Text
	Response Text
	IsText   bool // a whole text, which is cut at its end as Hugging Face does
}

// Tokens are the ids of one sequence, special tokens included.
type Tokens struct {
	IDs    []int32
	Cut    int // ids lost to max_length
	Prompt int // ids at the beginning that are the prompt's, whatever follows it; 0 where they were not counted
}

// SharedPrefix is the number of ids that two sequences begin with alike.
func SharedPrefix(a, b []int32) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// Comparison is two responses to a prompt of which none is preferred yet.
type Comparison struct {
	ID             string // the file's, or row:N
	Prompt         Text
	A, B           Text   // the responses alone, without the prompt
	ModelA, ModelB string // who wrote them; empty where the file does not say
	Subset         string
	File           string
	Row            int // from 0; for JSONL the line, from 1
}
