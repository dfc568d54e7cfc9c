package feedback

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"laurel/data"
	"laurel/feedback/chat"
	"laurel/labels"
)

// Summary says what became of the comparisons and of the questions about
// them: rows read = labelled + abstained + not asked + skipped.
type Summary struct {
	Rows      data.Counts               `json:"rows"`
	Labelled  int                       `json:"labelled"`
	Abstained map[labels.Abstention]int `json:"abstained"`
	NotAsked  int                       `json:"not_asked,omitempty"` // comparisons of which a question was left unasked: in no file
	Questions int                       `json:"questions"`
	Asked     int                       `json:"asked"`             // by this run; the other answers were in the store
	Missing   int                       `json:"missing,omitempty"` // not in the store, and not asked
	// Unasked are the questions that the run stopped before, RequestsLeft what
	// they take where nothing fails.
	Unasked      int            `json:"questions_not_asked,omitempty"`
	RequestsLeft int            `json:"requests_left,omitempty"`
	Judges       []JudgeSummary `json:"judges"`
	Spent        chat.Spent     `json:"spent"`             // by all runs on the store
	SpentNow     chat.Spent     `json:"spent_by_this_run"` // by this one

	Received int `json:"-"` // answers of this run, of comparisons without a label too

	// Stopped is why the labels are not those of all that was to be asked; nil
	// where they are.
	Stopped error `json:"-"`
	wentOn  bool  // without some judge: the other judges were asked all

	before chat.Spent
}

// Useless is whether the run was stopped, and there are no labels to write:
// where a judge was of no use, neither is an abstention.
func (s *Summary) Useless() bool {
	return s.Stopped != nil && !s.wentOn && s.Labelled == 0 && (!errors.Is(s.Stopped, chat.ErrBudget) || s.Abstentions() == 0)
}

// JudgeSummary counts a judge's answers by what they turned out to be.
type JudgeSummary struct {
	Name     string          `json:"name"`
	Weight   float64         `json:"weight"`
	Outcomes map[Outcome]int `json:"answers"`
	Clamped  int             `json:"clamped,omitempty"`             // answers whose probability was cut to the judge's bounds
	Unstated int             `json:"unstated_confidence,omitempty"` // verdicts without a confidence

	FailedReasons      []ReasonCount `json:"failed_reasons,omitempty"`
	UnparseableReasons []ReasonCount `json:"unparseable_reasons,omitempty"`
	// FailedAttempts are requests of this run without a reply, by reason, of
	// questions that had one later too.
	FailedAttempts map[string]int `json:"failed_attempts,omitempty"`

	failed, unparseable reasons
}

func newSummary(run *Labelling) *Summary {
	s := &Summary{Abstained: map[labels.Abstention]int{}, before: run.Store.Spent()}
	for _, j := range run.Judges {
		s.Judges = append(s.Judges, JudgeSummary{Name: j.Name(), Weight: j.Weight, Outcomes: map[Outcome]int{}, failed: reasons{}, unparseable: reasons{}})
	}
	return s
}

func (s *Summary) count(a stepAnswer) {
	if a.principle == nil {
		return
	}
	s.Questions++
	if a.unasked {
		s.Unasked++
		if o, ok := a.judge.Judge.(*OpenAI); ok {
			s.RequestsLeft += o.requestsEach()
		}
		return
	}
	if a.asked {
		s.Asked++
	}
	if a.missing {
		s.Missing++
	}
	for i := range s.Judges {
		if s.Judges[i].Name == a.judge.Name() {
			s.Judges[i].count(a)
		}
	}
}

func (j *JudgeSummary) count(a stepAnswer) {
	j.Outcomes[a.Outcome]++
	if a.clamped {
		j.Clamped++
	}
	if a.Unstated {
		j.Unstated++
	}
	switch {
	case a.Outcome == Failed && !a.missing:
		j.failed.add(a.Reason, a.Detail)
		j.FailedReasons = j.failed.counts()
	case a.Outcome == Unparseable:
		j.unparseable.add(cmp.Or(a.Reason, "other"), a.Detail)
		j.UnparseableReasons = j.unparseable.counts()
	}
}

