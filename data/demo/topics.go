package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed topics/*.txt sentences.txt
var sources embed.FS

// topic is one prompt and what a good and a bad answer would say on it.
type topic struct {
	domain string
	number int // within the domain, from 1
	prompt string
	refuse bool              // a good answer declines
	slots  map[string]string // about, do, why, then, check, care, wrong
}

var slotNames = [...]string{"about", "do", "why", "then", "check", "care", "wrong"}

// readTopics parses the embedded files, one per domain, in the order of
// their names.
func readTopics() ([]topic, error) {
	files, err := fs.Glob(sources, "topics/*.txt")
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var topics []topic
	for _, file := range files {
		text, err := sources.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read topics: %w", err)
		}
		domain := strings.TrimSuffix(path.Base(file), ".txt")
		blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")
		for i, block := range blocks {
			t, err := parseTopic(block)
			if err != nil {
				return nil, fmt.Errorf("read topics %s: block %d: %w", file, i+1, err)
			}
			t.domain, t.number = domain, i+1
			topics = append(topics, t)
		}
	}
	return topics, nil
}

// parseTopic reads "key: value" lines.
func parseTopic(block string) (topic, error) {
	t := topic{slots: make(map[string]string, len(slotNames))}
	for line := range strings.Lines(block) {
		key, value, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found {
			return topic{}, fmt.Errorf("line %q: want \"key: value\"", line)
		}
		switch key {
		case "prompt":
			t.prompt = value
		case "refuse":
			t.refuse = value == "yes"
		default:
			t.slots[key] = value
		}
	}
	for _, name := range slotNames {
		if t.slots[name] == "" {
			return topic{}, fmt.Errorf("prompt %q: no line %q", t.prompt, name)
		}
	}
	if t.prompt == "" || len(t.slots) != len(slotNames) {
		return topic{}, fmt.Errorf("prompt %q: want a prompt and only the keys %v", t.prompt, slotNames)
	}
	return t, nil
}

// byDomain cuts the topics, which come in domain order, into their domains.
func byDomain(topics []topic) [][]topic {
	var domains [][]topic
	for _, t := range topics {
		last := len(domains) - 1
		if last < 0 || domains[last][0].domain != t.domain {
			domains = append(domains, nil)
			last++
		}
		domains[last] = append(domains[last], t)
	}
	return domains
}
