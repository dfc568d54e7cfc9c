package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far long work is: a bar with rate and time left on a
// terminal, a plain line now and then elsewhere.
type progress struct {
	out     io.Writer
	what    string
	unit    string
	bar     *progressbar.ProgressBar // nil where out is no terminal
	started time.Time
	said    time.Time
	first   int // done at the first call of set: a resumed run begins beyond 0
}

// plainEvery is how often a plain line is written.
const plainEvery = 15 * time.Second

// newProgress shows total units of work; total -1 where it is not known.
func newProgress(out io.Writer, what, unit string, total int) *progress {
	p := &progress{out: out, what: what, unit: unit, first: -1}
	terminal := out
	if v, ok := out.(visible); ok { // a bar moves the cursor
		terminal = v.Writer
	}
	if file, ok := terminal.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(file), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
	return p
}

// set says that done of total units are done.
func (p *progress) set(done, total int, status string) {
	if p.first < 0 {
		p.first, p.started, p.said = done, time.Now(), time.Now()
	}
	if p.bar != nil {
		if status != "" {
			p.bar.Describe(p.what + "  " + status)
		}
		if total > 0 && p.bar.GetMax() != total {
			p.bar.ChangeMax(total)
		}
		_ = p.bar.Set(done) // a bar that cannot be drawn is no reason to stop
		return
	}
	if time.Since(p.said) < plainEvery {
		return
	}
	p.said = time.Now()
	rate := float64(done-p.first) / time.Since(p.started).Seconds()
	line := fmt.Sprintf("%s: %d", p.what, done)
	if total > 0 {
		left := time.Duration(float64(total-done) / max(rate, 1e-9) * float64(time.Second)).Round(time.Second)
		line += fmt.Sprintf(" of %d, %v left", total, left)
	}
	fmt.Fprintf(p.out, "%s (%.1f %s/s)\n", line, rate, p.unit)
}

// Write lets lines pass above the bar.
func (p *progress) Write(b []byte) (int, error) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	n, err := p.out.Write(b)
	if p.bar != nil {
		_ = p.bar.RenderBlank()
	}
	return n, err
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
