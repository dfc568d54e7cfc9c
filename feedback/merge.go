package feedback

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"laurel/data"
	"laurel/labels"
)

// HumanJudge begins the name of a person among the judges of labels.
const HumanJudge = "human:"

// MergeSummary says what people's answers did to the labels. Comparisons
// answered = confirmed + overturned + decided + withdrawn + still open, and
// labelled = labelled before + decided − withdrawn, those of Rejudged with them.
type MergeSummary struct {
	Rows            data.Counts    `json:"rows"` // of the reviewed files
	Blank           int            `json:"unanswered"`
	Superseded      int            `json:"superseded"` // rows: the same person said something else later in the file
	Answers         int            `json:"answers"`
	Annotators      map[string]int `json:"annotators"` // answers of each
	Labels          int            `json:"labels"`
	LabelledBefore  int            `json:"labelled_before"`
	AbstainedBefore int            `json:"abstained_before"`
	Answered        int            `json:"comparisons_answered"`
	Confirmed       int            `json:"confirmed"`  // the verdict's side is people's
	Overturned      int            `json:"overturned"` // people are for the other side
	Decided         int            `json:"decided"`    // there was no verdict, and people name a side
	Withdrawn       int            `json:"withdrawn"`  // there was one, and people call a tie or are split
	StillOpen       int            `json:"still_open"` // there was none, and people call a tie or are split
	Labelled        int            `json:"labelled"`
	Abstained       int            `json:"abstained"`
	PeopleDisagree  int            `json:"conflicts_between_people"`
	AgainstJudges   int            `json:"conflicts_with_judges"` // overturned and withdrawn
	Rejudged        Rejudged       `json:"rejudged"`
}

// Rejudged says what judgements anew did to the labels, before people's answers.
// Judged = confirmed + overturned + decided + withdrawn + still open + unanswered,
// and decided and withdrawn count in labelled as people's do.
type Rejudged struct {
	Judged     int `json:"judged"`
	Confirmed  int `json:"confirmed"`
	Overturned int `json:"overturned"`
	Decided    int `json:"decided"`
	Withdrawn  int `json:"withdrawn"`
	StillOpen  int `json:"still_open"`
	Unanswered int `json:"unanswered"` // no reply that could be read: the label stays as it was
}

// Conflict is a comparison on which people disagree with one another or with
// the judges' verdict.
type Conflict struct {
	ID             string         `json:"id"`
	PeopleDisagree bool           `json:"people_disagree"`
	AgainstJudges  bool           `json:"against_judges"`
	Answers        []PersonAnswer `json:"answers"`
	People         string         `json:"people"`          // a, b, tie, or split where no answer leads
	Judges         string         `json:"judges"`          // a or b, or why they abstained
	Confidence     *float64       `json:"confidence"`      // the judges', null where they have none
	VoteShare      *float64       `json:"vote_share"`      // the judges'
	Judge          string         `json:"judge,omitempty"` // their names
}

// PersonAnswer is what one person says of a comparison.
type PersonAnswer struct {
	Annotator string `json:"annotator"`
	Answer    string `json:"answer"` // a, b or tie
	Note      string `json:"note,omitempty"`
}

// Merging is what decides a run of Merge.
type Merging struct {
	Labels     iter.Seq2[labels.Label, error]
	Reviewed   []labels.Reviewed
	Rejudged   []iter.Seq2[labels.Label, error] // labels of some of the comparisons by judges asked anew: they replace the verdicts
	Confidence float64                          // that a person's answer is right, above 1/2
}

// Merge gives write every label, with people's verdict where they answered,
// and conflict what they do not agree on.
func (m *Merging) Merge(write func(labels.Label) error, conflict func(Conflict) error) (*MergeSummary, error) {
	s := &MergeSummary{Annotators: map[string]int{}}
	answers := map[string][]labels.Reviewed{}
	for _, r := range m.Reviewed {
		switch {
		case r.Superseded:
			s.Superseded++
			continue
		case !r.Answered:
			s.Blank++
			continue
		}
		s.Answers++
		s.Annotators[r.Annotator]++
		answers[r.ID] = append(answers[r.ID], r)
	}
	anew, err := m.rejudged()
	if err != nil {
		return s, err
	}
	for l, err := range m.Labels {
		if err != nil {
			return s, err
		}
		if strings.Contains("+"+l.Judge, "+"+HumanJudge) {
			return s, fmt.Errorf("%s row %d (id %q): people have answered it already: merge all reviewed files at once into the labels that laurel label wrote", l.File, l.Row, l.ID)
		}
		judged := l
		if by, again := anew[l.ID]; again {
			if judged, err = s.Rejudged.replace(l, by); err != nil {
				return s, err
			}
			delete(anew, l.ID)
		}
		merged := judged
		if said := answers[l.ID]; len(said) > 0 {
			merged.Verdict = m.verdict(said, judged.Votes)
			merged.Judge = peopleNames(said)
			if c, is := s.compare(&judged, &merged, said); is {
				if err := conflict(c); err != nil {
					return s, err
				}
			}
		}
		s.count(&l, &merged)
		if err := write(merged); err != nil {
			return s, err
		}
	}
	for _, l := range anew {
		return s, fmt.Errorf("%s row %d: the labels have no comparison %q: are they the labels that it was judged again for?", l.File, l.Row, data.Clip(l.ID, 40))
	}
	return s, nil
}

