package eval

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
)

//go:embed *.html.tmpl
var pageSources embed.FS

// Fact is one line of a page's list of run facts, such as the model, the data
// or pairs per second.
type Fact struct{ Name, Value string }

// headline is a large figure atop a page.
type headline struct {
	Name, Value, Note string
	Main              bool
}

type figure struct {
	Title string
	SVG   template.HTML
}

type definition struct{ Name, Text string }

// tablesPage is what tables.html.tmpl shows.
type tablesPage struct {
	Title       string
	Headline    []headline
	Warnings    []string
	Sections    []section
	Facts       []Fact
	Definitions []definition
}

// section is a heading with what stands under it.
type section struct {
	Title, Note string
	Figures     []figure
	Tables      []table
}

// table is the same on a page and in a terminal; its first column is text.
type table struct {
	Caption string
	Columns []string
	Rows    [][]string
}

// savePage writes one self-contained page: no script, no outside link.
func savePage(path, name string, page any) error {
	t, err := template.ParseFS(pageSources, "*.html.tmpl")
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, page); err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	return writeFile(path, b.Bytes())
}

// inline draws charts for a page: without the XML declaration, which HTML
// does not know. The SVG is our own drawing, its texts escaped by vgsvg.
func inline(charts []namedChart) ([]figure, error) {
	drawings, err := drawCharts(charts)
	out := make([]figure, len(drawings))
	for i, d := range drawings {
		svg := d.svg[max(0, bytes.Index(d.svg, []byte("<svg"))):]
		out[i] = figure{d.title, template.HTML(svg)}
	}
	return out, err
}
