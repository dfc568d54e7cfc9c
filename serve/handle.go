package serve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers that laurel adds.
const (
	headerTruncated  = "X-Laurel-Truncated"   // of an answer: how many texts were cut
	headerOverLength = "X-Laurel-Over-Length" // of a request: cut or refuse
)

// dialect is one way to ask for rewards.
type dialect struct {
	name   string
	answer func(*request) (any, error) // the body of the answer
	failed func(*failure) any          // that of an error
}

// request is one that a dialect answers.
type request struct {
	http    *http.Request
	server  *Server
	fields  fields
	cut     int    // texts that were
	held    int64  // bytes of the body that count against max-bodies
	release func() // of its place among those that are worked on, while it has one
}

// Handler answers all dialects.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, d := range dialects {
		mux.Handle(pattern, s.handle(d))
	}
	mux.HandleFunc("GET /v1/models", s.listModels)
	mux.HandleFunc("GET /openapi.json", s.openAPI)
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /ready", s.answerReady)
	mux.HandleFunc("/", unknown(mux))
	return s.authorized(mux)
}

// unknown answers what no pattern takes, another method of a path among it.
func unknown(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
			if _, pattern := mux.Handler(other); strings.HasPrefix(pattern, method+" ") {
				w.Header().Set("Allow", method)
				write(w, http.StatusMethodNotAllowed, openAIError(fail(http.StatusMethodNotAllowed, "", "%s is answered to %s, not to %s", clip(r.URL.Path), method, clip(r.Method))))
				return
			}
		}
		rewards := strings.Join(slices.Sorted(maps.Keys(dialects)), ", ")
		write(w, http.StatusNotFound, openAIError(fail(http.StatusNotFound, "", "nothing is at %s: what answers is %s; GET /openapi.json describes it", clip(r.URL.Path), rewards)))
	}
}

// dialects by what they listen to. SGLang's and vLLM's /classify are told apart by
// their keys.
var dialects = map[string]dialect{
	"POST /get_reward":          {"openrlhf", openRLHF, openAIError},
	"POST /classify":            {"classify", classify, openAIError},
	"POST /v1/classify":         {"classify", classify, openAIError},
	"POST /score":               {"score", vllmScore, openAIError},
	"POST /v1/score":            {"score", vllmScore, openAIError},
	"POST /rerank":              {"rerank", vllmRerank, openAIError},
	"POST /v1/rerank":           {"rerank", vllmRerank, openAIError},
	"POST /v2/rerank":           {"rerank", vllmRerank, openAIError},
	"POST /pooling":             {"pooling", vllmPooling, openAIError},
	"POST /v1/embeddings":       {"embeddings", embeddings, openAIError},
	"POST /predict":             {"tei", teiPredict, teiError},
	"POST /v1/score/evaluation": {"llamafactory", llamaFactory, openAIError},
}

func (s *Server) answerReady(w http.ResponseWriter, _ *http.Request) {
	if s.draining.Load() {
		write(w, http.StatusServiceUnavailable, map[string]string{"status": "draining"})
		return
	}
	select {
	case <-s.ready:
		write(w, http.StatusOK, map[string]string{"status": "ready"})
	default:
		write(w, http.StatusServiceUnavailable, map[string]string{"status": "loading"})
	}
}

// authorized asks for the token, where there is one, but not of probes. Digests are compared, so that
// the time taken tells nothing of it, its length included.
func (s *Server) authorized(next http.Handler) http.Handler {
	if s.config.Token == "" {
		return next
	}
	want := sha256.Sum256([]byte(s.config.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(token))
		probe := r.URL.Path == "/health" || r.URL.Path == "/ready"
		if !probe && (!strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			write(w, http.StatusUnauthorized, openAIError(fail(http.StatusUnauthorized, "", "this server asks for a token: Authorization: Bearer TOKEN")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// handle reads a request, answers it, and counts it.
func (s *Server) handle(d dialect) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, code := time.Now(), http.StatusOK
		defer func() { s.metrics.request(d.name, code, time.Since(began)) }()
		ctx, cancel := context.WithTimeout(r.Context(), s.config.Timeout)
		defer cancel()
		req := &request{http: r.WithContext(ctx), server: s}
		defer req.leave()
		body, err := req.answer(w, d)
		if err != nil {
			f := s.told(r, err)
			if code = f.status; code == statusClientGone {
				return
			}
			if f.retry > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(f.retry.Seconds())))))
			}
			write(w, code, d.failed(f))
			return
		}
		if req.cut > 0 {
			w.Header().Set(headerTruncated, strconv.Itoa(req.cut))
		}
		write(w, code, body)
	})
}

// answer waits for the models where they are still being loaded: clients that try
// five times, a second apart, outlive a restart so.
func (r *request) answer(w http.ResponseWriter, d dialect) (any, error) {
	select {
	case <-r.server.ready:
	case <-r.http.Context().Done():
		if errors.Is(r.http.Context().Err(), context.Canceled) {
			return nil, r.http.Context().Err()
		}
		return nil, &failure{status: http.StatusServiceUnavailable, message: "the models are still being loaded: GET /ready says when they are", retry: time.Second}
	}
	raw, err := r.read(w)
	if err != nil {
		return nil, err
	}
	if err := r.enter(len(raw)); err != nil {
		return nil, err
	}
	if r.fields, err = parseFields(raw); err != nil {
		return nil, err
	}
	if err := r.fields.bounded(r.server.config.MaxItems); err != nil {
		return nil, err
	}
	return d.answer(r)
}

// told is what is said of an error.
func (s *Server) told(r *http.Request, err error) *failure {
	if f := (*failure)(nil); errors.As(err, &f) {
		return f
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fail(http.StatusGatewayTimeout, "", "no answer within %s: send fewer texts a request, or start the server with a longer --timeout", s.config.Timeout)
	case r.Context().Err() != nil:
		return fail(statusClientGone, "", "the client went away")
	case errors.Is(err, errClosed):
		return &failure{status: http.StatusServiceUnavailable, message: "the server is being stopped: ask another", retry: time.Second}
	}
	return fail(http.StatusInternalServerError, "", "%v", err)
}

// write sends JSON. Where it cannot be sent the client is gone.
func write(w http.ResponseWriter, status int, body any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"error":{"message":"the answer cannot be written as JSON","type":"InternalServerError","param":null,"code":500}}` + "\n")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func (s *Server) listModels(w http.ResponseWriter, _ *http.Request) {
	type card struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
		Root    string `json:"root"`
		MaxLen  int    `json:"max_model_len"`
	}
	cards := []card{}
	for _, name := range s.names() {
		if m, _, err := s.find(name, false); err == nil {
			cards = append(cards, card{name, "model", m.since.Unix(), "laurel", m.Name, m.Scorer.MaxLength})
			m.users.Done()
		}
	}
	write(w, http.StatusOK, map[string]any{"object": "list", "data": cards})
}
