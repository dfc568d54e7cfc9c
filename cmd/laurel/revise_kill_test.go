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

	"laurel/feedback/chattest"
)

// writePrompts writes n prompts, every third with an answer.
func writePrompts(t *testing.T, path string, n int) {
	t.Helper()
	var lines strings.Builder
	for i := range n {
		given := ""
		if i%3 == 0 {
			given = `,"response":"It just does."`
		}
		fmt.Fprintf(&lines, `{"id":"p%d","prompt":"How does step %d work?"%s}`+"\n", i, i, given)
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reviseThrough is a revise command, but for its last word, that asks the
// server.
func reviseThrough(t *testing.T, server *chattest.Server) []string {
	t.Helper()
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	return []string{"revise", "--data", "prompts.jsonl", "--rounds", "2", "--order", "sample", "--pairs", "--set",
		"chat={base_url: " + listening.URL + ", model: tiny, backoff: 5ms, in_flight: 4}", "--out"}
}

// TestKilledReviseResumes kills revise runs against a server that misbehaves
// at random moments, and resumes them until they end: as if nothing had been.
func TestKilledReviseResumes(t *testing.T) {
	dir := t.TempDir()
	writePrompts(t, filepath.Join(dir, "prompts.jsonl"), 60)
	start := func() (*chattest.Server, []string) {
		server := &chattest.Server{Seed: 9, Text: chattest.Reply, Latency: 2 * time.Millisecond, Rates: map[chattest.Fault]float64{
			chattest.TooMany: 0.05, chattest.ServerError: 0.05, chattest.Truncated: 0.05, chattest.Reset: 0.05, chattest.Empty: 0.05}}
		return server, reviseThrough(t, server)
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

// TestInterruptedReviseGoesOn stops a run by Ctrl-C; the same command goes on.
func TestInterruptedReviseGoesOn(t *testing.T) {
	dir := t.TempDir()
	writePrompts(t, filepath.Join(dir, "prompts.jsonl"), 60)
	server := &chattest.Server{Seed: 9, Text: chattest.Reply, Latency: 20 * time.Millisecond}
	revise := append(reviseThrough(t, server), "run")
	p := startLaurel(t, dir, revise...)
	p.waitFor(t, "replies, of which 0 are in the store")
	waitUntil(t, func() bool { return server.Tally().Good > 8 })
	p.stopped(t, os.Interrupt)
	if said := p.out.String(); !strings.Contains(said, "laurel: interrupted: ") || !strings.Contains(said, "the same command goes on") {
		t.Errorf("interrupted revise says\n%s", said)
	}
	if left := filesUnder(t, filepath.Join(dir, "run")); len(left) != 1 || left[0] != answersFile {
		t.Errorf("interrupted revise left %q", left)
	}
	mustRun(t, dir, revise...)
	if kept, tally := keptOnce(t, filepath.Join(dir, "run")), server.Tally(); kept != tally.Bodies {
		t.Errorf("%d answers kept of %+v", kept, tally)
	}
}

// TestTwoRevisesAtOnce: a second run into the same directory is refused, and
// takes nothing from the first.
func TestTwoRevisesAtOnce(t *testing.T) {
	dir := t.TempDir()
	writePrompts(t, filepath.Join(dir, "prompts.jsonl"), 12)
	server := &chattest.Server{Seed: 9, Text: chattest.Reply, Latency: 20 * time.Millisecond}
	revise := append(reviseThrough(t, server), "run")
	first := startLaurel(t, dir, revise...)
	waitUntil(t, func() bool { return server.Tally().Good > 0 })
	second := startLaurel(t, dir, revise...)
	if err := second.Wait(); err == nil || !strings.Contains(second.out.String(), "is in use by another run: wait for its end, or name another --out") {
		t.Errorf("%v\n%s", err, second.out.String())
	}
	if err := first.Wait(); err != nil {
		t.Errorf("%v\n%s", err, first.out.String())
	}
}

// waitUntil waits until something holds.
func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	for range 3000 {
		if holds() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("waited 15 s in vain")
}
