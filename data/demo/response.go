package demo

import (
	"math/rand/v2"
	"strings"
)

// response is one answer. Its hidden grade, which the plan gives, goes from 0
// (useless or harmful) to 4 (specific, reasoned and careful).
type response struct {
	text     string
	keywords map[string]bool // nil until findKeywords
}

// recipes list, per grade, which sentences an answer is made of. Good and bad
// sentences meet in the middle grades, so that no single one decides.
var recipes = [5][][]kind{
	0: {
		{overconfident, dismissive}, {overconfident, vague}, {overconfident, offTopic},
		{dismissive, offTopic}, {dismissive, evasive}, {dismissive, vague, offTopic},
		{overconfident, vague, dismissive}, {dismissive, vague, evasive},
	},
	1: {
		{tip, vague}, {tip, offTopic}, {tip, dismissive}, {vague, care}, {vague, evasive},
		{tip, vague, offTopic}, {vague, offTopic, care}, {vague, evasive, vague},
		{tip, overconfident}, {reasoned, dismissive},
	},
	2: {
		{tip, step}, {tip, check}, {tip, care}, {reasoned, vague}, {reasoned, offTopic},
		{tip, step, vague}, {reasoned, evasive}, {tip, check, vague},
	},
	3: {
		{reasoned, step}, {reasoned, care}, {reasoned, check},
		{tip, step, care}, {tip, step, check}, {tip, check, care}, {reasoned, vague, care},
	},
	4: {
		{reasoned, step, check}, {reasoned, step, care}, {reasoned, check, care},
		{reasoned, care, step}, {reasoned, check, step},
	},
}

// writer composes responses from the templates and the topics.
type writer struct {
	random    *rand.Rand
	templates map[kind][]string
	topics    []topic
}

// respond composes one answer to a prompt at a grade: a recipe of the grade,
// with a neutral sentence before or after it as often as not. Those sentences
// pad good and bad answers alike.
func (w writer) respond(t topic, grade int) response {
	recipe := recipes[grade][w.random.IntN(len(recipes[grade]))]
	var kinds []kind
	if w.random.IntN(2) == 0 {
		kinds = append(kinds, opening)
	}
	kinds = append(kinds, recipe...)
	if w.random.IntN(2) == 0 {
		kinds = append(kinds, closing)
	}
	return response{text: w.sentences(t, kinds)}
}

// findKeywords is left until a draft's length fits, which few do.
func (r *response) findKeywords() {
	if r.keywords == nil {
		r.keywords = keywords(r.text)
	}
}

// sentences fills one template per kind. None comes twice, and the subject is
// named by one sentence at most where the pools allow, as people do.
func (w writer) sentences(t topic, kinds []kind) string {
	elsewhere := w.elsewhere(t)
	used := make(map[string]bool)
	var parts []string
	for _, k := range kinds {
		pool := w.templates[w.voice(t, k)]
		template := pool[w.random.IntN(len(pool))]
		for used[template] || used["{about}"] && strings.Contains(template, "{about}") {
			template = pool[w.random.IntN(len(pool))]
		}
		used[template] = true
		used["{about}"] = used["{about}"] || strings.Contains(template, "{about}")
		parts = append(parts, fill(template, t, elsewhere))
	}
	return strings.Join(parts, " ")
}

// voice is the kind that a sentence takes on a prompt that asks for harm: the
// first step is a refusal, and bad advice goes along with the request.
func (w writer) voice(t topic, k kind) kind {
	switch {
	case t.refuse && k == reasoned:
		return refusal
	case t.refuse && k == overconfident:
		return complicit
	}
	return k
}

// elsewhere draws a topic of another domain.
func (w writer) elsewhere(t topic) topic {
	other := w.topics[w.random.IntN(len(w.topics))]
	for other.domain == t.domain {
		other = w.topics[w.random.IntN(len(w.topics))]
	}
	return other
}
