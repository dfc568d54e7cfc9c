package configs

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLoadRevise(t *testing.T) {
	c, err := LoadRevise("revise.yaml", []string{"rounds=2", "principles_per_round=3", "order=sequence", "pairs=false", "chat.price={prompt_per_million: 1, completion_per_million: 2}", "budget.max_cost=1.5"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Rounds != 2 || c.PerRound != 3 || c.Order != "sequence" || c.Pairs || c.Chat.Price.CompletionPerMillion != 2 || c.Chat.MaxTokensName != "auto" || c.Budget.MaxCost != 1.5 {
		t.Errorf("%+v", c)
	}
	raw, err := YAML(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseOver(raw, nil, c)
	if err != nil || !reflect.DeepEqual(c, again) {
		t.Errorf("saved %+v, read %+v, %v", c, again, err)
	}
	for _, wrong := range []string{"rounds=0", "principles_per_round=0", "order=random", "chat.model=", "chat.base_url=localhost", "budget.max_requests=-1", "data.on_bad_row=mend", "constitution="} {
		key, _, _ := strings.Cut(wrong, "=")
		if _, err := LoadRevise("revise.yaml", []string{wrong}); err == nil || !strings.Contains(err.Error(), key+" is") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if _, err := LoadRevise("revise.yaml", []string{"chat.modle=x"}); err == nil || !strings.Contains(err.Error(), "unknown key chat.modle; did you mean chat.model?") {
		t.Error(err)
	}
}

func TestShippedReviseConfigsLoad(t *testing.T) {
	files, err := filepath.Glob("revise*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no shipped config: %v", err)
	}
	for _, file := range files {
		c, err := LoadRevise(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		constitution, err := Constitution(c.Constitution)
		if err != nil || c.Fits(constitution) != nil {
			t.Errorf("%s: %v, %v", file, err, c.Fits(constitution))
		}
	}
}

func TestShippedGenerateConfigLoads(t *testing.T) {
	c, err := LoadGenerate("generate.yaml", []string{"temperatures=[0.9]", "models=[{model: a}, {model: b}]", "systems=[\"\", Be brief.]", "chat.seed=null"})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Temperatures) != 1 || len(c.Models) != 2 || len(c.Systems) != 2 || c.Chat.Seed != nil || c.Chat.MaxTokens != 1024 {
		t.Errorf("%+v", c)
	}
}
