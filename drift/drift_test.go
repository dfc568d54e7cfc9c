package drift

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/data"
	"laurel/eval/draw/drawtest"
)

func TestWords(t *testing.T) {
	if got := strings.Join(words("Don't panic, 42 naïve 猫が! "), "|"); got != "don|t|panic|42|naïve|猫|が" {
		t.Error(got)
	}
	if got := strings.Join(terms("a b a b"), "|"); got != "a|a b|b|b a" {
		t.Error(got)
	}
}

// TestCosineByHand: of "x y" and "x z" in two texts, x is in both (idf 1), y, z and
// the pairs in one (idf log(3/2)+1).
func TestCosineByHand(t *testing.T) {
	index := newIndex([]string{"x y", "x z"})
	rare := math.Log(1.5) + 1
	at, cosine := index.nearest("x y", 0)
	if want := 1 / (1 + 2*rare*rare); at != 1 || math.Abs(cosine-want) > 1e-12 {
		t.Errorf("%d at %v, want 1 at %v", at, cosine, want)
	}
	if at, cosine := index.nearest("X, y?", -1); at != 0 || math.Abs(cosine-1) > 1e-12 {
		t.Errorf("the same text: %d at %v", at, cosine)
	}
	if at, cosine := index.nearest("nothing", -1); at != -1 || cosine != 0 {
		t.Errorf("no word in common: %d at %v", at, cosine)
	}
}

// TestCompareByHand: {1, 2} and {2, 4}: the functions differ by one half on [1, 2)
// and on [2, 4); E|X-Y| = (1+3+0+2)/4, E|X-X'| = 1/2, E|Y-Y'| = 1.
func TestCompareByHand(t *testing.T) {
	c := compare("x", []float64{2, 1}, []float64{4, 2})
	if c.KS != 0.5 || math.Abs(float64(c.Energy)-(3-1.5)/3) > 1e-12 || c.Median[0] != 1.5 || c.Median[1] != 3 {
		t.Errorf("%+v", c)
	}
	same := compare("x", []float64{1, 2, 3}, []float64{3, 2, 1})
	if same.KS != 0 || same.P != 1 || same.Energy != 0 {
		t.Errorf("alike: %+v", same)
	}
	if apart := compare("x", []float64{1, 1}, []float64{5, 5}); apart.KS != 1 || apart.Energy != 1 {
		t.Errorf("constants: %+v", apart)
	}
	// The sum at λ = 1, by Python: 0.26999967167735456.
	root := math.Sqrt(50.0)
	if p := kolmogorov(1/(root+0.12+0.11/root), 100, 100); math.Abs(p-0.26999967167735456) > 1e-12 {
		t.Errorf("p at λ = 1: %v", p)
	}
	if none := compare("x", nil, []float64{1}); none.KS.Defined() {
		t.Errorf("nothing to compare: %+v", none)
	}
}

func TestLayouts(t *testing.T) {
	for text, want := range map[string]string{
		"Plain text.": "", "- a\n- b": "list", "1. a": "list", "# A": "heading", "a **b**": "bold", "```go\nx\n```": "code block", "a\n\nb": "several paragraphs", "Why?": "question", "1.5 is - a # number": "",
	} {
		var found []string
		for _, l := range layouts() {
			if l.in.MatchString(text) {
				found = append(found, l.name)
			}
		}
		if got := strings.Join(found, ","); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// set writes rows and reads them.
func set(t *testing.T, rewards []string, lines ...string) *Set {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Read(path, data.ReadConfig{OnBadRow: "skip"}, rewards)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// about are prompts of one kind, each with a response, and one of them again.
func about(what string, n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"prompt":"How do I %s thing %d of %d?","response":"Like this: %d.","reward":%d}`, what, i, i%7, i, i%5))
	}
	return append(lines, lines[0])
}

// TestPromptsOfAnotherKind: data as the reference is has few unlike prompts, of
// another kind all are; messages and texts of the same words are one prompt.
func TestPromptsOfAnotherKind(t *testing.T) {
	rewards := []string{"reward"}
	reference := set(t, rewards, about("cook a", 60)...)
	if reference.Prompts != 60 || reference.Responses != 61 || reference.Rows != 61 {
		t.Fatalf("%+v", reference)
	}
	alike, err := Between(reference, set(t, rewards, about("cook a", 50)...), Default())
	if err != nil {
		t.Fatal(err)
	}
	if alike.Shared != 50 || alike.Unlike.Share > 0.05 || len(alike.Quantity) != 4 || len(alike.Layouts) != len(layouts()) {
		t.Errorf("alike: %+v", alike)
	}
	other, err := Between(reference, set(t, rewards, `{"prompt":"<b>Explain</b> quantum chromodynamics","response":"- No.\n- Yes.","reward":9}`, `{"prompt":"","response":"So.","reward":9}`, `{"prompt":"x","response":null,"reward":1}`), Default())
	if err != nil {
		t.Fatal(err)
	}
	if other.Unlike.Share != 1 || other.Most[0].Nearest != "" || other.Data.LeftOut["null_text"] != 1 || other.Layouts[0].Share[1] != 0.5 {
		t.Errorf("other: %+v", other)
	}
	prompts := set(t, nil, `{"prompt":[{"role":"user","content":"HOW do I cook a thing 3 of 3?"}]}`)
	if got, err := Between(reference, prompts, Default()); err != nil || got.Shared != 1 || len(got.Layouts) != 0 {
		t.Errorf("prompts alone: %+v, %v", got, err)
	}
	page := filepath.Join(t.TempDir(), "drift.html")
	if err := other.WriteHTML(page); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	drawtest.Page(t, "page", string(content))
	if _, err := json.Marshal(other); err != nil {
		t.Error(err)
	}
	drawtest.Fits(t, string(content))
}

// TestDrawnPrompts: so many are compared as are asked for, the same each time, and
// that is said.
func TestDrawnPrompts(t *testing.T) {
	reference := set(t, nil, about("cook a", 60)...)
	cfg := Config{Most: 25, Seed: 1}
	r, err := Between(reference, reference, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Compared != [2]int{25, 25} || r.Shared != 25 || !strings.Contains(strings.Join(r.Warnings, "\n"), "25 of 60 prompts are compared") {
		t.Errorf("%+v", r)
	}
	if a, b := drawn(reference.prompts, cfg), drawn(reference.prompts, cfg); !slices.Equal(a, b) {
		t.Error("another draw")
	}
	few := set(t, nil, about("cook a", 3)...)
	if _, err := Between(few, reference, cfg); err == nil || !strings.Contains(err.Error(), "3 prompts: of fewer than 20") {
		t.Error(err)
	}
}
