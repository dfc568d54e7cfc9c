package tokenizer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"laurel/data"
)

type templateCase struct {
	Template     string
	Conversation int
	Prompt       bool `json:"add_generation_prompt"`
	Text, Error  string
}

// Expected text: transformers 5.23.0 (testdata/make_templates.py).
func TestTemplatesRenderAsTransformers(t *testing.T) {
	var expected struct {
		Tokens        map[string]string
		Now           time.Time
		Conversations [][]data.Message
		Cases         []templateCase
	}
	readJSON(t, filepath.Join("testdata", "templates", "expected.json"), &expected)
	templates := map[string]*chatTemplate{}
	for _, c := range expected.Cases {
		t.Run(fmt.Sprintf("%s/%d/%v", c.Template, c.Conversation, c.Prompt), func(t *testing.T) {
			template := templates[c.Template]
			if template == nil {
				template = openTemplate(t, c.Template, expected.Tokens)
				template.now = expected.Now
				templates[c.Template] = template
			}
			text, err := template.render(nil, expected.Conversations[c.Conversation], c.Prompt)
			c.check(t, text, err)
		})
	}
}

func openTemplate(t *testing.T, name string, tokens map[string]string) *chatTemplate {
	path := filepath.Join("testdata", "templates", name)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	template, err := compileTemplate(path, string(source), tokens)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func (c templateCase) check(t *testing.T, text string, err error) {
	switch {
	case c.Error != "" && err == nil:
		t.Errorf("want the error %q, got %q", c.Error, text)
	case c.Error != "" && !strings.Contains(err.Error(), c.Error):
		t.Errorf("error %v, want %q", err, c.Error)
	case c.Error == "" && err != nil:
		t.Error(err)
	case text != c.Text:
		t.Errorf("\n got %q\nwant %q", text, c.Text)
	}
}

// Python's strip takes off four control characters that Go's does not.
func TestTrimsAsPython(t *testing.T) {
	for name, source := range map[string]string{"trim": "{{ messages[0].content | trim }}", "strip": "{{ messages[0].content.strip() }}", "split": "{{ messages[0].content.split() | join('|') }}"} {
		template, err := compileTemplate(name, source, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := template.render(nil, []data.Message{{Role: "user", Content: "\u00a0a\x1fb \x1f\n"}}, false)
		want := "a\x1fb"
		if name == "split" {
			want = "a|b"
		}
		if err != nil || text != want {
			t.Errorf("%s: %q, %v; want %q", name, text, err, want)
		}
	}
}

// Python's line joining within a quoted text.
func TestQuotedLinesAreJoined(t *testing.T) {
	template, err := compileTemplate("joined", "{{ 'one\\\n two \\\\\n' + \"three\\\n\" }}", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := template.render(nil, []data.Message{{Role: "user", Content: "q"}}, false); err != nil || text != "one two \\\nthree" {
		t.Errorf("%q, %v", text, err)
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
