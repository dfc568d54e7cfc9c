package feedback

import (
	"fmt"
	"iter"
	"os"
	"reflect"
	"runtime"
	"testing"
	"time"

	"laurel/data"
	"laurel/feedback/chat"
	"laurel/feedback/chattest"
	"laurel/labels"
)

// loadComparisons are n comparisons of which no two are alike.
func loadComparisons(n int) func(*data.Counts) iter.Seq2[data.Comparison, error] {
	return func(counts *data.Counts) iter.Seq2[data.Comparison, error] {
		return func(yield func(data.Comparison, error) bool) {
			for i := range n {
				counts.Read++
				counts.Kept++
				c := data.Comparison{ID: fmt.Sprint(i), Prompt: data.Text{Plain: fmt.Sprint("prompt ", i)}, A: data.Text{Plain: "one answer"}, B: data.Text{Plain: "and another"}}
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

// TestLabelLoad labels through a server with every fault, 64 requests in
// flight. LAUREL_LOAD=120ms makes it 10,000 comparisons at so much a request,
// with slow drips too, and holds the time to 1.2 times what the server's own
// waiting takes and the heap to 200 MiB.
func TestLabelLoad(t *testing.T) {
	n, server, timeout := 500, &chattest.Server{Latency: 2 * time.Millisecond}, time.Minute
	server.Rates = map[chattest.Fault]float64{
		chattest.TooMany: 0.01, chattest.Unavailable: 0.01, chattest.ServerError: 0.01, chattest.Truncated: 0.01, chattest.Schema: 0.01,
		chattest.Empty: 0.01, chattest.NoLogprobs: 0.01, chattest.Reset: 0.01, chattest.Refusal: 0.01, chattest.Both: 0.01,
	}
	latency, err := time.ParseDuration(os.Getenv("LAUREL_LOAD"))
	full := err == nil
	if full {
		n, server.Latency, server.RetryAfter, timeout = 10_000, latency, 1, latency+3*time.Second
		server.Rates[chattest.Drip] = 0.002
	}
	c := DefaultOpenAI()
	c.Mode = ModeDirect
	store := newStore(t)
	client, config := serve(t, server, nil, func(c *chat.Config) { c.InFlight, c.Timeout = 64, timeout })
	c.Config = config
	run := labelling(t, store, 0, NewOpenAI("judge", c, client, nil))
	run.Constitution, run.Comparisons = &Constitution{Principles: four[:1]}, loadComparisons(n)
	run.InFlight = 128 // so that those who wait to try again leave no slot of the client empty
	heap := uint64(0)
	run.Progress = func(p Progress) {
		if p.Done%(n/5) == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap = max(heap, m.HeapAlloc)
		}
	}
	began := time.Now()
	first, summary, err := runLabels(t, run)
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	tally := server.Tally()
	checkLoad(t, n, first, summary, tally)
	ideal := (tally.Latency + time.Duration(tally.Faults[chattest.Drip])*timeout) / 64
	t.Logf("%d comparisons, %d requests, faults %v: %v, ideal %v, ratio %.3f; heap %.1f MiB", n, tally.Requests, tally.Faults,
		took.Round(time.Millisecond), ideal.Round(time.Millisecond), float64(took)/float64(ideal), float64(heap)/(1<<20))
	if full && (took > ideal*12/10 || heap > 200<<20) {
		t.Error("slower than 1.2 of the ideal time, or more than 200 MiB")
	}
	again, _, err := runLabels(t, run)
	if err != nil || !reflect.DeepEqual(plain(again), plain(first)) || server.Tally().Requests != tally.Requests {
		t.Errorf("the second run: %v, %d requests more", err, server.Tally().Requests-tally.Requests)
	}
}

// plain are labels as text, for NaN is not equal to itself.
func plain(all []labels.Label) []string {
	out := make([]string, len(all))
	for i, l := range all {
		out[i] = fmt.Sprintf("%+v", l)
	}
	return out
}

// checkLoad wants nothing lost and nothing asked twice.
func checkLoad(t *testing.T, n int, all []labels.Label, s *Summary, tally chattest.Tally) {
	t.Helper()
	for i, l := range all {
		if l.ID != fmt.Sprint(i) {
			t.Fatalf("label %d is of comparison %s", i, l.ID)
		}
	}
	unparseable := tally.Faults[chattest.Refusal] + tally.Faults[chattest.Both]
	transient := -unparseable
	for _, k := range tally.Faults {
		transient += k
	}
	if len(all) != n || s.Outcomes(Failed) != 0 || s.Outcomes(Unparseable) != unparseable || s.Outcomes(Preferred) != 2*n-unparseable {
		t.Errorf("%d labels of %d comparisons; answers %+v", len(all), n, s.Judges)
	}
	if tally.Bodies != 2*n || tally.Requests != 2*n+transient || tally.Repeated != 0 || s.Spent.Requests != tally.Requests {
		t.Errorf("%d questions, %d requests counted; the server saw %+v", 2*n, s.Spent.Requests, tally)
	}
}
