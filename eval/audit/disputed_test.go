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

// TestDisputedByHand: of twenty labels against gold the ten most confident are
// kept, of equal ones the first, and the split ones by how even their votes are.
func TestDisputedByHand(t *testing.T) {
	var all []labels.Label
	var gold []labels.Gold
	for i := range 20 {
		l := said(fmt.Sprint(i), fmt.Sprint("<script>", i), "answer <img src=x onerror=alert(2)>", strings.Repeat("long ", 300), labels.SideA, 0.6+float64(i%4)/20)
		if i < 3 {
			other := l.Votes[0]
			other.Side, other.Weight = labels.SideB, 0.5+float64(i)/4
			l.Votes = append(l.Votes, other)
		}
		all, gold = append(all, l), append(gold, labels.Gold{ID: l.ID, Side: labels.SideB, VoteShareA: math.NaN()})
	}
	gold[3].Side, gold[7].Side = labels.SideA, labels.Neither
	r := audit(t, Config{Gold: gold}, all...)
	var against, split []string
	for _, d := range r.AgainstGold {
		against = append(against, d.ID)
	}
	for _, d := range r.SplitVotes {
		split = append(split, d.ID)
	}
	// confidences 0.75 of 11, 15, 19, then 0.7, then 0.65
	if got := strings.Join(against, " "); got != "11 15 19 2 6 10 14 18 1 5" {
		t.Errorf("against gold: %s", got)
	}
	if got := strings.Join(split, " "); got != "2 1 0" { // weights 1 and 1, 0.75, 0.5
		t.Errorf("split: %s", got)
	}
	path := filepath.Join(t.TempDir(), "report.html")
	if err := r.WriteHTML(path, "labels <b>", draw.Fact{Name: "date", Value: "today"}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	drawtest.Page(t, "disputed", strings.ReplaceAll(page, "&lt;img src=x onerror", ""))
	for _, want := range []string{"Labels against gold", "response b, gold", "response a, the label", "&lt;script&gt;11", "(1500 characters)", "label a, confidence 0.750; gold b; weight of the votes: a 1.000, b 0.000"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	drawtest.Fits(t, page)
}
