package labels

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/parquet-go/parquet-go"

	"laurel/data"
)

// chosenRow is a row of pairs.parquet and abstainedRow one of
// abstained.parquet, of plain texts or of messages. The optional numbers are
// not among the embedded columns: parquet-go reads nulls there as zeros.
type (
	chosenRow[T dialogueColumn] struct {
		Prompt     T        `parquet:"prompt"`
		Chosen     T        `parquet:"chosen"`
		Rejected   T        `parquet:"rejected"`
		Confidence *float64 `parquet:"confidence,optional"`
		VoteShare  *float64 `parquet:"vote_share,optional"`
		AFirst     *float64 `parquet:"p_a_first,optional"`
		BFirst     *float64 `parquet:"p_b_first,optional"`
		chosenColumns
		labelColumns
	}
	abstainedRow[T dialogueColumn] struct {
		Prompt     T        `parquet:"prompt"`
		A          T        `parquet:"response_a"`
		B          T        `parquet:"response_b"`
		Confidence *float64 `parquet:"confidence,optional"`
		VoteShare  *float64 `parquet:"vote_share,optional"`
		AFirst     *float64 `parquet:"p_a_first,optional"`
		BFirst     *float64 `parquet:"p_b_first,optional"`
		abstainedColumns
		labelColumns
	}
	dialogueColumn interface{ string | []data.Message }
)

// labelSchema is the schema of either row: messages are lists.
func labelSchema[T dialogueColumn](row any, texts ...string) *parquet.Schema {
	var options []parquet.SchemaOption
	if _, chat := any(*new(T)).([]data.Message); chat {
		for _, column := range texts {
			options = append(options, parquet.StructTag(reflect.StructTag(`parquet:"`+column+`,list"`), column))
		}
	}
	return parquet.SchemaOf(row, options...)
}

func (r chosenRow[T]) schema() *parquet.Schema {
	return labelSchema[T](r, "prompt", "chosen", "rejected")
}

func (r abstainedRow[T]) schema() *parquet.Schema {
	return labelSchema[T](r, "prompt", "response_a", "response_b")
}

// dialogueValue is a text as its column holds it, and dialogueText the other
// way.
func dialogueValue[T dialogueColumn](t data.Text) (value T) {
	switch to := any(&value).(type) {
	case *string:
		*to = t.Plain
	case *[]data.Message:
		*to = data.MessageList(t)
	}
	return value
}

func dialogueText[T dialogueColumn](value T) data.Text {
	switch v := any(value).(type) {
	case string:
		return data.Text{Plain: v}
	case []data.Message:
		return data.Text{Messages: append([]data.Message{}, v...)}
	}
	return data.Text{}
}

// labelColumns are what both files have beside texts and optional numbers.
type labelColumns struct {
	Agreed           int32     `parquet:"num_principles_agreed"`
	Principle        string    `parquet:"principle_used,optional,dict"`
	Votes            []voteRow `parquet:"votes,list"`
	Judge            string    `parquet:"judge,dict"`
	Rationale        string    `parquet:"rationale,optional"`
	Requests         int64     `parquet:"requests"`
	PromptTokens     int64     `parquet:"prompt_tokens"`
	CompletionTokens int64     `parquet:"completion_tokens"`
	Cost             float64   `parquet:"cost"`
	Subset           string    `parquet:"subset,optional,dict"`
	ID               string    `parquet:"id"`
	Tools            string    `parquet:"tools,optional"`                // of the prompt, as JSON
	Kwargs           string    `parquet:"chat_template_kwargs,optional"` // likewise
}

// voteRow is a vote as it lies in the files; side is null for neither.
type voteRow struct {
	Judge      string   `parquet:"judge,dict"`
	Principle  string   `parquet:"principle,dict"`
	Weight     float64  `parquet:"weight"`
	AFirst     *float64 `parquet:"a_first,optional"`
	BFirst     *float64 `parquet:"b_first,optional"`
	Side       string   `parquet:"side,optional,dict"`
	Confidence *float64 `parquet:"confidence,optional"`
	Reason     string   `parquet:"reason,optional,dict"`
}

// chosenColumns are what only pairs.parquet has.
type chosenColumns struct {
	ChosenIs      string `parquet:"chosen_is,dict"` // a or b
	ModelChosen   string `parquet:"model_chosen,optional,dict"`
	ModelRejected string `parquet:"model_rejected,optional,dict"`
}

// abstainedColumns are what only abstained.parquet has.
type abstainedColumns struct {
	Reason string `parquet:"reason,dict"`
	ModelA string `parquet:"model_a,optional,dict"`
	ModelB string `parquet:"model_b,optional,dict"`
}

