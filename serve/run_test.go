package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"laurel/model"
	"laurel/scoring"
)

// TestEnsemble: mean, standard deviation and lower bound, in the answers that may
// have further keys, and by name for clients that read one number.
func TestEnsemble(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pair")
	if err := scoring.WriteEnsemble(context.Background(), dir, []string{saved(t, 1, ""), saved(t, 2, "")}, scoring.Together{K: 2}, scoring.Options{}); err != nil {
		t.Fatal(err)
	}
	m := opened(t, "pair", dir)
	_, listening := serving(t, Default(), m)
	tokens, err := m.Scorer.Tokenizer.EncodeText("hello", 0, m.Scorer.Side)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := m.Scorer.ScoreIDs(context.Background(), [][]int32{tokens.IDs})
	if err != nil || scores[0].Std == 0 || scores[0].Lower != scores[0].Reward-2*scores[0].Std {
		t.Fatalf("%+v %v", scores, err)
	}
	as := func(value float32) string {
		raw, _ := json.Marshal(value)
		return string(raw)
	}
	mean, std, lower := as(scores[0].Reward), as(scores[0].Std), as(scores[0].Lower)
	for _, c := range []struct{ path, body, says string }{
		{"/get_reward", `{"query":["hello"]}`, `{"rewards":[` + mean + `],"scores":[` + mean + `],"extra_logs":{"dummy_scores":[` + mean + `],"reward_lower":[` + lower + `],"reward_std":[` + std + `]}}`},
		{"/get_reward?model=pair:lower", `{"query":["hello"]}`, `"rewards":[` + lower + `]`},
		{"/v1/embeddings", `{"model":"pair:std","input":"hello"}`, `"embedding":[` + std + `]`},
		{"/classify", `{"model":"pair","input":"hello"}`, `"probs":[` + mean + `],"num_classes":1,"std":` + std + `,"lower":` + lower},
	} {
		if status, _, answer := post(t, listening.URL+c.path, c.body); status != 200 || !strings.Contains(answer, c.says) {
			t.Errorf("%s %s: %d %s, want %s", c.path, c.body, status, answer, c.says)
		}
	}
	if _, answer := got(t, listening.URL+"/v1/models"); !strings.Contains(answer, `"id":"pair:lower"`) {
		t.Error(answer)
	}
}

// said keeps what a server says.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *said) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.lines, "\n"), text)
}

func (s *said) waitFor(t *testing.T, text string) {
	t.Helper()
	for range 3000 {
		if s.has(text) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("nothing says %q: %q", text, s.lines)
}

// unopened is opened for Load, which may be called in another goroutine.
func unopened(name, dir string) (Model, error) {
	m, err := scoring.Open(context.Background(), dir, scoring.Options{})
	if err != nil {
		return Model{}, err
	}
	backend, _, err := model.OpenBackend("go")
	if err != nil {
		return Model{}, err
	}
	s, err := m.Scorer(backend)
	return Model{Name: name, Scorer: s}, err
}

// TestRun: not ready while models load, then ready; a reload that fails leaves the
// models; one that does not brings the new ones; what is under way when the end comes
// is answered.
func TestRun(t *testing.T) {
	s, err := New(Default())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	loads := make(chan string, 1) // the directory of each load, "" to fail
	reload, said := make(chan os.Signal, 1), &said{}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Run(ctx, Running{Listener: listener, Reload: reload, Grace: 10 * time.Second, Delay: 300 * time.Millisecond, Say: said.say,
			Load: func(context.Context) ([]Model, error) {
				dir := <-loads
				if dir == "" {
					return nil, errors.New("nothing there")
				}
				m, err := unopened("rm", dir)
				return []Model{m}, err
			}})
	}()
	if status, answer := got(t, url+"/ready"); status != 503 || !strings.Contains(answer, "loading") {
		t.Errorf("%d %s", status, answer)
	}
	early := make(chan int)
	go func() {
		status, _, _ := post(t, url+"/get_reward", `{"query":["a"]}`)
		early <- status
	}()
	loads <- saved(t, 1, "")
	said.waitFor(t, "ready: rm")
	if status := <-early; status != 200 {
		t.Errorf("asked while the model was loaded: %d", status)
	}
	answer := func() string {
		status, _, answer := post(t, url+"/get_reward", `{"query":["hello there"]}`)
		if status != 200 {
			t.Errorf("%d %s", status, answer)
		}
		return answer
	}
	first := answer()
	loads <- ""
	reload <- syscall.SIGHUP
	said.waitFor(t, "reload failed, the models of before are served on: nothing there")
	if answer() != first {
		t.Error("another reward after a reload that failed")
	}
	loads <- saved(t, 2, "")
	reload <- syscall.SIGHUP
	said.waitFor(t, "reloaded: rm")
	if answer() == first {
		t.Error("the reward of before after a reload")
	}
	stop()
	said.waitFor(t, "draining")
	if status, _ := got(t, url+"/ready"); status != 503 {
		t.Errorf("ready while draining: %d", status)
	}
	answer()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestNotLoadedInTime: a request that came too early is told when to come again.
func TestNotLoadedInTime(t *testing.T) {
	config := Default()
	config.Timeout = time.Millisecond
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/get_reward", strings.NewReader(`{"query":["a"]}`)))
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestTLS serves over TLS, and takes a new certificate at a reload.
func TestTLS(t *testing.T) {
	s, err := New(Default())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir, said, reload := saved(t, 1, ""), &said{}, make(chan os.Signal, 1)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	number := int64(0)
	go func() {
		ended <- s.Run(ctx, Running{Listener: listener, Reload: reload, Grace: time.Second, Say: said.say,
			Load:        func(context.Context) ([]Model, error) { m, err := unopened("rm", dir); return []Model{m}, err },
			Certificate: func() (*tls.Certificate, error) { number++; return certificate(number) }})
	}()
	said.waitFor(t, "ready: rm")
	serial := func() string {
		client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // the test's own certificate
		response, err := client.Get("https://" + listener.Addr().String() + "/health")
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseIdleConnections()
		defer response.Body.Close()
		return response.TLS.PeerCertificates[0].SerialNumber.String()
	}
	if got := serial(); got != "1" {
		t.Errorf("certificate %s", got)
	}
	reload <- syscall.SIGHUP
	said.waitFor(t, "reloaded")
	if got := serial(); got != "2" {
		t.Errorf("certificate %s after a reload", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// certificate makes one with a serial number.
func certificate(number int64) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(number), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, err
}

// TestNames: what cannot be told apart is refused.
func TestNames(t *testing.T) {
	for _, names := range [][]string{{"a", "a"}, {""}, {"a b"}, {"a:lower"}} {
		var models []Model
		for _, name := range names {
			models = append(models, Model{Name: name})
		}
		if err := CheckNames(models); err == nil {
			t.Errorf("%q were taken", names)
		}
	}
	config := Default()
	config.MaxItems, config.OverLength, config.Timeout = config.Queue+1, "drop", 0
	for _, want := range []string{"would never be taken", "over-length", "timeout"} {
		if err := config.Validate(); err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
