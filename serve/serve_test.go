package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"laurel/data"
	"laurel/model"
	"laurel/scoring"
)

// tiny is an encoder of one layer for the demo's tokenizer.
const tiny = `{"model_type": "bert", "vocab_size": 4096, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
 "intermediate_size": 32, "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
 "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0, "initializer_range": 0.3, "pad_token_id": 0, "id2label": {"0": "LABEL_0"}%s}`

// saved writes a model drawn from a seed, with the demo's tokenizer and further keys
// in config.json.
func saved(t testing.TB, seed uint64, keys string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "configs", "demo-encoder"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.json")
	if err := os.WriteFile(path, fmt.Appendf(nil, tiny, keys), 0o644); err != nil {
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

// opened is a model for a server, with small batches; the server closes it.
func opened(t testing.TB, name, dir string) Model {
	t.Helper()
	m, err := scoring.Open(context.Background(), dir, scoring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	backend, _, err := model.OpenBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Scorer(backend)
	if err != nil {
		t.Fatal(err)
	}
	s.SetBatch(256)
	return Model{Name: name, Alias: dir, Scorer: s}
}

// serving is a server of models over real HTTP.
func serving(t testing.TB, config Config, models ...Model) (*Server, *httptest.Server) {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(models...); err != nil {
		t.Fatal(err)
	}
	s.Ready()
	listening := httptest.NewServer(s.Handler())
	t.Cleanup(func() { listening.Close(); s.Close() })
	return s, listening
}

// post sends a body and gives status, headers and answer.
func post(t testing.TB, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(bytes.TrimSpace(answer))
}

// reward is that of a text, computed alone.
func reward(t testing.TB, m Model, text string) float32 {
	t.Helper()
	tokens, err := m.Scorer.Tokenizer.EncodeText(text, m.Scorer.MaxLength, m.Scorer.Side)
	if err != nil {
		t.Fatal(err)
	}
	return rewardOf(t, m, tokens)
}

func rewardOf(t testing.TB, m Model, tokens data.Tokens) float32 {
	t.Helper()
	scores, err := m.Scorer.ScoreIDs(context.Background(), [][]int32{tokens.IDs})
	if err != nil {
		t.Fatal(err)
	}
	return scores[0].Reward
}

var changing = regexp.MustCompile(`[0-9a-f]{32}|"created":\d+|"e2e_latency":[0-9.e-]+`)

// TestDialects holds every dialect's answers to the bytes that its clients know.
// $A, $B and $AB stand for rewards; ids, times and latencies for themselves.
func TestDialects(t *testing.T) {
	m := opened(t, "rm", saved(t, 1, ""))
	_, listening := serving(t, Default(), m)
	rewards := map[string]string{}
	for name, text := range map[string]string{"$AB;": "hello there", "$A;": "hello", "$B;": " there"} {
		raw, err := json.Marshal(reward(t, m, text))
		if err != nil {
			t.Fatal(err)
		}
		rewards[name] = string(raw)
	}
	usage := `"usage":{"prompt_tokens":%d,"total_tokens":%[1]d,"completion_tokens":0,"prompt_tokens_details":null}`
	for _, c := range []struct{ path, body, want string }{
		{"/get_reward", `{"query":[]}`, `{"rewards":[],"scores":[],"extra_logs":{}}`},
		{"/get_reward", `{"query":["hello there"],"prompts":["p"],"labels":[null]}`, `{"rewards":[$AB;],"scores":[$AB;],"extra_logs":{"dummy_scores":[$AB;]}}`},
		{"/get_reward", `{"query":["hello"," there"]}`, `{"rewards":[$A;,$B;],"scores":[$A;,$B;],"extra_logs":{"dummy_scores":[$A;,$B;]}}`},
		{"/classify", `{"model":"rm","input":"hello there","activation":false}`,
			`{"id":"classify-ID","object":"list","created":0,"model":"rm","data":[{"index":0,"label":"LABEL_0","probs":[$AB;],"num_classes":1}],` + fmt.Sprintf(usage, 5) + `}`},
		{"/classify", `{"input":["hello"," there"],"priority":0,"user":"u","use_activation":null}`,
			`{"id":"classify-ID","object":"list","created":0,"model":"rm","data":[{"index":0,"label":"LABEL_0","probs":[$A;],"num_classes":1},{"index":1,"label":"LABEL_0","probs":[$B;],"num_classes":1}],` + fmt.Sprintf(usage, 7) + `}`},
		{"/classify", `{"model":"m","text":"hello there"}`,
			`{"embedding":[$AB;],"meta_info":{"id":"ID","finish_reason":{"type":"length","length":0},"prompt_tokens":5,"e2e_latency":0}}`},
		{"/classify", `{"model":"m","text":["hello there"]}`,
			`[{"embedding":[$AB;],"meta_info":{"id":"ID","finish_reason":{"type":"length","length":0},"prompt_tokens":5,"e2e_latency":0}}]`},
		{"/score", `{"text_1":"hello","text_2":" there"}`,
			`{"id":"score-ID","object":"list","created":0,"model":"rm","data":[{"index":0,"object":"score","score":$AB;}],` + fmt.Sprintf(usage, 5) + `}`},
		{"/v1/score", `{"queries":["hello","hello"],"documents":[" there",""]}`,
			`{"id":"score-ID","object":"list","created":0,"model":"rm","data":[{"index":0,"object":"score","score":$AB;},{"index":1,"object":"score","score":$A;}],` + fmt.Sprintf(usage, 9) + `}`},
		{"/rerank", `{"query":"hello","documents":[" there"]}`,
			`{"id":"rerank-ID","model":"rm","usage":{"prompt_tokens":5,"total_tokens":5},"results":[{"index":0,"document":{"text":" there"},"relevance_score":$AB;}]}`},
		{"/v2/rerank", `{"query":"","documents":[{"text":"hello there"}],"top_n":3}`,
			`{"id":"rerank-ID","model":"rm","usage":{"prompt_tokens":5,"total_tokens":5},"results":[{"index":0,"document":{"text":"hello there"},"relevance_score":$AB;}]}`},
		{"/pooling", `{"model":"rm","input":["hello there"],"task":"classify"}`,
			`{"id":"pool-ID","object":"list","created":0,"model":"rm","data":[{"index":0,"object":"pooling","data":[$AB;]}],` + fmt.Sprintf(usage, 5) + `}`},
		{"/v1/embeddings", `{"model":"any","input":"hello there","encoding_format":"float"}`,
			`{"object":"list","data":[{"object":"embedding","index":0,"embedding":[$AB;]}],"model":"rm",` + fmt.Sprintf(usage, 5) + `}`},
		{"/predict", `{"inputs":"hello there"}`, `[{"score":$AB;,"label":"LABEL_0"}]`},
		{"/predict", `{"inputs":["hello"," there"],"raw_scores":true}`, `[{"score":$AB;,"label":"LABEL_0"}]`},
		{"/predict", `{"inputs":[["hello"],["hello"," there"]]}`, `[[{"score":$A;,"label":"LABEL_0"}],[{"score":$AB;,"label":"LABEL_0"}]]`},
		{"/v1/score/evaluation", `{"model":"model","messages":["hello there"]}`, `{"id":"scoreval-ID","object":"score.evaluation","model":"model","scores":[$AB;]}`},
	} {
		for name, value := range rewards {
			c.want = strings.ReplaceAll(c.want, name, value)
		}
		status, _, answer := post(t, listening.URL+c.path, c.body)
		answer = changing.ReplaceAllStringFunc(answer, func(s string) string {
			if name, _, ok := strings.Cut(s, ":"); ok {
				return name + ":0"
			}
			return "ID"
		})
		if status != http.StatusOK || answer != c.want {
			t.Errorf("%s %s: %d\n got %s\nwant %s", c.path, c.body, status, answer, c.want)
		}
	}
}

// TestSpecialTokens: each text has the special tokens once, whoever wrote them, and
// messages are rendered as the model was trained.
func TestSpecialTokens(t *testing.T) {
	m := opened(t, "rm", saved(t, 1, ""))
	_, listening := serving(t, Default(), m)
	want, _ := json.Marshal(reward(t, m, "hello there"))
	rewards := func(path, body string) string {
		status, _, answer := post(t, listening.URL+path, body)
		if status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", path, body, status, answer)
		}
		return answer
	}
	for _, body := range []string{`{"input":"hello there"}`, `{"input":"[CLS]hello there[SEP]"}`, `{"input":"hello there","add_special_tokens":true}`,
		`{"input":"[CLS]hello there[SEP]","add_special_tokens":false}`} {
		if answer := rewards("/classify", body); !strings.Contains(answer, `"probs":[`+string(want)+`]`) {
			t.Errorf("%s: %s, want %s", body, answer, want)
		}
	}
	// an encoder's reward is read at [CLS], which no policy writes
	if answer := rewards("/get_reward", `{"query":["hello there"]}`); !strings.Contains(answer, `"rewards":[`+string(want)+`]`) {
		t.Errorf("%s, want %s", answer, want)
	}
	if answer := rewards("/classify", `{"input":"hello there","add_special_tokens":false}`); strings.Contains(answer, string(want)) {
		t.Error("add_special_tokens: false adds them")
	}
	messages := []data.Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "yes"}}
	tokens, err := m.Scorer.Tokenizer.EncodeMessages(messages, 0, m.Scorer.Side)
	if err != nil {
		t.Fatal(err)
	}
	chat, _ := json.Marshal(rewardOf(t, m, tokens))
	turns := `[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"text","text":"yes"}]}]`
	if answer := rewards("/classify", `{"messages":`+turns+`}`); !strings.Contains(answer, `"probs":[`+string(chat)+`]`) {
		t.Errorf("%s, want %s", answer, chat)
	}
	ids, _ := json.Marshal(tokens.IDs)
	if answer := rewards("/pooling", `{"input":`+string(ids)+`}`); !strings.Contains(answer, `"data":[`+string(chat)+`]`) {
		t.Errorf("%s, want %s", answer, chat)
	}
	// a model that has learnt messages only takes prompt and response for turns
	talks := opened(t, "talks", saved(t, 1, `, "laurel": {"trained_on": "messages", "max_length": 64, "truncation_side": "left"}`))
	_, listening = serving(t, Default(), talks)
	if answer := rewards("/score", `{"text_1":"hi","text_2":"yes"}`); !strings.Contains(answer, `"score":`+string(chat)) {
		t.Errorf("%s, want %s", answer, chat)
	}
}
