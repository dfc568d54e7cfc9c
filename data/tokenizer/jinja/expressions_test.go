package jinja

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExpressionsAsTransformers: every template of testdata/make_expressions.py
// gives transformers' text, or is an error; where transformers raises it is an
// error, and so is what is printed with an address.
func TestExpressionsAsTransformers(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "expressions.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var expected struct {
		Variables json.RawMessage
		Cases     []struct{ Template, Text, Raises string }
	}
	if err := json.NewDecoder(unzipped).Decode(&expected); err != nil {
		t.Fatal(err)
	}
	variables := func() map[string]Value {
		all, err := FromJSON(string(expected.Variables))
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]Value{}
		for _, e := range all.(*Dict).entries {
			out[e.key.(string)] = e.value
		}
		return out
	}()
	unsupported := 0
	for _, c := range expected.Cases {
		text, err := "", error(nil)
		template, err := Parse(c.Template)
		if err == nil {
			text, err = template.Render(variables)
		}
		switch {
		case err != nil && c.Raises == "":
			if unsupported++; !strings.Contains(err.Error(), "not supported here") && !errors.Is(err, ErrBudget) {
				t.Errorf("%s: %v, want %q", c.Template, err, c.Text)
			}
		case err == nil && c.Raises != "":
			t.Errorf("%s: %q, want %s", c.Template, text, c.Raises)
		case err == nil && text != c.Text:
			t.Errorf("%s\n gives %q\n want  %q", c.Template, text, c.Text)
		}
	}
	t.Logf("%d templates, %d of them refused as not supported", len(expected.Cases), unsupported)
	if len(expected.Cases) < 5000 || unsupported > len(expected.Cases)/50 {
		t.Errorf("%d templates, %d not supported", len(expected.Cases), unsupported)
	}
}
