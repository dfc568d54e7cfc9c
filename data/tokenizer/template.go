package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"laurel/data"
	"laurel/data/tokenizer/jinja"
)

// chatTemplate is a compiled Jinja template over messages.
type chatTemplate struct {
	file     string // where it was read, for errors
	source   string
	compiled *jinja.Template
	tokens   map[string]string // bos_token and so on, as the template names them
	now      time.Time         // for strftime_now
	// readsText and readsParts are readsAnswers of content as a text and in
	// parts, once.
	readsText, readsParts func() error
}

// chatTemplates are what transformers chooses from.
type chatTemplates struct {
	normal *chatTemplate
	tools  *chatTemplate // tool_use, for conversations with a list of tools, be it empty; else normal
}

// of is the template that a conversation with a row's variables is written by.
func (t *chatTemplates) of(row rowVariables) *chatTemplate {
	if row["tools"] == nil {
		return t.normal
	}
	return t.tools
}

// readTemplates takes additional_chat_templates first, as transformers does, then
// chat_template.jinja, then chat_template of tokenizer_config.json. It gives nil
// where there is none.
func readTemplates(dir string, s *settings) (*chatTemplates, error) {
	file, sources, err := templateFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("read chat template: %w", err)
	}
	if len(sources) == 0 {
		file, sources = filepath.Join(dir, "tokenizer_config.json"), s.templates
	}
	if len(sources) == 0 {
		return nil, nil
	}
	source, ok := sources["default"]
	if !ok {
		return nil, fmt.Errorf("read chat template %s: no template named default among %q", file, slices.Sorted(maps.Keys(sources)))
	}
	normal, err := compileTemplate(file, source, s.texts())
	if err != nil {
		return nil, err
	}
	t := &chatTemplates{normal, normal}
	if source, ok := sources["tool_use"]; ok {
		if t.tools, err = compileTemplate(file+" (tool_use)", source, s.texts()); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// reads fails on conversations whose answers the template leaves out, as content
// in the form that they have.
func (t *chatTemplate) reads(messages []data.Message) error {
	if slices.ContainsFunc(messages, func(m data.Message) bool { return strings.HasPrefix(m.Field("content"), "[") }) {
		return t.readsParts()
	}
	return t.readsText()
}

// readsAnswers fails on a template that writes the same whatever the assistant
// has answered: every response would have one reward. Some templates read content
// in parts and pass over texts.
func (t *chatTemplate) readsAnswers(asMessage func(role, text string) data.Message) error {
	var texts [2]string
	for i, answer := range []string{"It is one.", "There are two of them."} {
		var err error
		if texts[i], err = t.render(nil, []data.Message{asMessage("user", "How many?"), asMessage("assistant", answer)}, false); err != nil {
			return nil // a template may refuse a conversation; each is refused by itself
		}
	}
	if texts[0] == texts[1] {
		return fmt.Errorf("%w: chat template %s writes %q whatever the assistant has answered, so that every response would have the same reward: "+
			"repair the template, or give content in the form that it reads, a text or [{\"type\":\"text\",\"text\":…}]", ErrText, t.file, texts[0])
	}
	return nil
}

func textMessage(role, text string) data.Message { return data.Message{Role: role, Content: text} }

func partsMessage(role, text string) data.Message {
	return data.Message{Role: role, Content: text, Whole: fmt.Sprintf(`{"role":%q,"content":[{"type":"text","text":%q}]}`, role, text)}
}

// templateFiles reads the files of templates: those of additional_chat_templates
// by their names, and chat_template.jinja, which is the default where no file
// there has that name. file is the default's.
func templateFiles(dir string) (file string, sources map[string]string, err error) {
	single := filepath.Join(dir, "chat_template.jinja")
	file, sources = single, map[string]string{}
	for _, name := range append([]string{"chat_template.jinja"}, NamedTemplates(dir)...) {
		path := filepath.Join(dir, name)
		raw, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return path, nil, err
		}
		called := strings.TrimSuffix(filepath.Base(path), ".jinja")
		if path == single {
			called = "default"
		}
		if called == "default" {
			file = path
		}
		sources[called] = string(raw)
	}
	return file, sources, nil
}

// NamedTemplates are the files of additional_chat_templates, by their places below
// the directory.
func NamedTemplates(dir string) (names []string) {
	const folder = "additional_chat_templates"
	entries, _ := os.ReadDir(filepath.Join(dir, folder)) // most models have none
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".jinja" {
			names = append(names, filepath.Join(folder, entry.Name()))
		}
	}
	return names
}

func compileTemplate(file, source string, tokens map[string]string) (*chatTemplate, error) {
	compiled, err := jinja.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("read chat template %s: %w", file, err)
	}
	t := &chatTemplate{file: file, source: source, compiled: compiled, tokens: tokens, now: DefaultDate}
	t.readsText = sync.OnceValue(func() error { return t.readsAnswers(textMessage) })
	t.readsParts = sync.OnceValue(func() error { return t.readsAnswers(partsMessage) })
	return t, nil
}

// render gives the text of a conversation. The template sees what transformers
// gives it: the messages with their keys in order, nulls left out, the tools,
// the special tokens that the tokenizer has, and chat_template_kwargs over all.
// Content in parts is refused where the template fails on it or passes over it,
// and takes the same as one text.
func (t *chatTemplate) render(row rowVariables, messages []data.Message, addGenerationPrompt bool) (string, error) {
	text, err := t.renderTurns(row, messages, addGenerationPrompt, false)
	at := slices.IndexFunc(messages, func(m data.Message) bool { return leftOut(m, text) })
	if at < 0 {
		return text, err
	}
	joined, cause := t.renderTurns(row, messages, addGenerationPrompt, true)
	switch {
	case cause != nil || leftOut(messages[at], joined):
		return text, err
	case err == nil:
		err = fmt.Errorf("%w: chat template %s leaves text of message %d out", ErrText, t.file, at)
	}
	return "", fmt.Errorf("%w: the content of message %d is in parts, which this template does not take: give it as one text", err, at)
}

