package tokenizer

import "testing"

// TestTemplateSpecials: the WordPiece tokenizer puts [CLS] before a text and [SEP]
// behind it, the BPE tokenizer its BOS before.
func TestTemplateSpecials(t *testing.T) {
	const turns = "{% for m in messages %}{{ m.content }}{% endfor %}"
	for _, c := range []struct{ model, template, leftOut, twice string }{
		{"wordpiece", "[CLS]" + turns + "[SEP]", "", ""},
		{"wordpiece", turns, "[CLS] and [SEP]", ""},
		{"wordpiece", "[CLS]" + turns, "[SEP]", ""},
		{"wordpiece", turns + "[SEP]", "[CLS]", ""},
		{"wordpiece", "[CLS][CLS]" + turns + "[SEP][SEP]", "", "[CLS] and [SEP]"},
		{"wordpiece", "{{ raise_exception('no') }}", "", ""},
		{"bpe", "{{ bos_token }}" + turns, "", ""},
		{"bpe", "{{ bos_token }}{{ bos_token }}" + turns, "", "BOS"},
		{"bpe", turns, "BOS", ""},
	} {
		dir := copyModel(t, c.model)
		write(t, dir, "chat_template.jinja", c.template)
		tok := open(t, dir)
		want := func(s string) string {
			if s == "BOS" {
				return tok.settings.text("bos_token")
			}
			return s
		}
		if leftOut, twice := tok.TemplateSpecials(); leftOut != want(c.leftOut) || twice != want(c.twice) {
			t.Errorf("%s, %q: left out %q, twice %q; want %q, %q", c.model, c.template, leftOut, twice, want(c.leftOut), want(c.twice))
		}
	}
	if leftOut, twice := open(t, "testdata", "wordpiece").TemplateSpecials(); leftOut+twice != "" {
		t.Errorf("without a template: %q, %q", leftOut, twice)
	}
}
