package tokenizer

import (
	"fmt"
	"regexp"
)

// The template library takes these for something else without a word; each is
// refused by name. What it does not know at all is an error of its own.
var silentlyWrong = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`\.r?split\([^()]*,`), "split with a limit"},
	{regexp.MustCompile(`\.(starts|ends)with\(\s*\(`), "startswith or endswith with several texts"},
	{regexp.MustCompile(`''\s*%`), "% formatting of text"},
}

// checkSupported looks at what stands in one tag, with ” for each quoted text.
func checkSupported(body string) error {
	for _, feature := range silentlyWrong {
		if feature.pattern.MatchString(body) {
			return fmt.Errorf("%s is not supported here: put a chat_template.jinja without it beside tokenizer.json", feature.name)
		}
	}
	return nil
}
