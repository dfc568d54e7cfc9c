package feedback

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"laurel/data"
	"laurel/feedback/chat"
	"laurel/labels"
)

// stub is a judge that answers by a function and counts what it is asked.
type stub struct {
	name  string
	reply func(q Question, n int) (Answer, error)

	mu    sync.Mutex
	asked map[string]int
	total int
}

func (s *stub) Name() string        { return s.name }
func (s *stub) Fingerprint() string { return "stub " + s.name }

func (s *stub) Ask(ctx context.Context, q Question) (Answer, error) {
	s.mu.Lock()
	if s.asked == nil {
		s.asked = map[string]int{}
	}
	key := fmt.Sprint(q.Comparison.Prompt.Plain, "|", q.First().Plain, "|", q.Second().Plain, "|", q.Principle.Name)
	s.asked[key]++
	s.total++
	n := s.total
	s.mu.Unlock()
	a, err := s.reply(q, n)
	a.Requests++
	a.Cost += 0.25
	return a, err
}

// longer prefers the longer response, wherever it stands.
func longer(q Question, _ int) (Answer, error) {
	p := 0.9
	if q.First().Chars() < q.Second().Chars() {
		p = 0.1
	}
	return Answer{Outcome: Preferred, First: p, Rationale: "the longer\xff one", Raw: "A", PromptTokens: 3}, nil
}

