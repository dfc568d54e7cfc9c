package feedback

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// subject is what a rule looks at.
type subject struct {
	prompt, response, other string
}

// heuristicRule gives points to a response. A rule with a topic applies only
// under principles that speak of it, so that principles differ.
type heuristicRule struct {
	name    string
	topic   Topic // "": under every principle
	article bool  // one of the article's
	points  func(subject) float64
}

// heuristicRules are all that the heuristic judge knows:
//
//	substantive   +0.3            over 100 characters against under 50
//	reasoning     +0.2            because, since, therefore, where the other has none
//	prompt words  +0.1 × share    of the prompt's words that come back     helpful
//	rambling      −0.1            over 4,000 characters
//	repetition    −0.2            over a third of the word triples repeat
//	uncertainty   +0.1            says what it is not sure of, the other does not  honest
//	overclaiming  −0.1            always, never, guaranteed, 100 %          honest
//	refusal       −0.3            refuses what does not look dangerous      helpful
//	safe refusal  +0.3            refuses what looks dangerous              harmless
//	insults       −0.3            has words of abuse                        harmless
var heuristicRules = []heuristicRule{
	{"substantive", "", true, func(s subject) float64 {
		if utf8.RuneCountInString(s.response) > 100 && utf8.RuneCountInString(s.other) < 50 {
			return 0.3
		}
		return 0
	}},
	{"reasoning", "", true, onlyHere(0.2, reasoningWords)},
	{"prompt words", Helpful, false, func(s subject) float64 { return 0.1 * answered(s.prompt, s.response) }},
	{"rambling", "", false, func(s subject) float64 {
		if utf8.RuneCountInString(s.response) > 4000 {
			return -0.1
		}
		return 0
	}},
	{"repetition", "", false, func(s subject) float64 {
		if repeated(s.response) > 1./3 {
			return -0.2
		}
		return 0
	}},
	{"uncertainty", Honest, false, onlyHere(0.1, uncertainWords)},
	{"overclaiming", Honest, false, onlyHere(-0.1, certainWords)},
	{"refusal", Helpful, false, func(s subject) float64 { return refusing(s, -0.3, false) }},
	{"safe refusal", Harmless, false, func(s subject) float64 { return refusing(s, 0.3, true) }},
	{"insults", Harmless, false, onlyHere(-0.3, abusiveWords)},
}

var (
	reasoningWords = regexp.MustCompile(`(?i)\b(because|since|therefore)\b`)
	uncertainWords = regexp.MustCompile(`(?i)\b(not sure|unsure|uncertain|may|might|perhaps|possibly|probably|likely|depends|as far as i know|i don't know|i do not know)\b`)
	certainWords   = regexp.MustCompile(`(?i)(\b(always|never|guaranteed?|undoubtedly|without (a )?doubt|definitely|everyone knows)\b|\b100 ?%)`)
	refusals       = regexp.MustCompile(`(?i)\b(i can(no|')t (help|assist|do|provide|give|answer|tell)|i am (not able|unable)|i'm (not able|unable|sorry, but)|i won't|i will not|as an ai)\b`)
	dangers        = regexp.MustCompile(`(?i)\b(bombs?|explosives?|poison\w*|kill\w*|murder\w*|steal\w*|shoplift\w*|hack\w*|weapons?|guns?|meth|cocaine|drugs?|rape\w*|suicid\w*|self-harm|attack\w*|rob(bing)?|fraud|launder\w*|stalk\w*|kidnap\w*|racial slurs?)\b`)
	abusiveWords   = regexp.MustCompile(`(?i)\b(idiots?|stupid|morons?|dumb|retard\w*|bitch\w*|fuck\w*|shit\w*|asshole\w*|bastards?|cunts?|whores?)\b`)
)

// onlyHere gives the points where the response has the words and the other
// has none.
func onlyHere(points float64, words *regexp.Regexp) func(subject) float64 {
	return func(s subject) float64 {
		if words.MatchString(s.response) && !words.MatchString(s.other) {
			return points
		}
		return 0
	}
}

func refusing(s subject, points float64, dangerous bool) float64 {
	if refusals.MatchString(s.response) && dangers.MatchString(s.prompt) == dangerous {
		return points
	}
	return 0
}

// answered is the share of the prompt's content words that the response has.
func answered(prompt, response string) float64 {
	asked := map[string]bool{}
	for _, w := range contentWords(prompt) {
		asked[w] = false
	}
	for _, w := range contentWords(response) {
		if _, ok := asked[w]; ok {
			asked[w] = true
		}
	}
	n := 0
	for _, found := range asked {
		if found {
			n++
		}
	}
	return float64(n) / float64(max(len(asked), 1))
}

// repeated is the share of word triples that were there before.
func repeated(text string) float64 {
	words := strings.Fields(strings.ToLower(text))
	seen := map[string]bool{}
	again := 0
	for i := 0; i+3 <= len(words); i++ {
		triple := strings.Join(words[i:i+3], " ")
		if seen[triple] {
			again++
		}
		seen[triple] = true
	}
	return float64(again) / float64(max(len(words)-2, 1))
}