func (l *Label) columns() labelColumns {
	votes := make([]voteRow, len(l.Votes))
	for i, v := range l.Votes {
		votes[i] = voteRow{v.Judge, v.Principle, v.Weight, number(v.AFirst), number(v.BFirst), string(v.Side), number(v.Confidence), string(v.Reason)}
	}
	return labelColumns{
		Agreed: int32(l.Agreed), Principle: l.Principle, Votes: votes, Judge: l.Judge, Rationale: l.Rationale,
		Requests: int64(l.Requests), PromptTokens: int64(l.PromptTokens), CompletionTokens: int64(l.CompletionTokens), Cost: l.Cost,
		Subset: l.Subset, ID: l.ID, Tools: l.Prompt.Context.Tools, Kwargs: l.Prompt.Context.TemplateKwargs,
	}
}

// chosen are both responses by preference, with their models.
func (l *Label) chosen() (chosen, rejected data.Text, columns chosenColumns) {
	if l.Side == SideB {
		return l.B, l.A, chosenColumns{string(SideB), l.ModelB, l.ModelA}
	}
	return l.A, l.B, chosenColumns{string(SideA), l.ModelA, l.ModelB}
}

func asChosen[T dialogueColumn](l Label) chosenRow[T] {
	chosen, rejected, columns := l.chosen()
	return chosenRow[T]{dialogueValue[T](l.Prompt), dialogueValue[T](chosen), dialogueValue[T](rejected),
		number(l.Confidence), number(l.VoteShare), number(l.AFirst), number(l.BFirst), columns, l.columns()}
}

func asAbstained[T dialogueColumn](l Label) abstainedRow[T] {
	return abstainedRow[T]{dialogueValue[T](l.Prompt), dialogueValue[T](l.A), dialogueValue[T](l.B),
		number(l.Confidence), number(l.VoteShare), number(l.AFirst), number(l.BFirst),
		abstainedColumns{string(l.Reason), l.ModelA, l.ModelB}, l.columns()}
}

// number is null for NaN.
func number(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

// orNaN is NaN for null.
func orNaN(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

func (c labelColumns) label() Label {
	var l Label
	for _, v := range c.Votes {
		l.Votes = append(l.Votes, Vote{v.Judge, v.Principle, v.Weight, orNaN(v.AFirst), orNaN(v.BFirst), Side(v.Side), orNaN(v.Confidence), Abstention(v.Reason)})
	}
	l.Agreed, l.Principle, l.Judge, l.Rationale = int(c.Agreed), c.Principle, c.Judge, c.Rationale
	l.Requests, l.PromptTokens, l.CompletionTokens, l.Cost = int(c.Requests), int(c.PromptTokens), int(c.CompletionTokens), c.Cost
	l.Subset, l.ID = c.Subset, c.ID
	return l
}

func (r chosenRow[T]) label() (Label, error) {
	l := r.labelColumns.label()
	l.Prompt = dialogueText(r.Prompt)
	l.Prompt.Context = data.Context{Tools: r.Tools, TemplateKwargs: r.Kwargs}
	l.Confidence, l.VoteShare, l.AFirst, l.BFirst = orNaN(r.Confidence), orNaN(r.VoteShare), orNaN(r.AFirst), orNaN(r.BFirst)
	chosen, rejected := dialogueText(r.Chosen), dialogueText(r.Rejected)
	switch l.Side = Side(r.ChosenIs); l.Side {
	case SideA:
		l.A, l.B, l.ModelA, l.ModelB = chosen, rejected, r.ModelChosen, r.ModelRejected
	case SideB:
		l.A, l.B, l.ModelA, l.ModelB = rejected, chosen, r.ModelRejected, r.ModelChosen
	default:
		return l, fmt.Errorf("column chosen_is: %q where a or b should be", data.Clip(r.ChosenIs, 20))
	}
	return l, nil
}

func (r abstainedRow[T]) label() (Label, error) {
	l := r.labelColumns.label()
	l.Prompt, l.A, l.B = dialogueText(r.Prompt), dialogueText(r.A), dialogueText(r.B)
	l.Prompt.Context = data.Context{Tools: r.Tools, TemplateKwargs: r.Kwargs}
	l.Confidence, l.VoteShare, l.AFirst, l.BFirst = orNaN(r.Confidence), orNaN(r.VoteShare), orNaN(r.AFirst), orNaN(r.BFirst)
	l.ModelA, l.ModelB, l.Reason = r.ModelA, r.ModelB, Abstention(r.Reason)
	if l.Reason == "" {
		return l, errors.New("column reason: empty where the reason of the abstention should be")
	}
	return l, nil
}
