package drawtest

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"
)

// SVG wants well-formed XML without NaN, of a size that does not grow
// with the data.
func SVG(t *testing.T, name string, svg []byte) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if bad := regexp.MustCompile(`NaN|[+-]?Inf\b|%!`).Find(svg); bad != nil {
		t.Errorf("%s holds %s", name, bad)
	}
	if len(svg) > 100_000 {
		t.Errorf("%s has %d bytes", name, len(svg))
	}
}

// Page checks that a page is whole, loads nothing from elsewhere and shows no NaN.
func Page(t *testing.T, name, page string) {
	t.Helper()
	if bad := regexp.MustCompile(`(?i)<script|<img|<link|<iframe|@import|url\(|\bsrc=|\bhref="?http|\bNaN\b|ZgotmplZ|<no value>`).FindString(
		strings.ReplaceAll(page, "&lt;img src=x", "")); bad != "" {
		t.Errorf("%s: the page holds %q", name, bad)
	}
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}
