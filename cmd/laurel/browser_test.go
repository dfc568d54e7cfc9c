package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a page in a real Chromium, driven by keys alone.
type browser struct {
	context.Context
	mu      sync.Mutex
	wrong   []string // what the console said of errors
	silence bool
}

// openBrowser starts Chromium. Tests of pages are skipped where there is none.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("SKIPPED: the page is tested in Chromium, and there is none (CHROMIUM=/path names one)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	b := &browser{}
	b.open(t, allocator)
	return b
}

// tab is another page of the same browser.
func (b *browser) tab(t *testing.T) *browser {
	t.Helper()
	other := &browser{}
	other.open(t, b.Context)
	return other
}

func (b *browser) open(t *testing.T, parent context.Context) {
	t.Helper()
	page, closePage := chromedp.NewContext(parent)
	t.Cleanup(closePage)
	b.Context = page
	if err := chromedp.Listen(page, b.listen); err != nil {
		t.Fatal(err)
	}
}

// listen notes errors of scripts, of the security policy, and of what was loaded.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !b.silence {
			b.wrong = append(b.wrong, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// quiet says whether answers that are no success are expected: the console names
// each of them.
func (b *browser) quiet(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silence = on
}

// clean fails where the console has errors.
func (b *browser) clean(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wrong) > 0 {
		t.Errorf("the console has errors:\n%s", strings.Join(b.wrong, "\n"))
	}
}

func (b *browser) visit(t *testing.T, address string) {
	t.Helper()
	if err := chromedp.Do(b, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
}

// press sends keys, one after another.
func (b *browser) press(t *testing.T, keys string) {
	t.Helper()
	if err := chromedp.Do(b, chromedp.KeyEvent(keys)); err != nil {
		t.Fatal(err)
	}
}

// evaluate gives what an expression, or the promise that it is, comes to in the
// page.
func evaluate[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits until an expression of the page is true.
func (b *browser) until(t *testing.T, expression string) {
	t.Helper()
	for range 1500 {
		is, err := chromedp.Run(b, chromedp.Evaluate[bool](expression))
		if err == nil && is {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	text, _ := chromedp.Run(b, chromedp.Evaluate[string]("document.body.innerText")) // for the message alone
	t.Fatalf("never true: %s; the page says\n%s", expression, text)
}

// shows waits until an element holds a text.
func (b *browser) shows(t *testing.T, id, text string) {
	t.Helper()
	b.until(t, "(document.getElementById('"+id+"')?.textContent ?? '').includes("+quoted(text)+")")
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }
