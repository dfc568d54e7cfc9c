// Package serve answers requests for rewards over HTTP, in the words of the
// servers that reinforcement learning asks already: one file a dialect. Texts of
// different requests are computed together, and a text's reward is the same bits
// whatever it was computed with. It prints nothing.
package serve

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"laurel/scoring"
)

// Model is a model under the name that requests know it by.
type Model struct {
	Name   string
	Alias  string // another name, as the path that it came from; "" for none
	Scorer *scoring.Scorer
}

// Server holds the models. Requests wait until Put and Ready were called.
type Server struct {
	config  Config
	metrics *metrics

	mu     sync.RWMutex
	models []*served // the first given is the first listed

	ready    chan struct{} // closed once requests are taken
	draining atomic.Bool
	bodies   *semaphore.Weighted // bytes of bodies in memory
	small    *semaphore.Weighted // requests that are being parsed and tokenized
	large    *semaphore.Weighted // bytes of those longer than a part of a body
	partTime time.Duration       // in which a part of a body has to come
}

// served is a model in use. It is closed once the last request has left it.
type served struct {
	Model
	batcher *batcher
	since   time.Time
	users   sync.WaitGroup
}

// workers is how many small requests are parsed and tokenized at a time, and how
// many larger ones, fewer the longer they are: the tokenizer library takes up to 230
// bytes of memory for each of a text.
const workers = 4

// New makes a server without models.
func New(config Config) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: config, ready: make(chan struct{}), bodies: semaphore.NewWeighted(config.MaxBodies),
		small: semaphore.NewWeighted(workers), large: semaphore.NewWeighted(config.MaxBody), partTime: 30 * time.Second}
	s.metrics = newMetrics(s.waiting)
	return s, nil
}

// Warm computes once what the model's texts can have for a shape, which compiles it.
// done hears how many shapes are through.
func (m Model) Warm(ctx context.Context, done func(n, of int)) error {
	lengths, err := m.Scorer.Lengths()
	if err != nil {
		return err
	}
	for i, length := range lengths {
		if _, err := m.Scorer.ScoreIDs(ctx, [][]int32{make([]int32, length)}); err != nil {
			return fmt.Errorf("model %s: %w", m.Name, err)
		}
		done(i+1, len(lengths))
	}
	return nil
}

// Put serves these models from now on, and those before no more: what they were
// asked for already they answer, and are closed then.
func (s *Server) Put(models ...Model) error {
	if err := CheckNames(models); err != nil {
		return err
	}
	var fresh []*served
	for _, m := range models {
		name := m.Name
		fresh = append(fresh, &served{Model: m, since: time.Now(), batcher: newBatcher(m.Scorer.Place, m.Scorer.ScoreIDs, s.config.Wait, s.config.Queue,
			func(b batchSeen) { s.metrics.batch(name, b) })})
	}
	s.mu.Lock()
	old := s.models
	s.models = fresh
	s.mu.Unlock()
	for _, m := range old {
		go m.close()
	}
	return nil
}

func (m *served) close() {
	m.users.Wait()
	m.batcher.close()
	m.Scorer.Close()
}

// Ready has the server take requests, those that wait for it first.
func (s *Server) Ready() { close(s.ready) }

// Drain makes /ready say no, so that nothing new is sent here; what comes is still
// answered.
func (s *Server) Drain() { s.draining.Store(true) }

// Close closes the models, once the requests that are under way have their answers.
func (s *Server) Close() error {
	s.mu.Lock()
	old := s.models
	s.models = nil
	s.mu.Unlock()
	for _, m := range old {
		m.close()
	}
	return nil
}

// The views of an ensemble's model, which follow its name.
const (
	viewLower = ":lower" // mean − k·std
	viewStd   = ":std"   // the standard deviation between its members
)

// CheckNames refuses names that requests could not tell apart; models need not be open yet.
func CheckNames(models []Model) error {
	names := map[string]bool{}
	for _, m := range models {
		switch {
		case m.Name == "" || strings.ContainsAny(m.Name, " \t\n?&#"):
			return fmt.Errorf("model name %q: want one without spaces and ?&#", m.Name)
		case strings.HasSuffix(m.Name, viewLower) || strings.HasSuffix(m.Name, viewStd):
			return fmt.Errorf("model name %q: %s and %s are the endings of an ensemble's views", m.Name, viewLower, viewStd)
		case names[m.Name]:
			return fmt.Errorf("two models are named %q: give each a name of its own, --model NAME=DIR", m.Name)
		}
		names[m.Name] = true
	}
	return nil
}

// names are those that requests may give, views included.
func (s *Server) names() (names []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, m := range s.models {
		names = append(names, m.Name)
		if m.Scorer.IsEnsemble() {
			names = append(names, m.Name+viewLower, m.Name+viewStd)
		}
	}
	return names
}

func (s *Server) waiting() map[string]int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	counts := map[string]int{}
	for _, m := range s.models {
		counts[m.Name] = m.batcher.waits()
	}
	return counts
}

// find gives the model of a name or alias, and which view of it; release it after
// use. No name is the only model there is; with anyName, so is one that is not
// known. Otherwise it is a failure.
func (s *Server) find(name string, anyName bool) (m *served, view string, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	base := name
	for _, ending := range []string{viewLower, viewStd} {
		if before, ok := strings.CutSuffix(name, ending); ok {
			base, view = before, ending
		}
	}
	at := slices.IndexFunc(s.models, func(m *served) bool { return m.Name == base || m.Alias != "" && m.Alias == base })
	switch {
	case at < 0 && len(s.models) == 1 && (name == "" || anyName && view == ""):
		at = 0
	case at < 0 && name == "":
		return nil, "", fail(http.StatusBadRequest, "model", "several models are served: name one in the request's model, or in its URL as ?model=NAME (GET /v1/models lists them)")
	case at < 0:
		return nil, "", fail(http.StatusNotFound, "model", "The model `%s` does not exist. GET /v1/models lists those that do", clip(name))
	}
	m = s.models[at]
	if view != "" && !m.Scorer.IsEnsemble() {
		return nil, "", fail(http.StatusNotFound, "model", "The model `%s` does not exist: %s is one model, and only an ensemble has views", clip(name), m.Name)
	}
	m.users.Add(1)
	return m, view, nil
}

func clip(text string) string {
	if len(text) <= 100 {
		return text
	}
	return strings.ToValidUTF8(text[:100], "") + "…"
}
