package configs

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"laurel/feedback"
	"laurel/trainer"
)

const minimal = "model: {path: m}\ndata: {train: [a.parquet]}\n"

func parseRun(raw []byte, settings []string) (Config, error) {
	return parseOver(raw, settings, Default())
}

func TestDefaultsAndSet(t *testing.T) {
	c, err := parseRun([]byte(minimal), []string{"train.learning_rate=3e-4", "data.validation=[v.jsonl, w.jsonl]", "backend=go",
		"train.dropout=0.2", "data.buckets=[64, 32]", "data.columns={prompt: question}"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Train.LearningRate != 3e-4 || c.Train.Betas != [2]float64{0.9, 0.999} || c.Backend != "go" || c.Train.Dropout != 0.2 ||
		len(c.Data.Validation.Files) != 2 || !reflect.DeepEqual(c.Data.Buckets.Lengths, []int{32, 64}) || c.Data.Columns["prompt"] != "question" ||
		c.Model.MaxLength != 0 || c.Model.TruncationSide != "" || !c.Data.Shuffle || !c.Train.Margin {
		t.Errorf("%+v", c)
	}
}

// TestIssueDefaults holds every default that the documentation names.
func TestIssueDefaults(t *testing.T) {
	raw, err := YAML(Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"revision: main", "max_length: 0", `truncation_side: ""`, "dtype: float32",
		"on_bad_row: fail", "identical_pairs: skip", "shuffle: true", "buckets: auto", "shared_prefix: auto", "padding_free: auto", "workers: 0", "epochs: 1", "max_steps: 0", "batch_size: 8",
		"gradient_accumulation_steps: 1", "learning_rate: 2e-05", "schedule: linear", "warmup_steps: 0", "warmup_ratio: 0",
		"weight_decay: 0.01", "betas: [0.9, 0.999]", "eps: 1e-08", "max_grad_norm: 1", "dropout: auto", "confidence: weight",
		"normalize: mean", "margin: true", "label_smoothing: 0", "center_rewards_coefficient: 0", "eval_every: 0", "save_every: 0",
		"keep: 2", "log_every: 10", "max_bad_steps: 3", "seed: 42", "backend: auto", "columns: {}", "train: []", "validation: []"} {
		if !strings.Contains(string(raw), line+"\n") {
			t.Errorf("defaults lack %q:\n%s", line, raw)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		file     string
		settings []string
		wrong    []string
	}{
		{"model: {path: m}\ndata: {train: [a]}\ntrain: {learning_rat: 1}", nil, []string{"line 3: unknown key train.learning_rat; did you mean train.learning_rate?"}},
		{minimal, []string{"train.bach_size=4"}, []string{"unknown key train.bach_size; did you mean train.batch_size?"}},
		{minimal, []string{"train.lr=1e-5"}, []string{"unknown key train.lr; did you mean train.learning_rate?"}},
		{minimal, []string{"per_device_train_batch_size=4"}, []string{"did you mean train.batch_size?"}},
		{minimal, []string{"num_train_epochs=3", "lora_r=8", "lora_alpha=8", "target_modules=[q_proj]", "max_seq_length=9", "packing=true", "model.lora_dropout=0.1", "train.adam_epsilon=1"}, []string{"did you mean train.epochs?",
			"did you mean model.lora.rank?", "did you mean model.lora.alpha?", "did you mean model.lora.target_modules?", "did you mean model.max_length?", "did you mean data.padding_free?", "did you mean model.lora.dropout?", "did you mean train.eps?"}},
		{minimal, []string{"learning_rate=1e-5", "gradient_checkpointing=true", "gradient_accumulation_steps=4", "warmup_ratio=0.1"}, []string{"did you mean train.learning_rate?",
			"did you mean train.gradient_checkpointing?", "did you mean train.gradient_accumulation_steps?", "did you mean train.warmup_ratio?"}},
		{minimal, []string{"train.bf16=true", "output_dir=run", "load_in_4bit=true"}, []string{"unknown key train.bf16; laurel has model.dtype=bfloat16", "unknown key output_dir; laurel has --out", "as nothing is quantised"}},
		{minimal, []string{"train.learning_rate=abc"}, []string{`--set: key train.learning_rate is "abc", want a number`}},
		{minimal + "backend: [cpu]", nil, []string{"key backend: "}},
		{"model: {path: m}\ndata: {train: [a]}\ntrain: {batch_size: many}", nil, []string{`line 3: key train.batch_size is "many", want a whole number`}},
		{minimal + "trian: {}", nil, []string{"unknown key trian; did you mean train?"}},
		{minimal, []string{"train.batch_size"}, []string{"want key=value"}},
		{minimal, []string{"train.seed=1\n---\n2"}, []string{"line 2: a second YAML document"}},
		{minimal, []string{"backend.x=1"}, []string{"backend"}},
		{minimal + "train: {batch_size: two}", nil, []string{"batch_size", "two"}},
		{minimal + "train: {batch_size: 0, learning_rate: -1, schedule: square, confidence: maybe}", nil,
			[]string{"train.batch_size is 0", "train.learning_rate is -1", `train.schedule is "square"`, `train.confidence is "maybe"`}},
		{minimal + "train: {seed: 1, seed: 2}", nil, []string{"seed"}},
		{minimal + "train: {dropout: 1}", nil, []string{"train.dropout"}},
		{"model: {path: m, config: c}\ndata: {train: [a]}", nil, []string{"one of path", "config"}},
		{"model: {path: m}", nil, []string{"data.train is empty"}},
		{minimal + "backend: gpu", nil, []string{`backend is "gpu"`}},
		{minimal + "model: {dtype: int8}", nil, []string{"model"}},
		{minimal, []string{"model.lora.alpha=64", "model.lora.target_modules=[q_proj]"}, []string{"model.lora.alpha, model.lora.target_modules without model.lora.rank: no adapter is trained"}},
		{minimal, []string{"data.padding_free=yes"}, []string{`data.padding_free is "yes", want auto, on or off`}},
		{minimal, []string{"data.padding_free=on", "data.buckets=none"}, []string{"data.padding_free is on and data.buckets says"}},
		{"[1, 2]", nil, []string{"want keys"}},
		{"model: {path: m\n", nil, []string{"line"}},
	} {
		_, err := parseRun([]byte(c.file), c.settings)
		for _, wrong := range c.wrong {
			if err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%q %v: error %v, want one with %q", c.file, c.settings, err, wrong)
			}
		}
	}
}

// TestResolvedConfigLoads: what is saved with a run reads back as it was.
func TestResolvedConfigLoads(t *testing.T) {
	c, err := parseRun([]byte(minimal), []string{"data.buckets=none", "train.dropout=0", "train.epochs=0.5"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := YAML(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseRun(raw, nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("saved %+v, read %+v", c, again)
	}
}

func TestShippedConfigsLoad(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no shipped config: %v", err)
	}
	for _, file := range files {
		if strings.HasPrefix(file, "label") || strings.HasPrefix(file, "revise") || strings.HasPrefix(file, "generate") || strings.HasPrefix(file, "loop") {
			continue // TestShippedLabelConfigsLoad, TestShippedReviseConfigsLoad, TestShippedGenerateConfigLoads; loop's own TestShippedConfigLoads
		}
		if _, err := Load(file, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestChanged(t *testing.T) {
	a, err := parseRun([]byte(minimal), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := a
	b.Train.LogEvery, b.Backend, b.Data.Workers = 1, "go", 5
	if changed := Changed(a, b); changed != nil {
		t.Errorf("what does not decide numbers counts as a change: %v", changed)
	}
	b.Train.LearningRate, b.Data.Shuffle, b.Train.Dropout = 1, false, trainer.Dropout(0.5)
	changed := strings.Join(Changed(a, b), "; ")
	for _, key := range []string{"train.learning_rate", "data.shuffle", "train.dropout"} {
		if !strings.Contains(changed, key) {
			t.Errorf("changes %q lack %s", changed, key)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal), "train.seed=1")
	f.Add([]byte("model: *x"), "a.b.c=[1")
	f.Add([]byte("train: {betas: [1]}\n"), "=")
	raw, err := os.ReadFile("demo.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw, "data.columns={a: b}")
	for _, name := range []string{"label-openai.yaml", "revise.yaml"} {
		if raw, err = os.ReadFile(name); err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "seed=3")
	}
	f.Fuzz(func(t *testing.T, file []byte, setting string) {
		writtenAgain(t, file, setting, Default())
		writtenAgain(t, file, setting, feedback.Default())
		writtenAgain(t, file, setting, feedback.DefaultRevise())
	})
}

// writtenAgain fails where a config is accepted, and what it is saved as is not.
func writtenAgain[C config](t *testing.T, file []byte, setting string, defaults C) {
	t.Helper()
	c, err := parseOver(file, []string{setting}, defaults)
	if err != nil {
		return
	}
	raw, err := YAML(c)
	if err != nil {
		t.Fatalf("accepted but not written: %v", err)
	}
	if _, err := parseOver(raw, nil, defaults); err != nil {
		t.Fatalf("accepted, but what is written is not: %v\n%s", err, raw)
	}
}
