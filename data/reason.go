package data

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reason says why a row cannot be used. It is the key under which a skipped
// row is counted, so the words are part of the reports.
type Reason string

// The reasons a row is refused for.
const (
	ReasonNullText        Reason = "null_text"               // a text column holds null
	ReasonEmptyResponse   Reason = "empty_response"          // a response is empty or only white space
	ReasonIdentical       Reason = "identical_responses"     // chosen equals rejected
	ReasonConfidenceNaN   Reason = "confidence_not_finite"   // NaN or infinite
	ReasonConfidenceBelow Reason = "confidence_negative"     // below 0
	ReasonConfidenceOver  Reason = "confidence_over_one"     // above 1
	ReasonVoteShare       Reason = "vote_share_out_of_range" // not a share in [0, 1]
	ReasonMargin          Reason = "margin_not_finite"       // NaN or infinite
	ReasonReward          Reason = "reward_not_finite"       // a reward, given or computed, is null, NaN or infinite
	ReasonUTF8            Reason = "invalid_utf8"            // bytes that are no UTF-8, or half a surrogate pair
	ReasonNUL             Reason = "nul_character"           // U+0000
	ReasonRole            Reason = "bad_role"                // a role other than system, user, assistant, tool
	ReasonNullMessage     Reason = "null_message"            // a message without role or content
	ReasonNoMessages      Reason = "empty_messages"          // a list of messages without any
	ReasonLastTurn        Reason = "last_turn_not_assistant" // a response that ends with another's turn
	ReasonPromptsDiffer   Reason = "prompts_differ"          // chosen and rejected answer different prompts
	ReasonWrongType       Reason = "wrong_type"              // a value of another type than its column
	ReasonBrokenLine      Reason = "broken_line"             // a line that is no JSON, a record that is no CSV
	ReasonNotObject       Reason = "line_not_object"         // JSON, but not an object
	ReasonDuplicateKey    Reason = "duplicate_key"           // an object that has one key twice
	ReasonNaNLiteral      Reason = "nan_literal"             // NaN or Infinity, which JSON does not have
	ReasonMissingField    Reason = "missing_field"           // an object without a field that its file has
	ReasonTie             Reason = "tie"                     // a comparison without a winner
	ReasonLabel           Reason = "unknown_label"           // a label other than a, b, tie
	ReasonDuplicateID     Reason = "duplicate_id"            // the id of a comparison before it
	ReasonPart            Reason = "content_part"            // a part of a message that is no text: an image, audio
	ReasonNoPrompt        Reason = "no_prompt"               // neither a prompt nor a transcript that holds one
	ReasonUnpaired        Reason = "unpaired"                // nothing to compare a response with
	ReasonWithdrawn       Reason = "withdrawn"               // deleted, or refused by those who reviewed it
	ReasonEmptyPrompt     Reason = "empty_prompt"            // nothing to answer
	ReasonAnswered        Reason = "prompt_answered"         // a prompt that ends with the assistant's turn
	ReasonUnknownID       Reason = "unknown_id"              // an answer about a comparison that is not there
	ReasonTextsDiffer     Reason = "texts_differ"            // an answer about other texts than the id has

	// What only the encoding to ids can tell.
	ReasonBeyondEmbeddings Reason = "token_beyond_embeddings" // an id for which the model has no embedding
	ReasonNoTokens         Reason = "no_tokens"               // a text that yields no id
	ReasonIdenticalIDs     Reason = "identical_after_cut"     // chosen and rejected are the same ids
)

// Counts says what became of the rows read: Read = Kept + the sum of Skipped.
type Counts struct {
	Read    int            `json:"read"`
	Kept    int            `json:"kept"`
	Skipped map[Reason]int `json:"skipped,omitempty"`
	// Of files in which a row is not a pair: the pairs made of the rows kept, and
	// the responses to one prompt that tie, which give none.
	Pairs int `json:"pairs,omitempty"`
	Ties  int `json:"ties,omitempty"`
}

func (c *Counts) keep() {
	c.Read++
	c.Kept++
}

func (c *Counts) skip(reason Reason) {
	if c.Skipped == nil {
		c.Skipped = map[Reason]int{}
	}
	c.Read++
	c.Skipped[reason]++
}

// Add adds the rows of another file.
func (c *Counts) Add(other Counts) {
	c.Pairs, c.Ties = c.Pairs+other.Pairs, c.Ties+other.Ties
	c.Read += other.Read
	c.Kept += other.Kept
	for reason, n := range other.Skipped {
		if c.Skipped == nil {
			c.Skipped = map[Reason]int{}
		}
		c.Skipped[reason] += n
	}
}

// Leave moves rows that were kept when they were read to the skipped: what is
// wrong with them was found later.
func (c *Counts) Leave(skipped map[Reason]int) {
	for reason, n := range skipped {
		c.Read, c.Kept = c.Read-n, c.Kept-n
		for range n {
			c.skip(reason)
		}
	}
}

// SkippedRows is the number of rows left out, for whatever reason.
func (c Counts) SkippedRows() int {
	n := 0
	for _, k := range c.Skipped {
		n += k
	}
	return n
}

// String reads "200 rows read, 197 kept, 3 skipped (null_text 2, tie 1)".
func (c Counts) String() string {
	s := fmt.Sprintf("%d rows read, %d kept, %d skipped", c.Read, c.Kept, c.SkippedRows())
	if len(c.Skipped) > 0 {
		s += " (" + c.Reasons() + ")"
	}
	if c.Ties > 0 || c.Pairs > 0 && c.Pairs != c.Kept {
		s += fmt.Sprintf("; %d pairs of them, %d ties left out", c.Pairs, c.Ties)
	}
	return s
}

// Reasons lists the reasons, the most frequent first: "null_text 2, tie 1".
func (c Counts) Reasons() string {
	keys := slices.SortedFunc(maps.Keys(c.Skipped), func(a, b Reason) int {
		if d := c.Skipped[b] - c.Skipped[a]; d != 0 {
			return d
		}
		return strings.Compare(string(a), string(b))
	})
	parts := make([]string, len(keys))
	for i, reason := range keys {
		parts[i] = fmt.Sprintf("%s %d", reason, c.Skipped[reason])
	}
	return strings.Join(parts, ", ")
}

func (c Counts) clone() Counts {
	c.Skipped = maps.Clone(c.Skipped)
	return c
}

// RowError is one row that cannot be used.
type RowError struct {
	File   string
	Unit   string // "row", from 0, or "line", from 1; "" where the place is not known yet
	Row    int
	Column string // empty where the whole line is at fault
	Reason Reason
	Detail string // what is wrong, and how to fix it where that is known
}

// Error names row, column and cause, but not the file, which whoever reads
// the file puts in front.
func (e *RowError) Error() string {
	where := ""
	if e.Unit != "" {
		where = fmt.Sprintf("%s %d: ", e.Unit, e.Row)
	}
	if e.Column != "" {
		where += fmt.Sprintf("column %s: ", e.Column)
	}
	return where + e.Detail
}

// Problem is a RowError before file and row are known.
type Problem struct {
	Reason Reason
	Column string
	Detail string
}

func (p *Problem) at(file, unit string, row int) *RowError {
	return &RowError{File: file, Unit: unit, Row: row, Column: p.Column, Reason: p.Reason, Detail: p.Detail}
}
