package data

// field is a value that a row of a file can give.
type field int

const (
	fieldPrompt field = iota
	fieldChosen
	fieldRejected
	fieldResponseA
	fieldResponseB
	fieldLabel
	fieldVoteShareA
	fieldConfidence
	fieldMargin
	fieldVoteShare
	fieldSubset
	fieldID
	fieldScoreChosen
	fieldScoreRejected
	fieldText
	fieldResponse
	fieldMessages
	fieldRewardChosen
	fieldRewardRejected
	fieldLenChosen
	fieldLenRejected
	fieldModelA
	fieldModelB
	fieldSource
	fieldGold
	fieldGoldKind
	fieldAILabel
	fieldVotesA
	fieldVotesB
	fieldVotesTie
	fieldAnswer
	fieldAnnotator
	fieldNote
	numFields
)

// String is the name of the field, which is also the column it is read from
// unless the configuration maps another.
func (f field) String() string {
	return [numFields]string{
		"prompt", "chosen", "rejected", "response_a", "response_b", "label", "vote_share_a",
		"confidence", "margin", "vote_share", "subset", "id", "score_chosen", "score_rejected",
		"text", "response", "messages", "reward_chosen", "reward_rejected", "len_chosen", "len_rejected",
		"model_a", "model_b", "source",
		"gold", "gold_kind", "ai_label", "votes_a", "votes_b", "votes_tie",
		"answer", "annotator", "note",
	}[f]
}

// cellKind is what one value turned out to be.
type cellKind uint8

const (
	cellMissing cellKind = iota // the row has no such field
	cellNull
	cellText
	cellNumber
	cellTurns // a list of messages
	cellOther // anything else: a boolean, an object, another list
)

// cell is one value of one row.
type cell struct {
	kind  cellKind
	text  string
	num   float64
	turns []turn
	what  string // names a cellOther in errors
}

// turn is a message as the file holds it, not yet checked.
type turn struct {
	role, content         string
	roleNull, contentNull bool
	wrong                 string // names a role or content that is no text
}

// row holds the values of the fields that were chosen; the others are missing.
type row [numFields]cell

// column describes a column (or a key of the JSON objects) of a file.
type column struct {
	name string
	kind cellKind // cellNull: nothing but nulls are known of it
	what string   // the type's name in errors
}

// names says which column each field is read from; empty where none.
type names [numFields]string

// source is a file of rows: Parquet, JSON lines or CSV.
type source interface {
	columns() []column
	// openEnded reports whether rows may have columns that columns() lacks.
	openEnded() bool
	// choose sets the columns that next reads.
	choose(names) error
	// next reads the chosen fields of one row into r. It returns the row's number,
	// and a problem where this row cannot be read but the next can.
	next(r *row) (place int, bad *problem, err error)
	// unit is "row" or "line", what places count.
	unit() string
	// numRows is -1 where it cannot be told without reading the file.
	numRows() int64
	Close() error
}
