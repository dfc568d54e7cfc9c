package data

import "testing"

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name   string
		among  []string
		wanted string
	}{
		{"chosen", []string{"prompt", "choosen", "reject"}, "choosen"},
		{"rejected", []string{"prompt", "choosen", "reject"}, "reject"},
		{"Chosen", []string{"chosen"}, "chosen"},
		{"chosen", []string{"prompt", "win", "lose"}, ""}, // lose is the other side
		{"prompt", nil, ""},
	} {
		if got := Nearest(c.name, c.among); got != c.wanted {
			t.Errorf("nearest to %s among %q is %q, want %q", c.name, c.among, got, c.wanted)
		}
	}
}

func TestLikelyColumn(t *testing.T) {
	for columns, wanted := range map[[3]string]string{
		{"question", "response_chosen", "response_rejected"}: "response_chosen",
		{"question", "chosen_text", "chosen_model"}:          "",
		{"prompt", "win", "lose"}:                            "",
	} {
		if got := likely("chosen", columns[:]); got != wanted {
			t.Errorf("chosen is likely %q among %q, want %q", got, columns, wanted)
		}
	}
}
