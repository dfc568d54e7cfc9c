package selection

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

// rows writes candidates: prompt, response, finish_reason, and gives the path.
func rows(t *testing.T, lines ...[3]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "candidates.jsonl")
	var b strings.Builder
	for _, line := range lines {
		raw, err := json.Marshal(map[string]string{"prompt": line[0], "response": line[1], "finish_reason": line[2]})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", raw)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// selected gives what a selection writes, as lines. NaN is no reward.
func selected(t *testing.T, path string, rewards []float32, c Config) (messages, pairs []string, sum *Summary) {
	t.Helper()
	s, err := New(path, nil, c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, r := range rewards {
		score := data.Score{Reward: r, Valid: r == r}
		if err := s.Take([]data.Score{score}); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if sum, err = s.Write(filepath.Join(dir, "m.jsonl"), filepath.Join(dir, "p.jsonl")); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []string {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.FieldsFunc(string(content), func(r rune) bool { return r == '\n' })
	}
	return read("m.jsonl"), read("p.jsonl"), sum
}

// TestSelection: two prompts, candidates of both mixed, by hand.
func TestSelection(t *testing.T) {
	nan := float32(0)
	nan /= nan
	path := rows(t,
		[3]string{"p", "bad", "stop"}, [3]string{"q", "only", ""}, [3]string{"p", "good", "stop"}, [3]string{"p", "cut", "length"},
		[3]string{"p", "fair", "stop"}, [3]string{"p", "good", "stop"}, [3]string{"p", "none", "stop"}, [3]string{"", "x", ""})
	rewards := []float32{-1, 0, 2, 9, 1.5, 2, nan, 3}
	messages, pairs, sum := selected(t, path, rewards, Config{TopK: 2})
	wantMessages := []string{
		`{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"only"}],"reward":0,"margin":0,"rank":1}`,
		`{"messages":[{"role":"user","content":"p"},{"role":"assistant","content":"good"}],"reward":2,"margin":3,"rank":1}`,
		`{"messages":[{"role":"user","content":"p"},{"role":"assistant","content":"fair"}],"reward":1.5,"margin":2.5,"rank":2}`}
	wantPairs := []string{
		`{"prompt":"p","chosen":"good","rejected":"bad","reward_chosen":2,"reward_rejected":-1}`,
		`{"prompt":"p","chosen":"fair","rejected":"bad","reward_chosen":1.5,"reward_rejected":-1}`}
	if !slices.Equal(messages, wantMessages) || !slices.Equal(pairs, wantPairs) {
		t.Errorf("messages\n%s\npairs\n%s", strings.Join(messages, "\n"), strings.Join(pairs, "\n"))
	}
	want := Summary{Candidates: 8, Prompts: 2, Out: map[string]int{CutShort: 1, Repeated: 1, Unscored: 1, NoPrompt: 1},
		Messages: Kept{3, 2, map[string]int{}}, Pairs: Kept{2, 1, map[string]int{OneOnly: 1}}}
	if !reflect.DeepEqual(*sum, want) {
		t.Errorf("%+v, want %+v", *sum, want)
	}
	// best-of 3: p has bad, good, fair; q has fewer. A margin of 2.75 leaves one.
	messages, pairs, sum = selected(t, path, rewards, Config{BestOf: 3, TopK: 3, MinMargin: 2.75})
	if !slices.Equal(messages, wantMessages[1:2]) || !slices.Equal(pairs, wantPairs[:1]) || sum.Messages.Out[TooFew] != 1 || sum.Pairs.Out[TooFew] != 1 {
		t.Errorf("messages %q, pairs %q, %+v", messages, pairs, sum)
	}
	if messages, pairs, sum = selected(t, path, rewards, Config{TopK: 1, MinMargin: 4}); len(messages)+len(pairs) > 0 || sum.Messages.Out[LowMargin] != 2 || sum.Pairs.Out[LowMargin] != 1 {
		t.Errorf("messages %q, pairs %q, %+v", messages, pairs, sum)
	}
}

// TestSelectionProperties: on random candidates, what is kept of a prompt are its
// highest rewards, and every row is kept or counted.
func TestSelectionProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	for range 30 {
		var lines [][3]string
		var rewards []float32
		byPrompt := map[string][]float32{}
		for i := range 40 {
			prompt, reward := fmt.Sprint("p", random.IntN(8)), float32(random.IntN(9))/4
			lines, rewards = append(lines, [3]string{prompt, fmt.Sprint("r", i), "stop"}), append(rewards, reward)
			byPrompt[prompt] = append(byPrompt[prompt], reward)
		}
		c := Config{TopK: 1 + random.IntN(3), MinMargin: float64(random.IntN(3)) / 2}
		messages, pairs, sum := selected(t, rows(t, lines...), rewards, c)
		wantMessages, wantPairs, without := 0, 0, 0
		for _, all := range byPrompt {
			slices.Sort(all)
			slices.Reverse(all)
			n := 0
			for _, r := range all[:min(c.TopK, len(all))] {
				margin := float64(r - all[len(all)-1])
				if margin >= c.MinMargin {
					n++
				}
				if margin >= c.MinMargin && margin > 0 {
					wantPairs++
				}
			}
			wantMessages += n
			if n == 0 {
				without++
			}
		}
		if len(messages) != wantMessages || len(pairs) != wantPairs || sum.Messages.Out[LowMargin] != without || sum.Messages.Prompts+without != len(byPrompt) {
			t.Fatalf("%+v: %d messages, want %d; %d pairs, want %d; %+v", c, len(messages), wantMessages, len(pairs), wantPairs, sum)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	for _, c := range []Config{{TopK: 0}, {TopK: 1, BestOf: -1}, {TopK: 3, BestOf: 2}, {TopK: 1, MinMargin: -1}} {
		if c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	path := filepath.Join(t.TempDir(), "texts.jsonl")
	if err := os.WriteFile(path, []byte(`{"text":"a"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(path, nil, Config{TopK: 1}); err == nil || !strings.Contains(err.Error(), "no prompts") {
		t.Error(err)
	}
}

// TestBest: the candidates of TestSelection's first prompt that count, by hand.
func TestBest(t *testing.T) {
	path := rows(t, [3]string{"p", "bad", "stop"}, [3]string{"q", "only", ""}, [3]string{"p", "good", "stop"}, [3]string{"p", "cut", "length"}, [3]string{"p", "fair", "stop"})
	s, err := New(path, nil, Config{BestOf: 3, TopK: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, r := range []float32{-1, 0, 2, 9, 1.5} {
		if err := s.Take([]data.Score{{Reward: r, Valid: true}}); err != nil {
			t.Fatal(err)
		}
	}
	want := []Best{{Prompt: data.KeyOf(data.Text{Plain: "p"}, data.Text{}, data.Text{}), Response: data.KeyOf(data.Text{}, data.Text{Plain: "good"}, data.Text{}),
		Reward: 2, Mean: 2.5 / 3, Candidates: 3}}
	if got := s.Best(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
