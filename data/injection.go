package data

import "regexp"

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

var injectionSigns = []struct {
	sign    InjectionSign
	pattern *regexp.Regexp
}{
	{SignNamesAnswer, regexp.MustCompile(`\b(?i:answer|choose|pick|select|prefer|output|reply|vote|rate|say)\b(?i:[\s:"'(*]+(with|for|is|only|the|letter|response|option|answer|assistant))*[\s:"'(*]+[AB](?:["')*.,;!]|\s*$|\s+(?i:is|as|over|because|and|not)\b)`)},
	{SignOverrides, regexp.MustCompile(`(?i)\b(ignore|disregard|forget|override|overrule)((\s+|,)(all|any|of|the|your|my|our|these|those|previous|prior|preceding|above|earlier|given|other|and))*\s+(instructions?|rules?|prompts?|principles?|guidelines|criteria|the above)\b`)},
	{SignMarkers, regexp.MustCompile(`(?im)^\s*\[\s*/?\s*(end( of)? )?(prompt|response|critique|principle)( [ab])?\b[^\]\n]{0,40}\]`)},
	{SignRoles, regexp.MustCompile(`(?i)<\|(im_start|im_end|start_header_id|end_header_id|eot_id|system|user|assistant|begin_of_text|endoftext)\|>|\[/?INST\]|<</?SYS>>|<(start|end)_of_turn>`)},
	{SignVerdict, regexp.MustCompile(`(?im)^\s*\**(verdict|confidence)\**\s*:\s*\**\s*(A|B|tie|[01](\.\d+)?)\b`)},
	{SignPraisesItself, regexp.MustCompile(`(?i)\b(this|my|the (first|second|present|above)) (response|answer) (is|should be) (clearly |obviously |by far |certainly )?(the )?(better|best|superior|correct|preferred|winning|chosen)\b|\b(dear|attention|note to( the)?|to the) (judge|evaluator|grader|rater|annotator)s?\b`)},
}

// InjectionSigns lists the signs that a text shows, each once.
func InjectionSigns(t Text) (signs []InjectionSign) {
	texts := []string{t.Plain}
	for _, m := range t.Messages {
		texts = append(texts, m.Content)
	}
	for _, s := range injectionSigns {
		for _, text := range texts {
			if s.pattern.MatchString(text) {
				signs = append(signs, s.sign)
				break
			}
		}
	}
	return signs
}
