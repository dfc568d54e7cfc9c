package feedback

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Advice is something about a constitution that works but may work badly.
type Advice struct {
	Kind      string `json:"kind"` // vague, too_short, near_duplicate, coverage or order
	Principle string `json:"principle,omitempty"`
	Line      int    `json:"line,omitempty"`
	Text      string `json:"text"`
}

// String is the advice on one line, after its place.
func (a Advice) String() string {
	where := ""
	if a.Line > 0 {
		where = fmt.Sprintf("line %d: ", a.Line)
	}
	if a.Principle != "" {
		where += a.Principle + ": "
	}
	return where + a.Text
}

// Advise looks for principles that a judge cannot act on, that say the same
// twice, for what no principle covers, and for weights against the order,
// which is emphasis too.
func Advise(c *Constitution) []Advice {
	var out []Advice
	for i := range c.Principles {
		out = append(out, adviseVague(&c.Principles[i])...)
	}
	out = append(out, adviseDuplicates(c.Principles)...)
	out = append(out, adviseCoverage(c)...)
	return append(out, adviseOrder(c.Principles)...)
}

// text is what the principle says: its comparison, or where it only revises
// its critique.
func (p *Principle) text() string {
	if p.Comparison != "" {
		return p.Comparison
	}
	return p.Critique
}

// A judge can look for a deed ("states", "refuses"); it can only guess what
// "good" is. Fewer content words than shortest leave too much open.
const shortest = 6

var (
	deeds  = regexp.MustCompile(`(?i)\b(answer|stat(e|ing)|say|said|explain|describ|giv(e|ing)|nam(e|ing)|list|cit(e|ing)|quot(e|ing)|show|admit|acknowledg|mark|flag|distinguish|separat|warn|refus|declin|offer|suggest|recommend|ask|point|correct|check|support|back|justif|reason|conclud|avoid|omit|leav(e|ing)|keep|protect|reveal|expos|encourag|assist|instruct|teach|insult|threaten|mock|demean|stereotyp|flatter|pressur|manipulat|mislead|deceiv|invent|fabricat|pretend|claim|exaggerat|lectur|moraliz|moralis|preach|judg(e|ing)|respect|acced|comply|compl(y|ies)|promot|endors|provid|includ|contain|use|mention|address|follow|solv|hedg|repeat)\w*`)
	ideals = regexp.MustCompile(`(?i)\b(good|better|best|nice|great|ideal|right|proper|appropriate|suitable|quality|excellent|wise|wisdom|virtu\w*|moral\w*|ethic\w*|just|justice|fair\w*|beneficial|positive|valuable|aligned|values?|integrity|excellence|humanity|goodness)\b`)
	word   = regexp.MustCompile(`[\pL\pN']+`)
	filler = regexp.MustCompile(`^(a|an|and|are|as|at|be|been|being|both|by|can|do|does|for|from|has|have|how|if|in|is|it|its|more|most|no|nor|not|of|on|one|only|or|other|our|over|response|responses|please|prefer|choose|pick|select|so|such|than|that|the|their|them|then|there|these|they|this|those|to|was|what|when|where|which|while|who|whose|will|with|would|you|your)$`)
)

// contentWords are the words that carry meaning, in lower case.
func contentWords(text string) []string {
	all := word.FindAllString(strings.ToLower(text), -1)
	return slices.DeleteFunc(all, func(w string) bool { return filler.MatchString(w) })
}

func adviseVague(p *Principle) []Advice {
	text, words := p.text(), contentWords(p.text())
	vague := ideals.FindAllString(text, -1)
	switch done := len(deeds.FindAllString(text, -1)); {
	case len(words) < shortest:
		return []Advice{{"too_short", p.Name, p.Line, fmt.Sprintf("%d words of content: say what a response does that is better by this principle", len(words))}}
	case done == 0:
		return []Advice{{"vague", p.Name, p.Line, "names nothing that a response does (states, admits, refuses, offers …): a judge can only guess; say what to look for"}}
	case len(vague) > done && len(vague)*5 >= len(words):
		return []Advice{{"vague", p.Name, p.Line, fmt.Sprintf("rests on ideals (%s) more than on deeds: say what to look for", strings.Join(slices.Compact(slices.Sorted(slices.Values(vague))), ", "))}}
	}
	return nil
}

