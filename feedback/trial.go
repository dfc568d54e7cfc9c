package feedback

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
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

// trialQuestions are a source's first: where none of them comes to anything, and
// the reasons are such as do not pass, it is asked no more.
const trialQuestions = 20

// unusable is a question that came to nothing.
type unusable struct {
	reason  string
	example string // in words, with the reply where there is one
	lasting bool   // asking again does not help
	hint    string // what to change
}

// source is who is asked: a judge, or the model that revises.
type source struct {
	name     string
	failures atomic.Int64          // questions in a row without a reply
	stop     atomic.Pointer[error] // after which it is asked no more
	trial
}

// trial is what a source's questions came to until one was of use.
type trial struct {
	useful  bool
	lasting int
	all     int
	reasons reasons
	hints   map[string]string // by reason
}

// source gives the source of that name.
func (a *asker) source(name string) *source {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sources[name] == nil {
		a.sources[name] = &source{name: name, trial: trial{reasons: reasons{}, hints: map[string]string{}}}
	}
	return a.sources[name]
}

// note takes in what a question to a source came to; nil is an answer of use.
func (a *asker) note(from *source, u *unusable) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if from.useful || u == nil {
		from.useful = true
		return
	}
	from.all++
	from.reasons.add(u.reason, u.example)
	from.hints[u.reason] = u.hint
	if u.lasting {
		from.lasting++
	}
	if from.lasting >= trialQuestions {
		a.leave(from, from.failed(from.name))
	}
}

// leave asks a source no more, and nobody where the run is of no use without
// it. a.mu is held.
func (a *asker) leave(from *source, cause error) {
	if from.stop.Load() != nil {
		return
	}
	left := []string{from.name}
	for _, other := range a.sources {
		if other.stop.Load() != nil {
			left = append(left, other.name)
		}
	}
	if why, useless := a.uselessWithout(left); useless {
		all := fmt.Errorf("%w%s", cause, why)
		a.stop.CompareAndSwap(nil, &all)
	}
	from.stop.Store(&cause) // after the run's: who sees the one sees the other
}

func (a *asker) uselessWithout(names []string) (why string, useless bool) {
	if a.without == nil {
		return "", true
	}
	return a.without(names)
}

// stopped is why not all was asked, or that nothing came of what some source
// was asked; else nil. wentOn is that the others were asked all.
func (a *asker) stopped() (wentOn bool, err error) {
	if over := a.stop.Load(); over != nil {
		return false, *over
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var names []string
	var all error
	for _, name := range slices.Sorted(maps.Keys(a.sources)) {
		cause := a.sources[name].useless()
		switch {
		case cause == nil:
			continue
		case all == nil:
			all = cause
		default:
			all = fmt.Errorf("%w; and %w", all, cause)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return false, nil
	}
	why, useless := a.uselessWithout(names)
	return !useless, fmt.Errorf("%w%s", all, why)
}

// useless is why a source's answers are not to be had; else nil.
func (s *source) useless() error {
	if over := s.stop.Load(); over != nil {
		return *over
	}
	if !s.useful && s.all > 0 {
		return s.failed(s.name)
	}
	return nil
}

// forget has the next run ask again where nothing of a source could be used: by
// then the server may be another.
func (a *asker) forget() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.sources {
		if !s.useful && s.all > 0 {
			return a.store.Finish()
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
