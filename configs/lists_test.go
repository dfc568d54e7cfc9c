package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

// Files may be one or a list, in the file and on the command line; validation
// may be a share of the prompts.
func TestOneFileOrSeveral(t *testing.T) {
	const model = "model: {config: tiny/config.json}\n"
	for _, c := range []struct {
		yaml, set  string
		train      []string
		validation data.Validation
		wrong      string
	}{
		{"data: {train: a.jsonl}", "", []string{"a.jsonl"}, data.Validation{Files: []string{}}, ""},
		{"data: {train: [a, b], validation: v}", "", []string{"a", "b"}, data.Validation{Files: []string{"v"}}, ""},
		{"data: {train: [a]}", "data.train=b.jsonl", []string{"b.jsonl"}, data.Validation{Files: []string{}}, ""},
		{"data: {train: [a], validation: [v]}", "data.validation=0.1", []string{"a"}, data.Validation{Files: []string{}, Share: 0.1}, ""},
		{"data: {train: [a], validation: 0.25}", "data.validation=[v, w]", []string{"a"}, data.Validation{Files: []string{"v", "w"}}, ""},
		{"data: {train: [a], validation: 0.25}", "data.validation=[]", []string{"a"}, data.Validation{Files: []string{}}, ""},
		{"data: {train: [a], validation: \"0.25\"}", "", []string{"a"}, data.Validation{Files: []string{"0.25"}}, ""},
		{"data: {train: [a], validation: 1.5}", "", nil, data.Validation{}, "data.validation is 1.5: want files, or a share of the prompts between 0 and 1"},
		{"data: {train: [a], validation: 0}", "", nil, data.Validation{}, "data.validation is 0: want files"},
		{"data: {train: [a], validation: {a: 1}}", "", nil, data.Validation{}, "data.validation"},
		{"data: {train: 7}", "", nil, data.Validation{}, "data.train"},
		{"data: {train: ''}", "", nil, data.Validation{}, "data.train"},
	} {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(model+c.yaml), 0o666); err != nil {
			t.Fatal(err)
		}
		var settings []string
		if c.set != "" {
			settings = []string{c.set}
		}
		got, err := Load(path, settings)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: %v lacks %q", c.yaml, err, c.wrong)
			}
			continue
		}
		if err != nil || !slices.Equal(got.Data.Train, c.train) || !slices.Equal(got.Data.Validation.Files, c.validation.Files) || got.Data.Validation.Share != c.validation.Share {
			t.Errorf("%s, %s: %v, %+v", c.yaml, c.set, err, got.Data)
		}
		saved, err := YAML(got)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, saved, 0o666); err != nil {
			t.Fatal(err)
		}
		if again, err := Load(path, nil); err != nil || len(Changed(got, again)) > 0 {
			t.Errorf("%s does not come back: %v, %v", saved, err, Changed(got, again))
		}
	}
	if c, err := LoadLabel("", []string{"principles=helpfulness"}); err == nil && !slices.Equal(c.Principles, []string{"helpfulness"}) {
		t.Errorf("%v", c.Principles)
	}
}
