package verify

import (
	"fmt"
	"io"
	"strings"
)

// What a check can come to. One is skipped where an earlier failure leaves it
// nothing to look at.
const (
	StatusOK      = "ok"
	StatusWarning = "warning"
	StatusFailed  = "failed"
	StatusSkipped = "skipped"
)

// Check is what one check found.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
	// MaxDifference is the largest |server's reward − the model's|, of a check of a
	// server that gave rewards.
	MaxDifference *float64 `json:"max_difference,omitempty"`
}

func ok(detail string, args ...any) Check {
	return Check{Status: StatusOK, Detail: fmt.Sprintf(detail, args...)}
}

func warning(fix, detail string, args ...any) Check {
	return Check{Status: StatusWarning, Fix: fix, Detail: fmt.Sprintf(detail, args...)}
}

func failed(fix, detail string, args ...any) Check {
	return Check{Status: StatusFailed, Fix: fix, Detail: fmt.Sprintf(detail, args...)}
}

func skipped(why string) Check { return Check{Status: StatusSkipped, Detail: why} }

// Report is the outcome of all checks.
type Report struct {
	Model    string  `json:"model"`
	URL      string  `json:"url,omitempty"` // of the server that was asked
	Checks   []Check `json:"checks"`
	OK       int     `json:"ok"`
	Warnings int     `json:"warnings"`
	Failed   int     `json:"failed"`
	Skipped  int     `json:"skipped"`
}

func (r *Report) add(c Check) {
	r.Checks = append(r.Checks, c)
	switch c.Status {
	case StatusOK:
		r.OK++
	case StatusWarning:
		r.Warnings++
	case StatusFailed:
		r.Failed++
	case StatusSkipped:
		r.Skipped++
	}
}

// Print writes a line or two for each check, and one for all.
func (r *Report) Print(out io.Writer) error {
	var b strings.Builder
	for _, c := range r.Checks {
		status := c.Status
		if status == StatusFailed {
			status = "FAILED"
		}
		fmt.Fprintf(&b, "%-8s %-14s %s\n", status, c.Name, indented(c.Detail))
		if c.Fix != "" {
			fmt.Fprintf(&b, "%-8s %-14s fix: %s\n", "", "", indented(c.Fix))
		}
	}
	fmt.Fprintf(&b, "%s: %d ok, %d warnings, %d failed", r.subject(), r.OK, r.Warnings, r.Failed)
	if r.Skipped > 0 {
		fmt.Fprintf(&b, ", %d skipped", r.Skipped)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(out, b.String())
	return err
}

// subject is what was verified, and of a server the verdict too.
func (r *Report) subject() string {
	switch {
	case r.URL == "":
		return r.Model
	case r.Failed > 0:
		return fmt.Sprintf("FAIL: %s is not %s", r.URL, r.Model)
	}
	return fmt.Sprintf("PASS: %s answers as %s", r.URL, r.Model)
}

// indented keeps the lines of a text below its column.
func indented(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+strings.Repeat(" ", 24))
}
