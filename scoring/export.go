package scoring

import (
	"fmt"
	"os"
	"path/filepath"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/model"
)

// Export writes the model as a Hugging Face directory: weights, config,
// tokenizer, a card, its temperature where it has one, and the golden vector computed on the backend. name is the
// backend's, version laurel's. The directory is written aside and renamed, so
// that it is whole or not there.
func (m *Model) Export(dir string, backend model.Backend, name, version string) error {
	m.Record()
	return data.WriteFolder(dir, func(aside string) error {
		if err := m.writeHF(aside); err != nil {
			return err
		}
		if err := copyCalibration(m.Dir, aside); err != nil {
			return err
		}
		golden, err := m.NewGolden(backend, name, version)
		if err == nil {
			err = golden.Write(aside)
		}
		if err != nil {
			return fmt.Errorf("golden vector: %w", err)
		}
		return nil
	})
}

// writeHF writes the weights, and beside them the tokenizer and a card.
func (m *Model) writeHF(dir string) error {
	if err := m.Save(dir, m.PadID()); err != nil {
		return err
	}
	write := func(path string, content []byte) error { return os.WriteFile(path, content, 0o644) }
	if err := m.Tokenizer.CopyFiles(dir, write); err != nil {
		return err
	}
	if err := m.agreeOnPad(dir); err != nil {
		return err
	}
	if err := tokenizer.SetSide(dir, m.Side); err != nil {
		return err
	}
	for _, name := range []string{"README.md", "MODEL_CARD.md"} { // the hub shows the first
		if err := os.WriteFile(filepath.Join(dir, name), []byte(m.card()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Card is what a model's card says of its training and evaluation.
type Card struct {
	Header string // lines of YAML, such as model-index
	Body   string // sections of Markdown
}

// card says how the model is to be used, for the hub and for people.
func (m *Model) card() string {
	return fmt.Sprintf(`---
library_name: transformers
pipeline_tag: text-classification
tags: [reward-model, laurel]
%[3]s---

A reward model: one label, whose logit is the reward of prompt + response
(higher is better; only differences mean something). Trained with laurel.

    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    model = AutoModelForSequenceClassification.from_pretrained(DIR)
    tokenizer = AutoTokenizer.from_pretrained(DIR)
    tokenizer.truncation_side = %[2]q
    reward = model(**tokenizer(prompt + response, truncation=True, max_length=%[1]d, return_tensors="pt")).logits[0, 0]

Text is tokenized with special tokens and cut to %[1]d tokens at the %[2]s.
%[4]s`, m.MaxLength, m.Side, m.Card.Header, m.Card.Body)
}
