package draw

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

//go:embed page.html.tmpl
var pageSource string

// Fact is one line of a page's list of run facts, such as the model, the data
// or pairs per second.
type Fact struct{ Name, Value string }

// Card is a large figure atop a page.
type Card struct {
	Name, Value, Note string
	Main              bool
}

type figure struct {
	Title string
	SVG   template.HTML
}

type Definition struct{ Name, Text string }

// Page is a report on one page, the same for every command.
type Page struct {
	Title       string
	Headline    []Card
	Warnings    []string
	Sections    []Section
	Facts       []Fact
	Definitions []Definition
}

// Section is a heading with what stands under it.
type Section struct {
	Title, Note string
	Figures     []figure
	Tables      []Table
}

// Table is the same on a page and in a terminal; its first column is text.
type Table struct {
	Caption string
	Columns []string // none: no head
	Rows    [][]string
	Bars    []IntervalBar // drawn at the end of each row of the page; none: no such column
	Notes   bool          // the last column is text
}

// Note says whether a column, but for the first, is text.
func (t Table) Note(column int) bool { return t.Notes && column > 0 && column == len(t.Rows[0])-1 }

// IntervalBar places an interval on a scale of 0 to 100.
type IntervalBar struct{ Low, Width, At float64 }

// Save writes one self-contained page: no script, no outside link.
func (p Page) Save(path string) error {
	t, err := template.New("page").Parse(pageSource)
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	return WriteFile(path, b.Bytes())
}

// Inline draws charts for a page: without the XML declaration, which HTML
// does not know. The SVG is our own drawing, its texts escaped by vgsvg.
func Inline(charts []NamedChart) ([]figure, error) {
	drawings, err := drawCharts(charts)
	out := make([]figure, len(drawings))
	for i, d := range drawings {
		svg := d.svg[max(0, bytes.Index(d.svg, []byte("<svg"))):]
		out[i] = figure{d.title, template.HTML(svg)}
	}
	return out, err
}
