package draw

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes tables, then warnings, for a terminal.
func Print(w io.Writer, sections []Section, warnings []string) error {
	var b strings.Builder
	for _, s := range sections {
		s.print(&b)
	}
	for _, warning := range warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	return nil
}

func (s Section) print(b *strings.Builder) {
	for _, t := range s.Tables {
		title := s.Title
		if t.Caption != "" {
			title += ": " + strings.ToLower(t.Caption[:1]) + t.Caption[1:]
		}
		fmt.Fprintf(b, "%s\n", title)
		t.print(b)
		b.WriteString("\n")
	}
}

// print aligns numbers to the right, the first column to the left.
func (t Table) print(b *strings.Builder) {
	width := len([]rune(t.Columns[0]))
	for _, row := range t.Rows {
		width = max(width, len([]rune(row[0])))
	}
	var aligned strings.Builder
	const gap = 2
	w := tabwriter.NewWriter(&aligned, 0, 0, gap, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		fmt.Fprintf(w, "%-*s\t%s\t\n", width, row[0], strings.Join(row[1:], "\t"))
	}
	w.Flush()
	b.WriteString(aligned.String())
}
