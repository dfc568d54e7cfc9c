package draw

import (
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
)

//go:embed browse.js
var browseScript string

// Browse is a list of examples to be searched, filtered and sorted in the page. It
// may be long: a screenful is laid out at a time.
type Browse struct {
	Texts  []string     `json:"texts"`  // names of an entry's texts
	Facets []string     `json:"facets"` // names of what entries are filtered by
	Sorts  []BrowseSort `json:"sorts"`  // the first is the one to begin with
	Items  []BrowseItem `json:"items"`
}

// BrowseSort is an order of entries.
type BrowseSort struct {
	Name string `json:"name"`
	By   int    `json:"by"`   // of an entry's values
	Down bool   `json:"down"` // the greatest first; entries without the value come last
}

// BrowseItem is an entry. Its texts are shown as they are, never as markup.
type BrowseItem struct {
	Title  string     `json:"t"`
	Note   string     `json:"n"`
	Texts  []string   `json:"x"` // none where they are not known
	Facets []string   `json:"f"`
	Values []*float64 `json:"v"` // null where there is none
}

// browsed is the page's list as JSON, in which < > and & are escaped, and the
// script that shows it; empty where it has none.
func (p Page) browsed() (list, script template.JS, err error) {
	for _, s := range p.Sections {
		switch {
		case s.Browse == nil:
		case script != "":
			return "", "", errors.New("a page has one list to browse")
		default:
			raw, err := json.Marshal(s.Browse)
			if err != nil {
				return "", "", err
			}
			list, script = template.JS(raw), template.JS(browseScript)
		}
	}
	return list, script, nil
}
