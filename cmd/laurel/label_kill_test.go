package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"laurel/feedback"
	"laurel/feedback/chattest"
	"laurel/labels"
)

// writeComparisons writes n comparisons on which the heuristic judge decides
// or abstains.
func writeComparisons(t *testing.T, path string, n int) {
	t.Helper()
	long := "It works because heat moves from the warm side to the cold one, and therefore the lid must stay shut until it is done."
	var lines strings.Builder
	for i := range n {
		a, b := fmt.Sprintf("%s That is step %d.", long, i), fmt.Sprintf("No idea %d.", i)
		switch i % 3 {
		case 1:
			a, b = b, a
		case 2:
			b = fmt.Sprintf("%s That was step %d.", long, i)
		}
		line, err := json.Marshal(map[string]string{"id": fmt.Sprint("c", i), "prompt": fmt.Sprintf("How does step %d work?", i), "response_a": a, "response_b": b})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sameLabelFiles fails unless both directories have the same labels, byte for
// byte.
func sameLabelFiles(t *testing.T, got, want string) {
	t.Helper()
	for _, name := range []string{labels.PairsFile, labels.AbstainedFile} {
		if read(t, got, name) != read(t, want, name) {
			t.Errorf("%s differs between %s and %s", name, got, want)
		}
	}
}

// keptOnce fails if a key has two answers in the store: its question was asked
// twice.
func keptOnce(t *testing.T, dir string) (answers int) {
	t.Helper()
	seen := map[string]bool{}
	for line := range strings.Lines(read(t, dir, answersFile)) {
		var record struct{ Key string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record.Key == "" {
			continue
		}
		if seen[record.Key] {
			t.Errorf("%s: a question was asked twice: %s", dir, line)
		}
		seen[record.Key] = true
	}
	return len(seen)
}

// killedRounds kills label runs at random moments and resumes them until they
// end, round after round: as if nothing had been. It calls check after each
// with the number of kills.
func killedRounds(t *testing.T, dir string, label func(round int) []string, check func(round, kills int)) {
	t.Helper()
	whole := filepath.Join(dir, "whole")
	mustRun(t, dir, append(label(-1), "whole")...)
	want := keptOnce(t, whole)
	rounds, most := 3, 6
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		random := rand.New(rand.NewPCG(21, uint64(round)))
		name := fmt.Sprint("killed", round)
		run, kills, interrupted := filepath.Join(dir, name), 0, 0
		command := append(label(round), name)
		finished := false // by a run that was too fast to be killed; the next would ask again what was unparseable
		for ; kills < most && !finished; kills++ {
			p := startLaurel(t, dir, command...)
			time.Sleep(time.Duration(random.IntN(250)) * time.Millisecond)
			p.Process.Kill()
			p.Wait() // it was killed, or had ended
			if content, err := os.ReadFile(filepath.Join(run, answersFile)); err == nil {
				if n := strings.Count(string(content), "\n"); n > 0 && n < want {
					interrupted++
				}
				finished = strings.Contains(string(content), `"finished":true`)
			}
		}
		if !finished {
			mustRun(t, dir, command...)
		}
		sameLabelFiles(t, run, whole)
		if got := keptOnce(t, run); got != want {
			t.Errorf("round %d: %d answers, want %d", round, got, want)
		}
		for _, file := range filesUnder(t, run) {
			if strings.HasSuffix(file, ".partial") {
				t.Errorf("round %d left %s", round, file)
			}
		}
		t.Logf("round %d: %d kills, %d of them between the first and the last answer", round, kills, interrupted)
		check(round, kills)
	}
}

func TestKilledLabelResumes(t *testing.T) {
	dir := t.TempDir()
	writeComparisons(t, filepath.Join(dir, "comparisons.jsonl"), 300)
	label := func(int) []string {
		return []string{"label", "--data", "comparisons.jsonl", "--judge", "heuristic", "--set", "in_flight=4", "--out"}
	}
	killedRounds(t, dir, label, func(int, int) {})
}

// TestKilledOpenAILabelResumes does it to a judge behind a server that
// misbehaves: the labels, with their tokens and costs, are the same bytes, and
// no question is asked twice but those under way at a kill.
func TestKilledOpenAILabelResumes(t *testing.T) {
	for _, mode := range []string{feedback.ModeCoT, feedback.ModeCoTLogprobs} {
		t.Run(mode, func(t *testing.T) { killedOpenAILabel(t, mode) })
	}
}

func killedOpenAILabel(t *testing.T, mode string) {
	dir := t.TempDir()
	writeComparisons(t, filepath.Join(dir, "comparisons.jsonl"), 60)
	const inFlight = 4
	var servers []*chattest.Server
	label := func(int) []string {
		server := &chattest.Server{Latency: 10 * time.Millisecond, Rates: map[chattest.Fault]float64{
			chattest.TooMany: 0.03, chattest.ServerError: 0.03, chattest.Truncated: 0.03, chattest.Schema: 0.03, chattest.Reset: 0.03, chattest.Refusal: 0.03, chattest.Both: 0.03}}
		listening := httptest.NewServer(server)
		t.Cleanup(listening.Close)
		servers = append(servers, server)
		judge := fmt.Sprintf("judges=[{kind: openai, openai: {base_url: %q, model: tiny, mode: %s, backoff: 1ms, price: {prompt_per_million: 0.15, completion_per_million: 0.6}}}]", listening.URL, mode)
		return []string{"label", "--data", "comparisons.jsonl", "--set", judge, "--set", fmt.Sprint("in_flight=", inFlight), "--out"}
	}
	killedRounds(t, dir, label, func(round, kills int) {
		tally := servers[round+1].Tally() // the first is that of the whole run
		again := tally.Requests - tally.Bodies
		for fault, n := range tally.Faults {
			if !fault.Lasting() {
				again -= n
			}
		}
		if open := 2 * inFlight; again > kills*open { // in flight, or answered and not yet written
			t.Errorf("round %d: %d questions were asked twice, with %d open at each of %d kills", round, again, open, kills)
		}
		t.Logf("round %d: %d questions in %d requests, %d of them again after a kill", round, tally.Bodies, tally.Requests, again)
	})
	if tally := servers[0].Tally(); tally.Faults[chattest.Truncated] == 0 || tally.Faults[chattest.Refusal] == 0 || tally.MostAtOnce > inFlight {
		t.Errorf("the server saw %+v", tally)
	}
}

// TestInterruptedLabelGoesOn stops a run by Ctrl-C; the same command goes on.
func TestInterruptedLabelGoesOn(t *testing.T) {
	dir := t.TempDir()
	writeComparisons(t, filepath.Join(dir, "comparisons.jsonl"), 4000)
	label := []string{"label", "--data", "comparisons.jsonl", "--judge", "heuristic", "--out", "run"}
	p := startLaurel(t, dir, label...)
	p.waitFor(t, "questions, of which 0 are answered")
	time.Sleep(50 * time.Millisecond)
	p.stopped(t, os.Interrupt)
	if said := p.out.String(); !strings.Contains(said, "laurel: interrupted: ") || !strings.Contains(said, "the same command goes on") {
		t.Errorf("interrupted label says\n%s", said)
	}
	if left := filesUnder(t, filepath.Join(dir, "run")); len(left) != 1 || left[0] != answersFile {
		t.Errorf("interrupted label left %q", left)
	}
	writeComparisons(t, filepath.Join(dir, "comparisons.jsonl"), 40) // a prefix of them
	mustRun(t, dir, label...)
	mustRun(t, dir, append(label[:len(label)-1], "fresh")...)
	sameLabelFiles(t, filepath.Join(dir, "run"), filepath.Join(dir, "fresh"))
}

// TestKilledLabelShards labels in three processes at a time, one of them killed
// and started again, and merges: the files of one run.
func TestKilledLabelShards(t *testing.T) {
	dir := t.TempDir()
	writeComparisons(t, filepath.Join(dir, "comparisons.jsonl"), 40)
	server := &chattest.Server{Seed: 4, Latency: 2 * time.Millisecond, Rates: map[chattest.Fault]float64{
		chattest.TooMany: 0.05, chattest.ServerError: 0.05, chattest.Refusal: 0.05, chattest.Withheld: 0.05}}
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	label := func(out string, more ...string) []string {
		return append([]string{"label", "--data", "comparisons.jsonl", "--constitution", "five", "--set", "judges=[{kind: openai, name: tiny, openai: {base_url: " +
			listening.URL + ", model: tiny, mode: cot, backoff: 5ms, in_flight: 2}}]", "--out", out}, more...)
	}
	first, second := startLaurel(t, dir, label("parts", "--shard", "0/3")...), startLaurel(t, dir, label("parts", "--shard", "1/3")...)
	third := startLaurel(t, dir, label("parts", "--shard", "2/3")...)
	store := filepath.Join(dir, "parts", "shard-2-of-3", answersFile)
	waitUntil(t, func() bool {
		content, _ := os.ReadFile(store)
		return strings.Count(string(content), "\n") > 5
	})
	third.Process.Kill()
	third.Wait()
	mustRun(t, dir, label("parts", "--shard", "2/3")...)
	for _, p := range []*process{first, second} {
		if err := p.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, p.out.String())
		}
	}
	mustRun(t, dir, label("parts", "--merge")...)
	mustRun(t, dir, label("whole")...)
	sameLabelFiles(t, filepath.Join(dir, "parts"), filepath.Join(dir, "whole"))
	if n, want := keptOnce(t, filepath.Join(dir, "parts")), keptOnce(t, filepath.Join(dir, "whole")); n != want {
		t.Errorf("%d answers in the shards, %d in one run", n, want)
	}
}