// leftOut is whether a text lacks some part of a message's content, as it is,
// quoted by Python or in JSON.
func leftOut(m data.Message, text string) bool {
	var parts []struct{ Text string }
	if m.Whole == "" || json.Unmarshal([]byte(m.Field("content")), &parts) != nil {
		return false
	}
	for _, p := range parts {
		if !strings.Contains(text, strings.TrimSpace(p.Text)) && !strings.Contains(text, jinja.Repr(p.Text)) && !strings.Contains(text, jinja.JSONText(p.Text)) {
			return true
		}
	}
	return false
}

// renderTurns runs the template, with content in parts as such or joined.
func (t *chatTemplate) renderTurns(row rowVariables, messages []data.Message, addGenerationPrompt, joined bool) (string, error) {
	turns := &jinja.List{Items: make([]jinja.Value, len(messages))}
	for i, m := range messages {
		turn, err := turnOf(m, joined)
		if err != nil {
			return "", fmt.Errorf("%w: message %d %w", ErrText, i, err)
		}
		turns.Items[i] = turn
	}
	variables := map[string]jinja.Value{
		"messages":              turns,
		"add_generation_prompt": addGenerationPrompt,
		"tools":                 nil,
		"documents":             nil,
		"strftime_now":          jinja.NewFunc("strftime_now", t.strftimeNow),
	}
	for name, text := range t.tokens {
		variables[name] = text
	}
	maps.Copy(variables, row)
	text, err := t.compiled.Render(variables)
	if err != nil {
		return "", fmt.Errorf("%w: chat template %s: %w", ErrText, t.file, err)
	}
	return text, nil
}

// turnOf is a message as the template sees it.
func turnOf(m data.Message, joined bool) (*jinja.Dict, error) {
	if m.Whole == "" {
		turn := jinja.NewDict()
		turn.Set("role", m.Role)
		turn.Set("content", m.Content)
		return turn, nil
	}
	turn, err := objectOf(m.Whole)
	if err != nil {
		return nil, err
	}
	if content, _ := turn.Get("content"); joined {
		if _, parts := content.(*jinja.List); parts {
			turn.Set("content", m.Content)
		}
	}
	return aliasReasoning(turn), nil
}

// objectOf is a JSON object as a template sees it.
func objectOf(text string) (*jinja.Dict, error) {
	value, err := jinja.FromJSON(text)
	object, ok := value.(*jinja.Dict)
	if err != nil || !ok {
		return nil, fmt.Errorf("is no JSON object: %w", err)
	}
	return object, nil
}

// aliasReasoning gives reasoning the names that templates read it by, thinking
// and reasoning_content, whichever the message has: transformers does.
func aliasReasoning(message *jinja.Dict) *jinja.Dict {
	for _, name := range []string{"reasoning_content", "thinking", "reasoning"} {
		reasoning, ok := message.Get(name)
		if !ok || reasoning == nil {
			continue
		}
		named := jinja.NewDict()
		named.Set("thinking", reasoning)
		for _, key := range message.Keys() {
			value, _ := message.Get(key)
			named.Set(key, value)
		}
		named.Set("reasoning_content", reasoning)
		return named
	}
	return message
}

// HasTemplate says whether Render follows the model's chat template; without
// one it writes the HH transcript form.
func (t *Tokenizer) HasTemplate() bool { return t.templates != nil }

// Render writes a conversation as the model's chat template does, or as an HH
// transcript where it has none. addGenerationPrompt ends the text with the
// opening of an assistant's turn. strftime_now in a template is the date of
// SetDate, not today's, which transformers takes: a reward must not depend on
// the day.
func (t *Tokenizer) Render(messages []data.Message, addGenerationPrompt bool) (string, error) {
	return t.RenderIn(data.Context{}, messages, addGenerationPrompt)
}

// RenderIn is Render with a row's tools and template variables.
func (t *Tokenizer) RenderIn(context data.Context, messages []data.Message, addGenerationPrompt bool) (string, error) {
	if len(messages) == 0 {
		return "", fmt.Errorf("%w: a conversation without messages", ErrText)
	}
	if t.templates == nil {
		t.unread.count(context, messages, "")
		return transcript(messages, addGenerationPrompt)
	}
	row, err := variablesOf(context)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrText, err)
	}
	template := t.templates.of(row)
	if err := template.reads(messages); err != nil {
		return "", err
	}
	t.unread.count(context, messages, template.source)
	text, err := template.render(row, messages, addGenerationPrompt)
	if err == nil && strings.TrimSpace(text) == "" {
		err = fmt.Errorf("%w: chat template %s writes nothing for this conversation", ErrText, template.file)
	}
	return text, err
}

// DefaultDate is what a chat template that asks for the date is given where
// SetDate was not called: the one that Llama 3's templates write themselves
// where there is no clock.
var DefaultDate = time.Date(2024, time.July, 26, 0, 0, 0, 0, time.UTC)

// ReadsClock tells whether the chat template asks for the date or the time.
func (t *Tokenizer) ReadsClock() bool {
	return t.templates != nil && strings.Contains(t.templates.normal.source+t.templates.tools.source, "strftime_now")
}

// SetDate fixes what the chat template is given for now, from its day's
// midnight. Call it before texts are encoded.
func (t *Tokenizer) SetDate(day time.Time) {
	if t.templates != nil {
		t.templates.normal.now, t.templates.tools.now = day, day
	}
}
