package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"laurel/feedback/chattest"
)

// slowCommands are label and revise against a server that takes its time, each
// with further settings of its chat.
func slowCommands(t *testing.T, dir string, server *chattest.Server, settings string) map[string][]string {
	t.Helper()
	writeComparisons(t, filepath.Join(dir, "comparisons.jsonl"), 60)
	writePrompts(t, filepath.Join(dir, "prompts.jsonl"), 60)
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	chat := fmt.Sprintf("{base_url: %q, model: tiny, in_flight: 4%s}", listening.URL, settings)
	return map[string][]string{
		"label":  {"label", "--data", "comparisons.jsonl", "--set", "judges=[{kind: openai, openai: " + chat + "}]", "--out", "label"},
		"revise": {"revise", "--data", "prompts.jsonl", "--set", "chat=" + chat, "--out", "revise"},
	}
}

// TestInterruptKeepsRepliesUnderWay: what was sent when Ctrl-C or SIGTERM comes
// is paid for; its replies are waited for and kept, and nothing more is sent.
func TestInterruptKeepsRepliesUnderWay(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"label", "revise"} {
		server := &chattest.Server{Text: chattest.Reply, Latency: 600 * time.Millisecond}
		command := slowCommands(t, dir, server, "")[name]
		p := startLaurel(t, dir, command...)
		waitUntil(t, func() bool { return server.Tally().Requests >= 4 })
		p.stopped(t, []os.Signal{os.Interrupt, syscall.SIGTERM}[i])
		if said := p.out.String(); !strings.Contains(said, "replies under way are paid for, and waited for up to 1m0s") || !strings.Contains(said, "the same command goes on") {
			t.Errorf("interrupted %s says\n%s", name, said)
		}
		sent := server.Tally()
		if kept := keptOnce(t, filepath.Join(dir, name)); kept != sent.Good || sent.Good != sent.Requests || sent.Requests > 8 {
			t.Errorf("%s: %d answers kept of %+v", name, kept, sent)
		}
	}
}

// TestInterruptsThatDoNotWait: a grace period that is over, and a second Ctrl-C.
func TestInterruptsThatDoNotWait(t *testing.T) {
	dir := t.TempDir()
	for name, settings := range map[string]string{"label": ", grace_period: 100ms", "revise": ", grace_period: 10m"} {
		server := &chattest.Server{Text: chattest.Reply, Latency: 5 * time.Minute}
		p := startLaurel(t, dir, slowCommands(t, dir, server, settings)[name]...)
		waitUntil(t, func() bool { return server.Tally().Requests >= 4 })
		began := time.Now()
		p.Process.Signal(os.Interrupt)
		if name == "revise" {
			p.waitFor(t, "Ctrl-C again ends at once")
			p.Process.Signal(os.Interrupt)
		}
		if err := p.Wait(); err == nil || time.Since(began) > 2*time.Minute {
			t.Errorf("%s: %v after %v\n%s", name, err, time.Since(began), p.out.String())
		}
	}
}
