package draw

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
)

//go:embed page.html.tmpl
var pageSource string

// Page is a report on one page, the same for every command.
type Page struct {
	Title       string
	Of          string // what it is a report of: run, model, data
	Verdict     string // in a sentence or two
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
	Files       []Passage // shown as they are, a line a line
	Browse      *Browse   // of one section of a page
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
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// FactSection lists what a run was made with.
func FactSection(facts ...Fact) Section {
	t := Table{Prose: true}
	for _, f := range facts {
		t.Rows = append(t.Rows, []string{f.Name, f.Value})
	}
	return Section{Title: "Run", Tables: []Table{t}}
}

// contentsFrom so many sections a page begins with links to them.
const contentsFrom = 6

// Contents says whether the page begins with links to its sections.
func (p Page) Contents() bool { return len(p.Sections) >= contentsFrom }

// Save writes one self-contained page: no outside link, and no script but that of
// a Browse. Its policy keeps a browser from loading or running anything else,
// whatever the texts in it hold.
func (p Page) Save(path string) error {
	page, err := p.HTML()
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	return WriteFile(path, page)
}

// HTML is the page that Save writes.
func (p Page) HTML() ([]byte, error) {
	t, err := template.New("page").Parse(pageSource)
	if err != nil {
		return nil, err
	}
	browsed, script, err := p.browsed()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, struct {
		Page
		Colours         template.CSS
		Policy          string
		Browsed, Script template.JS
	}{p, p.chartColours(), policy(script), browsed, script}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// policy is the page's Content-Security-Policy: styles, and the one script.
func policy(script template.JS) string {
	source := "'none'"
	if script != "" {
		sum := sha256.Sum256([]byte(script))
		source = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; script-src " + source
}