// verdict is what people say: the answer that more gave than any other. With h
// the confidence in a person and s the share of answers for the side, ties half
// for each, the verdict's confidence is h·s + (1 − h)(1 − s); the vote share
// counts ties for neither. The judges' votes stay beside people's.
func (m *Merging) verdict(said []labels.Reviewed, votes []labels.Vote) labels.Verdict {
	n := map[labels.Side]int{}
	v := labels.Verdict{Confidence: math.NaN(), VoteShare: math.NaN(), Votes: slices.Clone(votes)}
	var notes []string
	for _, r := range said {
		n[r.Side]++
		v.Votes = append(v.Votes, m.vote(r))
		if r.Note != "" {
			notes = append(notes, r.Annotator+": "+r.Note)
		}
	}
	v.Rationale = strings.Join(notes, "\n")
	a, b, tie := n[labels.SideA], n[labels.SideB], n[labels.Neither]
	switch most := max(a, b, tie); {
	case a == most && b < most && tie < most:
		v.Side = labels.SideA
	case b == most && a < most && tie < most:
		v.Side = labels.SideB
	case tie == most && a < most && b < most:
		v.Reason = labels.AbstainTie
		return v
	default:
		v.Reason = labels.AbstainSplit
		return v
	}
	all, h := float64(len(said)), m.Confidence
	s := (float64(n[v.Side]) + float64(tie)/2) / all
	v.Confidence, v.VoteShare = h*s+(1-h)*(1-s), float64(n[v.Side])/all
	return v
}

// vote is a person's answer among the votes.
func (m *Merging) vote(r labels.Reviewed) labels.Vote {
	v := labels.Vote{Judge: HumanJudge + r.Annotator, Principle: "human", Weight: 1, AFirst: math.NaN(), BFirst: math.NaN(), Side: r.Side, Confidence: m.Confidence}
	if r.Side == labels.Neither {
		v.Reason, v.Confidence = labels.AbstainTie, math.NaN()
	}
	return v
}

func peopleNames(said []labels.Reviewed) string {
	names := make([]string, len(said))
	for i, r := range said {
		names[i] = HumanJudge + r.Annotator
	}
	return strings.Join(names, "+")
}

func (s *MergeSummary) count(before, after *labels.Label) {
	s.Labels++
	if before.Side == labels.Neither {
		s.AbstainedBefore++
	} else {
		s.LabelledBefore++
	}
	if after.Side == labels.Neither {
		s.Abstained++
	} else {
		s.Labelled++
	}
}

// compare counts what people make of a label, and says whether that is a
// conflict.
func (s *MergeSummary) compare(before, after *labels.Label, said []labels.Reviewed) (c Conflict, is bool) {
	s.Answered++
	switch open := after.Side == labels.Neither; {
	case before.Side == labels.Neither && open:
		s.StillOpen++
	case before.Side == labels.Neither:
		s.Decided++
	case open:
		s.Withdrawn++
	case before.Side == after.Side:
		s.Confirmed++
	default:
		s.Overturned++
	}
	c = Conflict{ID: before.ID, AgainstJudges: before.Side != labels.Neither && before.Side != after.Side, Judges: string(before.Side), Judge: before.Judge,
		Confidence: orNil(before.Confidence), VoteShare: orNil(before.VoteShare), People: string(after.Side)}
	for _, r := range said {
		c.PeopleDisagree = c.PeopleDisagree || r.Side != said[0].Side
		c.Answers = append(c.Answers, PersonAnswer{r.Annotator, answerName(r.Side), r.Note})
	}
	if after.Side == labels.Neither {
		c.People = map[labels.Abstention]string{labels.AbstainTie: "tie", labels.AbstainSplit: "split"}[after.Reason]
	}
	if before.Side == labels.Neither {
		c.Judges = string(before.Reason)
	}
	if c.PeopleDisagree {
		s.PeopleDisagree++
	}
	if c.AgainstJudges {
		s.AgainstJudges++
	}
	return c, c.PeopleDisagree || c.AgainstJudges
}

func answerName(s labels.Side) string {
	if s == labels.Neither {
		return "tie"
	}
	return string(s)
}

// orNil is nil, null in JSON, for NaN.
func orNil(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}
