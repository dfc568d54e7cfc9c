package feedback

import (
	"math"
	"strings"

	"golang.org/x/text/unicode/norm"

	"laurel/feedback/chat"
)

// leastMass is the probability that both letters must have together: below it
// the model answers something else, and a letter was drawn by luck.
const leastMass = 0.1

// readLetter reads a reply to FormLetter: its first line is the letter, bare,
// among punctuation or in a form that namedSide knows, and no later line is
// another. The probability of each letter is the sum over all spellings of it
// among the alternatives in its place; First is their ratio. A letter that is not among the alternatives has
// at most the probability of the least of them, and of what they leave over:
// that much is allowed it, so that a confidence is never overstated. A reply that
// is cut off within its first line has none: "Response A" may have gone on.
func readLetter(text string, tokens []chat.Token, cut bool) parsed {
	said := letters(text)
	switch {
	case cut && !strings.Contains(strings.TrimLeft(text, " \t\r\n"), "\n"):
		return noVerdict(reasonCut, "the reply is cut off in its first line")
	case len(said) == 0:
		return noVerdict(reasonNoLetter, "the reply is not a letter")
	case len(said) > 1:
		return noVerdict(reasonDisagree, "the reply holds different letters: %q", said)
	case said[0] == sideTie:
		return parsed{outcome: Tie}
	}
	for _, t := range tokens {
		if letter := bare(t.Token); letter == sideFirst || letter == sideSecond {
			return compareLetters(t.Top)
		}
	}
	return noVerdict(reasonNoLetter, "the letter is no token of its own")
}

// letters are the side that the reply's first line names, and the different
// ones that later lines do.
func letters(text string) []string {
	var said []string
	for line := range strings.Lines(text) {
		value, _ := cleanLine(line)
		if unwrap(value) == "" {
			continue
		}
		side, ok := namedSide(value)
		if !ok {
			side, ok = plainSide(bare(value)) // "(A" and the like
		}
		switch {
		case len(said) == 0 && !ok:
			return nil
		case len(said) == 0 || ok && side != said[0]:
			said = append(said, side)
		}
	}
	return said
}

// bare is a letter without what tokenizers and markdown put around it: " A",
// "ĠA", "▁A", "(A)", "**A**", "A." and "a" are all a.
func bare(token string) string {
	return strings.ToLower(strings.Trim(norm.NFKC.String(token), " \t\r\n\u00a0ĠĊ▁()[]{}<>*_`'\"“”‘’.,:;!#$\\-"))
}

// compareLetters compares the letters' probabilities.
func compareLetters(top []chat.TopLogprob) parsed {
	if len(top) == 0 {
		return noVerdict(reasonLogprobs, "the letter has no log-probabilities")
	}
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
		return noVerdict(reasonLogprobs, "the log-probabilities add up to a probability of %.3g", sum)
	}
	if a+b < leastMass {
		return noVerdict(reasonMass, "A and B have a probability of %.3g together", a+b)
	}
	unseen := max(0, min(least, 1-sum))
	if a == 0 {
		a = unseen
	} else if b == 0 {
		b = unseen
	}
	return parsed{outcome: Preferred, first: a / (a + b)}
}
