package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"laurel/data"
)

// words makes texts of many lengths.
func words(random *rand.Rand) string {
	var b strings.Builder
	for range 1 + random.IntN(50) {
		b.WriteString([]string{"the ", "boiling ", "water ", "9 ", "puppies, ", "hello "}[random.IntN(6)])
	}
	return b.String()
}

// asked is a client of OpenRLHF's dialect.
func asked(client *http.Client, url string, texts []string) ([]float32, error) {
	body, err := json.Marshal(map[string][]string{"query": texts})
	if err != nil {
		return nil, err
	}
	response, err := client.Post(url+"/get_reward", "application/json", strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%d %s %v", response.StatusCode, raw, err)
	}
	var answer struct{ Rewards []float32 }
	return answer.Rewards, json.Unmarshal(raw, &answer)
}

// TestRewardsUnderLoad: what many clients are told at once, while the models are put
// anew again and again, are the bits of each text computed alone; no request is
// dropped.
func TestRewardsUnderLoad(t *testing.T) {
	dir := saved(t, 1, "")
	alone := opened(t, "alone", dir)
	defer alone.Scorer.Close()
	random := rand.New(rand.NewPCG(3, 3))
	texts, want := make([]string, 60), make([]float32, 60)
	for i := range texts {
		texts[i] = words(random)
		want[i] = reward(t, alone, texts[i])
	}
	s, listening := serving(t, Default(), opened(t, "rm", dir))
	var clients sync.WaitGroup
	for n := range 16 {
		clients.Add(1)
		go func() {
			defer clients.Done()
			random := rand.New(rand.NewPCG(4, uint64(n)))
			for range 15 {
				var some []string
				var at []int
				for range 1 + random.IntN(6) {
					i := random.IntN(len(texts))
					some, at = append(some, texts[i]), append(at, i)
				}
				got, err := asked(listening.Client(), listening.URL, some)
				if err != nil || len(got) != len(some) {
					t.Errorf("%v %v", got, err)
					return
				}
				for j, i := range at {
					if got[j] != want[i] {
						t.Errorf("text %d: %v under load, %v alone", i, got[j], want[i])
					}
				}
			}
		}()
	}
	for range 5 {
		if err := s.Put(opened(t, "rm", dir)); err != nil {
			t.Error(err)
		}
	}
	clients.Wait()
	if fill := testutil.CollectAndCount(s.metrics.fill); fill != 1 {
		t.Errorf("%d series of batch_fill", fill)
	}
}

// stuck is a server whose model computes nothing until it is let go.
func stuck(t *testing.T, config Config) (*Server, *httptest.Server, func()) {
	t.Helper()
	m := opened(t, "rm", saved(t, 1, ""))
	s, listening := serving(t, config, m)
	free := make(chan struct{})
	slow := newBatcher(m.Scorer.Place, func(ctx context.Context, sequences [][]int32) ([]data.Score, error) {
		<-free
		return m.Scorer.ScoreIDs(ctx, sequences)
	}, 0, config.Queue, func(batchSeen) {})
	s.models[0].batcher.close()
	s.models[0].batcher = slow
	let := sync.OnceFunc(func() { close(free) })
	t.Cleanup(let)
	return s, listening, let
}

// TestFullQueueTellsWhenToCome: 429 with Retry-After, and nothing lost of what waits.
func TestFullQueueTellsWhenToCome(t *testing.T) {
	config := Default()
	config.Queue, config.MaxItems = 2, 2
	s, listening, let := stuck(t, config)
	answers := make(chan error, 2)
	for range 2 { // the first is computed, the second waits
		go func() {
			_, err := asked(listening.Client(), listening.URL, []string{"a", "b"})
			answers <- err
		}()
		time.Sleep(20 * time.Millisecond)
	}
	for s.models[0].batcher.waits() != 2 {
		time.Sleep(time.Millisecond)
	}
	status, headers, answer := post(t, listening.URL+"/get_reward", `{"query":["c"]}`)
	if status != http.StatusTooManyRequests || headers.Get("Retry-After") != "1" || !strings.Contains(answer, `"RateLimitError"`) {
		t.Errorf("%d %v %s", status, headers, answer)
	}
	if status, _, answer := post(t, listening.URL+"/predict", `{"inputs":"c"}`); status != http.StatusTooManyRequests || !strings.Contains(answer, `"error_type":"Overloaded"`) {
		t.Errorf("%d %s", status, answer)
	}
	let()
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

// TestDeadlineAndDisconnect: a request that takes too long has 504, and one whose
// client goes away leaves the queue.
func TestDeadlineAndDisconnect(t *testing.T) {
	config := Default()
	config.Timeout = 200 * time.Millisecond
	s, listening, _ := stuck(t, config)
	if status, _, answer := post(t, listening.URL+"/get_reward", `{"query":["a"]}`); status != http.StatusGatewayTimeout {
		t.Errorf("%d %s", status, answer)
	}
	s.config.Timeout = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, listening.URL+"/get_reward", strings.NewReader(`{"query":["b","c"]}`))
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if response, err := listening.Client().Do(r); err == nil {
			response.Body.Close()
			t.Error("answered")
		}
	}()
	for s.models[0].batcher.waits() != 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-gone
	for s.models[0].batcher.waits() != 0 {
		time.Sleep(time.Millisecond)
	}
	for testutil.ToFloat64(s.metrics.requests.WithLabelValues("openrlhf", "499")) != 1 {
		time.Sleep(time.Millisecond)
	}
}
