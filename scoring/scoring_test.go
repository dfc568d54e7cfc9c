package scoring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/model"
)

// tiny is an encoder of one layer for the demo's tokenizer.
const tiny = `{"model_type": "bert", "vocab_size": %d, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
 "intermediate_size": 32, "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
 "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0, "initializer_range": 0.3, "pad_token_id": 0, "id2label": {"0": "LABEL_0"}}`

// saved writes a model of so many embeddings, drawn from a seed, with the
// demo's tokenizer.
func saved(t *testing.T, embeddings int, seed uint64) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "configs", "demo-encoder"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.json")
	if err := os.WriteFile(path, fmt.Appendf(nil, tiny, embeddings), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := model.New(path, seed, model.Head{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(dir, 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

func opened(t *testing.T, dir string, o Options) *Scorer {
	t.Helper()
	m, err := Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	s, err := m.Scorer(pureGo(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pureGo(t *testing.T) model.Backend {
	t.Helper()
	backend, _, err := model.OpenBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

// TestLengths: a sequence of each length can be scored, by each backend that there is,
// also where rows are longer than the model has positions.
func TestLengths(t *testing.T) {
	t.Setenv("LAUREL_PJRT", filepath.Join("..", "build", "pjrt"))
	for name, want := range map[string][]int{"go": {32, 60}, "cpu": {60}} {
		backend, _, err := model.OpenBackend(name)
		if err != nil {
			t.Logf("SKIPPED on %s: %v", name, err)
			continue
		}
		m, err := Open(context.Background(), saved(t, 4096, 1), Options{MaxLength: 60})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		s, err := m.Scorer(backend)
		if err != nil {
			t.Fatal(err)
		}
		lengths, err := s.Lengths()
		if err != nil || !slices.Equal(lengths, want) {
			t.Errorf("%s: lengths %v, %v, want %v", name, lengths, err, want)
		}
		for _, n := range lengths {
			if scores, err := s.ScoreIDs(t.Context(), [][]int32{make([]int32, n)}); err != nil || !scores[0].Valid {
				t.Errorf("%s: %d ids: %v, %v", name, n, scores, err)
			}
		}
	}
}

func text(s string) data.Completion {
	return data.Completion{Response: data.Text{Plain: s}, IsText: true}
}

// TestScore: rewards are those of the ids, in order, and what lies in a text is
// its own reason.
func TestScore(t *testing.T) {
	dir := saved(t, 4096, 1)
	s := opened(t, dir, Options{MaxLength: 8})
	long := text(strings.Repeat("a ", 20))
	completions := []data.Completion{text("a b"), text("c"), long}
	scores, err := s.Score(context.Background(), completions)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := model.Load(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := model.NewScorer(pureGo(t), loaded)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range completions {
		tokens, err := s.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		want, err := direct.Score(context.Background(), [][]int32{tokens.IDs}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := scores[i]; !got.Valid || got.Reward != want[0] || got.Tokens != len(tokens.IDs) || got.Truncated != (i == 2) {
			t.Errorf("%d: %+v, want reward %v", i, got, want[0])
		}
	}
	rewards, err := s.Rewards(context.Background(), completions[:2])
	if err != nil || rewards[0] != float64(scores[0].Reward) || rewards[1] != float64(scores[1].Reward) {
		t.Errorf("%v %v", rewards, err)
	}
}

// TestBeyondEmbeddings: a model with half of the tokenizer's vocabulary.
func TestBeyondEmbeddings(t *testing.T) {
	s := opened(t, saved(t, 3000, 1), Options{})
	bad := ""
	for _, word := range []string{"hous", "clap", "spread", "pancakes", "puppies"} {
		tokens, err := s.Tokenizer.EncodeText(word, 0, s.Side)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Max(tokens.IDs) >= 3000 {
			bad = word
		}
	}
	if bad == "" {
		t.Fatal("no word is beyond the embeddings: choose others")
	}
	scores, err := s.Score(context.Background(), []data.Completion{text("a"), text(bad), text("b")})
	if err != nil || !scores[0].Valid || scores[1].Valid || scores[1].Reason != "token_beyond_embeddings" || !scores[2].Valid {
		t.Errorf("%+v %v", scores, err)
	}
	row := (*data.RowError)(nil)
	if _, err := s.Rewards(context.Background(), []data.Completion{text(bad)}); !errors.As(err, &row) || row.Reason != data.ReasonBeyondEmbeddings {
		t.Errorf("%v", err)
	}
	pair := data.Pair{Chosen: data.Text{Plain: "a"}, Rejected: data.Text{Plain: bad}}
	if _, _, err := s.EncodePair(pair); !errors.As(err, &row) || row.Column != "rejected" || !strings.Contains(err.Error(), "is beyond the model's 3000 embeddings") {
		t.Errorf("%v", err)
	}
	if n, _ := BeyondEmbeddings(s.Model.Model, s.Tokenizer); n != 1096 {
		t.Errorf("%d tokens are beyond, want 1096", n)
	}
}

// TestEnsemble: mean, standard deviation and lower bound, by hand from the
// members' own rewards; offsets are taken off.
func TestEnsemble(t *testing.T) {
	ctx, dirs := context.Background(), []string{saved(t, 4096, 1), saved(t, 4096, 2)}
	center := filepath.Join(t.TempDir(), "center.jsonl")
	if err := os.WriteFile(center, []byte(`{"text":"a b"}`+"\n"+`{"text":"c"}`+"\n"+`{"text":null}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "both")
	if err := WriteEnsemble(ctx, dir, dirs, Together{K: 2, Center: center, File: center, On: pureGo(t)}, Options{}); err != nil {
		t.Fatal(err)
	}
	both, texts := opened(t, dir, Options{}), []data.Completion{text("a b"), text("c")}
	if !both.IsEnsemble() {
		t.Error("it is no ensemble")
	}
	got, err := both.Score(ctx, texts)
	if err != nil {
		t.Fatal(err)
	}
	var each [2][]float64
	for i, one := range dirs {
		if each[i], err = opened(t, one, Options{}).Rewards(ctx, texts); err != nil {
			t.Fatal(err)
		}
		zero := (each[i][0] + each[i][1]) / 2
		each[i][0], each[i][1] = each[i][0]-zero, each[i][1]-zero
	}
	for i, score := range got {
		mean, std := (each[0][i]+each[1][i])/2, math.Abs(each[0][i]-each[1][i])/2
		for name, d := range map[string]float64{"mean": float64(score.Reward) - mean, "std": float64(score.Std) - std, "lower": float64(score.Lower) - (mean - 2*std)} {
			if math.Abs(d) > 1e-6 {
				t.Errorf("text %d: %s is off by %v", i, name, d)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := saved(t, 4096, 1)
	if _, err := Open(context.Background(), dir, Options{MaxLength: 65}); err == nil || !strings.Contains(err.Error(), "max_length 65 is more than the model's 64 positions") {
		t.Errorf("%v", err)
	}
	if _, err := Open(context.Background(), filepath.Join(dir, "nowhere", "at", "all"), Options{}); err == nil {
		t.Error("opened a folder that is not there")
	}
}

// TestOpenRefusesAFolderThatChanges: weights that are written over while the model is
// opened may be half of the old and half of the new.
func TestOpenRefusesAFolderThatChanges(t *testing.T) {
	dir, other := saved(t, 4096, 1), saved(t, 4096, 2)
	path := filepath.Join(dir, "config.json")
	config, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte(`{"something_new": 1,`), config[1:]...), 0o644); err != nil {
		t.Fatal(err)
	}
	opened(t, dir, Options{})
	_, err = Open(context.Background(), dir, Options{Notice: func(string) { // of the key that is not known, once the weights are read
		weights, err := os.ReadFile(filepath.Join(other, "model.safetensors"))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "model.safetensors"), weights, 0o644)
		}
		if err != nil {
			t.Error(err)
		}
	}})
	if err == nil || !strings.Contains(err.Error(), "replaced or written to while they were read") {
		t.Errorf("%v", err)
	}
}

// TestExport: what is exported scores as before, and its golden vector holds.
func TestExport(t *testing.T) {
	s := opened(t, saved(t, 4096, 1), Options{MaxLength: 24})
	dir := filepath.Join(t.TempDir(), "new", "hf")
	if err := s.Export(dir, pureGo(t), "go", "test"); err != nil {
		t.Fatal(err)
	}
	again := opened(t, dir, Options{})
	if again.MaxLength != 24 || again.Side != s.Side {
		t.Errorf("cut to %d at the %s", again.MaxLength, again.Side)
	}
	golden, err := ReadGolden(dir)
	if err != nil || golden == nil || golden.Laurel != "test" {
		t.Fatalf("%+v %v", golden, err)
	}
	fresh, err := again.NewGolden(pureGo(t), "go", "test")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range golden.Cases {
		if !slices.Equal(c.IDs, fresh.Cases[i].IDs) || *c.Logit != *fresh.Cases[i].Logit {
			t.Errorf("case %s: %v %v, exported %v %v", c.Name, fresh.Cases[i].IDs, *fresh.Cases[i].Logit, c.IDs, *c.Logit)
		}
	}
}

// TestExportKeepsTemplates: a template for tools is where a reader of the export
// looks for it.
func TestExportKeepsTemplates(t *testing.T) {
	from := saved(t, 4096, 1)
	folder := filepath.Join(from, "additional_chat_templates")
	for path, content := range map[string]string{filepath.Join(from, "chat_template.jinja"): "plain {{ messages[-1].content }}", filepath.Join(folder, "tool_use.jinja"): "tools {{ messages[-1].content }}"} {
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "hf")
	if err := opened(t, from, Options{MaxLength: 24}).Export(dir, pureGo(t), "go", "test"); err != nil {
		t.Fatal(err)
	}
	for context, want := range map[data.Context]string{{}: "plain q", {Tools: "[]"}: "tools q"} {
		text, err := opened(t, dir, Options{}).Tokenizer.RenderIn(context, []data.Message{{Role: "user", Content: "q"}}, false)
		if err != nil || text != want {
			t.Errorf("%+v: %q, %v, want %q", context, text, err, want)
		}
	}
}

// TestMultilingualTokenizers: XLM-RoBERTa's vocabulary fits Multilingual MiniLM's
// embeddings; an English one is no reason to put a Unigram under BERT.
func TestMultilingualTokenizers(t *testing.T) {
	for _, c := range []struct {
		tokens, rows int
		want         bool
	}{{250002, 250037, true}, {256000, 256000, true}, {250002, 250000, false}, {250002, 256000, false}, {30000, 30000, false}, {32000, 30522, false}} {
		if got := isMultilingual(c.tokens, c.rows); got != c.want {
			t.Errorf("%d tokens, %d embeddings: %v", c.tokens, c.rows, got)
		}
	}
}

// TestDoubtTokenizer: the demo's WordPiece under models of other kinds.
func TestDoubtTokenizer(t *testing.T) {
	for name, c := range map[string]struct{ config, doubt string }{
		"its own":       {fmt.Sprintf(tiny, 4096), ""},
		"padded":        {fmt.Sprintf(tiny, 4160), ""},
		"too many rows": {fmt.Sprintf(tiny, 8000), "it has 4096 tokens, the model 8000 embeddings"},
		"another pad":   {strings.Replace(fmt.Sprintf(tiny, 4096), `"pad_token_id": 0`, `"pad_token_id": 1`, 1), "config.json's pad_token_id is 1, its own 0"},
		// config.json names the class: its kind counts, and the padding is left from another
		"its class":              {strings.Replace(fmt.Sprintf(tiny, 4096), `"bert"`, `"roberta", "tokenizer_class": "BertTokenizerFast"`, 1), ""},
		"its class, another pad": {strings.Replace(fmt.Sprintf(tiny, 4096), `"pad_token_id": 0`, `"pad_token_id": 1, "tokenizer_class": "BertTokenizer"`, 1), ""},
		"another class":          {strings.Replace(fmt.Sprintf(tiny, 4096), `"bert"`, `"bert", "tokenizer_class": "XLMRobertaTokenizer"`, 1), "it is a WordPiece, config.json's tokenizer_class is XLMRobertaTokenizer"},
		"ordinary bos": {strings.Replace(fmt.Sprintf(tiny, 4096), `"pad_token_id": 0`, `"pad_token_id": 0, "bos_token_id": 2000`, 1),
			"config.json's bos_token_id 2000 is an ordinary token in it"},
		"roberta": {strings.Replace(fmt.Sprintf(tiny, 4096), `"bert"`, `"roberta"`, 1), "it is a WordPiece, roberta models have a byte-level BPE"},
		"llama": {`{"model_type": "llama", "vocab_size": 4096, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 64, "pad_token_id": 0, "id2label": {"0": "LABEL_0"}}`,
			"it has a mask token, as encoders have, and the model is a decoder"},
	} {
		path := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(path, []byte(c.config), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := model.New(path, 1, model.Head{})
		if err != nil {
			t.Fatal(name, err)
		}
		s := Source{Dir: filepath.Join("..", "configs", "demo-encoder")}
		tok, err := s.OpenTokenizer()
		if err != nil {
			t.Fatal(err)
		}
		got := DoubtTokenizer(m, tok)
		tok.Close()
		if c.doubt == "" && got != "" || !strings.Contains(got, c.doubt) {
			t.Errorf("%s: %q, want %q", name, got, c.doubt)
		}
	}
}

// TestStorePromptIDs: a decoder's store knows the prompt's own ids, an encoder's,
// whose prompts cannot be shared, does not.
func TestStorePromptIDs(t *testing.T) {
	for family, causal := range map[string]bool{`"bert"`: false, `"llama"`: true} {
		path := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(path, []byte(strings.Replace(fmt.Sprintf(tiny, 4096), `"bert"`, family, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := model.New(path, 1, model.Head{})
		if err != nil {
			t.Fatal(err)
		}
		source := Source{Dir: filepath.Join("..", "configs", "demo-encoder")}
		tok, err := source.OpenTokenizer()
		if err != nil {
			t.Fatal(err)
		}
		scored, err := New(m, tok, t.TempDir(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer scored.Close()
		pairs := filepath.Join(t.TempDir(), "pairs.jsonl")
		if err := os.WriteFile(pairs, []byte(`{"prompt": "What is two plus two?", "chosen": " It is four.", "rejected": " It is five."}`), 0o644); err != nil {
			t.Fatal(err)
		}
		config := data.Config{Train: []string{pairs}, OnBadRow: "fail"}
		store, _, err := scored.BuildStore(t.Context(), filepath.Join(t.TempDir(), "ids"), config.Train, config, Encoding{Done: func(int, int) {}})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		alone, err := tok.EncodeBare("What is two plus two?", 0, scored.Side)
		if err != nil {
			t.Fatal(err)
		}
		want := len(alone.IDs) + 1 // and [CLS]
		info, err := store.Info(0)
		if got := info.PromptIDs; err != nil || causal && (got != want || store.Shared(0) <= want) || !causal && got != 0 {
			t.Errorf("%s: %d ids of the prompt's, %d shared; the prompt has %d", family, got, store.Shared(0), want)
		}
	}
}

// TestPlainTextIsCutAsTransformersCuts: at the truncation_side of
// tokenizer_config.json, at its end where there is none, and of a model that laurel
// trained, whose export names its side, at that one.
func TestPlainTextIsCutAsTransformersCuts(t *testing.T) {
	text := data.Completion{Response: data.Text{Plain: strings.Repeat("bread ", 30) + "and water"}, IsText: true}
	cut := func(dir string) []int32 {
		t.Helper()
		m := opened(t, dir, Options{MaxLength: 8})
		tokens, err := m.Encode(text)
		if err != nil || tokens.Cut == 0 {
			t.Fatalf("%v, %d ids cut", err, tokens.Cut)
		}
		return tokens.IDs
	}
	end := cut(saved(t, 4096, 1))
	named := saved(t, 4096, 1)
	if err := tokenizer.SetSide(named, tokenizer.Left); err != nil {
		t.Fatal(err)
	}
	start := cut(named)
	if slices.Equal(start, end) {
		t.Errorf("truncation_side left changes nothing: %v", start)
	}
	trained := saved(t, 4096, 1)
	path := filepath.Join(trained, "config.json")
	m, err := Open(context.Background(), trained, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Record()
	if err := m.Save(trained, 0); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(path); err != nil || !strings.Contains(string(raw), `"truncation_side"`) {
		t.Fatalf("%v: %s", err, raw)
	}
	if got := cut(trained); !slices.Equal(got, start) {
		t.Errorf("a trained model's text is %v, want %v", got, start)
	}
}
