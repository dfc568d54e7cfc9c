package demo

import (
	"regexp"
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	rice := topic{slots: map[string]string{"about": "boiled rice", "do": "rinse it", "why": "starch sticks"}}
	bread := topic{slots: map[string]string{"about": "bread", "then": "weigh the flour"}}
	for template, want := range map[string]string{
		"{Why}, so {do}.":                     "Starch sticks, so rinse it.",
		"{about} it is.":                      "Boiled rice it is.",
		"{Do}. With {elsewhere} you {aside}.": "Rinse it. With bread you weigh the flour.",
		"No slot.":                            "No slot.",
	} {
		if got := fill(template, rice, bread); got != want {
			t.Errorf("fill(%q) = %q, want %q", template, got, want)
		}
	}
}

var slot = regexp.MustCompile(`\{([A-Za-z]+)\}`)

func TestTemplates(t *testing.T) {
	templates, err := readTemplates()
	if err != nil {
		t.Fatal(err)
	}
	known := " elsewhere aside " + strings.Join(slotNames[:], " ") + " "
	seen := map[string]kind{}
	for k, pool := range templates {
		if len(pool) < 8 {
			t.Errorf("[%s] has %d templates, want 8 or more", k, len(pool))
		}
		for _, template := range pool {
			if other, again := seen[template]; again {
				t.Errorf("[%s] %q is in [%s] too", k, template, other)
			}
			seen[template] = k
			for _, name := range slot.FindAllStringSubmatch(template, -1) {
				if !strings.Contains(known, " "+strings.ToLower(name[1])+" ") {
					t.Errorf("[%s] %q: unknown slot", k, template)
				}
			}
		}
	}
	for _, k := range []kind{reasoned, tip, refusal, step, check, care, vague, evasive, dismissive,
		overconfident, complicit, offTopic, opening, closing} {
		if len(templates[k]) == 0 {
			t.Errorf("no templates for [%s]", k)
		}
	}
	if len(templates) != 14 {
		t.Errorf("%d sections, want 14", len(templates))
	}
}

// A pool needs templates that do not name the subject, or sentences would
// look for one forever.
func TestEveryPoolCanLeaveOutTheSubject(t *testing.T) {
	templates, err := readTemplates()
	if err != nil {
		t.Fatal(err)
	}
	for k, pool := range templates {
		without := 0
		for _, template := range pool {
			if !strings.Contains(template, "{about}") {
				without++
			}
		}
		if without < 2 {
			t.Errorf("[%s] has %d templates without {about}, want 2 or more", k, without)
		}
	}
}

func TestParseTopic(t *testing.T) {
	const whole = "prompt: How?\nabout: a\ndo: b\nwhy: c\nthen: d\ncheck: e\ncare: f\nwrong: g"
	got, err := parseTopic(whole + "\nrefuse: yes")
	if err != nil || got.prompt != "How?" || got.slots["wrong"] != "g" || !got.refuse {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, c := range []struct{ block, want string }{
		{strings.Replace(whole, "why: c\n", "", 1), `no line "why"`},
		{strings.Replace(whole, "why: c", "why c", 1), `want "key: value"`},
		{whole + "\nhint: x", "only the keys"},
		{strings.Replace(whole, "prompt: How?\n", "", 1), "want a prompt"},
	} {
		if _, err := parseTopic(c.block); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.block, err, c.want)
		}
	}
}

func TestGradesShareSentenceKinds(t *testing.T) {
	inGrade := map[kind]map[int]bool{}
	for grade, list := range recipes {
		for _, recipe := range list {
			for _, k := range recipe {
				if inGrade[k] == nil {
					inGrade[k] = map[int]bool{}
				}
				inGrade[k][grade] = true
			}
		}
	}
	for k, grades := range inGrade {
		if len(grades) < 2 {
			t.Errorf("[%s] is in one grade only: it would give the grade away", k)
		}
	}
}
