package tokenizer

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"laurel/data"
)

// conversationRow is a row as data sets hold it.
type conversationRow struct {
	Messages            []data.Message
	Tools               json.RawMessage
	ChatTemplateKwargs  json.RawMessage `json:"chat_template_kwargs"`
	AddGenerationPrompt bool            `json:"add_generation_prompt"`
}

func (r conversationRow) hasParts() bool {
	return slices.ContainsFunc(r.Messages, func(m data.Message) bool { return strings.HasPrefix(m.Field("content"), "[") })
}

// Expected text: apply_chat_template of transformers 5.23.0
// (testdata/make_conversations.py).
func TestConversationsRenderAsTransformers(t *testing.T) {
	var expected struct {
		Tokens map[string]string
		Rows   []conversationRow
		Cases  []struct {
			templateCase
			Row    int
			Sparse bool // of rows whose nulls are taken out at every depth
		}
	}
	readJSON(t, filepath.Join("testdata", "conversations", "expected.json"), &expected)
	for _, c := range expected.Cases {
		t.Run(fmt.Sprintf("%s/%d/%v", c.Template, c.Row, c.Sparse), func(t *testing.T) {
			template := openTemplate(t, filepath.Join("..", c.Template), expected.Tokens)
			template.now = time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)
			row := expected.Rows[c.Row]
			if c.Sparse {
				row = throughParquet(t, row)
			}
			context := data.Context{Tools: string(row.Tools), TemplateKwargs: string(row.ChatTemplateKwargs)}
			text, err := template.render(context, row.Messages, row.AddGenerationPrompt)
			if c.Error != "" && err != nil {
				return // in the words of another library
			}
			if err != nil && strings.Contains(err.Error(), "leaves text of message") && row.hasParts() {
				return // which transformers leaves out without a word
			}
			c.check(t, text, err)
		})
	}
}

// What a template does not name is counted.
func TestUnreadFieldsAreCounted(t *testing.T) {
	dir := copyModel(t, "bpe")
	write(t, dir, "chat_template.jinja", "{% for m in messages %}{{ m.content }}{{ m.reasoning_content }}{% endfor %}")
	tok := open(t, dir)
	call := data.Message{Role: "assistant", Whole: `{"role":"assistant","tool_calls":[{}],"reasoning_content":"r"}`}
	for range 2 {
		if _, err := tok.RenderIn(data.Context{Tools: "[{}]"}, []data.Message{{Role: "user", Content: "q"}, call}, false); err != nil {
			t.Fatal(err)
		}
	}
	if got := tok.Unread(); len(got) != 2 || got["tools"] != 2 || got["tool_calls"] != 2 {
		t.Errorf("%v", got)
	}
}

// A template of its own for tools, and those of additional_chat_templates.
func TestNamedTemplates(t *testing.T) {
	dir := copyModel(t, "bpe")
	write(t, dir, "tokenizer_config.json", `{"chat_template":[{"name":"default","template":"plain {{ messages[-1].content }}"},{"name":"tool_use","template":"tools {{ messages[-1].content }}"},{"name":"rag","template":"{% broken"}]}`)
	tok := open(t, dir)
	messages := []data.Message{{Role: "user", Content: "q"}}
	for tools, want := range map[string]string{"": "plain q", "[{}]": "tools q"} {
		if text, err := tok.RenderIn(data.Context{Tools: tools}, messages, false); err != nil || text != want {
			t.Errorf("tools %q: %q, %v; want %q", tools, text, err, want)
		}
	}
}

// A template that leaves the answer out would give all responses one reward.
func TestTemplateMustReadAnswers(t *testing.T) {
	for source, refused := range map[string]bool{"": true, "x": true, "{% for m in messages %}{{ m.role }}{% endfor %}": true, "{{ messages[0].content }}": true,
		"{% for m in messages %}{{ m.content }}{% endfor %}": false, "{{ raise_exception('no') }}": false} {
		dir := copyModel(t, "bpe")
		write(t, dir, "chat_template.jinja", source)
		_, err := open(t, dir).Render([]data.Message{{Role: "user", Content: "q"}, {Role: "assistant", Content: "a"}}, false)
		if deaf := err != nil && strings.Contains(err.Error(), "whatever the assistant has answered"); deaf != refused {
			t.Errorf("%q: %v, want a refusal: %v", source, err, refused)
		}
	}
}

// A template that reads content in one form only, and one that writes nothing.
func TestTemplateMustReadTheForm(t *testing.T) {
	const partsOnly, answersOnly = "{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}", "{% for m in messages if m.role == 'assistant' %}{{ m.content }}{% endfor %}"
	for _, c := range []struct {
		source   string
		messages []data.Message
		want     string // in the error
	}{
		{partsOnly, []data.Message{textMessage("user", "q"), textMessage("assistant", "a")}, "whatever the assistant has answered"},
		{partsOnly, []data.Message{partsMessage("user", "q"), partsMessage("assistant", "a")}, ""},
		{"x", []data.Message{partsMessage("user", "q"), partsMessage("assistant", "a")}, "whatever the assistant has answered"},
		{answersOnly, []data.Message{textMessage("user", "q"), textMessage("assistant", "a")}, ""},
		{answersOnly, []data.Message{textMessage("user", "q")}, "writes nothing"},
		{answersOnly, []data.Message{textMessage("user", "q"), textMessage("assistant", " ")}, "writes nothing"},
	} {
		dir := copyModel(t, "bpe")
		write(t, dir, "chat_template.jinja", c.source)
		text, err := open(t, dir).Render(c.messages, false)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q of %v: %q, %v, want %q", c.source, c.messages, text, err, c.want)
		}
	}
}

func FuzzRenderWhole(f *testing.F) {
	f.Add(`{"role":"assistant","content":[{"type":"text","text":"x"}],"tool_calls":[{"function":{"arguments":{"a":1e400}}}]}`, `[{"a":[]}]`, `{"k":1}`)
	template, err := compileTemplate("fuzz", `{% for m in messages %}{{ m | tojson(indent=1) }}{% endfor %}{{ tools | tojson }}`, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, whole, tools, kwargs string) {
		_, _ = template.render(data.Context{Tools: tools, TemplateKwargs: kwargs}, []data.Message{{Role: "user", Whole: whole}}, false)
	})
}

// throughParquet reads the row as a file of structs gives it, in which TRL
// takes nulls out.
func throughParquet(t *testing.T, row conversationRow) conversationRow {
	t.Helper()
	row.Messages = slices.Clone(row.Messages)
	for i, m := range row.Messages {
		if m.Whole != "" {
			row.Messages[i] = withoutNulls(t, m)
		}
	}
	return row
}

func withoutNulls(t *testing.T, m data.Message) data.Message {
	t.Helper()
	sparse, err := data.SparseMessage([]byte(m.Whole))
	if err != nil {
		t.Fatal(err)
	}
	return sparse
}
