package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestLongTexts: one that is cut is told by header and metric; a request, or the
// server, may have it refused instead, and say where it is cut.
func TestLongTexts(t *testing.T) {
	m := opened(t, "rm", saved(t, 1, `, "laurel": {"max_length": 8, "truncation_side": "left"}`))
	s, listening := serving(t, Default(), m)
	long := strings.Repeat("hello ", 30)
	answer := func(path, body string, headers ...string) (int, string, string) {
		status, got, text := post(t, listening.URL+path, body, headers...)
		return status, got.Get(headerTruncated), text
	}
	if status, cut, text := answer("/get_reward", `{"query":["`+long+`","a","`+long+`"]}`); status != 200 || cut != "2" {
		t.Errorf("%d %q %s", status, cut, text)
	}
	if status, cut, _ := answer("/get_reward", `{"query":["a"]}`); status != 200 || cut != "" {
		t.Errorf("%d %q of a short text", status, cut)
	}
	if n := testutil.ToFloat64(s.metrics.truncated.WithLabelValues("rm")); n != 2 {
		t.Errorf("metric says %v", n)
	}
	for _, c := range []struct{ path, body, header string }{
		{"/get_reward", `{"query":["` + long + `"]}`, Refuse},
		{"/predict", `{"inputs":"` + long + `","truncate":false}`, Cut},
		{"/classify", `{"input":"a","truncate_prompt_tokens":9}`, Cut},
	} {
		if status, _, text := answer(c.path, c.body, headerOverLength, c.header); status != http.StatusBadRequest || !strings.Contains(text, "more than") {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, text)
		}
	}
	s.config.OverLength = Refuse
	if status, _, text := answer("/classify", `{"input":"`+long+`"}`); status != http.StatusBadRequest {
		t.Errorf("%d %s", status, text)
	}
	for side, want := range map[string]string{"left": "there", "right": "the"} {
		body := `{"input":"the ` + strings.Repeat("and ", 40) + `there","truncate_prompt_tokens":3,"truncation_side":"` + side + `"}`
		raw, _ := json.Marshal(reward(t, m, want))
		if status, cut, text := answer("/classify", body); status != 200 || cut != "1" || !strings.Contains(text, `"probs":[`+string(raw)+`]`) {
			t.Errorf("%s: %d %q %s, want %s", side, status, cut, text, raw)
		}
	}
}

