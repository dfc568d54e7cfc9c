package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// manyPairs writes scored pairs, 10,000 of 2,500 prompts, as another program might;
// some texts try to be markup. bias moves every margin.
func manyPairs(t *testing.T, path string, bias float64) {
	t.Helper()
	var b strings.Builder
	lines := json.NewEncoder(&b)
	for i := range 10_000 {
		chosen := fmt.Sprintf("Answer %d. %s", i, strings.Repeat("It goes on and on, as answers do. ", 5+i%20))
		if i == 7 {
			chosen = `</script><script>document.title = "taken"</script><img src=x onerror="document.title = 'taken'">`
		}
		row := map[string]any{"id": fmt.Sprintf("pair-%d", i), "prompt": fmt.Sprintf("Question %d?", i/4), "chosen": chosen, "rejected": fmt.Sprintf("No. %d", i),
			"subset": []string{"facts", "manners"}[i%2], "confidence": 0.5 + 0.5*float64(i%7)/6, "reward_chosen": math.Sin(float64(i)) + bias, "reward_rejected": math.Cos(float64(i))}
		if err := lines.Encode(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReportInBrowser: two evaluations of 10,000 pairs on one page: it is searched,
// filtered and sorted by keys, runs nothing of what the texts hold, and is
// accessible, light and dark, on a phone and on a desk.
func TestReportInBrowser(t *testing.T) {
	page := openBrowser(t)
	dir := t.TempDir()
	for name, bias := range map[string]float64{"first": 0.2, "second": 0.5} {
		manyPairs(t, filepath.Join(dir, name+".jsonl"), bias)
		mustRun(t, dir, "eval", "--scores", name+".jsonl", "--out", name)
	}
	mustRun(t, dir, "report", "first", "second", "--out", "report.html")
	page.visit(t, "file://"+filepath.Join(dir, "report.html"))
	page.shows(t, "browse-count", "10000 of 10000 examples")
	t.Logf("loaded after %.0f ms", evaluate[float64](t, page, "performance.getEntriesByType('navigation')[0].loadEventEnd"))
	if n := evaluate[float64](t, page, "document.querySelectorAll('#browse-list > li').length"); n != 20 {
		t.Errorf("%v examples are laid out", n)
	}

	page.press(t, kb.Tab) // the skip link is first
	page.until(t, "document.activeElement.className === 'skip' && document.activeElement.getBoundingClientRect().top >= 0")
	page.until(t, "(document.querySelector('#browse input').focus(), document.activeElement.type === 'search')")
	page.press(t, "pair-7")
	page.shows(t, "browse-count", "1111 of 10000 examples")
	page.press(t, "\b")
	page.press(t, "7")
	page.shows(t, "browse-count", "111 of 10000 examples")
	page.press(t, kb.Tab+"r") // ranked: right
	page.until(t, "[...document.querySelectorAll('#browse-list > li')].every(e => /first [0-9.]+, margin of second [0-9.]+/.test(e.textContent))")
	page.until(t, "(document.querySelector('.pager button:last-of-type').focus(), true)")
	page.press(t, kb.Enter)
	page.shows(t, "browse-where", "21 to 40 of ")

	page.visit(t, "file://"+filepath.Join(dir, "report.html"))
	page.shows(t, "browse-count", "10000 of 10000 examples")
	page.until(t, "(document.querySelector('#browse input').focus(), true)")
	page.press(t, "onerror")
	page.shows(t, "browse-count", "1 of 10000 examples")
	page.shows(t, "browse-list", `<script>document.title = "taken"</script><img src=x`)
	if title := evaluate[string](t, page, "document.title"); title != "Reward model report" {
		t.Errorf("a text of the data ran: the title is %q", title)
	}
	if n := evaluate[float64](t, page, "document.querySelectorAll('figure svg .values title').length"); n < 100 {
		t.Errorf("%v values can be pointed at", n)
	}
	page.clean(t)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1280, 2560} {
			if err := chromedp.Do(page, chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			page.until(t, "(document.getElementById('theme-"+theme+"').click(), getComputedStyle(document.documentElement).colorScheme === '"+theme+"')")
			if wide := evaluate[float64](t, page, "document.documentElement.scrollWidth"); wide > float64(width) {
				t.Errorf("%s, %d wide: the page is %v", theme, width, wide)
			}
			page.accessible(t, fmt.Sprintf("%s, %d wide", theme, width))
		}
	}
}

// accessible fails where axe-core finds what is serious or critical. Without
// axe-core (make axe) it says so.
func (b *browser) accessible(t *testing.T, what string) {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join("..", "..", "build", "axe", "axe.min.js"))
	if os.IsNotExist(err) {
		t.Log("SKIPPED: accessibility is checked by axe-core, which is not there (make axe)")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	evaluate[bool](t, b, string(axe)+"; true")
	found := evaluate[string](t, b, `axe.run().then(r => JSON.stringify({passed: r.passes.length, bad: r.violations.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + n.failureSummary).join(" | "))}))`)
	var says struct {
		Passed int
		Bad    []string
	}
	if err := json.Unmarshal([]byte(found), &says); err != nil || says.Passed < 10 {
		t.Fatalf("%s: axe-core says %s, %v", what, found, err)
	}
	if len(says.Bad) > 0 {
		t.Errorf("%s: axe-core finds\n%s", what, strings.Join(says.Bad, "\n"))
	}
}
