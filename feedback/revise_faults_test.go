package feedback

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"laurel/feedback/chat"
	"laurel/feedback/chattest"
)

// reviseAt revises four prompts at a server that answers every request so.
func reviseAt(t *testing.T, store *Store, fault chattest.Fault) ([]Chain, []LeftOut, *RevisionSummary, *chattest.Server) {
	t.Helper()
	server := &chattest.Server{Seed: 3, Rates: map[chattest.Fault]float64{fault: 1}, Text: chattest.Reply}
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	config := testConfig(listening)
	config.InFlight, config.MaxRetries = 4, 1
	if fault == chattest.Drip {
		config.Timeout = 300 * time.Millisecond
	}
	client, err := chat.New(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := revising(store, 4, nil)
	run.Model, run.Complete, run.Rounds, run.PerRound = config, client.Complete, 1, 1
	got, left, summary, err := chains(t, run)
	if err != nil {
		t.Fatalf("%s: %v", fault, err)
	}
	return got, left, summary, server
}

// TestReviseFaults: a fault that passes costs one request more and no chain.
func TestReviseFaults(t *testing.T) {
	want, _, _, _ := reviseAt(t, newStore(t), "")
	for _, fault := range []chattest.Fault{chattest.TooMany, chattest.Unavailable, chattest.ServerError, chattest.Drip, chattest.Truncated,
		chattest.Schema, chattest.Empty, chattest.Reset, chattest.Aborted} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			got, left, summary, server := reviseAt(t, store, fault)
			if fmt.Sprint(got) != fmt.Sprint(want) || len(left) != 0 || summary.Stopped != nil {
				t.Errorf("%d chains, left out %+v, %v", len(got), left, summary.Stopped)
			}
			if tally := server.Tally(); tally.Requests != 2*tally.Bodies || tally.Repeated != 0 || summary.SpentNow.Requests != tally.Requests {
				t.Errorf("%d requests counted; the server saw %+v", summary.SpentNow.Requests, tally)
			}
		})
	}
}

// TestReviseLastingFaults: a reply that is not whole goes into no chain, and is
// counted by its name; one that is whole does, whatever it says.
func TestReviseLastingFaults(t *testing.T) {
	for fault, c := range map[chattest.Fault]struct{ reason, says string }{
		chattest.CutOff:   {reasonCut, "cut off at chat.max_tokens"},
		chattest.Withheld: {"content_filter", `finish_reason "content_filter"`},
		chattest.Unknown:  {"finish_reason", `finish_reason is "hiccup"`},
	} {
		got, left, summary, server := reviseAt(t, newStore(t), fault)
		if len(got) != 0 || len(left) != 4 || !strings.Contains(summary.FirstLeft, c.says) || !strings.HasPrefix(ReasonList(summary.Reasons), c.reason+" ") {
			t.Errorf("%s: %d chains, %+v, %s", fault, len(got), summary.Reasons, summary.FirstLeft)
		}
		if tally := server.Tally(); tally.Requests != tally.Bodies || summary.Stopped == nil {
			t.Errorf("%s: %v; the server saw %+v", fault, summary.Stopped, tally)
		}
	}
	for _, fault := range []chattest.Fault{chattest.Refusal, chattest.Both, chattest.NoLogprobs} {
		got, left, summary, server := reviseAt(t, newStore(t), fault)
		if tally := server.Tally(); len(got) != 4 || len(left) != 0 || tally.Requests != tally.Bodies {
			t.Errorf("%s: %d chains, left out %+v; the server saw %+v", fault, len(got), left, tally)
		}
		if refusals := summary.Rounds[1].Refusals; (refusals == 1) != (fault == chattest.Refusal) {
			t.Errorf("%s: %v of the answers refuse", fault, refusals)
		}
	}
}