// TestLimits: what is too large, and every other fault of a request, is its own 4xx.
func TestLimits(t *testing.T) {
	config := Default()
	config.MaxBody, config.MaxItems, config.MaxTokens = 4000, 4, 100
	_, listening := serving(t, config, opened(t, "a", saved(t, 1, "")), opened(t, "b", saved(t, 2, "")))
	for _, c := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"/get_reward?model=a", `{"query":["` + strings.Repeat("x", 4000) + `"]}`, 413, "max-body"},
		{"/get_reward?model=a", `{"query":["a","b","c","d","e"]}`, 400, "max-items"},
		{"/get_reward?model=a", `{"query": [ "a\",[", "b", "c]", "d","e"]}`, 400, "5 texts"},
		{"/classify", `{"model":"a","input":[[1],[2],[3],[4],[5]]}`, 400, "5 texts"},
		{"/rerank", `{"model":"a","query":"x","documents":[{"text":"a","b":[1,2]},"b","c","d","e"]}`, 400, "5 texts"},
		{"/get_reward?model=a", `{"query":["` + strings.Repeat("a ", 60) + `","` + strings.Repeat("b ", 60) + `"]}`, 400, "max-tokens"},
		{"/get_reward", `{"query":["a"]}`, 400, "several models are served"},
		{"/get_reward?model=c", `{"query":["a"]}`, 404, "`c` does not exist"},
		{"/get_reward?model=a:lower", `{"query":["a"]}`, 404, "only an ensemble has views"},
		{"/get_reward?model=", `{"query":["a"]}`, 400, "without a name"},
		{"/get_reward?model=a&model=a", `{"query":["a"]}`, 400, "2 times, want it once"},
		{"/get_reward?model=a", `{"query":null}`, 400, "query is missing"},
		{"/get_reward?model=a", `{"query":[1]}`, 400, "want a text or a list of texts"},
		{"/get_reward?model=a", `{"query":["a",null]}`, 400, "query[1] is null"},
		{"/get_reward?model=a", `{"query":["a\u0000"]}`, 400, "query[0]: NUL at byte 1"},
		{"/get_reward?model=a", "{\"query\":[\"a\xff\"]}", 400, "not UTF-8"},
		{"/get_reward?model=a", `{"query":["\udc00\ud800"]}`, 400, "half a surrogate pair at byte 11"},
		{"/get_reward?model=a", `[]`, 400, "not an object"},
		{"/get_reward?model=a", `null`, 400, "not an object"},
		{"/get_reward?model=a", ``, 400, "not JSON"},
		{"/get_reward?model=a", `{"query":["a"]} x`, 400, "not JSON"},
		{"/classify", `{"model":"a"}`, 400, "input is missing"},
		{"/classify", `{"model":"a","input":[]}`, 400, "empty list"},
		{"/classify", `{"model":"a","input":[5000]}`, 400, "beyond the model's 4096 embeddings"},
		{"/classify", `{"model":"a","input":[-1]}`, 400, "negative"},
		{"/classify", `{"model":"a","input":[[1],[]]}`, 400, "input[1] has no token id"},
		{"/classify", `{"model":"a","input":[1,null]}`, 400, "want token ids"},
		{"/classify", `{"model":"a","input":"x","messages":[]}`, 400, "give one of them"},
		{"/classify", `{"model":"a","messages":[]}`, 400, "empty list"},
		{"/classify", `{"model":"a","messages":[{"role":"nobody","content":"a"}]}`, 400, "role"},
		{"/classify", `{"model":"a","messages":[{"role":"user","content":"a"}],"continue_final_message":true}`, 400, "whole turns"},
		{"/classify", `{"model":"a","input":"x","chat_template":"{{ 1 }}"}`, 400, "chat_template"},
		{"/classify", `{"model":"a","input":"x","use_activation":"no"}`, 400, "want true or false"},
		{"/classify", `{"model":"a","input":"x","truncate_prompt_tokens":0}`, 400, "want -1 or at least 1"},
		{"/classify", `{"model":"a","input":"x","truncate_prompt_tokens":1}`, 400, "no room for the 2 special tokens"},
		{"/classify", `{"model":"a","input":"x","truncation_side":"top"}`, 400, "want left or right"},
		{"/classify", `{"model":"a","input":"x","tools":[]}`, 400, "it is of messages"},
		{"/classify", `{"model":"a","text":[1]}`, 400, "want a text or a list of texts"},
		{"/classify", `{"model":"a","text":[]}`, 400, "empty list"},
		{"/classify", `{"model":"a","input_ids":"x"}`, 400, "want token ids"},
		{"/score", `{"model":"a","text_1":"x"}`, 400, "two sides are missing"},
		{"/score", `{"model":"a","text_1":["x","y"],"text_2":["x","y","z"]}`, 400, "2 prompts and 3 responses"},
		{"/rerank", `{"model":"a","query":"x","documents":[{"txt":"y"}]}`, 400, "documents[0] has no text"},
		{"/rerank", `{"model":"a","query":"x","documents":["y"],"top_n":-1}`, 400, "want 0 (all) or more"},
		{"/pooling", `{"model":"a","input":"x","task":"embed"}`, 400, "does classify"},
		{"/v1/embeddings", `{"model":"a","input":"x","dimensions":3}`, 400, "one number"},
		{"/v1/embeddings", `{"model":"a","input":"x","encoding_format":"hex"}`, 400, "float or base64"},
		{"/predict?model=a", `{"inputs":["x","y","z"]}`, 400, "has 3 texts"},
		{"/predict?model=a", `{"inputs":[["x"],"y"]}`, 400, "want a text or a list"},
		{"/predict?model=a", `{"inputs":"x","truncation_direction":"up"}`, 400, "want Left or Right"},
		{"/v1/score/evaluation", `{"model":"model","messages":["x"]}`, 404, "does not exist"},
		{"/v1/score/evaluation?model=a", `{"model":"model","messages":[]}`, 400, "Invalid request"},
		{"/v1/score/evaluation?model=a", `{"model":"model","messages":["x"],"max_length":0}`, 400, "want at least 1"},
	} {
		status, _, answer := post(t, listening.URL+c.path, c.body)
		if status != c.status || !strings.Contains(answer, c.says) {
			t.Errorf("%s %s: %d %s, want %d and %q", c.path, c.body, status, answer, c.status, c.says)
		}
		if !json.Valid([]byte(answer)) {
			t.Errorf("%s %s: not JSON: %s", c.path, c.body, answer)
		}
	}
	if status, _, answer := post(t, listening.URL+"/get_reward", `query=a`, "Content-Type", "application/x-www-form-urlencoded"); status != 415 {
		t.Errorf("%d %s", status, answer)
	}
	if status, _, answer := post(t, listening.URL+"/get_reward", "\x1f\x8b", "Content-Encoding", "gzip"); status != 415 || !strings.Contains(answer, "Content-Encoding") {
		t.Errorf("%d %s", status, answer)
	}
	if status, _, answer := post(t, listening.URL+"/get_reward?model=a", `{"query":["a"]}`, headerOverLength, ""); status != 400 {
		t.Errorf("%d %s", status, answer)
	}
	if status, _, _ := post(t, listening.URL+"/health", ``); status != http.StatusMethodNotAllowed {
		t.Errorf("POST /health: %d", status)
	}
}

