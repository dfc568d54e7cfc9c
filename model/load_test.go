package model

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"laurel/model/safetensors"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"

	. "github.com/gomlx/gomlx/core/graph"
)

func pureGo(t *testing.T) compute.Backend {
	t.Helper()
	backend, err := (&BackendChoice{Name: "go"}).Open()
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

// TestGoldenStorageLogits loads the same weights as f16, bf16, in shards and
// without a head.
func TestGoldenStorageLogits(t *testing.T) {
	for _, kind := range []string{"bert-f16", "bert-bf16", "bert-sharded", "llama-f16", "llama-bf16", "llama-sharded"} {
		dir := golden(t, "storage", kind)
		family, _, _ := strings.Cut(kind, "-")
		var in goldenInputs
		readJSON(t, filepath.Join(golden(t, family), "inputs.json"), &in)
		rows := make([][]int32, 0, 4)
		for _, text := range in.Batches[0].Texts {
			rows = append(rows, in.Unpadded[text])
		}
		var want struct{ Logits []float64 }
		readJSON(t, filepath.Join(dir, "expected.json"), &want)
		m, err := Load(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		worst := largest(t, kind, rewards(t, pureGo(t), m, rows), want.Logits, 2e-5)
		t.Logf("%s: logits %.2g", kind, worst)
	}
}

func TestGoldenNoHead(t *testing.T) {
	dir := golden(t, "storage", "bert-no-head")
	var in goldenInputs
	readJSON(t, filepath.Join(golden(t, "bert"), "inputs.json"), &in)
	var want struct {
		First [][]float64 `json:"last_hidden_first_token"`
	}
	readJSON(t, filepath.Join(dir, "expected.json"), &want)
	m, err := Load(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Loaded.NewHead || !slices.Equal(m.Loaded.New, []string{"classifier.weight", "classifier.bias"}) || m.Loaded.AddedPrefix != "bert." {
		t.Errorf("loaded: %+v", m.Loaded)
	}
	backend := pureGo(t)
	for i, text := range in.Batches[0].Texts {
		first := firstTokenOf(t, backend, m, in.Unpadded[text])
		largest(t, "first token", first, want.First[i], 2e-5)
	}
}

// firstTokenOf is the last layer's output at [CLS].
func firstTokenOf(t *testing.T, backend compute.Backend, m *Model, row []int32) []float32 {
	t.Helper()
	ids, lengths := pad([][]int32{row}, 0)
	outs := ml.MustCallOnceN(backend, m.Store, func(scope *ml.Scope, ids, lengths *Node) []*Node {
		return m.Hidden(scope, Inputs{IDs: ids, Lengths: lengths})
	}, ids, lengths)
	return tensors.MustCopyFlatData[float32](outs[len(outs)-2])[:m.Config.family.(*bert).hiddenSize]
}

// TestGoldenMiniLM compares the real encoder's [CLS] vectors.
func TestGoldenMiniLM(t *testing.T) {
	var want struct {
		IDs  [][]int32 `json:"input_ids"`
		Mask [][]int32 `json:"attention_mask"`
		CLS  [][]float64
	}
	readJSON(t, filepath.Join(golden(t, "all-MiniLM-L6-v2"), "expected.json"), &want)
	m, err := Load(filepath.Join("..", "..", "shared", "models", "all-MiniLM-L6-v2"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Loaded.Buffers, []string{"embeddings.position_ids"}) || len(m.Loaded.Dropped) > 0 {
		t.Errorf("buffers: %v, dropped: %v", m.Loaded.Buffers, m.Loaded.Dropped)
	}
	worst, backend := 0.0, pureGo(t)
	for i, ids := range want.IDs {
		n := 0
		for _, bit := range want.Mask[i] {
			n += int(bit)
		}
		worst = max(worst, largest(t, "cls", firstTokenOf(t, backend, m, ids[:n]), want.CLS[i], 2e-5))
	}
	t.Logf("MiniLM: cls %.2g", worst)
}

const smallConfig = `{"model_type": "bert", "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1,
 "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 12, "pad_token_id": 0}`

// smallDir saves a small random model and gives its directory.
func smallDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(smallConfig), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := New(dir, 5, Head{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(dir, 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

// changeTensors changes the tensors of a saved model.
func changeTensors(t *testing.T, dir string, change func([]safetensors.Source) []safetensors.Source) {
	t.Helper()
	w, err := safetensors.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var sources []safetensors.Source
	for _, name := range w.Names() {
		info, _ := w.Info(name)
		values, err := w.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, safetensors.Source{Name: name, DType: "F32", Shape: info.Shape,
			Float32: func() ([]float32, error) { return values, nil }})
	}
	w.Close()
	if err := safetensors.Write(filepath.Join(dir, "model.safetensors"), change(sources), nil); err != nil {
		t.Fatal(err)
	}
}

func TestStrictLoading(t *testing.T) {
	without := func(name string) func([]safetensors.Source) []safetensors.Source {
		return func(all []safetensors.Source) []safetensors.Source {
			return slices.DeleteFunc(all, func(s safetensors.Source) bool { return s.Name == name })
		}
	}
	with := func(name string, shape ...int) func([]safetensors.Source) []safetensors.Source {
		return func(all []safetensors.Source) []safetensors.Source {
			n := 1
			for _, d := range shape {
				n *= d
			}
			return append(slices.DeleteFunc(all, func(s safetensors.Source) bool { return s.Name == name }),
				safetensors.Source{Name: name, DType: "F32", Shape: shape, Float32: func() ([]float32, error) { return make([]float32, n), nil }})
		}
	}
	for _, c := range []struct {
		what   string
		change func([]safetensors.Source) []safetensors.Source
		wrong  string // in the error; "" where loading succeeds
	}{
		{"whole", func(all []safetensors.Source) []safetensors.Source { return all }, ""},
		{"a layer's tensor missing", without("bert.encoder.layer.0.output.dense.bias"), "lacks 1 tensors: bert.encoder.layer.0.output.dense.bias"},
		{"pooler missing", without("bert.pooler.dense.weight"), "bert.pooler.dense.weight"},
		{"half a head", without("classifier.bias"), "classifier.bias"},
		{"unknown tensor", with("bert.encoder.layer.1.output.dense.bias", 8), "no place for: bert.encoder.layer.1.output.dense.bias"},
		{"two labels", with("classifier.weight", 2, 8), "a reward model has one label"},
		{"wrong shape", with("bert.pooler.dense.bias", 7), "bert.pooler.dense.bias has shape [7]"},
		{"pre-training head", with("cls.predictions.bias", 20), ""},
		{"a tensor with and without prefix", with("embeddings.word_embeddings.weight", 20, 8), "tensors bert.embeddings.word_embeddings.weight and embeddings.word_embeddings.weight are both"},
		{"a gain by its old and new name", with("bert.embeddings.LayerNorm.gamma", 8), "tensors bert.embeddings.LayerNorm.gamma and bert.embeddings.LayerNorm.weight are both"},
		{"a bias without prefix by its old name", with("encoder.layer.0.output.LayerNorm.beta", 8), "bert.encoder.layer.0.output.LayerNorm.bias and encoder.layer.0.output.LayerNorm.beta are both"},
	} {
		dir := smallDir(t)
		changeTensors(t, dir, c.change)
		_, err := Load(dir, 0)
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: error %v, want one with %q", c.what, err, c.wrong)
		}
	}
}

func TestWeightsMustBeFinite(t *testing.T) {
	dir := smallDir(t)
	changeTensors(t, dir, func(all []safetensors.Source) []safetensors.Source {
		all[0].Float32 = func() ([]float32, error) {
			n := 1
			for _, d := range all[0].Shape {
				n *= d
			}
			values := make([]float32, n)
			values[3%n] = float32(math.NaN())
			return values, nil
		}
		return all
	})
	if _, err := Load(dir, 0); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("error %v", err)
	}
}

func TestSaveKeepsScoresAndConfig(t *testing.T) {
	dir := smallDir(t)
	first, err := Load(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	again := t.TempDir()
	first.Config.Recorded = Recorded{MaxLength: 12, TruncationSide: "left"}
	if err := first.Save(again, 0); err != nil {
		t.Fatal(err)
	}
	second, err := Load(again, 0)
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]int32{{1, 5, 9}, {1, 2, 3, 4, 5, 6}}
	a, b := rewards(t, pureGo(t), first, rows), rewards(t, pureGo(t), second, rows)
	if !slices.Equal(a, b) {
		t.Errorf("rewards %v before saving, %v after", a, b)
	}
	var config map[string]any
	readJSON(t, filepath.Join(again, "config.json"), &config)
	if config["problem_type"] != "regression" || config["pad_token_id"] != 0.0 || config["num_labels"] != nil {
		t.Errorf("config.json: %v", config)
	}
	if second.Config.NumLabels != 1 || second.Config.Recorded.MaxLength != 12 {
		t.Errorf("read back: %+v", second.Config)
	}
}

func TestConfigRefusals(t *testing.T) {
	change := func(key string, value any) string {
		var keys map[string]any
		if err := json.Unmarshal([]byte(smallConfig), &keys); err != nil {
			t.Fatal(err)
		}
		keys[key] = value
		raw, _ := json.Marshal(keys)
		return string(raw)
	}
	for _, c := range []struct {
		config string
		wrong  string
	}{
		{change("model_type", "t5"), `"t5" is not supported`},
		{change("position_embedding_type", "relative_key"), "position_embedding_type"},
		{change("is_decoder", true), "is_decoder"},
		{change("hidden_act", "xielu"), "hidden_act"},
		{change("hidden_size", 9), "num_attention_heads"},
		{change("hidden_size", "big"), "hidden_size"},
		{change("num_hidden_layers", 0), "num_hidden_layers"},
		{change("hidden_dropout_prob", 1.5), "hidden_dropout_prob"},
		{"[]", "not a JSON object"},
		{"{}", "model_type"},
	} {
		if _, err := parseConfig([]byte(c.config)); err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: error %v, want one with %q", c.config, err, c.wrong)
		}
	}
	c, err := parseConfig([]byte(change("a_new_key", 1)))
	if err != nil || !slices.Equal(c.Unknown, []string{"a_new_key"}) {
		t.Errorf("unknown keys %v, %v", c.Unknown, err)
	}
}

// TestCausal: a decoder that transformers would build without a direction is
// refused; encoders do not read the key.
func TestCausal(t *testing.T) {
	for name, keys := range drawnConfigs {
		for _, value := range []string{"true", "false", "null", "0"} {
			c, err := parseConfig([]byte(`{"vocab_size": 1008, "is_causal": ` + value + `, ` + keys + `}`))
			if drawnModel(t, name).Causal() && value != "true" {
				if err == nil || !strings.Contains(err.Error(), `key "is_causal" is `+value) {
					t.Errorf("%s, is_causal %s: error %v", name, value, err)
				}
			} else if err != nil || len(c.Unknown) > 0 {
				t.Errorf("%s, is_causal %s: error %v", name, value, err)
			}
		}
	}
}

// TestBothDialects: config.json of transformers 5 and 4 give one model.
func TestBothDialects(t *testing.T) {
	for name := range goldenFamilies {
		dir := golden(t, name)
		five, err := ReadConfig(filepath.Join(dir, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		four, err := ReadConfig(filepath.Join(dir, "config_v4.json"))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(five.family, four.family) || five.PadTokenID != four.PadTokenID || len(five.Unknown)+len(four.Unknown) > 0 {
			t.Errorf("%s: %+v (unknown %v) and %+v (unknown %v)", name, five.family, five.Unknown, four.family, four.Unknown)
		}
	}
}
