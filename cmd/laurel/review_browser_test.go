package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// reviewRows are comparisons of which some look like markup.
const reviewRows = `{"id":"markup","prompt":"Write <b>hello</b>","response_a":"<img src=x onerror=alert(1)><script>alert(2)</script>","response_b":"Use <strong>hello</strong>, because it is strong."}
{"id":"gpt-made","prompt":"Why does the pot boil over?","response_a":"It just does.","response_b":"Steam lifts the lid because water takes more room as a gas."}
{"id":"tea","prompt":"Is tea better than coffee?","response_a":"Tea has less caffeine.","response_b":"Coffee has more caffeine."}
{"id":"colour","prompt":"Name a colour","response_a":"Red","response_b":"Teal"}
{"id":"rice","prompt":"How do I cook rice?","response_a":"Wash it, simmer it.","response_b":"Boil it, drain it."}
{"id":"egg","prompt":"How do I boil an egg?","response_a":"Seven minutes.","response_b":"Until it is done."}
`

var readyAt = regexp.MustCompile(`ready: (\S+)`)

// startReview starts the command and gives the address that it prints.
func startReview(t *testing.T, dir string, args ...string) (p *process, address string) {
	t.Helper()
	p = startLaurel(t, dir, append([]string{"review", "--data", "review.csv"}, args...)...)
	t.Cleanup(func() { p.Process.Kill() })
	p.waitFor(t, "ready: ")
	p.waitFor(t, "can answer)\n")
	return p, readyAt.FindStringSubmatch(p.out.String())[1]
}

// TestReviewByKeys: a person answers by keys alone, in two tabs; the server is
// killed in the midst and started again, and laurel merge takes what it kept.
func TestReviewByKeys(t *testing.T) {
	page := openBrowser(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "comparisons.jsonl"), []byte(reviewRows), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir, "label", "--data", "comparisons.jsonl", "--judge", "heuristic", "--out", "labels", "--review-out", "review.csv", "--review-fraction", "1")
	server, address := startReview(t, dir, "--constitution", "rlaif")

	page.visit(t, address)
	page.until(t, "document.activeElement?.id === 'name'")
	page.press(t, "ann"+kb.Enter)
	page.shows(t, "place", "Comparison 1 of 6")
	blind(t, page)
	page.press(t, "b")
	page.shows(t, "status", "Saved: B is better (comparison 1)")
	page.press(t, "t")
	page.shows(t, "status", "Saved: Tie (comparison 2)")
	page.press(t, "u")
	page.shows(t, "before", "Taken back")
	page.press(t, "c")
	page.until(t, "document.activeElement?.id === 'note'")
	page.press(t, "both are as good"+kb.Escape)
	page.press(t, kb.ArrowLeft)
	page.shows(t, "status", "Saved: A is better (comparison 2)")
	page.press(t, "s")
	page.shows(t, "count", "2 of 6 answered, 1 skipped")

	other := page.tab(t)
	other.visit(t, address+"?annotator=ann")
	other.shows(t, "place", "Comparison 4 of 6")
	page.press(t, "a")
	page.shows(t, "count", "3 of 6 answered")
	other.quiet(true)
	other.press(t, "b")
	other.shows(t, "why", "another page of yours has answered this meanwhile (A is better). Nothing was written over.")
	other.clean(t)
	page.clean(t)

	server.Process.Kill()
	server.Wait() // it was killed
	page.quiet(true)
	page.press(t, "a")
	page.shows(t, "why", "Not saved: laurel review does not answer")
	page.shows(t, "count", "3 of 6 answered")
	file, err := os.OpenFile(filepath.Join(dir, "answers.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(file, `{"id":"egg","answer":"a","annot`) // as of a write that a kill cut short
	file.Close()

	server, address = startReview(t, dir, "--annotator", "ann")
	if out := server.out.String(); !strings.Contains(out, "repaired: answers.jsonl: the last line was cut short after 31 bytes") || !strings.Contains(out, "ann has answered 3 of 6, skipped 1") {
		t.Errorf("after the kill:\n%s", out)
	}
	page.visit(t, address)
	page.quiet(false)
	for _, left := range []string{"5 of 6", "6 of 6", "3 of 6"} { // the skipped one comes last
		page.shows(t, "place", "Comparison "+left)
		page.press(t, "a")
		page.shows(t, "status", "(comparison "+left[:1]+")")
	}
	page.shows(t, "all", "All 6 comparisons are answered. Thank you, ann.")
	page.clean(t)

	if err := server.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil || !strings.Contains(server.out.String(), "6 of 6 comparisons answered (ann 6)") {
		t.Errorf("%v\n%s", err, server.out.String())
	}
	merge := startLaurel(t, dir, "merge", "labels", "answers.jsonl", "--out", "merged")
	if err := merge.Wait(); err != nil || !strings.Contains(merge.out.String(), "6 answers (ann 6), 0 rows without one, 3 superseded") {
		t.Errorf("%v\n%s", err, merge.out.String())
	}
	if said := read(t, filepath.Join(dir, "merged"), "conflicts.jsonl") + read(t, dir, "answers.jsonl"); !strings.Contains(said, `"note":"both are as good"`) {
		t.Errorf("the comment is lost:\n%s", said)
	}
}

// blind fails where the page, or what it was sent, tells more than the texts, or
// where a text became markup.
func blind(t *testing.T, b *browser) {
	t.Helper()
	sent := evaluate[string](t, b, "document.documentElement.outerHTML")
	next := evaluate[string](t, b, "fetch('next?annotator=ann').then(r => r.text())")
	for _, word := range []string{"heuristic", "confidence", "verdict", "least_certain", "no_verdict", "judges_disagree", "gpt-made", "\"id\""} {
		if strings.Contains(sent, word) || strings.Contains(next, word) {
			t.Errorf("the page knows %q:\n%s\n%s", word, next, sent)
		}
	}
	if n := evaluate[int](t, b, "document.querySelectorAll('main img, main script, main b, main strong').length"); n > 0 {
		t.Errorf("%d texts became markup", n)
	}
}
