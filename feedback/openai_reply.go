package feedback

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"laurel/feedback/chat"
)

// read is what is read in a judge's reply.
type read struct {
	outcome   Outcome
	first     float64 // where outcome is Preferred
	detail    string  // why it is Unparseable
	reasoning string  // what comes before the verdict
}

func unreadable(format string, args ...any) read {
	return read{outcome: Unparseable, detail: fmt.Sprintf(format, args...)}
}

// readVerdict reads a reply to FormReasoned: some reasoning, a line
// "Verdict: A", "Verdict: B" or "Verdict: tie", and unless it is a tie a line
// "Confidence: 0.8", a decimal number in [0.5, 1]. Case, markdown around the
// words and a full stop behind them do not matter; the same line twice says
// nothing new. All else is unparseable: no or two verdicts, "A or B", a
// percentage, a confidence below one half, which contradicts its verdict.
// A thought in <think> tags is no part of the reply.
func readVerdict(text string) read {
	if end := strings.LastIndex(text, "</think>"); end >= 0 {
		text = text[end+len("</think>"):]
	}
	var verdicts, confidences []string
	var reasoning []string
	for line := range strings.Lines(text) {
		if value, ok := field(line, "verdict"); ok {
			verdicts = append(verdicts, value)
		} else if value, ok := field(line, "confidence"); ok {
			confidences = append(confidences, value)
		} else if len(verdicts)+len(confidences) == 0 {
			reasoning = append(reasoning, line)
		}
	}
	r := judgement(verdicts, confidences)
	r.reasoning = strings.TrimSpace(strings.Join(reasoning, ""))
	return r
}

func judgement(verdicts, confidences []string) read {
	verdict, ok := same(verdicts)
	switch {
	case len(verdicts) == 0:
		return unreadable(`no line "Verdict: A", "Verdict: B" or "Verdict: tie"`)
	case !ok:
		return unreadable("different verdicts: %q", verdicts)
	case verdict == "tie":
		return read{outcome: Tie}
	case verdict != "a" && verdict != "b":
		return unreadable("the verdict is %q, want A, B or tie", verdict)
	}
	confidence, ok := same(confidences)
	switch {
	case len(confidences) == 0:
		return unreadable(`no line "Confidence: 0.8"`)
	case !ok:
		return unreadable("different confidences: %q", confidences)
	}
	c, ok := decimal(confidence)
	switch {
	case !ok || c > 1:
		return unreadable("the confidence is %q, want a decimal number from 0.5 to 1", confidence)
	case c < 0.5:
		return unreadable("the confidence is %q, below one half, which contradicts the verdict", confidence)
	case verdict == "b":
		c = 1 - c
	}
	return read{outcome: Preferred, first: c}
}

// field is the lower-case value of a line "Name: value".
func field(line, name string) (value string, ok bool) {
	line = strings.NewReplacer("*", "", "_", "", "`", "", "#", "", ">", "").Replace(strings.ToLower(line))
	before, after, found := strings.Cut(line, ":")
	if !found || strings.Trim(before, " \t-•") != name {
		return "", false
	}
	return strings.TrimSuffix(strings.TrimSpace(after), "."), true
}

// same is the value that all are; not ok where they differ or there is none.
func same(values []string) (value string, ok bool) {
	for _, v := range values {
		if v != values[0] {
			return "", false
		}
	}
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// decimal reads digits with at most one point: no sign, exponent or percent.
func decimal(s string) (float64, bool) {
	if strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil && !math.IsInf(x, 0)
}

// leastMass is the probability that both letters must have together: below it
// the model answers something else, and a letter was drawn by luck.
const leastMass = 0.1

// readLetter reads a reply to FormLetter: its first line is the letter, bare or
// among punctuation, and no later line is another letter. The probability of
// each letter is the sum over all spellings of it among the alternatives in its
// place; First is their ratio. A letter that is not among the alternatives has
// at most the probability of the least of them, and of what they leave over:
// that much is allowed it, so that a confidence is never overstated.
func readLetter(text string, tokens []chat.Token) read {
	switch said := letters(text); {
	case len(said) == 0 || said[0] != "a" && said[0] != "b" && said[0] != "tie":
		return unreadable("the reply is not a letter")
	case len(said) > 1:
		return unreadable("the reply holds different letters: %q", said)
	case said[0] == "tie":
		return read{outcome: Tie}
	}
	for _, t := range tokens {
		switch bare(t.Token) {
		case "":
			continue // punctuation before the letter
		case "a", "b":
			return weigh(t.Top)
		}
		break
	}
	return unreadable("the letter is no token of its own")
}

// letters are the reply's first line and the different letters that follow as
// lines of their own.
func letters(text string) []string {
	var said []string
	for line := range strings.Lines(text) {
		word := bare(line)
		if word == "" || len(said) > 0 && (word == said[0] || word != "a" && word != "b" && word != "tie") {
			continue
		}
		said = append(said, word)
	}
	return said
}

// bare is a letter without what tokenizers and markdown put around it: " A",
// "ĠA", "▁A", "(A)", "**A**", "A." and "a" are all a.
func bare(token string) string {
	return strings.ToLower(strings.Trim(token, " \t\r\n\u00a0ĠĊ▁()[]{}<>*_`'\"“”‘’.,:;!#-"))
}

// weigh compares the letters' probabilities.
func weigh(top []chat.TopLogprob) read {
	seen := map[string]bool{}
	a, b, sum, least := 0.0, 0.0, 0.0, 1.0
	for _, t := range top {
		if seen[t.Token] {
			continue
		}
		seen[t.Token] = true
		p := math.Exp(t.Logprob)
		sum += p
		least = min(least, p)
		switch bare(t.Token) {
		case "a":
			a += p
		case "b":
			b += p
		}
	}
	const rounding = 0.01
	if !(sum <= 1+rounding) {
		return unreadable("the log-probabilities add up to a probability of %.3g", sum)
	}
	if a+b < leastMass {
		return unreadable("A and B have a probability of %.3g together", a+b)
	}
	unseen := max(0, min(least, 1-sum))
	if a == 0 {
		a = unseen
	} else if b == 0 {
		b = unseen
	}
	return read{outcome: Preferred, first: a / (a + b)}
}
