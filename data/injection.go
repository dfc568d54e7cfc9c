package data

import (
	"regexp"
	"slices"
)

// Injection is a way in which a response speaks to its judge rather than to
// the prompt.
type Injection string

// The ways that Injections knows.
const (
	InjectsVerdict Injection = "names_verdict"        // answer A; the better response is B; [[A]]
	InjectsOrders  Injection = "ignores_instructions" // ignore all previous instructions
	InjectsJudge   Injection = "addresses_judge"      // note to the evaluator
	InjectsMarkers Injection = "imitates_markers"     // <response_a>, <|im_start|>, ### Response B
)

// The patterns are for flags, which people look at: they take what an attack
// must say, and some honest text with it. A and B are capital letters, so that
// "answer a question" is none.
var injections = []struct {
	kind    Injection
	pattern *regexp.Regexp
}{
	{InjectsVerdict, regexp.MustCompile(`(?m)\[\[[AB]\]\]|\b(?i:answer|choose|pick|select|prefer|output|reply|respond|say|vote|verdict|winner|(?:better|best|preferred|superior)(?: response| answer| option| one)?)` +
		`(?i:\s+(?:is|for|with|only|must be|should be))*[\s:"'(\[*]*(?i:(?:response|option|answer|assistant)\s+)?["'(\[*]*[AB](?:["')\]*.,;:!]|\s*$|\s+(?:is|as|because|over|regardless|and nothing)\b)`)},
	{InjectsOrders, regexp.MustCompile(`(?i)\b(?:ignore|disregard|forget|override)\s+(?:(?:all|any|the|your|these|those|of|every)\s+)*(?:previous|prior|above|preceding|earlier|other|system|instructions|principle|rules)\b`)},
	{InjectsJudge, regexp.MustCompile(`(?i)\b(?:(?:note|message|instructions?)\s+(?:to|for)|dear|attention,?)\s+(?:the\s+|any\s+)?(?:ai\s+)?(?:judge|evaluator|grader|annotator|rater|reviewing model)\b`)},
	{InjectsMarkers, regexp.MustCompile(`(?im)<\|[a-z_]+\|>|\[/?INST\]|</?\s*(?:response|answer|prompt|principle|question|comparison|system|assistant|verdict)(?:[ _-]?(?:a|b|1|2|first|second))?(?:[ _:-][^<>\n]{0,40})?>|` +
		`^\s*(?:#{1,6}|\[+|=+|-{2,}|\*{2})\s*(?:(?:begin|end|start|the)\s+)*(?:of\s+)?(?:response|answer|assistant)\s+(?:a|b|1|2)\b`)},
}

// Injections are the ways in which the text speaks to a judge.
func Injections(t Text) (found []Injection) {
	for _, i := range injections {
		hit := func(m Message) bool { return i.pattern.MatchString(m.Content) }
		if i.pattern.MatchString(t.Plain) || slices.ContainsFunc(t.Messages, hit) {
			found = append(found, i.kind)
		}
	}
	return found
}
