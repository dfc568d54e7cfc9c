package review

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"laurel/labels"
)

// What an annotator did with a comparison.
const (
	Answered  = "answered"
	Skipped   = "skipped"
	TakenBack = "taken_back" // an answer or a skip
)

// Answer is a line of the file of answers, which only grows: what an annotator
// did with a comparison, and how it was shown. laurel merge takes the last version
// of each annotator and comparison.
type Answer struct {
	ID        string
	Annotator string
	Version   int // of what this annotator did with this comparison, from 1
	Did       string
	Side      labels.Side // of an answer, as of the comparison's own a and b; Neither is a tie
	Note      string
	Left      labels.Side // the response that was shown on the left, as A
	At        time.Time
	Texts     string // labels.Review.TextsKey of what was shown
}

// answerLine is an Answer as JSON.
type answerLine struct {
	ID        string    `json:"id"`
	Answer    *string   `json:"answer"` // a, b, tie; null where there is none
	Annotator string    `json:"annotator"`
	Note      string    `json:"note"`
	Version   int       `json:"version"`
	Did       string    `json:"did"`
	Left      string    `json:"left"`
	At        time.Time `json:"at"`
	Texts     string    `json:"texts"`
}

func (a *Answer) line() ([]byte, error) {
	l := answerLine{a.ID, nil, a.Annotator, a.Note, a.Version, a.Did, string(a.Left), a.At, a.Texts}
	if a.Did == Answered {
		word := sideWord(a.Side)
		l.Answer = &word
	}
	raw, err := json.Marshal(l)
	return append(raw, '\n'), err
}

func sideWord(s labels.Side) string {
	if s == labels.Neither {
		return "tie"
	}
	return string(s)
}

func parseAnswer(raw []byte) (a Answer, err error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	var l answerLine
	if err := decoder.Decode(&l); err != nil {
		return a, err
	}
	if len(bytes.TrimSpace(raw[decoder.InputOffset():])) > 0 {
		return a, errors.New("more follows the JSON object")
	}
	a = Answer{ID: l.ID, Annotator: l.Annotator, Version: l.Version, Did: l.Did, Note: l.Note, Left: labels.Side(l.Left), At: l.At, Texts: l.Texts}
	switch {
	case a.ID == "" || a.Annotator == "" || a.Version < 1 || a.Texts == "":
		return a, errors.New("id, annotator, version or texts is missing")
	case a.Left != labels.SideA && a.Left != labels.SideB:
		return a, fmt.Errorf("left is %q, want a or b", l.Left)
	case a.Did != Answered && a.Did != Skipped && a.Did != TakenBack:
		return a, fmt.Errorf("did is %q, want %s, %s or %s", a.Did, Answered, Skipped, TakenBack)
	case (a.Did == Answered) != (l.Answer != nil):
		return a, fmt.Errorf("did is %s, which does not go with its answer", a.Did)
	case l.Answer == nil:
		return a, nil
	case *l.Answer == "a" || *l.Answer == "b":
		a.Side = labels.Side(*l.Answer)
	case *l.Answer != "tie":
		return a, fmt.Errorf("answer is %q, want a, b or tie", *l.Answer)
	}
	return a, nil
}