// TestToken: everything but the probes asks for it, and it is in no answer.
func TestToken(t *testing.T) {
	config := Default()
	config.Token = "s3cret"
	s, listening := serving(t, config, opened(t, "rm", saved(t, 1, "")))
	for _, header := range []string{"", "Bearer", "Bearer s3cre", "Bearer s3crets", "Basic s3cret", "s3cret"} {
		status, headers, answer := post(t, listening.URL+"/get_reward", `{"query":["a"]}`, "Authorization", header)
		if status != http.StatusUnauthorized || headers.Get("WWW-Authenticate") != "Bearer" || strings.Contains(answer, "s3cret") {
			t.Errorf("%q: %d %v %s", header, status, headers, answer)
		}
	}
	if status, _, answer := post(t, listening.URL+"/get_reward", `{"query":["a"]}`, "Authorization", "bearer s3cret"); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
	for path, want := range map[string]int{"/health": 200, "/ready": 200, "/v1/models": 401, "/metrics": 401, "/openapi.json": 401, "/nowhere": 401} {
		if status, _ := got(t, listening.URL+path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	s.Drain()
	if status, answer := got(t, listening.URL+"/ready"); status != 503 || !strings.Contains(answer, "draining") {
		t.Errorf("%d %s", status, answer)
	}
}

func got(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw)
}

// TestPages: the lists of models and metrics, and the OpenAPI document, which names
// every path of the dialects.
func TestPages(t *testing.T) {
	_, listening := serving(t, Default(), opened(t, "a", saved(t, 1, "")), opened(t, "b", saved(t, 2, "")))
	post(t, listening.URL+"/get_reward?model=b", `{"query":["a"]}`)
	var models struct {
		Data []struct {
			ID  string
			Max int `json:"max_model_len"`
		}
	}
	_, answer := got(t, listening.URL+"/v1/models")
	if err := json.Unmarshal([]byte(answer), &models); err != nil || len(models.Data) != 2 || models.Data[1].ID != "b" || models.Data[0].Max != 64 {
		t.Errorf("%+v %v", models, err)
	}
	_, answer = got(t, listening.URL+"/metrics")
	for _, line := range []string{`laurel_requests_total{code="200",dialect="openrlhf"} 1`, `laurel_texts_total{model="b"} 1`, `laurel_queue_texts{model="a"} 0`} {
		if !strings.Contains(answer, line) {
			t.Errorf("metrics lack %s", line)
		}
	}
	var document struct{ Paths map[string]map[string]any }
	_, answer = got(t, listening.URL+"/openapi.json")
	if err := json.Unmarshal([]byte(answer), &document); err != nil {
		t.Fatal(err)
	}
	for pattern := range dialects {
		if path := strings.TrimPrefix(pattern, "POST "); document.Paths[path]["post"] == nil {
			t.Errorf("the document lacks %s", path)
		}
	}
}

// TestElsewhere: another path, or another method of one, is told what there is.
func TestElsewhere(t *testing.T) {
	_, listening := serving(t, Default(), opened(t, "rm", saved(t, 1, "")))
	for _, c := range []struct {
		method, path string
		want         int
		says         string
	}{
		{"POST", "/v1/chat/completions", 404, "POST /get_reward"},
		{"GET", "/", 404, "/openapi.json"},
		{"GET", "/get_reward", 405, "is answered to POST"},
		{"DELETE", "/v1/models", 405, "is answered to GET"},
	} {
		r, err := http.NewRequest(c.method, listening.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := listening.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != c.want || !strings.Contains(string(said), c.says) || !json.Valid(said) {
			t.Errorf("%s %s: %d %s, %v; want %d with %q", c.method, c.path, answer.StatusCode, said, err, c.want, c.says)
		}
		if allow := answer.Header.Get("Allow"); (allow != "") != (c.want == 405) {
			t.Errorf("%s %s: Allow %q", c.method, c.path, allow)
		}
	}
}
