package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
	"laurel/eval/draw/drawtest"
)

func plain(text string) data.Text { return data.Text{Plain: text} }

// by scores with a function of the response's text.
func by(f func(text string) float64) Score {
	return func(_ context.Context, all []data.Completion) ([]data.Score, error) {
		scores := make([]data.Score, len(all))
		for i, c := range all {
			text := c.Response.Plain
			for _, m := range c.Response.Messages {
				text += m.Content
			}
			scores[i] = data.Score{Reward: float32(f(text)), Valid: true}
		}
		return scores, nil
	}
}

// table writes rows and opens them.
func table(t *testing.T, lines ...string) *data.Table {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	opened, err := data.OpenTable(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	return opened
}

// pairs are forty, of twenty prompts.
func pairs() (lines []string) {
	for i := range 40 {
		lines = append(lines, fmt.Sprintf(`{"prompt":"Question %d?","chosen":" Use number %d. It helps people of %d.","rejected":"No idea about %d, really. Ask later."}`, i/2, i, 10*i, i))
	}
	return lines
}

func results(t *testing.T, score Score, lines ...string) (map[string]Result, *Report) {
	t.Helper()
	r, err := Run(t.Context(), table(t, lines...), score, Default(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Result{}
	for _, p := range r.Probes {
		out[p.Probe] = p
	}
	return out, r
}

// TestLengthPrefersPadding: a reward that is the length finds what is longer.
func TestLengthPrefersPadding(t *testing.T) {
	got, report := results(t, by(func(text string) float64 { return float64(len(text)) }), pairs()...)
	want := map[string]string{"padding": VerdictPrefers, "repeated_whole": VerdictPrefers, "headings": VerdictPrefers, "hedging": VerdictPrefers,
		"first_half": VerdictGood, "last_sentence_off": VerdictGood, "empty": VerdictGood, "typos": VerdictNeither, "first_sentence_last": VerdictNeither}
	for name, verdict := range want {
		if got[name].Verdict != verdict {
			t.Errorf("%s: %s, want %s", name, got[name].Verdict, verdict)
		}
	}
	if report.Rows != 40 || report.Responses != 80 || report.Prompts != 20 {
		t.Errorf("%d rows, %d responses, %d prompts", report.Rows, report.Responses, report.Prompts)
	}
	headings := got["headings"] // 10 more bytes in each: no spread
	if headings.N != 80 || headings.Change != 10 || headings.Interval[0] != 10 || headings.Interval[1] != 10 || headings.Raised.Share != 1 {
		t.Errorf("headings: %+v", headings)
	}
	if std := float64(headings.Change) / float64(report.Std); math.Abs(float64(headings.ChangeStd)-std) > 1e-12 {
		t.Errorf("in std: %v, want %v", headings.ChangeStd, std)
	}
	if typos := got["typos"]; typos.Change != 0 || typos.Raised.Share != 0 {
		t.Errorf("typos: %+v", typos)
	}
}

// TestMarksPreferHeadings: a reward that counts # finds headings and nothing else.
func TestMarksPreferHeadings(t *testing.T) {
	got, _ := results(t, by(func(text string) float64 { return float64(strings.Count(text, "#")) }), pairs()...)
	for name, p := range got {
		if want := name == "headings"; (p.Verdict == VerdictPrefers) != want {
			t.Errorf("%s: %s", name, p.Verdict)
		}
	}
}

// TestConstantFindsNothing: every interval holds 0, and there is no std.
func TestConstantFindsNothing(t *testing.T) {
	got, report := results(t, by(func(string) float64 { return 3 }), pairs()...)
	for name, p := range got {
		if p.Verdict != VerdictNeither || !p.Interval.Contains(0) || p.ChangeStd.Defined() {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if !strings.Contains(strings.Join(report.Warnings, "\n"), "every response has the same reward") {
		t.Errorf("warnings: %q", report.Warnings)
	}
}

// TestOneTurnIsEdited: of conversations the assistant's last turn, of what stands
// around it nothing; what is more than a text is left out and counted.
func TestOneTurnIsEdited(t *testing.T) {
	lines := []string{
		`{"messages":[{"role":"user","content":"Hi."},{"role":"assistant","content":"Hello. There."},{"role":"user","content":"Why?"},{"role":"assistant","content":" So. It is.\n"}]}`,
		`{"messages":[{"role":"user","content":"Again?"},{"role":"assistant","content":"Yes.","reasoning_content":"hm"}]}`,
		`{"messages":[{"role":"user","content":"Nothing?"},{"role":"assistant","content":""}]}`,
		`{"messages":[{"role":"user","content":"Other?"},{"role":"assistant","content":"Other text."}]}`,
	}
	seen := map[string]bool{}
	score := func(ctx context.Context, all []data.Completion) ([]data.Score, error) {
		for _, c := range all {
			if n := len(c.Prompt.Messages); n == 3 {
				if c.Prompt.Messages[1].Content != "Hello. There." || len(c.Response.Messages) != 1 {
					t.Errorf("%+v", c)
				}
				seen[c.Response.Messages[0].Content] = true
			}
		}
		return by(func(text string) float64 { return float64(len(text)) })(ctx, all)
	}
	_, report := results(t, score, lines...)
	for _, want := range []string{" So. It is.\n", " It is. So.\n", " # Answer\n\nSo. It is.\n", " Other text.\n", " \n"} {
		if !seen[want] {
			t.Errorf("%q was not scored: %v", want, seen)
		}
	}
	if report.Responses != 2 || report.LeftOut[notText] != 1 || len(report.LeftOut) != 2 {
		t.Errorf("%d responses, left out %v", report.Responses, report.LeftOut)
	}
}

// TestCutAndUnscored: what max_length cuts is counted apart, what has no reward by
// reason.
func TestCutAndUnscored(t *testing.T) {
	score := func(ctx context.Context, all []data.Completion) ([]data.Score, error) {
		scores, err := by(func(text string) float64 { return float64(len(text)) })(ctx, all)
		for i, c := range all {
			switch text := c.Response.Plain; {
			case strings.HasPrefix(text, " # "):
				scores[i].Truncated = true
			case strings.TrimSpace(text) == "":
				scores[i] = data.Score{Reason: "no_tokens"}
			}
		}
		return scores, err
	}
	var edits []Edit
	r, err := Run(t.Context(), table(t, pairs()...), score, Config{Rows: 4, Seed: 1, Resamples: 100}, func(e Edit) error { edits = append(edits, e); return nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Probes {
		switch p.Probe {
		case "headings": // the chosen responses begin with a space
			if p.N != 4 || p.Cut.N != 4 || p.Cut.Change != 10 {
				t.Errorf("headings: %+v", p)
			}
		case "empty":
			if p.N != 0 || p.Unscored["no_tokens"] != 8 || p.Verdict != VerdictTooFew {
				t.Errorf("empty: %+v", p)
			}
		}
	}
	if first := edits[0]; first.Probe != "original" || first.Prompt != "Question 0?" || first.Response != "chosen" || first.Change != nil {
		t.Errorf("first edit: %+v", first)
	}
	if r.Rows != 4 || r.Responses != 8 || r.Prompts != 2 {
		t.Errorf("%d rows, %d responses, %d prompts", r.Rows, r.Responses, r.Prompts)
	}
}

// TestBootstrapByHand: two prompts, of means 1 and 3, are both drawn half of the
// time: the mean is 1, 2 or 3, each end in a quarter of the resamples.
func TestBootstrapByHand(t *testing.T) {
	prompts, interval := bootstrap([]int32{0, 0, 5, 5}, []float64{1, 1, 2, 4}, Config{Resamples: 400, Seed: 3})
	if prompts != 2 || interval[0] != 1 || interval[1] != 3 {
		t.Errorf("%d prompts, %v", prompts, interval)
	}
	if _, none := bootstrap([]int32{4, 4}, []float64{1, 2}, Default()); none[0].Defined() {
		t.Errorf("one prompt has the interval %v", none)
	}
}

// TestReportIsWritten: the page loads nothing and shows texts as texts, the JSON
// has no NaN.
func TestReportIsWritten(t *testing.T) {
	lines := append(pairs(), `{"prompt":"<script>x</script>","chosen":"<b>bold</b>. Yes.","rejected":"No."}`)
	var pages []string
	for name, score := range map[string]Score{"length": by(func(text string) float64 { return float64(len(text)) }), "constant": by(func(string) float64 { return 0 })} {
		_, report := results(t, score, lines...)
		path := filepath.Join(t.TempDir(), "probe.html")
		if err := report.WriteHTML(path, "of <this>"); err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		drawtest.Page(t, name, string(page))
		if _, err := json.Marshal(report); err != nil {
			t.Error(err)
		}
		pages = append(pages, string(page))
	}
	drawtest.Fits(t, pages[0])
}

func TestTextsAreRefused(t *testing.T) {
	_, err := Run(t.Context(), table(t, `{"text":"one"}`), by(func(string) float64 { return 0 }), Default(), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "prompt and response are one") {
		t.Error(err)
	}
	_, err = Run(t.Context(), table(t, `{"prompt":"a","response":""}`), by(func(string) float64 { return 0 }), Default(), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "no response that can be probed: ") {
		t.Error(err)
	}
}
