package feedback

import (
	"regexp"
	"strings"
)

// opening is where a refusal stands, in bytes: further on, words like these
// mostly belong to an answer.
const opening = 250

// refuses reports whether a text begins by refusing.
func refuses(text string) bool {
	return refusals.MatchString(straight(text[:min(opening, len(text))]))
}

// aboutItself matches what a reviser writes about its text rather than in it.
var aboutItself = regexp.MustCompile(`(?i)\A\W*(here('s| is)( the| a| an| my)?( possible)? (revis|rewrit|updat|improv)\w*|(the |my )?(revised|rewritten|updated|improved) (response|answer|version)\b|` +
	`(sure|certainly|of course|absolutely)\b[^.\n]{0,20}[!,:.]|i apologi[sz]e|i've (revised|rewritten|updated))` +
	`|as an ai( language)? model|\b(previous|original|last) (response|answer)\b|let me know if|i hope (this|that) helps|(?m:^\[(end of )?(prompt|response|critique)\b)`)

// boilerplate reports whether a text has words about itself: "Here is the
// revised response:", "my previous answer", our markers.
func boilerplate(text string) bool { return aboutItself.MatchString(straight(text)) }

// straight makes typographic apostrophes plain ones.
func straight(text string) string { return strings.ReplaceAll(text, "’", "'") }