// comparisonsOf are n comparisons, every fifth of identical responses, and
// every seventh equal to the one before but for its id.
func comparisonsOf(n int) func(*data.Counts) iter.Seq2[data.Comparison, error] {
	return func(counts *data.Counts) iter.Seq2[data.Comparison, error] {
		return func(yield func(data.Comparison, error) bool) {
			for i := range n {
				text := i
				if i%7 == 6 {
					text--
				}
				c := data.Comparison{ID: fmt.Sprint(i), Prompt: data.Text{Plain: fmt.Sprint("prompt ", text)},
					A: data.Text{Plain: "short"}, B: data.Text{Plain: "a longer one"}}
				if i%2 == 0 {
					c.A, c.B = c.B, c.A
				}
				if i%5 == 4 {
					c.B = c.A
				}
				counts.Read++
				counts.Kept++
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

func labelling(t testing.TB, store *Store, n int, judges ...Judge) *Labelling {
	l := &Labelling{Constitution: &Constitution{Principles: four}, Policy: article(PositionAgree), InFlight: 8, Store: store, Comparisons: comparisonsOf(n)}
	for _, j := range judges {
		l.Judges = append(l.Judges, WeightedJudge{Judge: j, Weight: 1})
	}
	return l
}

// labels runs it to its end, or to an error.
func runLabels(t testing.TB, run *Labelling) ([]labels.Label, *Summary, error) {
	t.Helper()
	var out []labels.Label
	summary, err := Label(t.Context(), run, func(l labels.Label) error {
		out = append(out, l)
		return nil
	})
	if err == nil && (len(out) != summary.Rows.Kept-summary.NotAsked || summary.Rows.Kept != summary.Labelled+summary.Abstentions()+summary.NotAsked) {
		t.Errorf("%d labels, %d labelled and %d abstained of %s", len(out), summary.Labelled, summary.Abstentions(), summary.Rows)
	}
	return out, summary, err
}

func newStore(t testing.TB) *Store {
	t.Helper()
	s := openStore(t, filepath.Join(t.TempDir(), "answers.jsonl"))
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

// sameLabels compares all there is in labels, NaN with NaN.
func sameLabels(t *testing.T, got, want []labels.Label) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d labels, want %d", len(got), len(want))
	}
	for i := range got {
		if g, w := fmt.Sprintf("%+v", got[i]), fmt.Sprintf("%+v", want[i]); g != w {
			t.Fatalf("label %d\n%s\nwant\n%s", i, g, w)
		}
	}
}

func TestLabel(t *testing.T) {
	judge := &stub{name: "longer", reply: longer}
	run := labelling(t, newStore(t), 50, judge)
	var last Progress
	run.Progress = func(p Progress) { last = p }
	plan, err := run.Plan(nil)
	if err != nil || plan.Questions != 40*8 || plan.Identical != 10 || plan.Kept != 0 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	got, summary, err := runLabels(t, run)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range got {
		switch {
		case l.ID != fmt.Sprint(i):
			t.Fatalf("label %d has id %s", i, l.ID)
		case i%5 == 4:
			if l.Side != labels.Neither || l.Reason != labels.AbstainIdentical || l.Requests != 0 {
				t.Errorf("identical: %+v", l)
			}
		case (l.Side == labels.SideA) != (i%2 == 0) || !near(l.Confidence, 0.9) || l.VoteShare != 1 || l.Agreed != 4 || l.Requests != 8 || l.Cost != 2 || l.PromptTokens != 24:
			t.Errorf("label %d: %+v", i, l)
		case l.Rationale != "the longer\ufffd one" || l.Judge != "longer":
			t.Errorf("label %d: %q by %s", i, l.Rationale, l.Judge)
		}
	}
	distinct := len(judge.asked)
	if judge.total != distinct || summary.Asked != distinct || summary.Questions != 320 || distinct >= 320 || last.Done != 320 || last.Asked != distinct {
		t.Errorf("%d asked of %d distinct, %+v, %+v", judge.total, distinct, summary, last)
	}
	if summary.Outcomes(Preferred) != 320 || summary.Spent.Requests != distinct || summary.SpentNow != summary.Spent || summary.Abstained[labels.AbstainIdentical] != 10 {
		t.Errorf("%+v", summary)
	}
	again, summary, err := runLabels(t, run)
	if err != nil || judge.total != distinct || summary.Asked != 0 || summary.SpentNow != (chat.Spent{}) {
		t.Errorf("again: %d asked, %+v, %v", judge.total, summary, err)
	}
	sameLabels(t, again, got)
}

func TestLabelOutcomes(t *testing.T) {
	judge := &stub{name: "mixed"}
	judge.reply = func(q Question, _ int) (Answer, error) {
		switch a, err := longer(q, 0); q.Principle.Name {
		case "safe":
			return Answer{Outcome: Tie}, nil
		case "careful":
			return Answer{Outcome: Unparseable, Raw: "well"}, nil
		case "honest":
			return Answer{}, errors.New("no reply")
		default:
			return a, err
		}
	}
	run := labelling(t, newStore(t), 3, judge)
	got, summary, err := runLabels(t, run)
	if err != nil {
		t.Fatal(err)
	}
	want := map[Outcome]int{Preferred: 6, Tie: 6, Unparseable: 6, Failed: 6}
	if !reflect.DeepEqual(summary.Judges[0].Outcomes, want) || summary.Spent.Requests != 24 {
		t.Errorf("%+v", summary)
	}
	if l := got[0]; l.Reason != labels.AbstainVoteShare || !near(l.VoteShare, 1/4.7) || l.Requests != 6 ||
		l.Votes[0].Reason != labels.AbstainTie || l.Votes[1].Reason != labels.AbstainUnparseable || l.Votes[2].Reason != labels.AbstainFailed {
		t.Errorf("%+v", l)
	}
	// interrupted, the run goes on: what failed is asked again, what is unparseable is not
	if _, summary, err = runLabels(t, run); err != nil || summary.Asked != 6 {
		t.Errorf("resumed: %+v, %v", summary, err)
	}
	if err := run.Store.Finish(); err != nil {
		t.Fatal(err)
	}
	run.OnlyKept = true // sees what was unparseable, asks nothing
	if _, summary, err = runLabels(t, run); err != nil || summary.Asked != 0 || summary.Missing != 6 || summary.Outcomes(Unparseable) != 6 {
		t.Errorf("only what is kept: %+v, %v", summary, err)
	}
	run.OnlyKept = false
	if _, summary, err = runLabels(t, run); err != nil || summary.Asked != 12 {
		t.Errorf("a new run: %+v, %v", summary, err)
	}
}

func TestLabelStopsAndGoesOn(t *testing.T) {
	whole, _, err := runLabels(t, labelling(t, newStore(t), 30, &stub{name: "longer", reply: longer}))
	if err != nil {
		t.Fatal(err)
	}
	for _, stop := range []error{chat.ErrBudget, chat.ErrSetup} {
		judge := &stub{name: "longer"}
		judge.reply = func(q Question, n int) (Answer, error) {
			if n > 60 {
				return Answer{}, fmt.Errorf("stopped: %w", stop)
			}
			return longer(q, n)
		}
		store := newStore(t)
		_, summary, err := runLabels(t, labelling(t, store, 30, judge))
		if err == nil { // what was answered has its labels
			err = summary.Stopped
			if summary.NotAsked == 0 || summary.Labelled == 0 {
				t.Errorf("%+v", summary)
			}
		}
		if !errors.Is(err, stop) || len(store.index) != 60 || summary.Spent.Requests < 60 {
			t.Errorf("%v: %d answers kept, %+v", err, len(store.index), summary)
		}
		judge.reply = longer
		before := judge.total
		got, summary, err := runLabels(t, labelling(t, store, 30, judge))
		if err != nil || summary.Asked != judge.total-before || summary.Asked != len(store.index)-60 {
			t.Errorf("resumed: %+v, %v", summary, err)
		}
		sameLabels(t, got, whole)
	}
}

// An answer that is on its way when the budget ends is kept: it will be paid.
func TestLabelKeepsWhatIsOnItsWay(t *testing.T) {
	others, stopped := make(chan struct{}, 1000), make(chan struct{})
	judge := &stub{name: "slow"}
	judge.reply = func(q Question, n int) (Answer, error) {
		if q.Comparison.ID == "0" && q.Principle.Name == "safe" && !q.Swapped {
			<-others
			defer close(stopped)
			return Answer{}, chat.ErrBudget
		}
		others <- struct{}{}
		<-stopped
		return longer(q, n)
	}
	store := newStore(t)
	if _, summary, err := runLabels(t, labelling(t, store, 30, judge)); err != nil || !errors.Is(summary.Stopped, chat.ErrBudget) {
		t.Fatal(err)
	}
	if len(store.index) != judge.total-1 || judge.total < 2 {
		t.Errorf("%d answers kept of %d", len(store.index), judge.total-1)
	}
}

func TestLabelCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	judge := &stub{name: "slow"}
	judge.reply = func(q Question, n int) (Answer, error) {
		if n == 40 {
			cancel()
			return Answer{}, ctx.Err()
		}
		return longer(q, n)
	}
	run := labelling(t, newStore(t), 30, judge)
	if _, err := Label(ctx, run, func(labels.Label) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("ends with %v", err)
	}
	if _, err := Label(t.Context(), run, func(labels.Label) error { return nil }); err != nil {
		t.Error(err)
	}
	if twice := judge.total - len(judge.asked); twice > 1 {
		t.Errorf("%d questions asked again", twice)
	}
	for question, n := range judge.asked {
		if n > 2 { // one that was cancelled is asked again
			t.Errorf("%s asked %d times", question, n)
		}
	}
}

func TestLabelStopsWhenAllFail(t *testing.T) {
	judge := &stub{name: "dead", reply: func(Question, int) (Answer, error) { return Answer{}, errors.New("connection refused") }}
	_, summary, _ := runLabels(t, labelling(t, newStore(t), 1000, judge))
	err := summary.Stopped
	if err == nil || !strings.Contains(err.Error(), "all got no reply") || !strings.Contains(err.Error(), "connection refused") || judge.total > mostFailures+8 {
		t.Errorf("%v after %d questions", err, judge.total)
	}
}

func TestLabelErrorsOfOthers(t *testing.T) {
	wrong := errors.New("disk full")
	if _, err := Label(t.Context(), labelling(t, newStore(t), 30, &stub{name: "longer", reply: longer}), func(labels.Label) error { return wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
	run := labelling(t, newStore(t), 30, &stub{name: "longer", reply: longer})
	run.Comparisons = func(*data.Counts) iter.Seq2[data.Comparison, error] {
		return func(yield func(data.Comparison, error) bool) { yield(data.Comparison{}, wrong) }
	}
	if _, _, err := runLabels(t, run); !errors.Is(err, wrong) {
		t.Error(err)
	}
	if _, err := run.Plan(nil); !errors.Is(err, wrong) {
		t.Error(err)
	}
}

func TestLabelByOneOrder(t *testing.T) {
	judge := &stub{name: "longer", reply: longer}
	run := labelling(t, newStore(t), 2, judge)
	run.Policy.Position = PositionOff
	got, _, err := runLabels(t, run)
	if err != nil || judge.total != 8 || got[1].Side != labels.SideB || got[1].BFirst == got[1].BFirst {
		t.Errorf("%d asked, %+v, %v", judge.total, got[1], err)
	}
}

// 100,000 answers are aggregated anew without a question.
func TestLabelOnlyKept(t *testing.T) {
	n := 15_625 // a fifth of them identical: 100,000 questions
	if testing.Short() {
		n /= 25
	}
	x, y := &stub{name: "x", reply: longer}, &stub{name: "y", reply: longer}
	run := labelling(t, newStore(t), n, x)
	if _, _, err := runLabels(t, run); err != nil {
		t.Fatal(err)
	}
	asked := x.total
	run.OnlyKept = true
	run.Constitution = &Constitution{Principles: []Principle{four[2], four[0]}}
	run.Constitution.Principles[0].Weight = 7
	run.Policy = Policy{Position: PositionAverage, MinConfidence: 0.95}
	began := time.Now()
	got, summary, err := runLabels(t, run)
	if err != nil || x.total != asked || summary.Missing != 0 || got[0].Reason != labels.AbstainConfidence || summary.Labelled != 0 {
		t.Errorf("%d asked, %+v, %v", x.total-asked, summary, err)
	}
	t.Logf("%d of %d answers aggregated in %v", summary.Questions, asked, time.Since(began))
	plan, err := run.Plan(nil)
	if err != nil || plan.Kept != plan.Questions || plan.NeverAsked(run) != nil {
		t.Errorf("%+v, %v, %v", plan, err, plan.NeverAsked(run))
	}
	run.Judges = append(run.Judges, WeightedJudge{Judge: y, Weight: 1})
	if plan, err = run.Plan(nil); err != nil || plan.Kept*2 != plan.Questions {
		t.Errorf("%+v, %v", plan, err)
	}
	if never := plan.NeverAsked(run); never == nil || !strings.Contains(never.Error(), `y under "honest", y under "safe"`) {
		t.Error(never)
	}
}
