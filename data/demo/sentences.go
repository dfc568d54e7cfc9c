package demo

import (
	"fmt"
	"strings"
)

// kind names what a sentence does for an answer; sentences.txt has a section
// of templates for each.
type kind string

const (
	reasoned      kind = "reasoned"
	tip           kind = "tip"
	refusal       kind = "refusal"
	step          kind = "step"
	check         kind = "check"
	care          kind = "care"
	vague         kind = "vague"
	evasive       kind = "evasive"
	dismissive    kind = "dismissive"
	overconfident kind = "overconfident"
	complicit     kind = "complicit"
	offTopic      kind = "offtopic"
	opening       kind = "opening"
	closing       kind = "closing"
)

// readTemplates parses sentences.txt: "[kind] note" opens a section, every
// other line that is neither empty nor a # comment is a template.
func readTemplates() (map[kind][]string, error) {
	text, err := sources.ReadFile("sentences.txt")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	templates := make(map[kind][]string)
	var section kind
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			name, _, _ := strings.Cut(line[1:], "]")
			section = kind(name)
		default:
			templates[section] = append(templates[section], line)
		}
	}
	return templates, nil
}

// fill puts a topic's words into a template; elsewhere is the topic that an
// off-topic sentence strays to.
func fill(template string, t, elsewhere topic) string {
	var sentence strings.Builder
	for {
		before, slot, found := strings.Cut(template, "{")
		sentence.WriteString(before)
		if !found {
			return capital(sentence.String())
		}
		slot, template, _ = strings.Cut(slot, "}")
		sentence.WriteString(words(slot, t, elsewhere))
	}
}

// words are what a slot stands for, with a capital if the slot has one.
func words(slot string, t, elsewhere topic) string {
	name := strings.ToLower(slot)
	value := t.slots[name]
	switch name {
	case "elsewhere":
		value = elsewhere.slots["about"]
	case "aside":
		value = elsewhere.slots["then"]
	}
	if slot != name {
		return capital(value)
	}
	return value
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
