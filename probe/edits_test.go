package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestEditsByHand holds each edit that draws nothing to a text written by hand.
func TestEditsByHand(t *testing.T) {
	const text = "Use a timer. It helps people, after all! Then rest."
	want := map[string]string{
		"repeated_whole":      text + "\n\n" + text,
		"first_half":          "Use a timer. It helps",
		"last_sentence_off":   "Use a timer. It helps people, after all!",
		"first_sentence_last": "It helps people, after all! Then rest. Use a timer.",
		"last_sentence_first": "Then rest. Use a timer. It helps people, after all!",
		"list":                "- Use a timer.\n- It helps people, after all!\n- Then rest.",
		"headings":            "# Answer\n\n" + text,
		"bold":                "Use a **timer**. It helps **people**, after all! **Then** rest.",
		"jargon":              "Utilize a timer. It facilitates stakeholders, subsequent to all! Then rest.",
		"other_prompt":        "Something else.",
		"refusal":             "I'm sorry, but I can't help with that.",
		"empty":               "",
	}
	for _, p := range Probes() {
		edited, changed := p.apply(source{text: text, other: "Something else."}, 1, 3, 0)
		if !changed {
			t.Errorf("%s: nothing changed", p.Name)
		}
		if by, there := want[p.Name]; there && edited != by {
			t.Errorf("%s: %q, want %q", p.Name, edited, by)
		}
		if again, _ := p.apply(source{text: text, other: "Something else."}, 1, 3, 0); again != edited {
			t.Errorf("%s: %q, then %q", p.Name, edited, again)
		}
	}
}

// TestNothingToEdit: an edit that does not apply leaves the text as it is.
func TestNothingToEdit(t *testing.T) {
	for name, text := range map[string]string{
		"last_sentence_off": "One sentence.", "first_sentence_last": "One sentence", "repeated_sentence": "Dr. no", "list": "- a. B.\n- c.",
		"headings": "# There\n\nis one", "bold": "One **is**.", "jargon": "Plain words.", "typos": "A an.", "other_prompt": "alone", "refusal": "I'm sorry, but I can't help with that.", "first_half": "a",
	} {
		for _, p := range Probes() {
			if edited, changed := p.apply(source{text: text}, 1, 0, 0); p.Name == name && changed {
				t.Errorf("%s of %q: %q", name, text, edited)
			}
		}
	}
}

// TestTypos: the letters of a text stay what they are.
func TestTypos(t *testing.T) {
	const text = "Nineteen wonderful sentences about gardens would certainly need several typos, perhaps exactly two."
	for _, p := range Probes() {
		if p.Name != "typos" {
			continue
		}
		edited, _ := p.apply(source{text: text}, 1, 0, 0)
		changed := 0
		was := strings.Fields(text)
		for i, word := range strings.Fields(edited) {
			if word != was[i] {
				changed++
			}
			if len(word) != len(was[i]) || word[0] != was[i][0] {
				t.Errorf("%q became %q", was[i], word)
			}
		}
		if changed != 2 {
			t.Errorf("%d words changed of 13, want 2: %s", changed, edited)
		}
	}
}

func TestSentences(t *testing.T) {
	for text, want := range map[string]int{
		"":                                   0,
		"One":                                1,
		"One. Two? Three!":                   3,
		"Version 1.2 is out, e.g. for you.":  1,
		"He said \"Stop.\" Then he left.":    2,
		"今日は。元気ですか？はい":                       3,
		"A line\nand another\n\nand a third": 3,
	} {
		if got := len(sentences(text)); got != want {
			t.Errorf("%q: %d sentences, want %d: %q", text, got, want, sentences(text))
		}
	}
}

// FuzzEdits: no text makes an edit panic, valid UTF-8 stays so, and sentences
// joined are the text.
func FuzzEdits(f *testing.F) {
	for _, seed := range []string{"One. Two? Three!", "# a\n\n**b**", "日本語。はい", "é́ ' ’ x'y", "\n\n. .\n", "\xff\xfe. A", "🏳️‍🌈! B"} {
		f.Add(seed, "another", 7)
	}
	f.Fuzz(func(t *testing.T, text, other string, row int) {
		turn, why := lastTurn(plain(text))
		if why != "" {
			return
		}
		if turn.before+turn.text+turn.after != text {
			t.Fatalf("%q became %q %q %q", text, turn.before, turn.text, turn.after)
		}
		whole := ""
		for _, s := range sentences(turn.text) {
			whole += s.text + s.gap
			if s.text == "" {
				t.Errorf("%q has an empty sentence", turn.text)
			}
		}
		if whole != turn.text {
			t.Errorf("sentences of %q joined: %q", turn.text, whole)
		}
		for _, p := range Probes() {
			edited, _ := p.apply(source{text: turn.text, other: other}, 1, row, 1)
			if utf8.ValidString(text) && utf8.ValidString(other) && !utf8.ValidString(edited) {
				t.Errorf("%s of %q is no UTF-8: %q", p.Name, text, edited)
			}
		}
	})
}

// TestProbesAreDocumented: docs/probes.md has the row of each probe, with the
// edit of one text.
func TestProbesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "probes.md"))
	if err != nil {
		t.Fatal(err)
	}
	const text = "Use a timer. Then rest."
	for _, p := range Probes() {
		edited, _ := p.apply(source{text: text, other: "Paris."}, 1, 0, 0)
		if edited == "" {
			edited = "(empty)"
		}
		row := "| " + p.Name + " | " + p.Edit + " | " + strings.ReplaceAll(strings.ReplaceAll(edited, "\n", "⏎"), "|", "\\|") + " | " + p.Good + " |"
		if !strings.Contains(string(doc), row+"\n") {
			t.Errorf("docs/probes.md lacks the row\n%s", row)
		}
	}
}
