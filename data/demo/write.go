package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Part is one file of the set.
type Part struct {
	File  string
	Pairs []Pair
}

// Parts names the set's files in the order train, validation, test.
func (s Set) Parts() []Part {
	return []Part{
		{"train.jsonl", s.Train},
		{"validation.jsonl", s.Validation},
		{"test.jsonl", s.Test},
	}
}

// JSONL is the file's content, one pair a line.
func (p Part) JSONL() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for _, pair := range p.Pairs {
		if err := encoder.Encode(pair); err != nil {
			return nil, fmt.Errorf("encode %s: pair %s: %w", p.File, pair.ID, err)
		}
	}
	return out.Bytes(), nil
}

// Write puts the set's files into a folder, each written aside and renamed.
func (s Set) Write(folder string) error {
	for _, part := range s.Parts() {
		content, err := part.JSONL()
		if err != nil {
			return err
		}
		path := filepath.Join(folder, part.File)
		if err := os.WriteFile(path+".part", content, 0o644); err != nil {
			return fmt.Errorf("write demo data: %w", err)
		}
		if err := os.Rename(path+".part", path); err != nil {
			return fmt.Errorf("write demo data: %w", err)
		}
	}
	return nil
}
