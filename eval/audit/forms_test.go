package audit

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/eval/draw"
	"laurel/eval/draw/drawtest"
	"laurel/labels"
)

// awkwardLabels leave something undefined, or try what comes out.
func awkwardLabels() map[string][]labels.Label {
	hostile := said("<b>id</b>", "<script>alert(1)</script>", "answer A.", "b\x00c", labels.SideA, 1)
	hostile.Votes[0].Judge, hostile.Votes[0].Principle, hostile.Subset = "<img src=x onerror=alert(2)>", "</svg><script>alert(3)</script>", "\"&'\n"
	hostile.ModelA, hostile.ModelB = "<script>", "gpt-4"
	unread := said("1", "p", "a", "b", labels.Neither, math.NaN())
	unread.AFirst, unread.BFirst = math.NaN(), math.NaN()
	unread.Votes[0].AFirst, unread.Votes[0].BFirst, unread.Votes[0].Reason, unread.Reason = math.NaN(), math.NaN(), labels.AbstainFailed, labels.AbstainFailed
	alike := said("1", "p", "a", "a", labels.Neither, math.NaN())
	alike.Votes, alike.Reason = nil, labels.AbstainIdentical
	many := []labels.Label{}
	for i := range 60 {
		l := said(fmt.Sprint(i), fmt.Sprint("p", i), "so long an answer", "short", labels.SideA, 0.6+float64(i%5)/20)
		l.Votes[0].Principle = fmt.Sprint("a principle of a rather long name, number ", i)
		many = append(many, l)
	}
	return map[string][]labels.Label{"one": {said("1", "p", "long answer", "b", labels.SideB, 0.5)}, "hostile": {hostile}, "failed": {unread}, "identical": {alike}, "many": many}
}

// TestLabelReportForms: whatever the labels, JSON is valid, plots are drawn,
// the page is whole and holds no markup from outside, and nothing says NaN.
func TestLabelReportForms(t *testing.T) {
	for name, all := range awkwardLabels() {
		for _, gold := range [][]labels.Gold{nil, {{ID: all[0].ID, Side: labels.SideA, Kind: "<i>", VoteShareA: math.NaN()}}} {
			t.Run(fmt.Sprint(name, len(gold)), func(t *testing.T) { checkForms(t, audit(t, Config{Gold: gold}, all...)) })
		}
	}
}

func checkForms(t *testing.T, r *Report) {
	t.Helper()
	dir := t.TempDir()
	if err := r.WriteJSON(filepath.Join(dir, "report.json")); err != nil {
		t.Fatal(err)
	}
	paths, err := r.WritePlots(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		svg, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		drawtest.SVG(t, filepath.Base(path), svg)
	}
	html := filepath.Join(dir, "report.html")
	if err := r.WriteHTML(html, "labels of <b>", draw.Fact{Name: "labels", Value: "<img src=x onerror=alert(2)>"}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(html)
	if err != nil {
		t.Fatal(err)
	}
	drawtest.Page(t, "labels", string(page))
	var b strings.Builder
	if err := r.Print(&b); err != nil || strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "%!") {
		t.Errorf("printed %v:\n%s", err, b.String())
	}
}
