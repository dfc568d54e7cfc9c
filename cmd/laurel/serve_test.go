package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// askRetrying asks for rewards as OpenRLHF's client does: again after a while where
// there is no answer, or none of 2xx.
func askRetrying(url string, texts []string) ([]float64, error) {
	body, err := json.Marshal(map[string][]string{"query": texts})
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		rewards, err := askOnce(url, body)
		if err == nil || try == 200 {
			return rewards, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func askOnce(url string, body []byte) ([]float64, error) {
	response, err := http.Post(url+"/get_reward", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%d %s %w", response.StatusCode, raw, err)
	}
	var answer struct{ Rewards []float64 }
	return answer.Rewards, json.Unmarshal(raw, &answer)
}

// TestKilledServer kills a server under load, twice, and starts it again: clients that
// retry lose nothing, and every reward is the one of before.
func TestKilledServer(t *testing.T) {
	dir := inputs(t)
	mustRun(t, dir, "train", "--config", "run.yaml", "--set", "train.epochs=1", "--out", "run")
	start := func(addr string) *process {
		p := startLaurel(t, dir, "serve", "--model", "run", "--addr", addr, "--backend", "go")
		t.Cleanup(func() { p.Process.Kill() })
		p.waitFor(t, "ready: run")
		return p
	}
	server := start("127.0.0.1:0")
	url := listeningOn.FindStringSubmatch(server.out.String())[1]
	second := startLaurel(t, dir, "serve", "--model", "run", "--addr", strings.TrimPrefix(url, "http://"), "--backend", "go")
	if err := second.Wait(); err == nil || !strings.Contains(second.out.String(), "another process listens there: name another port") {
		t.Errorf("a second server at the same address: %v\n%s", err, second.out.String())
	}
	texts := make([]string, 8)
	for i := range texts {
		texts[i] = strings.Repeat("two plus two ", i+1)
	}
	want, err := askRetrying(url, texts)
	if err != nil || len(want) != len(texts) {
		t.Fatalf("%v %v", want, err)
	}
	var clients sync.WaitGroup
	stop := make(chan struct{})
	asked := make([]int, 8)
	for n := range asked {
		clients.Go(func() {
			for i := n; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				got, err := askRetrying(url, texts[i%8:i%8+1])
				if err != nil || got[0] != want[i%8] {
					t.Errorf("text %d: %v %v, want %v", i%8, got, err, want[i%8])
					return
				}
				asked[n]++
			}
		})
	}
	for range 2 {
		time.Sleep(100 * time.Millisecond)
		server.Process.Kill()
		server.Wait()
		server = start(strings.TrimPrefix(url, "http://"))
	}
	time.Sleep(100 * time.Millisecond)
	close(stop)
	clients.Wait()
	t.Logf("requests answered, by client: %v", asked)
}
