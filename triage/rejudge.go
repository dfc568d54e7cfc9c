package triage

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"path/filepath"

	"laurel/data"
	"laurel/labels"
)

// Where the list of pairs that are worth judging again goes: comparisons for
// laurel label, the sheet for people, and, of pairs that no laurel label wrote,
// labels of them all, into which laurel merge takes the answers.
const (
	ComparisonsFile = "rejudge.jsonl"
	SheetFiles      = "review" // .csv and .parquet
	LabelsFolder    = "labels"
)

// given names the judge and the principle of labels that came with the pairs.
const given = "given"

// WhyListed is the reason of the sheet's comparisons.
const WhyListed = "probably_mislabelled"

// WriteRejudge writes the list, the largest gain first. labelled are the labels
// that the pairs were read from, row by row; nil where they are pairs of another
// origin. Then labels of all pairs are written, whose responses are A and B by
// draw, so that the sheet does not tell which was chosen.
func (r *Result) WriteRejudge(dir string, source Source, labelled iter.Seq2[labels.Label, error]) error {
	place := map[int32]int{}
	for n, i := range r.rejudge {
		place[i] = n
	}
	listed := make([]data.Comparison, len(r.rejudge))
	var err error
	if labelled != nil {
		err = r.pickLabels(labelled, place, listed)
	} else {
		err = r.writeLabels(filepath.Join(dir, LabelsFolder), source, place, listed)
	}
	if err != nil {
		return err
	}
	for n := range listed {
		if listed[n].ID == "" {
			return errors.New("the files changed while they were read: run the command again")
		}
	}
	return cmp.Or(r.writeComparisons(filepath.Join(dir, ComparisonsFile), listed), writeSheet(filepath.Join(dir, SheetFiles), listed))
}

// pickLabels takes the listed comparisons out of the labels that pairs were read
// from.
func (r *Result) pickLabels(labelled iter.Seq2[labels.Label, error], place map[int32]int, listed []data.Comparison) error {
	at := map[int]int32{} // row to pair
	for i := range place {
		at[r.pairs.row[i]] = i
	}
	for l, err := range labelled {
		if err != nil {
			return err
		}
		if i, wanted := at[l.Row]; wanted {
			if l.ID != r.pairs.id[i] {
				return fmt.Errorf("%s row %d: the id %q is not the one that was read for its pair (%q): ids of labels must be there and differ", l.File, l.Row, l.ID, r.pairs.id[i])
			}
			listed[place[i]] = l.Comparison
		}
	}
	return nil
}

// writeLabels makes labels of all pairs.
func (r *Result) writeLabels(dir string, source Source, place map[int32]int, listed []data.Comparison) (err error) {
	if r.pairs.chat && r.pairs.plain {
		return errors.New("some files hold text and others messages, which do not go into one file of labels: triage them apart")
	}
	w, err := labels.NewLabelWriter(dir, r.pairs.chat)
	if err != nil {
		return err
	}
	random, i := rand.NewPCG(r.cfg.Seed, 3), int32(0)
	for p, err := range source() {
		if err == nil && int(i) == r.Pairs {
			err = errors.New("the files changed while they were read: run the command again")
		}
		if err != nil {
			return errors.Join(err, w.Abort())
		}
		l := labelOf(&p, r.pairs.id[i], random.Uint64()>>63 == 0)
		if err := w.Write(l); err != nil {
			return errors.Join(err, w.Abort())
		}
		if n, wanted := place[i]; wanted {
			listed[n] = l.Comparison
		}
		i++
	}
	return w.Close()
}

// labelOf is a pair as a label of a judge that is not known.
func labelOf(p *data.Pair, id string, chosenIsA bool) labels.Label {
	l := labels.Label{Comparison: data.Comparison{ID: id, Prompt: p.Prompt, A: p.Chosen, B: p.Rejected, Subset: p.Subset, File: p.File, Row: p.Row},
		Verdict: labels.Verdict{Side: labels.SideA, Confidence: p.Confidence, VoteShare: p.VoteShare, Agreed: 1, Principle: given},
		Judge:   given, AFirst: math.NaN(), BFirst: math.NaN()}
	if math.IsNaN(l.VoteShare) { // of the one vote there is
		l.VoteShare = 1
	}
	if !chosenIsA {
		l.A, l.B, l.Side = l.B, l.A, labels.SideB
	}
	l.Votes = []labels.Vote{{Judge: given, Principle: given, Weight: 1, AFirst: math.NaN(), BFirst: math.NaN(), Side: l.Side, Confidence: p.Confidence}}
	return l
}

// comparisonRow is a comparison as laurel label reads it, of texts or of messages.
type comparisonRow struct {
	ID     string        `json:"id"`
	Prompt any           `json:"prompt"`
	A      any           `json:"response_a"`
	B      any           `json:"response_b"`
	ModelA string        `json:"model_a,omitempty"`
	ModelB string        `json:"model_b,omitempty"`
	Subset string        `json:"subset,omitempty"`
	Tools  data.JSONText `json:"tools,omitempty"`
	Kwargs data.JSONText `json:"chat_template_kwargs,omitempty"`
}

func asComparison(c data.Comparison) comparisonRow {
	text := func(t data.Text) any {
		if t.Messages == nil {
			return t.Plain
		}
		return data.MessageList(t)
	}
	return comparisonRow{c.ID, text(c.Prompt), text(c.A), text(c.B), c.ModelA, c.ModelB, c.Subset, data.JSONText(c.Prompt.Context.Tools), data.JSONText(c.Prompt.Context.TemplateKwargs)}
}

func (r *Result) writeComparisons(path string, listed []data.Comparison) error {
	f, err := data.BeginRows(path, func(w io.Writer) data.RowWriter[data.Comparison] { return data.JSONRows(w, asComparison) })
	if err != nil {
		return err
	}
	for _, c := range listed {
		if err := f.Write(c); err != nil {
			return errors.Join(err, data.AbortAll(f))
		}
	}
	return data.CloseAll(f)
}

func writeSheet(path string, listed []data.Comparison) error {
	rows := make([]labels.Review, len(listed))
	for i, c := range listed {
		rows[i] = labels.Review{Comparison: c, Why: WhyListed}
	}
	return labels.WriteReview(path, rows)
}
