package inspect

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Print writes the inspection as tables.
func (in *Inspection) Print(w io.Writer) error {
	p := &printer{w: w}
	for i := range in.Files {
		in.Files[i].print(p, in.MaxLength)
	}
	if len(in.Files) > 1 {
		p.line("Prompts shared between files (white space and case aside)")
		if len(in.Leakage) == 0 {
			p.line("  none")
		}
		for _, l := range in.Leakage {
			p.line("  %s (%d rows) and %s (%d rows): %d prompts", l.A, l.RowsA, l.B, l.RowsB, l.Prompts)
		}
	}
	return p.err
}

// printer keeps the first error, so that lines need not check.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (f *File) print(p *printer, maxLength int) {
	p.line("%s", f.File)
	p.line("  format           %s", f.Format)
	for _, note := range f.Notes {
		p.line("                   %s", note)
	}
	p.line("  rows             %s", f.Counts)
	for _, reason := range slices.Sorted(maps.Keys(f.First)) {
		p.line("    %s, first: %s", reason, f.First[reason])
	}
	if f.Counts.Kept > 0 {
		f.printLengths(p, maxLength)
		f.printRows(p)
	}
	for _, warning := range f.Warnings {
		p.line("  note: %s", warning)
	}
	p.line("")
}

func (f *File) printLengths(p *printer, maxLength int) {
	table := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\t\tmin\t5%\t25%\t50%\t75%\t95%\t99%\tmax\tmean\t")
	for _, part := range []struct {
		unit string
		of   map[string]Quantiles
	}{{"tokens", f.Tokens}, {"characters", f.Characters}} {
		for _, name := range []string{"prompt", "chosen", "rejected", "prompt+chosen", "prompt+rejected"} {
			if q, ok := part.of[name]; ok {
				fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t\n", part.unit, name,
					q.Min, q.P05, q.P25, q.P50, q.P75, q.P95, q.P99, q.Max, q.Mean)
			}
		}
	}
	if p.err == nil {
		p.err = table.Flush()
	}
	if len(f.Tokens) > 0 && maxLength > 0 {
		p.line("  truncated        %.2f %% of the rows have a sequence over %d tokens", 100*f.Truncated, maxLength)
	}
}

func (f *File) printRows(p *printer) {
	p.line("  prompts          %d distinct, %d rows repeat one", f.Prompts, f.RepeatedPrompts)
	p.line("  duplicates       %d rows", f.Duplicates)
	p.line("  contradictions   %d pairs", f.Contradictions)
	p.line("  longer wins      %.4f (of equal length: half)", f.LongerWins)
	p.line("  shorter wins     %.4f", f.ShorterWins)
	p.line("  confidence       mean %.4f, exactly 0.5: %d, exactly 1: %d", f.Confidence.Mean, f.Confidence.Half, f.Confidence.Certain)
	most := slices.Max(f.Confidence.Bins[:])
	for i, n := range f.Confidence.Bins {
		bar := strings.Repeat("#", (n*40+most-1)/most)
		p.line("    %.1f-%.1f %8d %s", float64(i)/10, float64(i+1)/10, n, bar)
	}
	if m := f.Margin; m != nil {
		p.line("  margin           mean %.4g, from %.4g to %.4g, below 0: %d", m.Mean, m.Min, m.Max, m.Below)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Subsets)) {
		p.line("  subset           %s: %d", orNone(name), f.Subsets[name])
	}
}

func orNone(name string) string {
	if name == "" {
		return "(none)"
	}
	return name
}
