package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/eval/stats"
	"laurel/model"
	"laurel/scoring"
)

const (
	encoder = `{"model_type": "bert", "vocab_size": 4096, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
 "intermediate_size": 32, "max_position_embeddings": 512, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
 "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0, "initializer_range": 0.3, "pad_token_id": 0, "id2label": {"0": "LABEL_0"},
 "laurel": {"max_length": 48, "truncation_side": "left"}}`
	decoder = `{"model_type": "llama", "vocab_size": 4096, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
 "num_key_value_heads": 1, "intermediate_size": 32, "max_position_embeddings": 512, "rope_theta": 10000.0,
 "initializer_range": 0.3, "pad_token_id": 0, "eos_token_id": 3, "bos_token_id": 2, "id2label": {"0": "LABEL_0"},
 "laurel": {"max_length": 48, "truncation_side": "left"}}`
	// template writes the first special token itself.
	template = "[CLS]{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\n' }}{% endfor %}"
	closed   = template + "[SEP]"
)

// exported is the directory of a drawn model with its golden vector.
func exported(t *testing.T, config, template string) string {
	t.Helper()
	drawn, dir := t.TempDir(), filepath.Join(t.TempDir(), "hf")
	if err := os.CopyFS(drawn, os.DirFS(filepath.Join("..", "configs", "demo-encoder"))); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"config.json": config, "chat_template.jinja": template} {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(drawn, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m, err := model.New(filepath.Join(drawn, "config.json"), 1, model.Head{})
	if err == nil {
		err = m.Save(drawn, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	whole, err := scoring.Open(context.Background(), drawn, scoring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	if err := whole.Export(dir, pureGo(t), "go", "test"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func pureGo(t *testing.T) model.Backend {
	t.Helper()
	backend, _, err := model.OpenBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

func opened(t *testing.T, config, template string) *local {
	t.Helper()
	l, err := openLocal(context.Background(), exported(t, config, template), pureGo(t), scoring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.scorer.Close() })
	return l
}

// fake is a server that answers /classify as vLLM, and errs on purpose.
type fake struct {
	local  *local
	ids    func(text string, specials bool) (data.Tokens, error) // nil: as it should be
	number func(i int, logit float32) any                        // nil: the logit
	answer func([]any)                                           // may change the order
	t      *testing.T
}

func (f fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/classify" {
		http.NotFound(w, r)
		return
	}
	var q struct {
		Input    []string
		Messages []data.Message
		Specials *bool `json:"add_special_tokens"`
		Length   int   `json:"truncate_prompt_tokens"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		f.t.Error(err)
	}
	m := f.local.scorer.Model
	if q.Messages != nil {
		text, err := m.Tokenizer.Render(q.Messages, false)
		if err != nil {
			f.t.Error(err)
		}
		q.Input = []string{text}
	}
	var rows []any
	for i, text := range q.Input {
		specials := q.Specials == nil || *q.Specials
		encode := func(text string, specials bool) (data.Tokens, error) {
			if specials {
				return m.Tokenizer.EncodeText(text, q.Length, m.Side)
			}
			return m.Tokenizer.EncodeBare(text, q.Length, m.Side)
		}
		if f.ids != nil {
			encode = f.ids
		}
		tokens, err := encode(text, specials)
		if err != nil {
			f.t.Error(err)
		}
		if err := f.local.learn(context.Background(), [][]int32{tokens.IDs}); err != nil {
			f.t.Error(err)
		}
		logit := float32(f.local.reward(tokens.IDs))
		var number any = logit
		if f.number != nil {
			number = f.number(i, logit)
		}
		rows = append(rows, map[string]any{"index": i, "probs": []any{number}})
	}
	if f.answer != nil {
		f.answer(rows)
	}
	json.NewEncoder(w).Encode(map[string]any{"data": rows})
}

func bfloat16(x float32) float32 {
	return math.Float32frombits((math.Float32bits(x) + 0x8000) &^ 0xffff)
}

// TestMisbehavingServers: each fault is named, with what mends it.
func TestMisbehavingServers(t *testing.T) {
	e, d, open := opened(t, encoder, ""), opened(t, decoder, closed), opened(t, decoder, template)
	s := e.scorer
	tok, other := s.Tokenizer, tokenizer.Right
	double := func(text string, specials bool) (data.Tokens, error) {
		return d.scorer.Tokenizer.EncodeText(text, 48, d.side)
	}
	for _, c := range []struct {
		name        string
		local       *local
		fake        fake
		status      string
		detail, fix string
	}{
		{"right", e, fake{local: e}, StatusOK, "7 texts (1 of them cut), rewards within ", ""},
		{"right decoder", d, fake{local: d}, StatusOK, "7 texts", ""},
		{"sliced", e, fake{local: e, ids: func(text string, specials bool) (data.Tokens, error) {
			tokens, err := tok.EncodeText(text, 0, s.Side)
			tokens.IDs = cutTo(tokens.IDs, 48, tokenizer.Left)
			return tokens, err
		}}, StatusFailed, "1 of 7 texts (long): rewards of texts whose special tokens are cut off with the rest", "before they are sent"},
		{"template without [SEP]", open, fake{local: open, ids: func(text string, specials bool) (data.Tokens, error) {
			if strings.HasPrefix(text, "[CLS]") {
				return tok.EncodeBare(text, 48, s.Side)
			}
			return tok.EncodeText(text, 48, s.Side)
		}}, StatusFailed, "1 of 7 texts (chat): rewards of texts with no special tokens but those that the chat template writes", "have the chat template write"},
		{"sigma", e, fake{local: e, number: func(_ int, x float32) any { return stats.Sigmoid(float64(x)) }}, StatusFailed, "σ of the reward", "use_activation"},
		{"bare", e, fake{local: e, ids: func(text string, _ bool) (data.Tokens, error) { return tok.EncodeBare(text, 48, s.Side) }},
			StatusFailed, "without the tokenizer's special tokens", "add_special_tokens true"},
		{"sigma and bare", e, fake{local: e, ids: func(text string, _ bool) (data.Tokens, error) { return tok.EncodeBare(text, 48, s.Side) },
			number: func(_ int, x float32) any { return stats.Sigmoid(float64(x)) }}, StatusFailed, "not the raw logit, and all 7 texts: rewards of texts without", "add_special_tokens true"},
		{"doubled", d, fake{local: d, ids: double}, StatusFailed, "1 of 7 texts (chat): rewards of texts with the special tokens twice", "without its BOS"},
		{"other end", e, fake{local: e, ids: func(text string, _ bool) (data.Tokens, error) { return tok.EncodeText(text, 48, other) }},
			StatusFailed, "1 of 7 texts (long): rewards of texts that are cut at the other end", "truncation_side"},
		{"not cut", e, fake{local: e, ids: func(text string, _ bool) (data.Tokens, error) { return tok.EncodeText(text, 512, s.Side) }},
			StatusFailed, "(long): rewards of texts that are not cut", "max_model_len"},
		{"cut shorter", e, fake{local: e, ids: func(text string, _ bool) (data.Tokens, error) {
			if len(text) > 500 {
				return tok.EncodeText(text, 40, s.Side)
			}
			return tok.EncodeText(text, 48, s.Side)
		}}, StatusFailed, "(long): rewards of texts that are cut elsewhere; all others are right", "maximum length"},
		{"order", e, fake{local: e, answer: slices.Reverse[[]any]}, StatusFailed, "the right rewards in a wrong order", "index"},
		{"softmax", e, fake{local: e, number: func(int, float32) any { return 1 }}, StatusFailed, "every text gets 1: a softmax over one label", "regression"},
		{"constant", e, fake{local: e, number: func(int, float32) any { return 0.25 }}, StatusFailed, "every text gets 0.25", "score head"},
		{"normalized", e, fake{local: e, number: func(_ int, x float32) any { return (x - 0.5) / 2 }}, StatusFailed, "0.5·x -0.25 of the model's rewards x: normalized", "normalize_reward"},
		{"negated", e, fake{local: e, number: func(_ int, x float32) any { return -x }}, StatusFailed, "turned about", "label 0"},
		{"bfloat16", e, fake{local: e, number: func(_ int, x float32) any { return bfloat16(x) }}, StatusWarning, "it looks like bfloat16", "--dtype float32"},
		{"another head", e, fake{local: e, number: func(i int, x float32) any { return math.Sin(float64(40*i) + float64(x)) }}, StatusFailed, "another model or another head", "head that is missing"},
		{"two labels", e, fake{local: e, number: func(int, float32) any { return []int{1, 2} }}, StatusFailed, "does not read", "one label"},
		{"no number", e, fake{local: e, number: func(int, float32) any { return nil }}, StatusFailed, "holds null", "one label"},
	} {
		c.fake.t = t
		server := httptest.NewServer(c.fake)
		asking, err := newClient(context.Background(), Target{URL: server.URL}, "hf")
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.local.replayIn(context.Background(), dialects[1], asking)
		server.Close()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		check := got.check
		if check.Status != c.status || !strings.Contains(check.Detail, c.detail) || !strings.Contains(check.Fix, c.fix) {
			t.Errorf("%s: %+v\nwant %s, %q, fix %q", c.name, check, c.status, c.detail, c.fix)
		}
		if numeric := !strings.Contains(check.Detail, "does not read"); numeric != (check.MaxDifference != nil) {
			t.Errorf("%s: the largest difference is %v", c.name, check.MaxDifference)
		}
	}
}

// TestRefusals: what a server has not is skipped and counted, and what it refuses told.
func TestRefusals(t *testing.T) {
	dir, backend := exported(t, encoder, ""), pureGo(t)
	l, err := openLocal(context.Background(), dir, backend, scoring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.scorer.Close()
	ask := func(handler http.Handler, target Target) (*Report, error) {
		server := httptest.NewServer(handler)
		defer server.Close()
		target.URL = server.URL
		return Server(context.Background(), dir, backend, scoring.Options{}, target)
	}
	r, err := ask(fake{local: l, t: t}, Target{})
	if err != nil || r.OK != 1 || r.Failed != 1 || r.Skipped != 6 {
		t.Fatalf("%+v %v", r, err) // its /classify answers SGLang's question with nothing
	}
	sglang := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q map[string]any
		json.NewDecoder(r.Body).Decode(&q)
		if r.URL.Path == "/classify" && q["input"] == nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"error": {"message": "input: Field required"}}`)
			return
		}
		raw, _ := json.Marshal(q)
		fake{local: l, t: t}.ServeHTTP(w, httptest.NewRequest("POST", r.URL.Path, strings.NewReader(string(raw))))
	})
	if r, err = ask(sglang, Target{}); err != nil || r.OK != 1 || r.Failed != 0 || r.Skipped != 7 {
		t.Errorf("%+v %v", r, err)
	}
	var asked sync.Map // by connection
	closing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, again := asked.LoadOrStore(r.RemoteAddr, true); again {
			panic(http.ErrAbortHandler) // a kept connection is closed under the second request
		}
		sglang.ServeHTTP(w, r)
	})
	if r, err = ask(closing, Target{}); err != nil || r.OK != 1 || r.Failed != 0 || r.Skipped != 7 {
		t.Errorf("a server that closes connections: %+v %v", r, err)
	}
	says := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.WriteHeader(status)
			}
			fmt.Fprint(w, body)
		})
	}
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{404, `{"error": {"message": "The model hf does not exist."}}`, "--model-name"},
		{401, `{"error": "Unauthorized"}`, "--token-file"},
		{500, `oops`, "with 500: oops"},
	} {
		r, err := ask(says(c.status, c.body), Target{Dialects: []string{"openrlhf"}})
		if err != nil || r.Failed != 1 || !strings.Contains(r.Checks[0].Detail+r.Checks[0].Fix, c.want) {
			t.Errorf("%d: %+v %v", c.status, r, err)
		}
	}
	if _, err = ask(http.NotFoundHandler(), Target{}); err == nil || !strings.Contains(err.Error(), "has none of the paths") {
		t.Errorf("%v", err)
	}
	if _, err = Server(context.Background(), dir, backend, scoring.Options{}, Target{URL: "localhost:8000"}); err == nil || !strings.Contains(err.Error(), "http://HOST:PORT") {
		t.Errorf("%v", err)
	}
}

