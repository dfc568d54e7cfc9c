package draw

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

//go:embed page.html.tmpl
var pageSource string

// Page is a report on one page, the same for every command.
type Page struct {
	Title       string
	Of          string // what it is a report of: run, model, data
	Headline    []Card
	Warnings    []string
	Sections    []Section
	Definitions []Definition
}

// Card is a large figure atop a page.
type Card struct {
	Name, Value, Note string
	Main              bool
}

// Definition is a term of the page and what it means.
type Definition struct{ Name, Text string }

// Section is a heading with what stands under it, in this order.
type Section struct {
	Title, Note string
	Figures     []Figure
	Tables      []Table
	Examples    []Example
}

// Table is the same on a page and in a terminal; its first column is text.
type Table struct {
	Caption string
	Columns []string // none: no head
	Rows    [][]string
	Bars    []IntervalBar // drawn at the end of each row of the page; none: no such column
	Notes   bool          // the last column is text
	Prose   bool          // all columns are
}

// Note says whether a column, but for the first, is text.
func (t Table) Note(column int) bool { return t.Notes && column > 0 && column == len(t.Rows[0])-1 }

// IntervalBar places an interval on a scale of 0 to 100.
type IntervalBar struct{ Low, Width, At float64 }

// Fact is one line of what is known of a run, such as the model, the data or
// pairs per second.
type Fact struct{ Name, Value string }

// FactSection lists what a run was made with.
func FactSection(facts ...Fact) Section {
	t := Table{Prose: true}
	for _, f := range facts {
		t.Rows = append(t.Rows, []string{f.Name, f.Value})
	}
	return Section{Title: "Run", Tables: []Table{t}}
}

// Save writes one self-contained page: no script, no outside link.
func (p Page) Save(path string) error {
	t, err := template.New("page").Parse(pageSource)
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	light, dark := p.chartColours()
	var b bytes.Buffer
	if err := t.Execute(&b, struct {
		Page
		Colours, DarkColours template.CSS
	}{p, light, dark}); err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	return WriteFile(path, b.Bytes())
}
