package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
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
			text, err := renderIn(template, context, row.Messages, row.AddGenerationPrompt)
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

func renderIn(template *chatTemplate, context data.Context, messages []data.Message, addGenerationPrompt bool) (string, error) {
	row, err := variablesOf(context)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrText, err)
	}
	return template.render(row, messages, addGenerationPrompt)
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
	for context, want := range map[data.Context]string{
		{}: "plain q", {Tools: "[{}]"}: "tools q", {Tools: "[]"}: "tools q",
		{TemplateKwargs: `{"tools":[]}`}: "tools q", {Tools: "[{}]", TemplateKwargs: `{"tools":null}`}: "plain q",
	} {
		if text, err := tok.RenderIn(context, messages, false); err != nil || text != want {
			t.Errorf("%+v: %q, %v; want %q", context, text, err, want)
		}
	}
}

// The default of additional_chat_templates goes before chat_template.jinja, and
// both before tokenizer_config.json. Expected text: apply_chat_template of
// transformers 5.23.0.
func TestDefaultAmongNamedTemplates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a [model]*") // no pattern
	if err := os.CopyFS(dir, os.DirFS(copyModel(t, "bpe"))); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "tokenizer_config.json", `{"chat_template":"config {{ messages[-1].content }}"}`)
	renders := func(want string) {
		t.Helper()
		if text, err := open(t, dir).Render([]data.Message{textMessage("user", "q")}, false); err != nil || text != want {
			t.Errorf("%q, %v; want %q", text, err, want)
		}
	}
	renders("config q")
	write(t, dir, "chat_template.jinja", "file {{ messages[-1].content }}")
	renders("file q")
	if err := os.Mkdir(filepath.Join(dir, "additional_chat_templates"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "additional_chat_templates/default.jinja", "named {{ messages[-1].content }}")
	renders("named q")
	copied := t.TempDir()
	write := func(path string, content []byte) error { return os.WriteFile(path, content, 0o644) }
	if err := open(t, dir).CopyFiles(copied, write); err != nil {
		t.Fatal(err)
	}
	if text, err := open(t, copied).Render([]data.Message{textMessage("user", "q")}, false); err != nil || text != "named q" {
		t.Errorf("copied: %q, %v", text, err)
	}
	if err := os.Remove(filepath.Join(dir, "chat_template.jinja")); err != nil {
		t.Fatal(err)
	}
	renders("named q")
}

// Llama 3.1's template asks whether tools are none, which an empty list is not.
// Expected text: apply_chat_template of transformers 5.23.0 with tools=[] and None.
func TestEmptyListOfTools(t *testing.T) {
	template := openTemplate(t, "llama-3.1.jinja", map[string]string{"bos_token": "<s>"})
	const answer = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\na<|eot_id|>"
	for tools, want := range map[string]string{
		"[]": "<s><|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\nCutting Knowledge Date: December 2023\nToday Date: x\n\n<|eot_id|>" +
			"<|start_header_id|>user<|end_header_id|>\n\nGiven the following functions, please respond with a JSON for a function call with its proper arguments " +
			"that best answers the given prompt.\n\nRespond in the format {\"name\": function name, \"parameters\": dictionary of argument name and its value}." +
			"Do not use variables.\n\nq" + answer,
		"": "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: x\n\n<|eot_id|>" +
			"<|start_header_id|>user<|end_header_id|>\n\nq" + answer,
	} {
		text, err := renderIn(template, data.Context{Tools: tools, TemplateKwargs: `{"date_string":"x"}`}, []data.Message{textMessage("user", "q"), textMessage("assistant", "a")}, false)
		if err != nil || text != want {
			t.Errorf("tools %q: %q, %v; want %q", tools, text, err, want)
		}
	}
}

// What has the name of an argument of apply_chat_template is that argument to
// TRL, and no variable of the template.
func TestArgumentsAmongKwargs(t *testing.T) {
	template, err := compileTemplate("x", "{% for m in messages %}{{ m.content }}{% endfor %}: {{ padding is defined }}{{ tokenize is defined }}{{ documents }}{{ add_generation_prompt }}{{ k }}", nil)
	if err != nil {
		t.Fatal(err)
	}
	for kwargs, want := range map[string]string{
		`{"k":1,"add_generation_prompt":true,"documents":[]}`:                                                                      "a: FalseFalse[]True1",
		`{"padding":false,"tokenize":true,"chat_template":null,"continue_final_message":false,"documents":null,"truncation":null}`: "a: FalseFalseNoneFalse",
		`{"continue_final_message":true}`:                                                                                          "continue_final_message is an argument",
		`{"continue_final_message":"content"}`:                                                                                     "continue_final_message is an argument",
		`{"chat_template":"{{ messages }}"}`:                                                                                       "chat_template is an argument",
		`{"tokenize":false}`:                                                                                                       "tokenize is an argument",
		`{"truncation":true,"max_length":5}`:                                                                                       "truncation is an argument",
		`{"max_length":5}`:                                                                                                         "max_length is an argument",
		`{"padding":"max_length"}`:                                                                                                 "padding is an argument",
		`{"return_dict":false}`:                                                                                                    "return_dict is an argument",
		`{"tokenizer_kwargs":{"a":1}}`:                                                                                             "tokenizer_kwargs is an argument",
		`{"sanitize_control_tokens":true}`:                                                                                         "sanitize_control_tokens is an argument",
		`{"messages":[{"role":"user"}]}`:                                                                                           "messages: the conversation is the row's own",
		`{"tools":["f"]}`:                                                                                                          "tools: item 0 is no object",
		`{"documents":"text"}`:                                                                                                     "documents: want a list of objects",
	} {
		text, err := renderIn(template, data.Context{TemplateKwargs: kwargs}, []data.Message{textMessage("user", "a")}, false)
		if err != nil {
			text = err.Error()
		}
		if refused := !strings.HasPrefix(want, "a: "); errors.Is(err, ErrText) != refused || refused && !strings.Contains(text, want) || !refused && text != want {
			t.Errorf("%s: %q, want %q", kwargs, text, want)
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
		_, _ = renderIn(template, data.Context{Tools: tools, TemplateKwargs: kwargs}, []data.Message{{Role: "user", Whole: whole}}, false)
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
