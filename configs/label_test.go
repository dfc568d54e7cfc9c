package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"laurel/feedback"
)

func TestLoadLabel(t *testing.T) {
	c, err := LoadLabel("label.yaml", []string{"judges.0.weight=2", "judges.0.name=heuristic rules", "budget.max_cost=1.5", "principles=[x]"})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Judges) != 1 || c.Judges[0].Name != "heuristic rules" || c.Judges[0].Kind != "heuristic" || c.Judges[0].Weight != 2 || c.Budget.MaxCost != 1.5 ||
		c.MinConfidence != 0.6 || c.MinVoteShare != 0.5 || c.Position != "agree" || !reflect.DeepEqual(c.Principles, []string{"x"}) {
		t.Errorf("%+v", c)
	}
	c, err = LoadLabel("", []string{"judges=[{kind: heuristic}, {kind: reward, reward: {model: m}}]"})
	if err != nil || c.Judges[0].Weight != 1 || c.Judges[1].Name != "reward" || c.Judges[1].Reward.Temperature != 0 || c.Judges[0].Reward != nil {
		t.Errorf("%+v, %v", c, err)
	}
	raw, err := YAML(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseOver(raw, nil, c)
	if err != nil || !reflect.DeepEqual(c, again) {
		t.Errorf("saved %+v, read %+v, %v", c, again, err)
	}
}

func TestLabelRefusals(t *testing.T) {
	for _, c := range []struct {
		settings []string
		wrong    []string
	}{
		{[]string{"judges=[]"}, []string{"judges is empty"}},
		{[]string{"judges.0.kin=x"}, []string{"unknown key judges.0.kin; did you mean judges.0.kind?"}},
		{[]string{"judges.1.kind=x"}, []string{"there is no element 1 in a list of 1"}},
		{[]string{"judges.0=x"}, []string{"set a whole list"}},
		{[]string{"judges.0.kind=oracle"}, []string{`judges.0.kind is "oracle"`}},
		{[]string{"judges.0.name=gpt"}, []string{"must begin with heuristic"}},
		{[]string{"judges.0.heuristic={rules: some, noise: -1}"}, []string{`judges.0.heuristic.rules is "some"`, "judges.0.heuristic.noise is -1"}},
		{[]string{"judges=[{kind: reward}]"}, []string{"judges.0.reward is missing"}},
		{[]string{"judges.0.weight=0"}, []string{"judges.0.weight is 0"}},
		{[]string{"judges=[{kind: heuristic}, {kind: heuristic}]"}, []string{"judges.1.name", "a name of its own"}},
		{[]string{"judges=[{kind: reward, reward: {temperature: -1, revison: x}}]"}, []string{"unknown key judges.0.reward.revison"}},
		{[]string{"judges=[{kind: reward, reward: {temperature: -1}}]"}, []string{"judges.0.reward.model is empty", "judges.0.reward.temperature is -1"}},
		{[]string{"judges=[{kind: openai, openai: {base_url: http://h, model: m, modle: m}}]"}, []string{"unknown key judges.0.openai.modle; did you mean judges.0.openai.mode"}},
		{[]string{"judges=[{kind: openai, openai: {base_url: h, max_tokens: 0, mode: x, in_flight: -1}}]"},
			[]string{"judges.0.openai.base_url is no", "judges.0.openai.model is", "judges.0.openai.max_tokens is 0", "judges.0.openai.mode is", "judges.0.openai.in_flight is -1"}},
		{[]string{"judges=[{kind: openai, openai: {base_url: http://h, model: m}}]", "budget.max_cost=1"}, []string{"judges.0.openai: the cost is limited to $1, and m has no price"}},
		{[]string{"judges=[{kind: heuristic, reward: {model: m}}]"}, []string{"judges.0.reward has keys"}},
		{[]string{"position=first", "min_confidence=2", "min_vote_share=-1", "min_judges=2", "in_flight=0", "budget.max_cost=-1", "data.on_bad_row=mend", "constitution="},
			[]string{"position is first", "min_confidence is 2", "min_vote_share is -1", "min_judges is 2", "in_flight is 0", "budget.max_cost is -1", "data.on_bad_row is mend", "constitution is"}},
	} {
		_, err := LoadLabel("label.yaml", c.settings)
		for _, wrong := range c.wrong {
			if err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%v: error %v, want one with %q", c.settings, err, wrong)
			}
		}
	}
}

// TestInFlight: a server takes what its judge says, or what the run does, and
// twice as many questions are open.
func TestInFlight(t *testing.T) {
	c, err := LoadLabel("", []string{"in_flight=16", "judges=[{kind: heuristic}, {kind: openai, name: one, openai: {base_url: http://h, model: m}}, {kind: openai, name: two, openai: {base_url: http://h, model: n, in_flight: 3}}]"})
	if err != nil {
		t.Fatal(err)
	}
	if one, two := c.Chat(*c.Judges[1].OpenAI).InFlight, c.Chat(*c.Judges[2].OpenAI).InFlight; one != 16 || two != 3 || c.OpenQuestions() != 38 {
		t.Errorf("%d and %d requests, %d questions", one, two, c.OpenQuestions())
	}
	c.Judges = c.Judges[:1]
	if c.OpenQuestions() != 16 {
		t.Errorf("%d questions without a server", c.OpenQuestions())
	}
}

func TestShippedLabelConfigsLoad(t *testing.T) {
	files, err := filepath.Glob("label*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no shipped config: %v", err)
	}
	for _, file := range files {
		if _, err := LoadLabel(file, nil); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenAIKeysAreDocumented: the table in docs/feedback.md has every key of
// the openai judge with its default, and no other.
func TestOpenAIKeysAreDocumented(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "docs", "feedback.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(raw), "## Judges: openai\n")
	_, table, _ := strings.Cut(section, "### Keys\n")
	table, _, _ = strings.Cut(table, "\n\nA tokenizer")
	documented := map[string]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.Contains(line, "| key |") || strings.Contains(line, "| --- |") {
			continue
		}
		for key := range strings.SplitSeq(cells[1], ",") {
			key, _, _ = strings.Cut(strings.TrimSpace(key), ".") // price is one key
			documented[key] = strings.TrimSpace(cells[2])
		}
	}
	saved, err := YAML(feedback.DefaultOpenAI())
	if err != nil {
		t.Fatal(err)
	}
	var defaults map[string]any
	if err := yaml.Unmarshal(saved, &defaults); err != nil {
		t.Fatal(err)
	}
	for key := range yamlFields(reflect.TypeOf(feedback.OpenAIConfig{})) {
		want := ""
		if value, ok := defaults[key]; ok {
			want = strings.TrimSuffix(fmt.Sprint(value), "0s")
		}
		got, ok := documented[key]
		if got == "{}" {
			got = ""
		}
		if !ok || got != want {
			t.Errorf("key %s: documented %v, %q; its default is %q", key, ok, got, want)
		}
		delete(documented, key)
	}
	if len(documented) > 0 {
		t.Errorf("documented, and no keys: %v", documented)
	}
}
