package main

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"laurel/feedback/rogue"
)

// TestKilledReviseResumes kills revise runs against a server that misbehaves
// at random moments, and resumes them until they end: as if nothing had been.
func TestKilledReviseResumes(t *testing.T) {
	dir := t.TempDir()
	var prompts strings.Builder
	for i := range 60 {
		fmt.Fprintf(&prompts, `{"id":"p%d","prompt":"How does step %d work?"%s}`+"\n", i, i, map[bool]string{true: `,"response":"It just does."`}[i%3 == 0])
	}
	if err := os.WriteFile(filepath.Join(dir, "prompts.jsonl"), []byte(prompts.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	start := func() (server *rogue.Server, revise []string) {
		server = &rogue.Server{Seed: 9, Text: rogue.Reply, Latency: 2 * time.Millisecond, Rates: map[rogue.Fault]float64{
			rogue.TooMany: 0.05, rogue.ServerError: 0.05, rogue.Truncated: 0.05, rogue.Reset: 0.05, rogue.Empty: 0.05}}
		listening := httptest.NewServer(server)
		t.Cleanup(listening.Close)
		return server, []string{"revise", "--data", "prompts.jsonl", "--rounds", "2", "--order", "sample", "--pairs", "--set",
			"chat={base_url: " + listening.URL + ", model: tiny, backoff: 5ms, in_flight: 4}", "--out"}
	}
	server, revise := start()
	mustRun(t, dir, append(revise, "whole")...)
	whole := filepath.Join(dir, "whole")
	want := keptOnce(t, whole)
	if tally := server.Tally(); tally.Repeated != 0 || tally.Good != want {
		t.Fatalf("%d answers kept of %+v", want, tally)
	}
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	const killsEach, inFlight = 8, 4
	for round := range rounds {
		random := rand.New(rand.NewPCG(22, uint64(round)))
		server, revise := start()
		name := fmt.Sprint("killed", round)
		run, interrupted := filepath.Join(dir, name), 0
		for range killsEach {
			p := startLaurel(t, dir, append(revise, name)...)
			time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
			p.Process.Kill()
			p.Wait() // it was killed, or had ended
			if content, err := os.ReadFile(filepath.Join(run, answersFile)); err == nil {
				if n := strings.Count(string(content), `"key"`); n > 0 && n < want {
					interrupted++
				}
			}
		}
		mustRun(t, dir, append(revise, name)...)
		for _, file := range []string{"messages.jsonl", "messages.parquet", "chains.jsonl", "chains.parquet", "pairs.jsonl", "pairs.parquet", "left-out.jsonl"} {
			if read(t, run, file) != read(t, whole, file) {
				t.Errorf("round %d: %s differs", round, file)
			}
		}
		if got := keptOnce(t, run); got != want {
			t.Errorf("round %d: %d answers, want %d", round, got, want)
		}
		// what was in flight when it was killed may have been answered unheard
		if again := server.Tally().Repeated; again > killsEach*inFlight {
			t.Errorf("round %d: %d requests asked again after %d kills", round, again, killsEach)
		}
		for _, file := range filesUnder(t, run) {
			if strings.HasSuffix(file, ".partial") {
				t.Errorf("round %d left %s", round, file)
			}
		}
		t.Logf("round %d: %d kills, %d of them between the first and the last answer; %d requests asked again", round, killsEach, interrupted, server.Tally().Repeated)
	}
}