// nearDuplicate is the share of content words, of both together, from which on
// two principles ask the same.
const nearDuplicate = 0.6

func adviseDuplicates(principles []Principle) (out []Advice) {
	for j := range principles {
		for i := range j {
			a, b := &principles[i], &principles[j]
			if share := overlap(contentWords(a.text()), contentWords(b.text())); share >= nearDuplicate {
				out = append(out, Advice{"near_duplicate", b.Name, b.Line, fmt.Sprintf("shares %.0f%% of its words with %s: it votes for the same thing twice; join them and add the weights", 100*share, a.Name)})
			}
		}
	}
	return out
}

// overlap is Jaccard's index: the words in both over the words in either.
func overlap(a, b []string) float64 {
	in := map[string]int{}
	for _, w := range a {
		in[w] |= 1
	}
	for _, w := range b {
		in[w] |= 2
	}
	both := 0
	for _, sides := range in {
		if sides == 3 {
			both++
		}
	}
	return float64(both) / float64(max(len(in), 1))
}

// Topic is one of the three aims that a constitution is to cover (Askell et
// al. 2021).
type Topic string

// The topics.
const (
	Helpful  Topic = "helpful"
	Honest   Topic = "honest"
	Harmless Topic = "harmless"
)

var topicWords = map[Topic]*regexp.Regexp{
	Helpful:  regexp.MustCompile(`(?i)\b(help\w*|useful\w*|usefulness|answers?|answering|task|solv\w*|need(s|ed)?|question|request(s|ed)?|complete\w*|relevant|thorough\w*|practical)\b`),
	Honest:   regexp.MustCompile(`(?i)\b(honest\w*|truth\w*|true|accura\w*|correct\w*|factual\w*|uncertain\w*|unsure|doubt\w*|mislead\w*|deceiv\w*|decepti\w*|fabricat\w*|invent\w*|evidence|sources?|knows?|knowledge|claims?)\b`),
	Harmless: regexp.MustCompile(`(?i)\b(harm\w*|danger\w*|unsafe|safe|safely|safety|illegal\w*|crim\w*|violen\w*|weapons?|abus\w*|hate\w*|offensive|insult\w*|discriminat\w*|racis\w*|sexis\w*|privacy|threat\w*|self-harm|suicid\w*|toxic\w*|injur\w*)\b`),
}

// topics are the aims that the principle's words touch.
func (p *Principle) topics() (out []Topic) {
	for _, t := range []Topic{Helpful, Honest, Harmless} {
		if topicWords[t].MatchString(p.Name + " " + p.text()) {
			out = append(out, t)
		}
	}
	return out
}

func adviseCoverage(c *Constitution) (out []Advice) {
	for _, t := range []Topic{Helpful, Honest, Harmless} {
		covered := slices.ContainsFunc(c.Principles, func(p Principle) bool { return slices.Contains(p.topics(), t) })
		if !covered {
			out = append(out, Advice{Kind: "coverage", Text: fmt.Sprintf("no principle speaks of being %s: judges will not look at it", t)})
		}
	}
	return out
}

func adviseOrder(principles []Principle) (out []Advice) {
	for i := 1; i < len(principles); i++ {
		before, p := &principles[i-1], &principles[i]
		if p.Weight > before.Weight {
			out = append(out, Advice{"order", p.Name, p.Line, fmt.Sprintf("weighs %v but comes after %s with %v: order is emphasis, so put heavier principles first", p.Weight, before.Name, before.Weight)})
		}
	}
	return out
}
