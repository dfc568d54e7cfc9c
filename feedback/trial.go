package feedback

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"laurel/feedback/chat"
)

// ReasonCount is how often something came to nothing for one reason, with what
// was said the first time.
type ReasonCount struct {
	Reason  string `json:"reason"`
	Count   int    `json:"count"`
	Example string `json:"example"`
}

// reasons count by reason.
type reasons map[string]*ReasonCount

func (r reasons) add(reason, example string) {
	if r[reason] == nil {
		r[reason] = &ReasonCount{Reason: reason, Example: example}
	}
	r[reason].Count++
}

// counts are the reasons, the most frequent first.
func (r reasons) counts() []ReasonCount {
	var out []ReasonCount
	for _, name := range slices.Sorted(maps.Keys(r)) {
		out = append(out, *r[name])
	}
	slices.SortStableFunc(out, func(a, b ReasonCount) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// ReasonList is the reasons with their counts, on one line.
func ReasonList(counts []ReasonCount) string {
	parts := make([]string, len(counts))
	for i, c := range counts {
		parts[i] = fmt.Sprintf("%s %d", c.Reason, c.Count)
	}
	return strings.Join(parts, ", ")
}

// trialQuestions are a judge's first: where none of them comes to anything, and
// the reasons are such as do not pass, the run stops.
const trialQuestions = 20

// unusable is a question that came to nothing.
type unusable struct {
	reason  string
	example string // in words, with the reply where there is one
	lasting bool   // asking again does not help
	hint    string // what to change
}

// trial is what a judge's questions came to until one was of use.
type trial struct {
	useful  bool
	lasting int
	all     int
	reasons reasons
	hints   map[string]string // by reason
}

// note takes in what a question of a judge came to; nil is an answer of use.
// The error is for the run to stop with.
func (a *asker) note(judge string, u *unusable) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.trials[judge]
	if t == nil {
		t = &trial{reasons: reasons{}, hints: map[string]string{}}
		a.trials[judge] = t
	}
	if t.useful || u == nil {
		t.useful = true
		return nil
	}
	t.all++
	t.reasons.add(u.reason, u.example)
	t.hints[u.reason] = u.hint
	if u.lasting {
		t.lasting++
	}
	if t.lasting < trialQuestions {
		return nil
	}
	err := t.failed(judge)
	a.stop.CompareAndSwap(nil, &err)
	a.useless = true
	return err
}

// stopped is why not all was asked, or that nothing came of it; else nil.
func (a *asker) stopped() error {
	if stopped := a.stop.Load(); stopped != nil {
		return *stopped
	}
	err := a.nothing()
	a.useless = err != nil
	return err
}

// forget has the next run ask again where nothing could be used: by then the
// server may be another.
func (a *asker) forget() error {
	if !a.useless {
		return nil
	}
	return a.store.Finish()
}

// nothing is an error that names every judge of whose questions none came to
// anything.
func (a *asker) nothing() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, judge := range slices.Sorted(maps.Keys(a.trials)) {
		if t := a.trials[judge]; !t.useful && t.all > 0 {
			return t.failed(judge)
		}
	}
	return nil
}

// failed says why, once, and what to change.
func (t *trial) failed(judge string) error {
	counts := t.reasons.counts()
	first := counts[0]
	err := fmt.Errorf("%w: none of the %d questions to %s came to an answer that can be used (%s): %s", chat.ErrSetup, t.all, judge, ReasonList(counts), first.Example)
	if hint := t.hints[first.Reason]; hint != "" {
		err = fmt.Errorf("%w: %s", err, hint)
	}
	return err
}

// shownReply is the most of a reply that an error shows.
const shownReply = 400

// shown is a reply as an error shows it.
func shown(raw, finishReason string) string {
	if raw = strings.TrimSpace(raw); len(raw) > shownReply {
		for raw = raw[:shownReply]; !utf8.ValidString(raw); {
			raw = raw[:len(raw)-1]
		}
		raw += "…"
	}
	return fmt.Sprintf("one reply, with finish_reason %q, was %q", finishReason, raw)
}
