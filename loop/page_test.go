package loop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/eval/draw/drawtest"
	"laurel/eval/stats"
)

func TestRoundTicks(t *testing.T) {
	for last, want := range map[int]string{1: "1", 2: "1 2", 12: "1 2 3 4 5 6 7 8 9 10 11 12", 13: "2 4 6 8 10 12", 100: "10 20 30 40 50 60 70 80 90 100"} {
		var got []string
		for _, tick := range roundTicks(last) {
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d rounds: %q, want %q", last, got, want)
		}
	}
}

// TestPage: shares stand on an axis of 0 to 100, counts are whole, what was re-used is
// that of both steps that label, and nothing is cut.
func TestPage(t *testing.T) {
	round := func(n, requests, reused int) RoundReport {
		m := Measures{Labelled: 24, Asked: Asked{96, 0}, AskedHeld: &Asked{48, reused}}
		m.Spent.Requests = requests
		m.HeldOut = &HeldOut{Pairs: 12, Accuracy: 1, Interval: stats.Interval{0.758, 1}}
		m.BestOfN = &BestOfN{Prompts: 12, Candidates: 2, Reward: stats.Difference{Mean: 0.72, Interval: stats.Interval{0.65, 0.78}}}
		return RoundReport{n, m}
	}
	r := &Report{Rounds: []RoundReport{round(1, 288, 0), round(2, 216, 24)}}
	path := filepath.Join(t.TempDir(), "loop.html")
	if err := r.WriteHTML(path, Config{Prompts: []string{"prompts.jsonl"}, Rounds: 2}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, want := range []string{"requests sent 288, 216; answers re-used 0, 24", "abstained 0.0%, 0.0%", "accuracy 100.0%, 100.0%", ">Abstentions<", "gain 0.720, 0.720", "<td>96</td><td>0</td><td>48</td><td>24</td>", "People&#39;s answers"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, unwanted := range []string{">-0.4<", ">1.5<"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("an axis has %s", unwanted)
		}
	}
	drawtest.Fits(t, page)
	if strings.Contains(page, "agreement with gold, ") || strings.Contains(page, "Abstentions and") {
		t.Error("the chart's title promises gold, of which there is none")
	}
	r.Rounds[1].Gold = &stats.Share{N: 20, Share: 0.9, Interval: stats.Interval{0.7, 0.97}}
	if err := r.WriteHTML(path, Config{Prompts: []string{"prompts.jsonl"}, Rounds: 2}); err != nil {
		t.Fatal(err)
	}
	if raw, err = os.ReadFile(path); err != nil || !strings.Contains(string(raw), "Abstentions and agreement with gold") || !strings.Contains(string(raw), "agrees with gold 90.0%") {
		t.Errorf("the page does not show the gold that there is (%v)", err)
	}
}
