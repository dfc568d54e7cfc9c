package model

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/model/safetensors"

	"github.com/gomlx/gomlx/core/tensors"
)

// adapted is a golden model with an adapter whose B is no longer zero.
func adapted(t *testing.T, name string, l LoRA) *Model {
	t.Helper()
	dir := golden(t, name)
	m, err := Load(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AddAdapter(l, dir, 3); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, w := range l.weights(m.Config) {
		values := make([]float32, w.size())
		for i := range values {
			values[i] = float32(random.NormFloat64() * 0.2)
		}
		if err := m.Store.GetVariable("/" + w.name).SetValue(tensors.FromFlatDataAndDimensions(values, w.shape...)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

var someRows = [][]int32{{5, 6, 7, 8, 9, 10}, {11, 12, 13}}

func far(a, b []float32) float64 {
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
	}
	return worst
}

// TestAdapterRoundTrip: a saved adapter reads back to the same rewards, and
// merged weights give them too.
func TestAdapterRoundTrip(t *testing.T) {
	backend := pureGo(t)
	for name, l := range map[string]LoRA{
		"llama": {Rank: 4, Alpha: 8, TargetModules: []string{"q_proj", "down_proj"}},
		"qwen3": {Rank: 2, Alpha: 8, TargetModules: []string{allLinear}, RankStabilised: true, ModulesToSave: []string{"embed_tokens"}},
		"bert":  {Rank: 3, Alpha: 2, TargetModules: []string{allLinear}},
	} {
		m := adapted(t, name, l)
		want := rewards(t, backend, m, someRows)
		plain, err := Load(golden(t, name), 0)
		if err != nil {
			t.Fatal(err)
		}
		if far(want, rewards(t, backend, plain, someRows)) < 1e-3 {
			t.Errorf("%s: the adapter changes nothing", name)
		}
		dir := t.TempDir()
		if err := m.Save(dir, m.Config.PadTokenID); err != nil {
			t.Fatal(err)
		}
		base, _, err := AdapterBase(dir)
		if err != nil {
			t.Fatal(err)
		}
		read, err := LoadAdapter(base, dir)
		if err != nil {
			t.Fatal(err)
		}
		if d := far(want, rewards(t, backend, read, someRows)); d != 0 {
			t.Errorf("%s: read back, rewards differ by %.2g", name, d)
		}
		if err := read.Freeze(nil); err != nil {
			t.Fatal(err)
		}
		for _, tensor := range read.Trainable() {
			if !isLoRA(tensor) && !strings.HasPrefix(tensor, "score.") && !strings.HasPrefix(tensor, "classifier.") && !strings.Contains(tensor, "embed_tokens") {
				t.Errorf("%s: %s trains", name, tensor)
			}
		}
		if err := read.Merge(); err != nil {
			t.Fatal(err)
		}
		if d := far(want, rewards(t, backend, read, someRows)); d > 2e-5 {
			t.Errorf("%s: merged, rewards differ by %.2g", name, d)
		}
	}
}

// TestAdapterAtFirst: a new adapter changes no reward.
func TestAdapterAtFirst(t *testing.T) {
	backend := pureGo(t)
	m, err := Load(golden(t, "mistral"), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := rewards(t, backend, m, someRows)
	if err := m.AddAdapter(LoRA{Rank: 2, Alpha: 4, TargetModules: []string{allLinear}}, "base", 1); err != nil {
		t.Fatal(err)
	}
	if got := rewards(t, backend, m, someRows); !slices.Equal(got, want) {
		t.Errorf("rewards %v, want %v", got, want)
	}
}

// TestAdapterRefused: what is not computed is refused by name.
func TestAdapterRefused(t *testing.T) {
	m := adapted(t, "llama", LoRA{Rank: 2, Alpha: 4, TargetModules: []string{"v_proj"}})
	dir := t.TempDir()
	if err := m.Save(dir, m.Config.PadTokenID); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, adapterConfigFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for key, change := range map[string][2]string{
		"use_dora":     {`"r": 2`, `"r": 2, "use_dora": true`},
		"rank_pattern": {`"r": 2`, `"r": 2, "rank_pattern": {"q_proj": 8}`},
		"peft_type":    {`"LORA"`, `"IA3"`},
		"new_variant":  {`"r": 2`, `"r": 2, "new_variant": true`},
		"bias":         {`"none"`, `"all"`},
		"r":            {`"r": 2`, `"r": 0`},
		"lora_alpha":   {`"lora_alpha": 4`, `"lora_alpha": null`},

		"init_lora_weights": {`"init_lora_weights": true`, `"init_lora_weights": "pissa"`},
	} {
		if err := os.WriteFile(path, []byte(strings.Replace(string(raw), change[0], change[1], 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadAdapter(golden(t, "llama"), dir); err == nil || !strings.Contains(err.Error(), `"`+key+`"`) || !strings.Contains(err.Error(), "merge_and_unload") {
			t.Errorf("%s: error %v", key, err)
		}
	}
	if err := m.AddAdapter(LoRA{Rank: 2, Alpha: 4, TargetModules: []string{"query"}}, "", 1); err == nil || !strings.Contains(err.Error(), "q_proj") {
		t.Errorf("an unknown layer: error %v", err)
	}
}

// TestFreeze: which tensors train under each rule.
func TestFreeze(t *testing.T) {
	for rule, want := range map[string][2]string{ // a tensor that trains, one that does not
		"embeddings":   {"model.layers.0.mlp.up_proj.weight", "model.embed_tokens.weight"},
		"layers:0":     {"model.layers.1.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"},
		"layers:0-1":   {"model.norm.weight", "model.layers.1.mlp.up_proj.weight"},
		"all-but-head": {"score.weight", "model.norm.weight"},
	} {
		m, err := Load(golden(t, "llama"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Freeze([]string{rule}); err != nil {
			t.Fatal(err)
		}
		if names := m.Trainable(); !slices.Contains(names, want[0]) || slices.Contains(names, want[1]) {
			t.Errorf("%s trains %v", rule, names)
		}
	}
	m, err := Load(golden(t, "llama"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"layers:1-9", "layers:x", "head", "layers:2-1"} {
		if err := m.Freeze([]string{wrong}); err == nil {
			t.Errorf("%s: no error", wrong)
		}
	}
}

// TestFrozenAdapter: rules that freeze some of an adapter's layers, and those that
// leave none of it to train.
func TestFrozenAdapter(t *testing.T) {
	_, dir := savedAdapter(t, "llama", LoRA{Rank: 2, Alpha: 4, TargetModules: []string{"q_proj"}})
	base, _ := savedDrawn(t, "llama")
	m, err := LoadAdapter(base, dir)
	if err != nil {
		t.Fatal(err)
	}
	last := m.Config.family.blocks() - 1
	for rule, trains := range map[string]bool{"all-but-head": true, "embeddings": true, "layers:0": last > 0, fmt.Sprintf("layers:0-%d", last): false} {
		err := m.Freeze([]string{rule})
		if trains != (err == nil) || err != nil && !strings.Contains(err.Error(), rule) {
			t.Errorf("%s: error %v", rule, err)
		}
	}
}

// savedAdapter is a drawn model's folder and that of an adapter on it.
func savedAdapter(t *testing.T, name string, l LoRA) (base, dir string) {
	t.Helper()
	base, m := savedDrawn(t, name)
	if err := m.AddAdapter(l, base, 3); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := m.Save(dir, 0); err != nil {
		t.Fatal(err)
	}
	return base, dir
}

// setAdapterKeys changes keys of adapter_config.json; "" takes one out.
func setAdapterKeys(t *testing.T, dir string, changes map[string]string) {
	t.Helper()
	path := filepath.Join(dir, adapterConfigFile)
	var keys map[string]json.RawMessage
	readJSON(t, path, &keys)
	for key, value := range changes {
		if keys[key] = json.RawMessage(value); value == "" {
			delete(keys, key)
		}
	}
	raw, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// changeAdapter changes an adapter's modules_to_save and tensors.
func changeAdapter(t *testing.T, dir, modules string, change func(safetensors.Source) (safetensors.Source, bool)) {
	t.Helper()
	setAdapterKeys(t, dir, map[string]string{"modules_to_save": modules})
	w, err := safetensors.Open(filepath.Join(dir, adapterWeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var kept []safetensors.Source
	for _, name := range w.Names() {
		info, err := w.Info(name)
		if err != nil {
			t.Fatal(err)
		}
		s, keep := change(safetensors.Source{Name: name, DType: info.DType, Shape: info.Shape, Bytes: func() ([]byte, error) { return w.Bytes(name) }})
		if keep {
			kept = append(kept, s)
		}
	}
	if err := safetensors.Write(filepath.Join(dir, adapterWeightsFile), kept, nil); err != nil {
		t.Fatal(err)
	}
}

// TestSavedModules: a module that modules_to_save names is in the file whole,
// or the adapter is refused by its name; the base's is never used in its place.
func TestSavedModules(t *testing.T) {
	lora := LoRA{Rank: 2, Alpha: 4, TargetModules: []string{allLinear}}
	embeddings := lora
	embeddings.ModulesToSave = []string{"embed_tokens"}
	all := func(s safetensors.Source) (safetensors.Source, bool) { return s, true }
	without := func(part string) func(safetensors.Source) (safetensors.Source, bool) {
		return func(s safetensors.Source) (safetensors.Source, bool) { return s, !strings.Contains(s.Name, part) }
	}
	wrapped := func(s safetensors.Source) (safetensors.Source, bool) {
		s.Name = strings.Replace(s.Name, "model.score.", "model.score.modules_to_save.default.", 1)
		return s, true
	}
	for _, c := range []struct {
		family  string
		lora    LoRA
		modules string
		change  func(safetensors.Source) (safetensors.Source, bool)
		want    string
	}{
		{"llama", lora, `["score"]`, all, ""},
		{"llama", lora, `["classifier", "score"]`, all, ""}, // PEFT's default names both
		{"llama", lora, `["score"]`, wrapped, ""},
		{"llama", lora, `["score"]`, without(".score."), `names "score"`},
		{"llama", lora, `["classifier", "score"]`, without(".score."), "score.weight"},
		{"llama", lora, `null`, all, ""}, // PEFT adds a classifier's head itself
		{"llama", lora, `[]`, without(".score."), `key "task_type" is "SEQ_CLS", to which PEFT adds the head "score"`},
		{"bert", lora, `null`, without(".classifier."), `key "task_type" is "SEQ_CLS", to which PEFT adds the head "classifier"`},
		{"llama", embeddings, `["score", "embed_tokens"]`, all, ""},
		{"llama", embeddings, `["score", "embed_tokens"]`, without("embed_tokens"), "model.embed_tokens.weight"},
		{"llama", lora, `["score", "v_head"]`, all, `names "v_head"`},
		{"distilbert", lora, `["classifier"]`, all, ""},
		{"distilbert", lora, `["classifier"]`, without(".pre_classifier."), "pre_classifier.weight"},
		{"roberta", lora, `["classifier"]`, all, ""},
		{"roberta", lora, `["classifier"]`, without("out_proj"), "classifier.out_proj.weight"},
	} {
		base, dir := savedAdapter(t, c.family, c.lora)
		changeAdapter(t, dir, c.modules, c.change)
		_, err := LoadAdapter(base, dir)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), adapterConfigFile)) {
			t.Errorf("%s with %s: error %v, want one with %q", c.family, c.modules, err, c.want)
		}
	}
}

// TestAdapterBesideConfig: a config.json beside an adapter that would change what
// the base computes is refused by the key and both values; one that says the same
// is not, nor what training with laurel changes.
func TestAdapterBesideConfig(t *testing.T) {
	lora := LoRA{Rank: 2, Alpha: 4, TargetModules: []string{allLinear}}
	for _, c := range []struct {
		family string
		keys   map[string]string
		want   []string // in the error; none: it is read
	}{
		{"llama", map[string]string{"rms_norm_eps": "1e-6", "use_cache": "false", "attention_dropout": "0.1", "torch_dtype": `"bfloat16"`}, nil},
		{"llama", map[string]string{"rms_norm_eps": "0.1"}, []string{`key "rms_norm_eps" is 0.1, the base's is absent`}},
		{"llama", map[string]string{"rope_parameters": `{"rope_theta": 10000.0, "rope_type": "default"}`}, nil},
		{"llama", map[string]string{"rope_theta": "500000"}, []string{`key "rope_theta" is 500000`}},
		{"llama", map[string]string{"rope_theta": "500000", "laurel": `{"max_length": 9}`}, []string{`key "rope_theta" is 500000`}},
		{"llama", map[string]string{"hidden_act": `"gelu"`, "rms_norm_eps": "0.1"}, []string{`key "hidden_act" is "gelu"`, `key "rms_norm_eps"`}},
		{"llama", map[string]string{"pad_token_id": "5"}, []string{`key "pad_token_id" is 5, the base's is 0`}},
		{"llama", map[string]string{"pad_token_id": "5", "laurel": `{"max_length": 9}`}, nil},
		{"llama", map[string]string{"mean": "1", "std": "2"}, nil},
		{"llama", map[string]string{"mean": "1", "std": "2", "normalize_reward": "true"}, []string{`key "normalize_reward" is true`}},
		{"llama", map[string]string{"model_type": `"mistral"`}, []string{`key "model_type" is "mistral", the base's is "llama"`}},
		{"bert", map[string]string{"layer_norm_eps": "1e-5"}, []string{`key "layer_norm_eps" is 1e-5`}},
		{"bert", map[string]string{"hidden_dropout_prob": "0.3", "id2label": `{"0": "reward"}`}, nil},
	} {
		base, dir := savedAdapter(t, c.family, lora)
		setKeys(t, dir, c.keys)
		_, err := LoadAdapter(base, dir)
		if len(c.want) == 0 && err != nil {
			t.Errorf("%s with %v: %v", c.family, c.keys, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s with %v: error %v, want one with %s", c.family, c.keys, err, want)
			}
		}
	}
}

// TestAdapterTargets: adapter_config.json and the file name the same layers, by
// PEFT's rules, or the adapter is refused by what differs.
func TestAdapterTargets(t *testing.T) {
	const first = "model.layers.0.self_attn."
	queries := LoRA{Rank: 2, Alpha: 4, TargetModules: []string{"q_proj", "v_proj"}}
	everything := LoRA{Rank: 2, Alpha: 4, TargetModules: []string{allLinear}}
	one := LoRA{Rank: 2, Alpha: 4, TargetModules: []string{first + "q_proj", first + "v_proj"}}
	for _, c := range []struct {
		lora LoRA
		keys map[string]string // "": the key is taken out
		want string            // in the error; "" where it is read
	}{
		{queries, nil, ""},
		{queries, map[string]string{"target_modules": `["v_proj", "q_proj"]`}, ""},
		{queries, map[string]string{"target_modules": `["self_attn.q_proj", "v_proj"]`}, ""},
		{queries, map[string]string{"target_modules": ""}, ""}, // PEFT's own for llama
		{queries, map[string]string{"target_modules": `["q_proj"]`}, "LoRA on 3 layers that adapter_config.json leaves out (target_modules [\"q_proj\"], modules_to_save score and classifier), as PEFT then does: " + first + "v_proj"},
		{queries, map[string]string{"target_modules": `["proj"]`}, "LoRA on 6 layers that"}, // no end at a dot
		{queries, map[string]string{"target_modules": `"q_proj"`}, "LoRA on 6 layers that"}, // no whole name
		{queries, map[string]string{"target_modules": `["q_proj", "v_proj", "o_proj"]`}, "lacks LoRA on 3 layers that adapter_config.json asks for"},
		{queries, map[string]string{"target_modules": `["q_proj", "v_proj", "embed_tokens"]`}, "model.embed_tokens"},
		{queries, map[string]string{"target_modules": `[7]`}, `key "target_modules" is [7]`},
		{queries, map[string]string{"target_modules": `".*\\.self_attn\\.[qv]_proj"`}, ""},
		{queries, map[string]string{"target_modules": `".*\\.self_attn\\.[qkv]_proj"`}, "lacks LoRA on 3 layers"},
		{queries, map[string]string{"target_modules": `"(?!lm_head).*[qv]_proj"`}, ""}, // Go has no way to compute it
		{queries, map[string]string{"target_modules": `"all-linear"`}, "lacks LoRA on 15 layers"},
		{queries, map[string]string{"target_modules": `"all-linear"`, "exclude_modules": `["k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]`}, ""},
		{queries, map[string]string{"target_modules": `"All-Linear"`, "exclude_modules": `".*mlp.*|.*\\.[ko]_proj"`}, ""},
		{queries, map[string]string{"exclude_modules": `["v_proj"]`}, "LoRA on 3 layers"},
		{queries, map[string]string{"modules_to_save": `["score", "v_proj"]`}, `names "v_proj"`},
		{queries, map[string]string{"target_modules": `["q_proj", "v_proj"]`, "layers_to_transform": `[0]`}, "LoRA on 4 layers"},
		{queries, map[string]string{"layers_to_transform": `[0]`}, ""}, // whole names are meant whatever the block
		{one, map[string]string{"target_modules": `["q_proj", "v_proj"]`}, "lacks LoRA on 4 layers"},
		{one, map[string]string{"target_modules": `["q_proj", "v_proj"]`, "layers_to_transform": `[0]`}, ""},
		{one, map[string]string{"target_modules": `["q_proj", "v_proj"]`, "layers_to_transform": `0`, "layers_pattern": `"(h|layers)"`}, ""},
		{one, map[string]string{"target_modules": `["q_proj", "v_proj"]`, "layers_to_transform": `[0]`, "layers_pattern": `["h", "blocks"]`}, "LoRA on 2 layers"},
		{one, map[string]string{"target_modules": `["q_proj", "v_proj"]`, "layers_to_transform": `[]`}, "lacks LoRA on 4 layers"},
		{one, map[string]string{"layers_to_transform": `"0"`}, `key "layers_to_transform" is "0"`},
		{everything, map[string]string{"target_modules": `"all-linear"`}, ""},
	} {
		base, dir := savedAdapter(t, "llama", c.lora)
		setAdapterKeys(t, dir, c.keys)
		m, err := LoadAdapter(base, dir)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v with %v: error %v, want one with %q", c.lora.TargetModules, c.keys, err, c.want)
		}
		if ahead := strings.Contains(c.keys["target_modules"], "(?!"); err == nil && ahead != (len(m.Loaded.Notes) > 0) {
			t.Errorf("%v: notes %q", c.keys, m.Loaded.Notes)
		}
	}
}

// TestAdapterLost: an adapter whose LoRA tensors are gone, all or those of a
// block, is refused by their layers.
func TestAdapterLost(t *testing.T) {
	for part, want := range map[string]string{"lora_": "lacks LoRA on 6 layers", "layers.1.": "model.layers.1.self_attn.q_proj, model.layers.1.self_attn.v_proj"} {
		base, dir := savedAdapter(t, "llama", LoRA{Rank: 2, Alpha: 4, TargetModules: []string{"q_proj", "v_proj"}})
		changeAdapter(t, dir, `["score"]`, func(s safetensors.Source) (safetensors.Source, bool) { return s, !strings.Contains(s.Name, part) })
		if _, err := LoadAdapter(base, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: error %v, want one with %q", part, err, want)
		}
	}
}

// TestAdapterWithoutHead: an adapter of another task than SEQ_CLS takes the base's
// score head, which is said; one that brings a head has no such note.
func TestAdapterWithoutHead(t *testing.T) {
	lora := LoRA{Rank: 2, Alpha: 4, TargetModules: []string{"q_proj"}}
	for _, task := range []string{`"CAUSAL_LM"`, `null`, ""} {
		for _, head := range []bool{true, false} {
			base, dir := savedAdapter(t, "llama", lora)
			changeAdapter(t, dir, `null`, func(s safetensors.Source) (safetensors.Source, bool) {
				return s, head || !strings.Contains(s.Name, ".score.")
			})
			setAdapterKeys(t, dir, map[string]string{"task_type": task})
			m, err := LoadAdapter(base, dir)
			if err != nil {
				t.Fatalf("task_type %s: %v", task, err)
			}
			if noted := slices.ContainsFunc(m.Loaded.Notes, func(note string) bool { return strings.Contains(note, "the score head is the base's") }); noted == head {
				t.Errorf("task_type %s, with a head %v: notes %q", task, head, m.Loaded.Notes)
			}
		}
	}
}
