package tokenizer

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ardanlabs/jinja"

	"laurel/data"
)

// chatTemplate is a compiled Jinja template over messages.
type chatTemplate struct {
	file     string // where it was read, for errors
	compiled *jinja.Template
	tokens   map[string]string // bos_token and so on, as the template names them
	now      time.Time         // for strftime_now
	clock    bool              // the source names strftime_now
	usesJSON bool              // somewhere
	trims    bool              // somewhere, white space off texts
}

// readTemplate takes chat_template.jinja first, as transformers does, then
// chat_template of tokenizer_config.json. It gives nil where there is neither.
func readTemplate(dir string, s *settings) (*chatTemplate, error) {
	path := filepath.Join(dir, "chat_template.jinja")
	raw, err := os.ReadFile(path)
	if err == nil {
		return compileTemplate(path, string(raw), s.texts())
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read chat template: %w", err)
	}
	if len(s.templates) == 0 {
		return nil, nil
	}
	path = filepath.Join(dir, "tokenizer_config.json")
	source, ok := s.templates["default"]
	if !ok {
		names := slices.Sorted(maps.Keys(s.templates))
		return nil, fmt.Errorf("read chat template %s: no template named default among %q", path, names)
	}
	return compileTemplate(path, source, s.texts())
}

func compileTemplate(file, source string, tokens map[string]string) (*chatTemplate, error) {
	t := &chatTemplate{file: file, tokens: tokens, now: DefaultDate, usesJSON: strings.Contains(source, "tojson"),
		clock: strings.Contains(source, "strftime_now"),
		trims: strings.Contains(source, "trim") || strings.Contains(source, "strip")}
	source, err := applyWhitespace(source)
	if err != nil {
		return nil, fmt.Errorf("read chat template %s: %w", file, err)
	}
	err = catchTemplate(func() error {
		t.compiled, err = jinja.Compile(source)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read chat template %s: %w", file, err)
	}
	return t, nil
}

// render gives the text of a conversation. The template sees what transformers
// gives it: messages with role and content in that order, the special tokens
// that the tokenizer has, and no tools.
func (t *chatTemplate) render(messages []data.Message, addGenerationPrompt bool) (string, error) {
	turns := make([]jinja.Value, len(messages))
	for i, m := range messages {
		if t.trims && strings.TrimSpace(m.Content) != strings.TrimFunc(m.Content, isPythonSpace) {
			return "", fmt.Errorf("%w: message %d begins or ends with a control character of U+001C to U+001F, which transformers takes for white space: take it out", ErrText, i)
		}
		turns[i] = jinja.NewDict()
		turns[i].AsDict().Set("role", jinja.NewString(m.Role))
		turns[i].AsDict().Set("content", jinja.NewString(m.Content))
	}
	variables := map[string]jinja.Value{
		"messages":              jinja.NewList(turns),
		"add_generation_prompt": jinja.NewBool(addGenerationPrompt),
		"tools":                 jinja.None(),
		"documents":             jinja.None(),
		"strftime_now":          jinja.NewCallable("strftime_now", t.strftimeNow),
	}
	for name, text := range t.tokens {
		variables[name] = jinja.NewString(text)
	}
	var text string
	err := catchTemplate(func() (err error) {
		text, err = t.compiled.RenderValues(variables)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%w: chat template %s: %w", ErrText, t.file, err)
	}
	return t.unescape(text, messages)
}

// isPythonSpace is what Python's strip takes off: the template library's trim
// knows all but the last four.
func isPythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// unescape undoes what the library's tojson does to <, > and & for browsers'
// sake and transformers' does not. No text but tojson's can hold these
// sequences, or the conversation is refused: it would be ambiguous.
func (t *chatTemplate) unescape(text string, messages []data.Message) (string, error) {
	if !t.usesJSON || !strings.Contains(text, `\u00`) && !strings.Contains(text, `\u20`) {
		return text, nil
	}
	for i, m := range messages {
		for _, escape := range []string{`\u003c`, `\u003e`, `\u0026`, `\u2028`, `\u2029`} {
			if strings.Contains(m.Content, escape) {
				return "", fmt.Errorf("%w: message %d: %s beside a template with tojson", ErrText, i, escape)
			}
		}
	}
	return htmlEscapes.Replace(text), nil
}

var htmlEscapes = strings.NewReplacer(`\\`, `\\`, `\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u2028`, "\u2028", `\u2029`, "\u2029")

// catchTemplate is the edge at which the template library's panics become
// errors: templates come from outside, and it panics on some malformed ones.
func catchTemplate(run func() error) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("template library: %v", problem)
		}
	}()
	return run()
}

// HasTemplate says whether Render follows the model's chat template; without
// one it writes the HH transcript form.
func (t *Tokenizer) HasTemplate() bool { return t.template != nil }

// Render writes a conversation as the model's chat template does, or as an HH
// transcript where it has none. addGenerationPrompt ends the text with the
// opening of an assistant's turn. strftime_now in a template is the date of
// SetDate, not today's, which transformers takes: a reward must not depend on
// the day.
func (t *Tokenizer) Render(messages []data.Message, addGenerationPrompt bool) (string, error) {
	if len(messages) == 0 {
		return "", fmt.Errorf("%w: a conversation without messages", ErrText)
	}
	if t.template == nil {
		return transcript(messages, addGenerationPrompt)
	}
	return t.template.render(messages, addGenerationPrompt)
}

// DefaultDate is what a chat template that asks for the date is given where
// SetDate was not called: the one that Llama 3's templates write themselves
// where there is no clock.
var DefaultDate = time.Date(2024, time.July, 26, 0, 0, 0, 0, time.UTC)

// ReadsClock tells whether the chat template asks for the date or the time.
func (t *Tokenizer) ReadsClock() bool { return t.template != nil && t.template.clock }

// SetDate fixes what the chat template is given for now, from its day's
// midnight. Call it before texts are encoded.
func (t *Tokenizer) SetDate(day time.Time) {
	if t.template != nil {
		t.template.now = day
	}
}
