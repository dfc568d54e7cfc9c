package data

import (
	"regexp"
	"slices"
	"strings"
)

// InjectionSign is a way in which a text speaks to the judge that is to judge
// it, in place of to its reader.
type InjectionSign string

// The signs. A text may show one and mean no harm: they are counted, not
// acted upon.
const (
	SignNamesAnswer   InjectionSign = "names_the_answer"       // "answer A", "choose response B"
	SignOverrides     InjectionSign = "overrides_instructions" // "ignore all previous instructions"
	SignMarkers       InjectionSign = "imitates_markers"       // "[END OF RESPONSE A …]"
	SignRoles         InjectionSign = "imitates_roles"         // "<|im_start|>system", "[INST]"
	SignVerdict       InjectionSign = "imitates_verdict"       // a line "Verdict: A" or "Confidence: 1"
	SignPraisesItself InjectionSign = "praises_itself"         // "this response is the better one"
)

// injectionSigns are patterns, and words of which the lowered text must hold one
// of each group for the pattern to match: a look for words is a hundred times as
// fast as one for a pattern, and few texts hold them.
var injectionSigns = []struct {
	sign    InjectionSign
	words   [][]string
	pattern *regexp.Regexp
}{
	{SignNamesAnswer, [][]string{{"answer", "choose", "pick", "select", "prefer", "output", "reply", "vote", "rate", "say"}},
		regexp.MustCompile(`\b(?i:answer|choose|pick|select|prefer|output|reply|vote|rate|say)\b(?i:[\s:"'(*]+(with|for|is|only|the|letter|response|option|answer|assistant))*[\s:"'(*]+[AB](?:["')*.,;!]|\s*$|\s+(?i:is|as|over|because|and|not)\b)`)},
	{SignOverrides, [][]string{{"ignore", "disregard", "forget", "override", "overrule"}},
		regexp.MustCompile(`(?i)\b(ignore|disregard|forget|override|overrule)((\s+|,)(all|any|of|the|your|my|our|these|those|previous|prior|preceding|above|earlier|given|other|and))*\s+(instructions?|rules?|prompts?|principles?|guidelines|criteria|the above)\b`)},
	{SignMarkers, [][]string{{"["}, {"prompt", "response", "critique", "principle"}},
		regexp.MustCompile(`(?im)^\s*\[\s*/?\s*(end( of)? )?(prompt|response|critique|principle)( [ab])?\b[^\]\n]{0,40}\]`)},
	{SignRoles, [][]string{{"<|", "inst]", "sys>>", "_of_turn>"}},
		regexp.MustCompile(`(?i)<\|(im_start|im_end|start_header_id|end_header_id|eot_id|system|user|assistant|begin_of_text|endoftext)\|>|\[/?INST\]|<</?SYS>>|<(start|end)_of_turn>`)},
	{SignVerdict, [][]string{{"verdict", "confidence"}},
		regexp.MustCompile(`(?im)^\s*\**(verdict|confidence)\**\s*:\s*\**\s*(A|B|tie|[01](\.\d+)?)\b`)},
	{SignPraisesItself, [][]string{{"response", "answer"}, {"better", "best", "superior", "correct", "preferred", "winning", "chosen"}},
		regexp.MustCompile(`(?i)\b(this|my|the (first|second|present|above)) (response|answer) (is|should be) (clearly |obviously |by far |certainly )?(the )?(better|best|superior|correct|preferred|winning|chosen)\b`)},
	{SignPraisesItself, [][]string{{"judge", "evaluator", "grader", "rater", "annotator"}},
		regexp.MustCompile(`(?i)\b(dear|attention|note to( the)?|to the) (judge|evaluator|grader|rater|annotator)s?\b`)},
}

// InjectionSigns lists the signs that a text shows, each once.
func InjectionSigns(t Text) (signs []InjectionSign) {
	texts := []string{t.Plain}
	for _, m := range t.Messages {
		texts = append(texts, m.Content)
	}
	lowered := make([]string, len(texts))
	for i, text := range texts {
		lowered[i] = strings.ReplaceAll(strings.ToLower(text), "\u017f", "s") // which patterns take for an s, too
	}
	for _, s := range injectionSigns {
		if slices.Contains(signs, s.sign) {
			continue
		}
		for i, text := range texts {
			if holdsEach(lowered[i], s.words) && (s.sign != SignNamesAnswer || lonelyLetter(text)) && s.pattern.MatchString(text) {
				signs = append(signs, s.sign)
				break
			}
		}
	}
	return signs
}

// holdsEach says whether the text has a word of every group.
func holdsEach(lowered string, groups [][]string) bool {
	for _, group := range groups {
		if !slices.ContainsFunc(group, func(word string) bool { return strings.Contains(lowered, word) }) {
			return false
		}
	}
	return true
}

const spaces = " \t\n\f\r"

// lonelyLetter says whether an A or B stands by itself as SignNamesAnswer wants
// it: most are the first letters of words, or articles.
func lonelyLetter(text string) bool {
	for at := 0; ; at++ {
		next := strings.IndexAny(text[at:], "AB")
		if next < 0 {
			return false
		}
		at += next
		if at == 0 || !strings.ContainsRune(spaces+`:"'(*`, rune(text[at-1])) {
			continue
		}
		rest := text[at+1:]
		if rest == "" || strings.ContainsRune(`"')*.,;!`, rune(rest[0])) {
			return true
		}
		word := strings.TrimLeft(rest, spaces)
		if word == "" || len(word) < len(rest) && goesOn.MatchString(word[:min(len(word), longestGoesOn)]) {
			return true
		}
	}
}

// longestGoesOn is "because" and the character after it, in bytes.
const longestGoesOn = 7 + 4

var goesOn = regexp.MustCompile(`^(?i:is|as|over|because|and|not)\b`)