// TestScoreOfConversations: vLLM's /score makes a pair of prompt and response of a
// decoder, whatever it was trained on.
func TestScoreOfConversations(t *testing.T) {
	l := opened(t, strings.Replace(decoder, `"max_length": 48`, `"trained_on": "messages", "max_length": 48`, 1), closed)
	d := dialects[slices.IndexFunc(dialects, func(d dialect) bool { return d.sides })]
	asked, err := l.replays(d)
	if err != nil || len(asked) != 1 {
		t.Fatalf("%d texts are asked for, want the conversation alone (%v)", len(asked), err)
	}
	if err := l.learn(context.Background(), [][]int32{asked[0].ids[once], asked[0].ids[untemplated], asked[0].ids[apart], asked[0].ids[apartWith]}); err != nil {
		t.Fatal(err)
	}
	for reading, want := range map[reading]string{once: "1 texts, rewards within", untemplated: "without the chat template", apart: "apart, without special tokens", apartWith: "apart, each with its special tokens"} {
		if check := l.diagnose(d, asked, []float64{l.reward(asked[0].ids[reading])}); !strings.Contains(check.Detail, want) {
			t.Errorf("reading %d is told as %q, want %q", reading, check.Detail, want)
		}
	}
	if check := l.diagnose(d, asked, []float64{77}); strings.Contains(check.Detail, "NaN") || !strings.Contains(check.Detail, "than of one text: vLLM's /score makes") {
		t.Errorf("another reward is told as %q", check.Detail)
	}
}
