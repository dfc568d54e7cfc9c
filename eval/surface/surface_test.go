package surface

import (
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

func TestWords(t *testing.T) {
	text := data.Text{Plain: "Don’t SAY 'yes' – 3 times, Ünal; don't\n", Messages: []data.Message{{Role: "user", Content: "a-b"}}}
	want := []string{"don't", "say", "yes", "3", "times", "ünal", "don't", "a", "b"}
	if got := slices.Collect(Words(text)); !slices.Equal(got, want) {
		t.Errorf("words %q, want %q", got, want)
	}
	for range Words(text) { // stops where it is asked to
		break
	}
}

func TestHedges(t *testing.T) {
	for text, want := range map[string]float64{
		"": 0, "It is so.": 0, "Perhaps it may be so.": 2, "I think, in my opinion, it depends on that": 4,
		"As an AI I cannot. As an\nAI": 3, "thought thinking maybes": 0, "In most cases. In most": 1,
	} {
		if got := Hedges(data.Text{Plain: text}); got != want {
			t.Errorf("%q has %v hedges, want %v", text, got, want)
		}
	}
	for _, phrase := range hedges {
		if len(strings.Fields(phrase)) > 3 || phrase != strings.ToLower(phrase) {
			t.Errorf("%q is longer than what Hedges looks back on, or not in lower case", phrase)
		}
	}
}

func TestOverlap(t *testing.T) {
	prompt := data.Text{Plain: "Name three colours, three!"}
	for text, want := range map[string]float64{"": 0, "Three colours": 2.0 / 3, "name: COLOURS three three": 1, "red": 0} {
		if got := Overlap(prompt, data.Text{Plain: text}); got != want {
			t.Errorf("%q: overlap %v, want %v", text, got, want)
		}
	}
	if got := Overlap(data.Text{Plain: "?!"}, prompt); got != 0 {
		t.Errorf("a prompt without words: %v", got)
	}
}
