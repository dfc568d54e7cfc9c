package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Part is one file of pairs of the set.
type Part struct {
	File  string
	Pairs []Pair
}

// Parts names the set's files of pairs in the order train, validation, test.
func (s Set) Parts() []Part {
	return []Part{
		{"train.jsonl", s.Train},
		{"validation.jsonl", s.Validation},
		{"test.jsonl", s.Test},
	}
}

// JSONL is the file's content, one pair a line.
func (p Part) JSONL() ([]byte, error) { return jsonl(p.File, p.Pairs) }

func jsonl[Row any](file string, rows []Row) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for i, row := range rows {
		if err := encoder.Encode(row); err != nil {
			return nil, fmt.Errorf("encode %s: row %d: %w", file, i, err)
		}
	}
	return out.Bytes(), nil
}

// The files of comparisons, and of what the generator knows of them.
const (
	unlabelledFile = "unlabelled.jsonl"
	goldFile       = "unlabelled_gold.jsonl"
)

// files are the contents of all files, by name.
func (s Set) files() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, part := range s.Parts() {
		content, err := part.JSONL()
		if err != nil {
			return nil, err
		}
		out[part.File] = content
	}
	var err error
	if out[unlabelledFile], err = jsonl(unlabelledFile, s.Unlabelled); err != nil {
		return nil, err
	}
	out[goldFile], err = jsonl(goldFile, s.Gold)
	return out, err
}

// Write puts the set's files into a folder, each written aside and renamed.
func (s Set) Write(folder string) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path+".part", content, 0o644); err != nil {
			return fmt.Errorf("write demo data: %w", err)
		}
		if err := os.Rename(path+".part", path); err != nil {
			return fmt.Errorf("write demo data: %w", err)
		}
	}
	return nil
}
