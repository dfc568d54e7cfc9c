package localweb

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:0": "", "localhost:0": "", "127.9.9.9:0": "",
		":0": "other machines could reach it", "0.0.0.0:0": "other machines", "192.0.2.1:80": "other machines", "example.org:80": "other machines", "127.0.0.1": "give HOST:PORT",
	} {
		s, err := Open(addr, false)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", addr, err, want)
		}
		if err == nil {
			if s.Warning() != "" || len(s.token) < 26 {
				t.Errorf("%s: warning %q, token of %d letters", addr, s.Warning(), len(s.token))
			}
			s.listener.Close()
		}
	}
	s, err := Open("0.0.0.0:0", true)
	if err != nil || !strings.Contains(s.Warning(), "CAN BE REACHED FROM OTHER MACHINES") {
		t.Fatalf("%v, %+v", err, s)
	}
	s.listener.Close()
}

// TestGuard: what comes from another page, another name or without the token is
// refused, whatever the method.
func TestGuard(t *testing.T) {
	s, err := Open("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	s.listener.Close()
	asked := ""
	guarded := s.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = r.URL.Path }))
	for _, c := range []struct {
		method, host, path string
		header             [2]string
		status             int
	}{
		{"GET", "127.0.0.1:1", "/TOKEN/x", [2]string{}, 200},
		{"GET", "localhost", "/TOKEN/", [2]string{"Sec-Fetch-Site", "none"}, 200},
		{"GET", "[::1]:9", "/TOKEN/", [2]string{}, 200},
		{"POST", "127.0.0.1:1", "/TOKEN/x", [2]string{"Origin", "http://127.0.0.1:1"}, 200},
		{"POST", "127.0.0.1:1", "/TOKEN/x", [2]string{}, 403},
		{"POST", "127.0.0.1:1", "/TOKEN/x", [2]string{"Origin", "null"}, 403},
		{"POST", "127.0.0.1:1", "/TOKEN/x", [2]string{"Origin", "http://127.0.0.1:2"}, 403},
		{"POST", "127.0.0.1:1", "/TOKEN/x", [2]string{"Origin", "https://127.0.0.1:1"}, 403},
		{"GET", "127.0.0.1:1", "/TOKEN/x", [2]string{"Origin", "http://evil.example"}, 403},
		{"GET", "127.0.0.1:1", "/TOKEN/x", [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"GET", "127.0.0.1:1", "/TOKEN/x", [2]string{"Sec-Fetch-Site", "same-site"}, 403},
		{"GET", "evil.example:1", "/TOKEN/x", [2]string{}, 403},
		{"GET", "192.0.2.1", "/TOKEN/x", [2]string{}, 403},
		{"GET", "127.0.0.1.evil.example", "/TOKEN/x", [2]string{}, 403},
		{"GET", "", "/TOKEN/x", [2]string{}, 403},
		{"GET", "127.0.0.1:1", "/", [2]string{}, 403},
		{"GET", "127.0.0.1:1", "/TOKEN", [2]string{}, 403},
		{"GET", "127.0.0.1:1", "/TOKENx/", [2]string{}, 403},
		{"GET", "127.0.0.1:1", "//TOKEN/x", [2]string{}, 403},
	} {
		r := httptest.NewRequest(c.method, "http://h"+strings.ReplaceAll(c.path, "TOKEN", s.token), nil)
		r.Host = c.host
		if c.header[0] != "" {
			r.Header.Set(c.header[0], c.header[1])
		}
		asked = "not asked"
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		if w.Code != c.status || (asked == "not asked") != (c.status != 200) {
			t.Errorf("%+v: status %d, asked %q", c, w.Code, asked)
		}
		if w.Header().Get("Content-Security-Policy") == "" || strings.Contains(w.Body.String(), s.token) {
			t.Errorf("%+v: headers %v, body %s", c, w.Header(), w.Body)
		}
	}
}

func TestServeEnds(t *testing.T) {
	s, err := Open("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	held := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- s.Serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(held)
			<-r.Context().Done() // as a stream of events does
			WriteJSON(w, 200, map[string]int{"a": 1})
		}))
	}()
	go func() { <-held; stop() }()
	response, err := http.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "{\"a\":1}\n" {
		t.Errorf("%q, %v", body, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestReadJSON(t *testing.T) {
	for body, want := range map[string]string{`{"a":1}`: "", `{"b":1}`: `unknown field "b"`, `{`: "unexpected EOF", strings.Repeat(" ", longestBody) + `{}`: "too large"} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		var into struct {
			A int `json:"a"`
		}
		err := ReadJSON(httptest.NewRecorder(), r, &into)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", body, err, want)
		}
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader("{}"))
	w := httptest.NewRecorder()
	if err := ReadJSON(w, r, &struct{}{}); err == nil {
		t.Error("a form is read")
	} else if Fail(w, 400, errors.Join(err)); w.Code != 400 || !strings.Contains(w.Body.String(), `{"error":"the Content-Type`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
