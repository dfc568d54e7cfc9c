package serve

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// FuzzDialects sends anything to every dialect: the answer is rewards or a 4xx that
// says why, in JSON.
func FuzzDialects(f *testing.F) {
	config := Default()
	config.MaxItems, config.MaxTokens, config.Wait = 8, 400, 0
	s, err := New(config)
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Put(opened(f, "rm", saved(f, 1, ""))); err != nil {
		f.Fatal(err)
	}
	s.Ready()
	f.Cleanup(func() { s.Close() })
	handler := s.Handler()
	var paths []string
	for pattern := range dialects {
		paths = append(paths, pattern[len("POST "):])
	}
	slices.Sort(paths)
	for at := range paths {
		for _, body := range []string{`{"query":["a","b"],"input":["a"],"inputs":[["a"],["b","c"]],"messages":["a"],"documents":["a"]}`,
			`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"b"}]}],"tools":[{}],"chat_template_kwargs":{"a":1}}`,
			`{"text":"a","text_1":"a","text_2":["b"],"truncate_prompt_tokens":3,"truncation_side":"left","use_activation":true}`,
			`{"input":[[1,2],[3]],"input_ids":[4],"encoding_format":"base64","add_special_tokens":false,"query":"","top_n":1,"inputs":"é"}`,
			`{"input":"\ud83d\ude00","text":["\ud800"],"query":{},"inputs":[],"truncation_direction":"Left"}`, `[`, `null`, ``} {
			f.Add(byte(at), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, at byte, body []byte) {
		path := paths[int(at)%len(paths)]
		r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK && (w.Code < 400 || w.Code >= 500) {
			t.Errorf("%s %q: %d %s", path, body, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: not JSON: %s", path, body, w.Body)
		}
	})
}
