package loop

import (
	"iter"

	"laurel/data"
	"laurel/eval"
	"laurel/eval/audit"
	"laurel/eval/stats"
	"laurel/feedback"
	"laurel/feedback/chat"
	"laurel/labels"
	"laurel/selection"
)

// Measures are what a round came to.
type Measures struct {
	Prompts     int                       `json:"prompts"`     // of the round
	Responses   int                       `json:"responses"`   // to them
	Comparisons int                       `json:"comparisons"` // of these
	Labelled    int                       `json:"labelled"`
	Abstained   int                       `json:"abstained"`
	Reasons     map[labels.Abstention]int `json:"abstained_by_reason"`
	Asked       Asked                     `json:"label_questions"`          // about the round's comparisons
	AskedHeld   *Asked                    `json:"label_questions_held_out"` // about those held out; null where judges do not label them
	Gold        *stats.Share              `json:"agreement_gold"`           // of labels with those whose gold names a side; null without
	Flips       []Flips                   `json:"flips_by_principle"`       // the first is of all
	People      People                    `json:"people"`
	Pairs       int                       `json:"training_pairs"` // of all files that the round trained on
	HeldOut     *HeldOut                  `json:"held_out"`       // null before it was evaluated
	BestOfN     *BestOfN                  `json:"best_of_n"`      // null before it was selected
	Spent       chat.Spent                `json:"spent"`          // by all of the round's steps
}

// Asked counts questions to the judges.
type Asked struct {
	Questions int `json:"questions"`
	Reused    int `json:"reused"` // answered before the step began, by other steps, rounds or an earlier constitution
}

// Flips are the votes under a principle that name the response at the same place in
// both orders.
type Flips struct {
	Principle string      `json:"principle"` // empty for all
	Flipped   stats.Share `json:"flipped"`
}

// People counts what people were asked, and answered about earlier rounds.
type People struct {
	Asked      int `json:"asked"`
	Merged     int `json:"merged"` // comparisons that they answered, merged before training
	Overturned int `json:"overturned"`
	Decided    int `json:"decided"` // of those abstained from
}

// HeldOut is how the round's model ranks pairs that it did not train on.
type HeldOut struct {
	Data     string         `json:"data"`
	Pairs    int            `json:"pairs"`
	Accuracy stats.Value    `json:"accuracy"` // ties one half
	Interval stats.Interval `json:"accuracy_interval_95"`
}

// BestOfN is what choosing by reward gains on the prompts held out.
type BestOfN struct {
	Prompts    int              `json:"prompts"`
	Candidates float64          `json:"candidates"`  // a prompt, on average
	Reward     stats.Difference `json:"reward_gain"` // of the best over the mean of its prompt's, logits
	// Judge is the share of the labels that compare the best with another response to
	// its prompt and prefer the best; 1/2 for one drawn blindly. Without labels n is 0.
	Judge stats.Share `json:"judge_prefers_best"`
}

// Label takes in what the labels of a round came to.
func (m *Measures) Label(s *feedback.Summary, r *audit.Report, reused int) {
	m.Labelled, m.Abstained, m.Reasons = r.Labelled, r.Abstained, r.Reasons
	m.Asked = Asked{s.Questions, reused}
	m.Gold, m.Flips = nil, nil
	if r.Gold != nil {
		m.Gold = &r.Gold.Agreement
	}
	for _, p := range r.Position {
		if p.Judge == "" {
			m.Flips = append(m.Flips, Flips{p.Principle, p.Flipped})
		}
	}
}

// LabelHeldOut takes in what labelling the responses held out asked.
func (m *Measures) LabelHeldOut(s *feedback.Summary, reused int) {
	m.AskedHeld = &Asked{s.Questions, reused}
}

// askedHeld are the questions about responses held out, none where judges do not
// label them.
func (m *Measures) askedHeld() Asked {
	if m.AskedHeld == nil {
		return Asked{}
	}
	return *m.AskedHeld
}

// Evaluate takes in what the model was measured as.
func (m *Measures) Evaluate(data string, r *eval.Report) {
	m.HeldOut = &HeldOut{data, r.N, r.AccuracyTiesHalf, r.AccuracyInterval}
}

// Select takes in what the best of the responses to the prompts held out are worth;
// all are the labels of these, nil where there are none.
func (m *Measures) Select(best []selection.Best, all iter.Seq2[labels.Label, error]) error {
	var gains stats.Differences
	b := BestOfN{Prompts: len(best)}
	chosen := map[data.TextKey]int{}
	for i, one := range best {
		gains.Add(int32(i), one.Reward-one.Mean)
		b.Candidates += float64(one.Candidates) / float64(len(best))
		chosen[one.Prompt] = i
	}
	b.Reward = gains.Mean()
	var preferred stats.Trials
	if all != nil {
		for l, err := range all {
			if err != nil {
				return err
			}
			i, known := chosen[data.KeyOf(l.Prompt, data.Text{}, data.Text{})]
			if !known || l.Side == labels.Neither {
				continue
			}
			for side, text := range map[labels.Side]data.Text{labels.SideA: l.A, labels.SideB: l.B} {
				if data.KeyOf(data.Text{}, text, data.Text{}) == best[i].Response {
					preferred.Add(int32(i), stats.Indicator(l.Side == side), 1)
				}
			}
		}
	}
	b.Judge = preferred.Share()
	m.BestOfN = &b
	return nil
}
