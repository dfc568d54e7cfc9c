package tokenizer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// scopeLoops gives each round of a loop its own variables, as Jinja does: the
// template library keeps what one round has set for the next. Before a loop the
// variables that it sets are copied, and each round begins with the copies.
func scopeLoops(source string) (string, error) {
	tags, err := readTags(source)
	if err != nil {
		return "", err
	}
	markLoops(tags)
	var out strings.Builder
	for number, t := range tags {
		for _, name := range t.sets {
			fmt.Fprintf(&out, "{%% set outer_%d_%s = %s %%}", number, name, name)
		}
		out.WriteString(t.text)
		for _, name := range t.sets {
			fmt.Fprintf(&out, "{%% set %s = outer_%d_%s %%}", name, number, name)
		}
	}
	return out.String(), nil
}

// templateTag is a tag, or the text before one.
type templateTag struct {
	text, body string
	sets       []string // of a for: the variables set in it
}

var (
	tagWord   = regexp.MustCompile(`^\w+`)
	setTarget = regexp.MustCompile(`^set\s+([\w\s,]+?)\s*(=|$)`)
	forTarget = regexp.MustCompile(`^for\s+([\w\s,()]+?)\s+in\b`)
	variable  = regexp.MustCompile(`\w+`)
)

func readTags(source string) (tags []*templateTag, err error) {
	for source != "" {
		at := nextTag(source)
		if at > 0 {
			tags = append(tags, &templateTag{text: source[:at]})
		}
		if source = source[at:]; source == "" {
			break
		}
		tag, body, err := cutTag(source)
		if err != nil {
			return nil, err
		}
		if tag[1] != '%' {
			body = ""
		}
		tags = append(tags, &templateTag{text: tag, body: strings.TrimSpace(body)})
		source = source[len(tag):]
	}
	return tags, nil
}

// markLoops notes at each for the variables that are set within, but for those
// of loops and macros within it, and for its own.
func markLoops(tags []*templateTag) {
	var open []*templateTag // a macro is its own loop
	for _, t := range tags {
		switch word := tagWord.FindString(t.body); word {
		case "for", "macro", "call":
			open = append(open, t)
		case "endfor", "endmacro", "endcall":
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case "set":
			if target := setTarget.FindStringSubmatch(t.body); target != nil && len(open) > 0 {
				open[len(open)-1].set(variable.FindAllString(target[1], -1))
			}
		}
	}
}

func (t *templateTag) set(names []string) {
	own := forTarget.FindStringSubmatch(t.body)
	if own == nil {
		return // a macro, which begins anew at each call
	}
	for _, name := range names {
		if !slices.Contains(t.sets, name) && !slices.Contains(variable.FindAllString(own[1], -1), name) {
			t.sets = append(t.sets, name)
		}
	}
}
