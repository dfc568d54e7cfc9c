package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestBoardFollows: the page shows a run, follows its metrics as they grow, and
// scores what is typed.
func TestBoardFollows(t *testing.T) {
	page := openBrowser(t)
	dir := inputs(t)
	mustRun(t, dir, "train", "--config", "run.yaml", "--out", "runs/first")
	server := startLaurel(t, dir, "board", "--dir", "runs", "--backend", "go")
	t.Cleanup(func() { server.Process.Kill() })
	server.waitFor(t, "can look)\n")
	address := readyAt.FindStringSubmatch(server.out.String())[1]
	page.visit(t, address)
	page.until(t, "document.querySelector('tr[data-run=first] .finished') !== null && document.querySelectorAll('#charts svg').length >= 3")
	file, err := os.OpenFile(filepath.Join(dir, "runs", "first", "metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fmt.Fprintln(file, `{"step":4321,"loss":0.125}`)
	page.until(t, "document.querySelector('tr[data-run=first]').children[2].textContent === '4321' && document.querySelector('#chart-loss svg').getAttribute('aria-label').includes('0.125 at step 4321')")
	page.until(t, "(document.getElementById('prompt').focus(), document.activeElement.id === 'prompt')")
	page.press(t, "Name a colour\tRed\tTeal, because it is calm")
	page.shows(t, "verdict", "A is the better one with probability")
	page.shows(t, "of-a", "tokens")
	page.until(t, "(document.querySelector('tr[data-run=first] a[href$=browse]').click(), true)")
	page.shows(t, "browse-count", "8 of 8 examples") // of the validation
	page.visit(t, address)
	page.until(t, "document.querySelector('tr[data-run=first] a[href*=ranked]') !== null")
	mustRun(t, dir, "eval", "--model", "runs/first", "--data", "validation.jsonl", "train.jsonl", "--out", "runs/first/eval", "--backend", "go")
	page.until(t, "(document.querySelector('tr[data-run=first] a[href*=ranked]').click(), true)")
	page.until(t, "document.querySelector('.browse select')?.value === '=wrong' && document.querySelectorAll('#browse-list > li').length > 0")
	page.until(t, "/^[1-9][0-9]* of 32 examples$/.test(document.getElementById('browse-count').textContent) && [...document.querySelectorAll('#browse-list h3')].every(e => e.textContent.startsWith('Margin -'))")
	page.until(t, "document.getElementById('browse').getBoundingClientRect().top < 100") // it is in sight
	page.clean(t)
}
