package main

import (
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"laurel/feedback/chattest"
)

// TestKilledLoopGoesOn kills a loop of two rounds at random moments, and goes on until
// it ends: the same responses, labels, weights and scores as of a loop that was left
// alone, and no answer was paid for twice.
func TestKilledLoopGoesOn(t *testing.T) {
	dir := inputs(t)
	config, err := os.ReadFile(filepath.Join("testdata", "script", "loop.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"loop.yaml", "constitution.yaml", "prompts.jsonl"} {
		_, content, _ := strings.Cut(string(config), "-- "+name+" --\n")
		content, _, _ = strings.Cut(content, "\n-- ")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	start := func(out string) []string {
		server := httptest.NewServer(&chattest.Server{Seed: 3, Text: chattest.Reply, Latency: 2 * time.Millisecond, Rates: map[chattest.Fault]float64{chattest.TooMany: 0.05}})
		t.Cleanup(server.Close)
		return []string{"loop", "--config", "loop.yaml", "--set", "generate.chat.base_url=" + server.URL, "--set", "label.judges.0.openai.base_url=" + server.URL, "--out", out}
	}
	mustRun(t, dir, start("whole")...)
	args, random := start("killed"), rand.New(rand.NewPCG(5, 2))
	for range 6 {
		p := startLaurel(t, dir, args...)
		time.Sleep(time.Duration(100+random.IntN(500)) * time.Millisecond)
		p.Process.Kill()
		p.Wait() // it was killed, or had ended
	}
	mustRun(t, dir, args...)
	for _, round := range []string{"round-001", "round-002"} {
		got, want := filepath.Join(dir, "killed", round), filepath.Join(dir, "whole", round)
		for _, name := range []string{"responses/candidates.parquet", "responses/comparisons.parquet", "held-out/candidates.parquet", "best-of-n/scores.parquet", "best-of-n/best.jsonl", "review.csv"} {
			if read(t, got, name) != read(t, want, name) {
				t.Errorf("%s of %s differs", name, round)
			}
		}
		sameLabelFiles(t, filepath.Join(got, labelsDir), filepath.Join(want, labelsDir))
		if g, w := lossLines(read(t, got, "run/metrics.jsonl")), lossLines(read(t, want, "run/metrics.jsonl")); strings.Join(g, "\n") != strings.Join(w, "\n") {
			t.Errorf("losses of %s differ:\n%s\nwant\n%s", round, strings.Join(g, "\n"), strings.Join(w, "\n"))
		}
	}
	keptOnce(t, filepath.Join(dir, "killed"))
}
