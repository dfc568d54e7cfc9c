package main

import (
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"laurel/feedback/chattest"
)

// TestKilledGenerateResumes kills generate runs against a server that misbehaves
// at random moments, and resumes them until they end: as if nothing had been.
func TestKilledGenerateResumes(t *testing.T) {
	dir := t.TempDir()
	writePrompts(t, filepath.Join(dir, "prompts.jsonl"), 40)
	start := func(out string) []string {
		server := httptest.NewServer(&chattest.Server{Seed: 9, Text: chattest.Reply, Latency: 2 * time.Millisecond, Rates: map[chattest.Fault]float64{
			chattest.TooMany: 0.05, chattest.ServerError: 0.05, chattest.Truncated: 0.05, chattest.Reset: 0.05, chattest.CutOff: 0.1, chattest.Withheld: 0.05}})
		t.Cleanup(server.Close)
		return []string{"generate", "--data", "prompts.jsonl", "--n", "4", "--model", "a", "--model", "b", "--set",
			"chat={base_url: " + server.URL + ", backoff: 5ms, in_flight: 4}", "--out", out}
	}
	mustRun(t, dir, start("whole")...)
	random := rand.New(rand.NewPCG(5, 1))
	generate := start("killed")
	for range 5 {
		p := startLaurel(t, dir, generate...)
		time.Sleep(time.Duration(30+random.IntN(120)) * time.Millisecond)
		p.Process.Kill()
		p.Wait() // it was killed, or had ended
	}
	mustRun(t, dir, generate...)
	for _, file := range []string{"candidates.jsonl", "candidates.parquet", "comparisons.jsonl", "comparisons.parquet"} {
		if read(t, filepath.Join(dir, "killed"), file) != read(t, filepath.Join(dir, "whole"), file) {
			t.Errorf("%s differs", file)
		}
	}
	keptOnce(t, filepath.Join(dir, "killed"))
}
