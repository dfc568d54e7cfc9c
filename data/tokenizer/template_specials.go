package tokenizer

import (
	"fmt"
	"slices"
	"strings"

	"laurel/data"
)

// TemplateSpecials tells which of the special tokens that the tokenizer puts around
// plain text the chat template leaves out of a conversation, and which of them, or
// of BOS, is there twice; "" for none, and where there is no template or it does
// not write a conversation of two turns. EncodeRendered puts in what is left out;
// transformers' apply_chat_template gives what the template writes, and no more.
func (t *Tokenizer) TemplateSpecials() (leftOut, twice string) {
	if t.templates == nil {
		return "", ""
	}
	text, err := t.templates.normal.render(nil, []data.Message{textMessage("user", "Which is it?"), textMessage("assistant", "It is this.")}, false)
	if err != nil {
		return "", ""
	}
	ids, err := t.encode(text)
	trimmed, err2 := t.encode(strings.TrimSpace(text))
	if err != nil || err2 != nil {
		return "", ""
	}
	var out, again []int32
	first := t.prefix
	if bos, ok := t.BOSID(); ok && len(first) == 0 {
		first = []int32{bos}
	}
	switch {
	case len(first) > 0 && hasPrefix(ids, slices.Concat(first, first)):
		again = append(again, first...)
	case len(t.prefix) > 0 && !hasPrefix(ids, t.prefix):
		out = append(out, t.prefix...)
	}
	switch {
	case len(t.suffix) == 0:
	case hasSuffix(ids, slices.Concat(t.suffix, t.suffix)), !hasSuffix(ids, t.suffix) && hasSuffix(trimmed, t.suffix):
		again = append(again, t.suffix...) // behind white space it is not known for the tokenizer's own
	case !hasSuffix(ids, t.suffix):
		out = append(out, t.suffix...)
	}
	return t.named(out), t.named(again)
}

// named are the texts of special tokens.
func (t *Tokenizer) named(ids []int32) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		text, ok := t.TokenText(id)
		if !ok {
			text = fmt.Sprintf("token %d", id)
		}
		texts[i] = text
	}
	return strings.Join(texts, " and ")
}
