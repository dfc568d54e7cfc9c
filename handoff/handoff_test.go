package handoff

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
	"laurel/model"
	"laurel/scoring"
)

const (
	encoder = `{"model_type": "bert", "vocab_size": 4096, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
 "intermediate_size": 32, "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
 "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0, "initializer_range": 0.3, "pad_token_id": 0, "id2label": {"0": "LABEL_0"},
 "laurel": {"max_length": 48, "truncation_side": "left"}}`
	decoder = `{"model_type": "qwen3", "vocab_size": 4096, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
 "num_key_value_heads": 1, "head_dim": 8, "intermediate_size": 32, "max_position_embeddings": 64, "rope_theta": 10000.0,
 "initializer_range": 0.3, "pad_token_id": 0, "eos_token_id": 3, "bos_token_id": null, "id2label": {"0": "LABEL_0"},
 "laurel": {"max_length": 48, "truncation_side": "left"}%s}`
	chat = "[CLS]{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\n' }}{% endfor %}[SEP]"

	references = `{"prompt":"Name a planet. ","response":"Mars."}
{"prompt":"Name a planet. ","response":"Mars is a planet, and red."}
{"prompt":"What is two plus two? ","response":"Four."}
{"prompt":"What is two plus two? ","response":"It is four, of course."}
`
)

// drawn is the folder of a model with random weights.
func drawn(t *testing.T, config, template string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "configs", "demo-encoder"))); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"config.json": config, "chat_template.jinja": template} {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m, err := model.New(filepath.Join(dir, "config.json"), 1, model.Head{})
	if err == nil {
		err = m.Save(dir, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// packed hands a folder's model off, and gives the pack, what it says and its README.
func packed(t *testing.T, from string) (dir string, said *Handoff, readme string) {
	t.Helper()
	file, dir := filepath.Join(t.TempDir(), "references.jsonl"), filepath.Join(t.TempDir(), "pack")
	if err := os.WriteFile(file, []byte(references), 0o644); err != nil {
		t.Fatal(err)
	}
	backend, name, err := model.OpenBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	m, err := scoring.Open(context.Background(), from, scoring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	said, err = Pack{Model: m, Backend: backend, BackendName: name.String(), Laurel: "test", Data: file,
		DType: "float32", Ready: func(*scoring.Scorer) error { return nil }, Done: func(int, int) {}, Notice: func(string) {}}.Write(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, said, string(raw)
}

// rewardOf is a folder's reward of the first reference.
func rewardOf(t *testing.T, dir string) float64 {
	t.Helper()
	backend, _, err := model.OpenBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	m, err := scoring.Open(context.Background(), dir, scoring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s, err := m.Scorer(backend)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := s.Score(context.Background(), []data.Completion{{Prompt: data.Text{Plain: "Name a planet. "}, Response: data.Text{Plain: "Mars."}}})
	if err != nil || !scores[0].Valid {
		t.Fatal(scores, err)
	}
	return float64(scores[0].Reward)
}

func keysOf(t *testing.T, dir string) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(raw, &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

func contains(t *testing.T, readme string, want, without []string) {
	t.Helper()
	for _, part := range want {
		if !strings.Contains(readme, part) {
			t.Errorf("README.md has no %q", part)
		}
	}
	for _, part := range append(without, "<no value>", "%!") {
		if strings.Contains(readme, part) {
			t.Errorf("README.md has %q", part)
		}
	}
}

// TestDecoder: config.json has what OpenRLHF reads, and the reward is not changed by it.
func TestDecoder(t *testing.T) {
	from := drawn(t, strings.Replace(decoder, "%s", "", 1), chat)
	dir, said, readme := packed(t, from)
	keys := keysOf(t, filepath.Join(dir, ModelFolder))
	if keys["value_head_prefix"] != "score" || keys["normalize_reward"] != false || keys["mean"] != said.Whitening.Mean || keys["std"] != said.Whitening.Std {
		t.Errorf("config.json has %v %v %v %v, want score false and %+v", keys["value_head_prefix"], keys["normalize_reward"], keys["mean"], keys["std"], said.Whitening)
	}
	if got, want := rewardOf(t, filepath.Join(dir, ModelFolder)), rewardOf(t, from); got != want {
		t.Errorf("the pack's model gives %v, want %v", got, want)
	}
	contains(t, readme, []string{"A qwen3 decoder", "the raw logit of prompt + response", "`[CLS]` before", "--reward.model_name_or_path model\n",
		"are the whitening constants", "Prompts are texts or conversations.", `text_of(prompt, completion).removeprefix("[CLS]").removesuffix("[SEP]")`}, []string{"Not in process", "Not with this model"})
	if again, _, readme := packed(t, filepath.Join(dir, ModelFolder)); keysOf(t, filepath.Join(again, ModelFolder))["mean"] != said.Whitening.Mean || !strings.Contains(readme, "the raw logit") {
		t.Error("a pack of a pack's model has other constants")
	}
}

// TestNormalized: mean and std are part of the reward, and stay.
func TestNormalized(t *testing.T) {
	plain := drawn(t, strings.Replace(decoder, "%s", "", 1), "")
	raw, err := os.ReadFile(filepath.Join(plain, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	logit := rewardOf(t, plain)
	changed := strings.Replace(string(raw), "{", `{"normalize_reward": true, "mean": 0.5, "std": 4,`, 1)
	if err := os.WriteFile(filepath.Join(plain, "config.json"), []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	dir, said, readme := packed(t, plain)
	if keys := keysOf(t, filepath.Join(dir, ModelFolder)); keys["normalize_reward"] != true || keys["mean"] != 0.5 || keys["std"] != 4.0 || !said.Model.Normalized {
		t.Errorf("config.json has %v %v %v, want true 0.5 4", keys["normalize_reward"], keys["mean"], keys["std"])
	}
	if got := rewardOf(t, filepath.Join(dir, ModelFolder)); math.Abs(got-(logit-0.5)/4) > 1e-6 {
		t.Errorf("the reward is %v, want (%v - 0.5)/4", got, logit)
	}
	contains(t, readme, []string{"(logit - mean)/std, by `normalize_reward`", "Not with this model: config.json's normalize_reward is true", "Not in process: this reward is (logit - mean)/std"},
		[]string{"the raw logit of", "--reward.model_name_or_path"})
}

// TestEncoder: OpenRLHF does not load it, and its config.json stays as export writes it.
func TestEncoder(t *testing.T) {
	dir, said, readme := packed(t, drawn(t, encoder, ""))
	keys := keysOf(t, filepath.Join(dir, ModelFolder))
	for _, key := range []string{"value_head_prefix", "mean", "std", "normalize_reward"} {
		if keys[key] != nil {
			t.Errorf("config.json has %s %v", key, keys[key])
		}
	}
	if said.Model.OpenRLHF {
		t.Error("OpenRLHF is said to load an encoder")
	}
	contains(t, readme, []string{"A bert encoder", "reward is read at `[CLS]`", "Not in process: OpenRLHF loads decoders alone", "the tokenizer has no chat template"},
		[]string{"--reward.normalize_enable", "apply_chat_template"})
}
