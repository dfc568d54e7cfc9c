package feedback

import (
	"math"
	"strings"
	"testing"

	"laurel/feedback/chat"
)

// token is a token with alternatives of these probabilities.
func token(text string, p ...any) chat.Token {
	t := chat.Token{Token: text}
	for i := 0; i < len(p); i += 2 {
		t.Top = append(t.Top, chat.TopLogprob{Token: p[i].(string), Logprob: math.Log(p[i+1].(float64))})
	}
	return t
}

func TestReadLetter(t *testing.T) {
	mixed := token("A", "A", 0.3, " A", 0.1, "a", 0.05, "(A", 0.05, "A.", 0.04, "**A", 0.03, "ĠA", 0.02, "▁A", 0.01,
		"B", 0.1, " B", 0.05, "b", 0.03, "B)", 0.02, "Both", 0.1, "AB", 0.1) // A has 0.6, B 0.2
	for _, tc := range []struct {
		name, text string
		tokens     []chat.Token
		outcome    Outcome
		first      float64
		says       string
	}{
		{"all spellings", "A", []chat.Token{mixed}, Preferred, 0.75, ""},
		{"named twice by the server", "A", []chat.Token{token("A", "A", 0.6, "A", 0.6, "B", 0.2)}, Preferred, 0.75, ""},
		{"after punctuation", "**(B)**", []chat.Token{token("**(", "**(", 1.0), token("B", "B", 0.9, "A", 0.1), token(")**", ")**", 1.0)}, Preferred, 0.1, ""},
		{"and goes on", "A\n\nThe first", []chat.Token{token("A", "A", 0.8, "B", 0.2), token("\n\nThe", "\n\nThe", 1.0)}, Preferred, 0.8, ""},
		{"by luck less likely", "B", []chat.Token{token("B", "A", 0.75, "B", 0.25)}, Preferred, 0.75, ""},
		{"the other letter unseen, the least is less", "A", []chat.Token{token("A", "A", 0.9, "The", 0.04)}, Preferred, 0.9 / 0.94, ""},
		{"the other letter unseen, the rest is less", "A", []chat.Token{token("A", "A", 0.9, "The", 0.08)}, Preferred, 0.9 / 0.92, ""},
		{"the letter alone", "B", []chat.Token{token("B", "B", 0.7)}, Preferred, 0.3, ""},
		{"no alternatives", "B", []chat.Token{{Token: "B"}}, Unparseable, 0, "no log-probabilities"},
		{"full-width", "Ｂ", []chat.Token{token("Ｂ", "B", 0.5, "Ｂ", 0.25, "A", 0.25)}, Preferred, 0.25, ""},
		{"boxed", "\\boxed{A}", []chat.Token{token("\\", "\\", 1.0), token("boxed", "boxed", 1.0), token("{", "{", 1.0), token("A", "A", 0.8, "B", 0.2)}, Preferred, 0.8, ""},
		{"a response", "Response A", []chat.Token{token("Response", "Response", 1.0), token(" A", " A", 0.8, " B", 0.2)}, Preferred, 0.8, ""},
		{"in double brackets", "[[B]]", []chat.Token{token("[[", "[[", 1.0), token("B", "B", 0.9, "A", 0.1), token("]]", "]]", 1.0)}, Preferred, 0.1, ""},
		{"tie", "Tie.", []chat.Token{token("Tie", "Tie", 1.0)}, Tie, 0, ""},
		{"a refusal", "I'm sorry", []chat.Token{token("I", "I", 0.9, "A", 0.1)}, Unparseable, 0, "not a letter"},
		{"either", "A or B", []chat.Token{token("A", "A", 0.9, "B", 0.1)}, Unparseable, 0, "not a letter"},
		{"both", "both", []chat.Token{token("both", "both", 0.9)}, Unparseable, 0, "not a letter"},
		{"empty", "", nil, Unparseable, 0, "not a letter"},
		{"one after the other", "A\nB", []chat.Token{token("A", "A", 0.9, "B", 0.1)}, Unparseable, 0, "different letters"},
		{"no such token", "A", []chat.Token{token("Hello", "A", 0.9, "B", 0.1)}, Unparseable, 0, "no token"},
		{"little mass", "A", []chat.Token{token("A", "A", 0.04, "B", 0.04, "The", 0.9)}, Unparseable, 0, "0.08 together"},
		{"no probabilities", "A", []chat.Token{{Token: "A", Top: []chat.TopLogprob{{Token: "A", Logprob: 5}, {Token: "B", Logprob: 1}}}}, Unparseable, 0, "add up"},
	} {
		r := readLetter(tc.text, tc.tokens, false)
		if r.outcome != tc.outcome || math.Abs(r.first-tc.first) > 1e-12 || !strings.Contains(r.detail, tc.says) || (r.detail == "") != (tc.says == "") {
			t.Errorf("%s: %+v", tc.name, r)
		}
	}
}

// TestCutLetter: a letter in a line that was cut off may be the beginning of
// something else.
func TestCutLetter(t *testing.T) {
	tokens := []chat.Token{token("A", "A", 0.8, "B", 0.2)}
	for text, want := range map[string]Outcome{"A": Unparseable, "\n\nResponse A": Unparseable, "A\n": Preferred, "\nA\n\nThe first": Preferred} {
		if p := readLetter(text, tokens, true); p.outcome != want || want == Unparseable && p.reason != reasonCut {
			t.Errorf("%q: %+v, want %s", text, p, want)
		}
	}
}

// sound says what is wrong with what was read, whatever it was read from.
func sound(t *testing.T, p parsed) {
	t.Helper()
	switch {
	case p.outcome == Preferred && p.first >= 0 && p.first <= 1 && p.detail == "" && (!p.unstated || p.first == 0 || p.first == 1):
	case p.outcome == Tie && p.detail == "":
	case p.outcome == Unparseable && p.detail != "" && p.reason != "" && p.first == 0:
	default:
		t.Errorf("%+v", p)
	}
}

func FuzzReadLetter(f *testing.F) {
	f.Add("A", "A", "B", "a", -0.1, -3.0)
	f.Add("(B)\n", "(", "Ġb", "B", 0.0, -9999.0)
	f.Add("A or B", "A", " or", "B", -1e300, math.Inf(1))
	f.Fuzz(func(t *testing.T, text, one, two, three string, p, q float64) {
		top := []chat.TopLogprob{{Token: one, Logprob: p}, {Token: two, Logprob: q}, {Token: three, Logprob: q}}
		sound(t, readLetter(text, []chat.Token{{Token: one, Logprob: p, Top: top}, {Token: two, Logprob: q, Top: top}}, false))
	})
}
