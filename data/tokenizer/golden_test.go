package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"laurel/data"
)

// shared finds a path of the shared fixtures, which lie beside the checkout.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	root := filepath.Join("..", "..", "..", "shared")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("NOT TESTED: %s is absent, so the ids of transformers for %v are not compared", root, parts)
	}
	return filepath.Join(append([]string{root}, parts...)...)
}

// models lists the folders of golden/ that hold the file.
func models(t *testing.T, file string) []string {
	t.Helper()
	paths, err := filepath.Glob(shared(t, "golden", "*", file))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden/*/%s: %v", file, err)
	}
	return paths
}

func TestGoldenTokenizerCases(t *testing.T) {
	for _, path := range models(t, "tokenizer_cases.json") {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			var cases []textCase
			readJSON(t, path, &cases)
			tok := open(t, filepath.Dir(path))
			for _, c := range cases {
				c.check(t, tok)
			}
		})
	}
}

func TestGoldenInputsAreCutAtTheRight(t *testing.T) {
	for _, path := range models(t, "inputs.json") {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			var inputs struct {
				Texts     []string
				MaxLength int    `json:"max_length"`
				Side      string `json:"truncation_side"`
				Unpadded  [][]int32
			}
			readJSON(t, path, &inputs)
			tok := open(t, filepath.Dir(path))
			side, err := ParseSide(inputs.Side)
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range inputs.Texts {
				checkIDs(t, tok, text, inputs.MaxLength, side, inputs.Unpadded[i])
			}
		})
	}
}

func TestGoldenChats(t *testing.T) {
	for _, path := range models(t, "chat_cases.json") {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			var cases []chatCase
			readJSON(t, path, &cases)
			tok := open(t, filepath.Dir(path))
			for _, c := range cases {
				c.check(t, tok)
			}
		})
	}
}

// The pairs of golden/train were tokenised from the whole text of each side.
func TestGoldenPairs(t *testing.T) {
	for _, name := range []string{"bert", "llama", "qwen3"} {
		var train struct {
			Pairs []struct {
				Chosen, Rejected string
				ChosenIDs        []int32 `json:"chosen_ids"`
				RejectedIDs      []int32 `json:"rejected_ids"`
			}
			Texts   []string  `json:"texts_eval"`
			EvalIDs [][]int32 `json:"eval_ids"`
		}
		readJSON(t, shared(t, "golden", "train", name, "data.json"), &train)
		tok := open(t, shared(t, "golden", name))
		for _, p := range train.Pairs {
			common := commonPrefix(p.Chosen, p.Rejected)
			pair := data.Pair{Prompt: data.Text{Plain: p.Chosen[:common]}}
			pair.Chosen.Plain, pair.Rejected.Plain = p.Chosen[common:], p.Rejected[common:]
			chosen, rejected, err := tok.EncodePair(pair, 0, Left)
			if err != nil || !slices.Equal(chosen.IDs, p.ChosenIDs) || !slices.Equal(rejected.IDs, p.RejectedIDs) {
				t.Errorf("%s: %.60q: %v", name, p.Chosen, err)
			}
		}
		for i, text := range train.Texts {
			checkIDs(t, tok, text, 0, Left, train.EvalIDs[i])
		}
	}
}

// commonPrefix is the length of what both begin with, up to a blank.
func commonPrefix(a, b string) int {
	end := 0
	for i := 0; i < min(len(a), len(b)) && a[i] == b[i]; i++ {
		if a[i] == ' ' {
			end = i
		}
	}
	return end
}

// TRL's ids of conversations: the chat template, nothing appended.
func TestGoldenConversationsOfTRL(t *testing.T) {
	for _, name := range []string{"llama", "qwen3"} {
		var trl struct {
			Explicit struct {
				Rows []struct {
					Prompt, Chosen, Rejected []data.Message
				}
				Tokens []struct {
					ChosenIDs   []int32 `json:"chosen_ids"`
					RejectedIDs []int32 `json:"rejected_ids"`
				}
			} `json:"conversational_explicit"`
		}
		readJSON(t, shared(t, "golden", "train", name, "trl_tokenised.json"), &trl)
		if len(trl.Explicit.Tokens) != len(trl.Explicit.Rows) || len(trl.Explicit.Rows) == 0 {
			t.Fatalf("%s: %d rows, %d tokenised", name, len(trl.Explicit.Rows), len(trl.Explicit.Tokens))
		}
		tok := open(t, shared(t, "golden", name))
		for i, row := range trl.Explicit.Rows {
			pair := data.Pair{
				Prompt: data.Text{Messages: row.Prompt}, Chosen: data.Text{Messages: row.Chosen}, Rejected: data.Text{Messages: row.Rejected},
			}
			chosen, rejected, err := tok.EncodePair(pair, 0, Left)
			want := trl.Explicit.Tokens[i]
			if err != nil || !slices.Equal(chosen.IDs, want.ChosenIDs) || !slices.Equal(rejected.IDs, want.RejectedIDs) {
				t.Errorf("%s, row %d: %v", name, i, err)
			}
		}
	}
}

// MiniLM's tokenizer.json carries truncation and padding to 128.
func TestGoldenMiniLM(t *testing.T) {
	var expected struct {
		Texts     []string
		MaxLength int       `json:"max_length"`
		IDs       [][]int32 `json:"input_ids"`
		Mask      [][]int   `json:"attention_mask"`
	}
	readJSON(t, shared(t, "golden", "all-MiniLM-L6-v2", "expected.json"), &expected)
	tok := open(t, shared(t, "models", "all-MiniLM-L6-v2"))
	longest := 0
	for i, text := range expected.Texts {
		length := 0
		for _, real := range expected.Mask[i] {
			length += real
		}
		longest = max(longest, length)
		checkIDs(t, tok, text, expected.MaxLength, Right, expected.IDs[i][:length])
	}
	if longest <= 128 {
		t.Errorf("the longest text has %d tokens: none shows that the file's truncation is left out", longest)
	}
}

// TestCutTextDoesNotEnd: a decoder's text that is cut at its end gets no
// end-of-sequence token, one that is whole or cut at its start does.
func TestCutTextDoesNotEnd(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(shared(t, "golden", "mistral"))); err != nil {
		t.Fatal(err)
	}
	var definition map[string]any
	readJSON(t, filepath.Join(dir, "tokenizer.json"), &definition)
	definition["post_processor"] = map[string]any{"type": "TemplateProcessing",
		"single":         []any{map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}}, map[string]any{"SpecialToken": map[string]any{"id": "</s>", "type_id": 0}}},
		"pair":           []any{map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}}, map[string]any{"Sequence": map[string]any{"id": "B", "type_id": 0}}},
		"special_tokens": map[string]any{"</s>": map[string]any{"id": "</s>", "ids": []int{2}, "tokens": []string{"</s>"}}}}
	raw, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	tok, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tok.Close()
	eos, ok := tok.EOSID()
	if _, suffix := tok.Specials(); !ok || !slices.Contains(suffix, eos) {
		t.Fatalf("this tokenizer ends texts with %v, not with eos %d", suffix, eos)
	}
	const text = "one two three four five six seven eight nine ten"
	for _, c := range []struct {
		length int
		side   Side
		ends   bool
	}{{0, Right, true}, {8, Right, false}, {8, Left, true}} {
		got, err := tok.EncodeText(text, c.length, c.side)
		if err != nil {
			t.Fatal(err)
		}
		if ends := got.IDs[len(got.IDs)-1] == eos; ends != c.ends {
			t.Errorf("cut to %d at the %v: ids %v end with eos: %v", c.length, c.side, got.IDs, ends)
		}
		if c.length > 0 && (len(got.IDs) != c.length || got.Cut == 0) {
			t.Errorf("cut to %d: %d ids, %d cut", c.length, len(got.IDs), got.Cut)
		}
	}
}
