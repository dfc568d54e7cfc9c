package configs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func decode(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("demo-encoder", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// The files that make_tokenizer.py writes must agree with each other and with
// the encoder: a vocabulary larger than the embeddings would index past them.
func TestDemoEncoderFilesAgree(t *testing.T) {
	var encoder struct {
		VocabSize   int    `json:"vocab_size"`
		Positions   int    `json:"max_position_embeddings"`
		PadTokenID  int    `json:"pad_token_id"`
		ProblemType string `json:"problem_type"`
	}
	var tokenizer struct {
		Model struct {
			Type  string         `json:"type"`
			Vocab map[string]int `json:"vocab"`
		} `json:"model"`
	}
	var settings struct {
		MaxLength int `json:"model_max_length"`
	}
	decode(t, "config.json", &encoder)
	decode(t, "tokenizer.json", &tokenizer)
	decode(t, "tokenizer_config.json", &settings)

	vocab := tokenizer.Model.Vocab
	if tokenizer.Model.Type != "WordPiece" || len(vocab) != encoder.VocabSize {
		t.Errorf("tokenizer is %s with %d pieces, config.json has vocab_size %d", tokenizer.Model.Type, len(vocab), encoder.VocabSize)
	}
	if settings.MaxLength != encoder.Positions {
		t.Errorf("model_max_length %d, max_position_embeddings %d", settings.MaxLength, encoder.Positions)
	}
	if encoder.PadTokenID != 0 || encoder.ProblemType != "regression" {
		t.Errorf("pad_token_id %d, problem_type %q", encoder.PadTokenID, encoder.ProblemType)
	}
	for id, piece := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		if got, ok := vocab[piece]; !ok || got != id {
			t.Errorf("%s has id %d, want %d", piece, got, id)
		}
	}
	for c := 'a'; c <= 'z'; c++ {
		if _, ok := vocab["##"+string(c)]; !ok {
			t.Errorf("no piece ##%c: words with it would be [UNK]", c)
		}
	}
	lines, err := os.ReadFile(filepath.Join("demo-encoder", "vocab.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for id, piece := range strings.Fields(string(lines)) {
		if got, ok := vocab[piece]; !ok || got != id {
			t.Errorf("vocab.txt has %q on line %d, tokenizer.json at %d", piece, id+1, got)
		}
	}
}

func TestDemoConfigsLoad(t *testing.T) {
	for _, name := range []string{"demo.yaml", "demo-pairs.yaml"} {
		c, err := Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range slices.Concat([]string{c.Model.Config}, c.Data.Train, c.Data.Validation.Files) {
			if strings.HasPrefix(file, "runs/") {
				continue // what make demo writes
			}
			if _, err := os.Stat(filepath.Join("..", file)); err != nil {
				t.Errorf("%s names a file that is not there: %v", name, err)
			}
		}
	}
}