func (s *Summary) label(l labels.Label) {
	if l.Side == labels.Neither {
		s.Abstained[l.Reason]++
		return
	}
	s.Labelled++
}

func (s *Summary) settle(run *Labelling, a *asker) {
	store := run.Store
	for i, j := range run.Judges {
		if o, ok := j.Judge.(*OpenAI); ok && o.chat != nil {
			s.Judges[i].FailedAttempts = o.chat.FailedAttempts()
		}
	}
	s.Received = int(a.kept.Load())
	s.Spent = store.Spent()
	s.SpentNow = s.Spent.Minus(s.before)
}

// Abstentions is the number of comparisons without a verdict.
func (s *Summary) Abstentions() int {
	n := 0
	for _, k := range s.Abstained {
		n += k
	}
	return n
}

// Outcomes counts the answers of all judges.
func (s *Summary) Outcomes(o Outcome) int {
	n := 0
	for _, j := range s.Judges {
		n += j.Outcomes[o]
	}
	return n
}

// Plan is what a run is going to do, as far as reading its input tells.
type Plan struct {
	Rows      data.Counts `json:"rows"`
	Chat      bool        `json:"chat"`      // the comparisons are messages
	Identical int         `json:"identical"` // comparisons of which nothing is asked
	Questions int         `json:"questions"`
	Kept      int         `json:"kept"` // questions whose answer the store has

	kept map[string]int // by judge and principle
}

// Plan reads all comparisons, so that a bad row is found before anything is
// paid for, and looks which questions the store can answer. visit, where
// given, sees every question that must be asked.
func (l *Labelling) Plan(visit func(Judge, Question) error) (*Plan, error) {
	p := &Plan{kept: map[string]int{}}
	for s, err := range l.steps(&p.Rows) {
		if err != nil {
			return nil, err
		}
		p.Chat = s.comparison.Chat()
		if s.principle == nil {
			p.Identical++
			continue
		}
		p.Questions++
		if l.Store != nil && l.Store.Has(s.key, l.OnlyKept) {
			p.Kept++
			p.kept[questionsOf(s.judge, s.principle)]++
		} else if visit != nil {
			if err := visit(s.judge, Question{s.comparison, s.principle, s.swapped}); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

func questionsOf(judge Judge, principle *Principle) string {
	return fmt.Sprintf("%s under %q", judge.Name(), principle.Name)
}

// AnswerCount is how many of a judge's questions under a principle the store can
// answer.
type AnswerCount struct {
	Judge     string `json:"judge"`
	Principle string `json:"principle"`
	Questions int    `json:"questions"`
	Kept      int    `json:"kept"`
}

// Answers counts the answers of every judge under every principle.
func (p *Plan) Answers(l *Labelling) (out []AnswerCount) {
	each := p.Questions / (len(l.Judges) * len(l.Constitution.Principles))
	for i := range l.Judges {
		for j := range l.Constitution.Principles {
			judge, principle := &l.Judges[i], &l.Constitution.Principles[j]
			out = append(out, AnswerCount{judge.Name(), principle.Name, each, p.kept[questionsOf(judge, principle)]})
		}
	}
	return out
}

// NeverAsked is an error that names every judge and principle of which the
// store has no answer at all: aggregating would make failures of them.
func (p *Plan) NeverAsked(l *Labelling) error {
	if p.Questions == 0 {
		return nil
	}
	var never []string
	for _, a := range p.Answers(l) {
		if a.Kept == 0 {
			never = append(never, fmt.Sprintf("%s under %q", a.Judge, a.Principle))
		}
	}
	if len(never) == 0 {
		return nil
	}
	return fmt.Errorf("no answer of %s is in the store, %d of %d are missing: a run without --reaggregate asks for them; or leave that judge or principle out",
		strings.Join(never, ", "), p.Questions-p.Kept, p.Questions)
}
