package draw

import (
	"strings"
	"testing"
)

// TestOnDark: lightness turns round, hue stays, white becomes the card.
func TestOnDark(t *testing.T) {
	for rgb, want := range map[string]string{"FFFFFF": "1C2024", "24292F": "D6DAE0", "0072B2": "", "009E73": "", "E4E7EB": ""} {
		got := onDark(rgb)
		if want != "" && got != want {
			t.Errorf("%s becomes %s, want %s", rgb, got, want)
		}
		if len(got) != 6 || got == rgb {
			t.Errorf("%s becomes %s", rgb, got)
		}
	}
}

func TestPassages(t *testing.T) {
	for _, c := range []struct {
		text          string
		folded        bool
		shownEndsWith string
	}{
		{"short", false, "short"}, {"", false, "(empty)"}, {strings.Repeat("line\n", 20), true, "line\n"}, {strings.Repeat("é", 7000), true, "é… (1000 more characters)"},
	} {
		p := Passage{Text: c.text}
		if p.Folded() != c.folded || !strings.HasSuffix(p.Shown(), c.shownEndsWith) || len(p.Shown()) > 4*longestShown {
			t.Errorf("%.20q: folded %v, shown %.40q", c.text, p.Folded(), p.Shown())
		}
	}
	if got := (Passage{Text: strings.Repeat("ab ", 300)}).Beginning(); !strings.HasSuffix(got, "… (900 characters)") || len(got) > 200 {
		t.Error(got)
	}
}
