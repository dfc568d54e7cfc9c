package scoring

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"laurel/data"
)

// Forms of rows: texts are joined as they stand, messages go through the chat
// template. A model that has learnt one gives other rewards for the same words in
// the other.
const (
	texts    = "texts"
	Messages = "messages" // in Recorded.TrainedOn: of a model that was trained on nothing else
	separate = " and "
)

// forms are those of the rows that a model has encoded.
type forms struct {
	mu    sync.Mutex
	seen  []string
	count map[string]int
}

func formOf(parts ...data.Text) string {
	if slices.ContainsFunc(parts, func(t data.Text) bool { return t.Messages != nil }) {
		return Messages
	}
	return texts
}

// saw notes a row's form, and warns at the first that the model was not trained
// on.
func (m *Model) saw(form string) {
	f := &m.forms
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[form]++
	if slices.Contains(f.seen, form) {
		return
	}
	f.seen = append(f.seen, form)
	trained := m.Config.Recorded.TrainedOn
	if trained == "" || slices.Contains(strings.Split(trained, separate), form) || m.notice == nil {
		return
	}
	rows, mend := "texts, which are joined as they stand", "laurel convert --chat makes messages of them"
	if form == Messages {
		rows, mend = "messages, which its chat template renders", "give it texts as those that it was trained on"
	}
	m.notice("warning: the model was trained on " + trained + ", and rows here are " + rows + ": rewards are of a form that it has not learnt (" + mend + ")")
}

// RecordForms keeps with the weights which forms the training pairs had. It warns of
// pairs of both: the model learns the same words in two ways.
func (m *Model) RecordForms() (warning string) {
	m.forms.mu.Lock()
	defer m.forms.mu.Unlock()
	slices.Sort(m.forms.seen)
	slices.Reverse(m.forms.seen)
	m.Config.Recorded.TrainedOn = strings.Join(m.forms.seen, separate)
	if len(m.forms.seen) < 2 {
		return ""
	}
	return fmt.Sprintf("%d training pairs are texts, which are joined as they stand, and %d are messages, which the chat template renders: rewards of the two forms are learnt apart (laurel convert --chat makes messages of texts)",
		m.forms.count[texts], m.forms.count[Messages])
}
