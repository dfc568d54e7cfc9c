package tokenizer

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
)

// asciiText is words of letters, digits and signs, a space between them.
func asciiText(rng *rand.Rand) string {
	kinds := []string{"0123456789", "abcdefghijklmnopqrstuvwxyz", "etaoinshrdluETAOINSHRDLU", "aZ09.,!?'-_#[](){}<>/~"}
	var text []byte
	for range 1 + rng.IntN(6) {
		if len(text) > 0 {
			text = append(text, ' ')
		}
		from := kinds[rng.IntN(len(kinds))]
		for range 1 + rng.IntN(14) {
			text = append(text, from[rng.IntN(len(from))])
		}
	}
	return string(text)
}

// Words that are spelled here have the library's ids, whatever the settings of
// a WordPiece pipeline.
func TestSpelled(t *testing.T) {
	var d map[string]any
	readJSON(t, filepath.Join("testdata", "wordpiece", "tokenizer.json"), &d)
	model, normalizer := d["model"].(map[string]any), d["normalizer"].(map[string]any)
	for _, set := range []struct {
		most  int
		lower bool
		added string
	}{{100, true, ""}, {100, false, ""}, {5, true, ""}, {100, true, "he"}, {100, false, "#"}, {100, true, "E"}} {
		model["max_input_chars_per_word"], normalizer["lowercase"] = set.most, set.lower
		added := []any{map[string]any{"id": 0, "content": set.added, "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}}
		if d["added_tokens"] = added; set.added == "" {
			d["added_tokens"] = []any{}
		}
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, dir, "tokenizer.json", string(raw))
		tok := open(t, dir)
		if tok.words == nil || tok.words.spelled == nil {
			t.Fatalf("%+v: words are not spelled", set)
		}
		rng := rand.New(rand.NewPCG(5, uint64(set.most)))
		for range 2000 {
			text := asciiText(rng)
			want, err := tok.encodeWhole(text, false)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := tok.encode(text); err != nil || !slices.Equal(got, want) {
				t.Fatalf("%+v: %q: %v, %v; the library: %v", set, text, got, err, want)
			}
		}
	}
}
