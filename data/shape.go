package data

import (
	"errors"
	"fmt"
	"strings"
)

// shape is what the rows of a file look like, found from its columns.
type shape struct {
	names    names
	kinds    [numFields]cellKind // cellText or cellTurns; cellNull where unknown, cellMissing without column
	labelled bool                // response_a and response_b, not chosen and rejected; where pairs are read, with a label
}

// pairFields can be mapped when pairs are read.
var pairFields = []field{fieldPrompt, fieldChosen, fieldRejected, fieldResponseA, fieldResponseB, fieldLabel, fieldVoteShareA,
	fieldConfidence, fieldMargin, fieldVoteShare, fieldSubset, fieldID, fieldScoreChosen, fieldScoreRejected}

// findPairs finds the shape of a file of pairs, and all that is wrong with
// its columns.
func findPairs(src source, mapping map[string]string) (shape, error) {
	n, err := resolve(mapping, pairFields, src)
	if err != nil {
		return shape{}, err
	}
	s := shape{names: n}
	s.labelled = n[fieldChosen] == "" && n[fieldRejected] == "" && (n[fieldResponseA] != "" || n[fieldResponseB] != "")
	need := []field{fieldChosen, fieldRejected}
	if s.labelled {
		need = []field{fieldPrompt, fieldResponseA, fieldResponseB, fieldLabel}
		s.drop(fieldChosen, fieldRejected)
	} else {
		s.drop(fieldResponseA, fieldResponseB, fieldLabel, fieldVoteShareA)
	}
	if err := missingColumns(n, need, src, "pairs are chosen and rejected, or prompt, response_a, response_b and label"); err != nil {
		return shape{}, err
	}
	return s, s.types(src)
}

// has reports whether the file has a column for the field.
func (s *shape) has(f field) bool { return s.kinds[f] != cellMissing }

// drop stops reading fields that this shape does not use.
func (s *shape) drop(fields ...field) {
	for _, f := range fields {
		s.names[f] = ""
	}
}

// missingColumns names the columns that are not there and what to do; layout
// says what such files have.
func missingColumns(n names, need []field, src source, layout string) error {
	have := columnNames(src)
	var missing []string
	hint := ""
	for _, f := range need {
		if _, ok := findColumn(src, n[f]); !ok {
			missing = append(missing, f.String())
			if near := nearest(f.String(), have); near != "" && hint == "" {
				hint = fmt.Sprintf("did you mean %q? Map it with data.columns: {%s: %s}", near, f, near)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if hint == "" {
		hint = fmt.Sprintf("map yours with data.columns, for example {%s: YOUR_COLUMN}", missing[0])
	}
	if len(missing) == len(need) {
		hint += " (" + layout + ")"
	}
	return fmt.Errorf("no column %s; the columns are %s; %s", strings.Join(missing, ", "), list(have), hint)
}

// types checks the type of every column that is read, all at once.
func (s *shape) types(src source) error {
	var wrong []string
	for f := range numFields {
		c, ok := findColumn(src, s.names[f])
		if s.names[f] == "" || !ok {
			continue
		}
		if want := f.refuses(c.kind); want != "" && !src.openEnded() {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", c.name, c.what, want))
		}
		s.kinds[f] = c.kind
		if c.kind != cellText && c.kind != cellTurns {
			s.kinds[f] = cellNull
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("wrong column types: column %s; convert them, or map others with data.columns", strings.Join(wrong, "; column "))
	}
	if a, b := s.sides(); s.differ(a, b) {
		return fmt.Errorf("wrong column types: column %s is text but column %s is messages, or the other way round: both must be the same", s.names[a], s.names[b])
	}
	return nil
}

// refuses returns what the field wants, where it cannot take the kind.
func (f field) refuses(kind cellKind) string {
	switch {
	case kind == cellNull:
		return ""
	case f.number() && kind != cellNumber:
		return "a number"
	case f == fieldMessages && kind != cellTurns:
		return "messages (a list of role and content)"
	case f.dialogue() && kind != cellText && kind != cellTurns:
		return "text or messages (a list of role and content)"
	case (f == fieldLabel || f == fieldGold || f == fieldAILabel || f == fieldAnswer) && kind != cellText:
		return "text (a, b or tie)"
	case f.name() && kind != cellText && kind != cellNumber:
		return "text or a number"
	}
	return ""
}

func (s *shape) sides() (a, b field) {
	if s.labelled {
		return fieldResponseA, fieldResponseB
	}
	return fieldChosen, fieldRejected
}

func (s *shape) differ(a, b field) bool {
	return s.kinds[a] != s.kinds[b] && s.kinds[a] != cellNull && s.kinds[b] != cellNull
}

// chat reports whether the rows become messages.
func (s *shape) chat() bool {
	a, _ := s.sides()
	return s.kinds[a] == cellTurns || s.kinds[fieldPrompt] == cellTurns
}

// String names the format, for reports.
func (s *shape) String() string {
	a, _ := s.sides()
	prompt := s.has(fieldPrompt)
	name := ""
	switch {
	case s.kinds[a] == cellTurns && !prompt:
		name = "chat, implicit prompt"
	case s.chat() && s.kinds[fieldPrompt] == cellText:
		name = "chat, prompt as text"
	case s.chat():
		name = "chat, explicit prompt"
	case !prompt:
		name = "HH transcripts (chosen/rejected text, prompt inside)"
	default:
		name = "prompt/chosen/rejected text"
	}
	switch {
	case s.labelled && s.names[fieldLabel] == "":
		name = "comparisons (response_a/response_b), " + strings.Replace(name, "chosen/rejected", "responses", 1)
	case s.labelled:
		name = "labelled comparisons (response_a/response_b/label), " + strings.Replace(name, "chosen/rejected", "responses", 1)
	}
	return name
}

var errNoRows = errors.New("no rows: the columns are there, but nothing in them")
