package eval

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"laurel/data"
	"laurel/eval/draw"
)

// Files beside an evaluation's report.json.
const (
	PairsFile = "pairs.jsonl" // the evaluated pairs: Evaluated, a line each
	MadeFile  = "made.json"   // Made
)

// Made says what a report is of, and what it was made with.
type Made struct {
	Model string      `json:"model,omitempty"` // as it was named: run, directory or hub name
	Data  []string    `json:"data"`            // files of the evaluated pairs
	Facts []draw.Fact `json:"facts"`           // of the data, the machine, the program
}

// Write writes made.json into the report's folder.
func (m Made) Write(dir string) error { return draw.WriteJSON(filepath.Join(dir, MadeFile), m) }

// ReadMade reads what Write wrote; nil where there is none, as older evaluations
// have none.
func ReadMade(dir string) (*Made, error) {
	path := filepath.Join(dir, MadeFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	m := &Made{}
	if err == nil {
		err = json.Unmarshal(raw, m)
	}
	if err != nil {
		return nil, fmt.Errorf("read what the report was made with, %s: %w", path, err)
	}
	return m, nil
}

// Evaluated is a pair of an evaluation, with its texts where they are known.
type Evaluated struct {
	Ranked
	Key string `json:"key,omitempty"` // of the three texts, data.KeyOf in hex; "" where they are not known
	At  string `json:"at,omitempty"`  // file and place in it

	PromptText   string `json:"prompt,omitempty"`
	ChosenText   string `json:"chosen,omitempty"`
	RejectedText string `json:"rejected,omitempty"`
}

// Row is the pair as Evaluate takes it.
func (e *Evaluated) Row() Row {
	return Row{ID: e.ID, Place: e.Place, Prompt: promptOf(e.Ranked.Prompt), Subset: e.Subset, Chosen: e.Ranked.Chosen, Rejected: e.Ranked.Rejected,
		Confidence: e.Confidence, LenChosen: e.LenChosen, LenRejected: e.LenRejected}
}

// WritePairs writes pairs.jsonl: the rows in the order in which the pairs are
// read, with the texts of those that still are what was evaluated; rows whose
// pairs are not there follow without texts.
func WritePairs(path string, rows []Row, pairs iter.Seq2[data.Pair, error]) error {
	at := make(map[int]int, len(rows))
	for i, r := range rows {
		at[r.Place] = i
	}
	return data.WriteAside(path, func(w io.Writer) error {
		buffered := bufio.NewWriter(w)
		lines := json.NewEncoder(buffered)
		lines.SetEscapeHTML(false)
		place, written := 0, make([]bool, len(rows))
		for pair, err := range pairs {
			if err != nil {
				return fmt.Errorf("texts of the evaluated pairs: %w", err)
			}
			if i, known := at[place]; known {
				written[i] = true
				if err := lines.Encode(rows[i].with(&pair)); err != nil {
					return err
				}
			}
			place++
		}
		for i := range rows {
			if !written[i] {
				if err := lines.Encode(Evaluated{Ranked: rows[i].ranked()}); err != nil {
					return err
				}
			}
		}
		return buffered.Flush()
	})
}

// with adds the pair's texts, where it is the row's.
func (r *Row) with(p *data.Pair) Evaluated {
	e := Evaluated{Ranked: r.ranked()}
	if !e.is(p) {
		return e
	}
	key := data.KeyOf(p.Prompt, p.Chosen, p.Rejected)
	e.Key, e.At = hex.EncodeToString(key[:]), fmt.Sprintf("%s, %s", p.File, p.Place())
	e.PromptText, e.ChosenText, e.RejectedText = draw.Words(p.Prompt), draw.Words(p.Chosen), draw.Words(p.Rejected)
	return e
}

// ReadPairs reads pairs.jsonl; none where the file is not there.
func ReadPairs(path string) (out []Evaluated, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read evaluated pairs: %w", err)
	}
	defer file.Close()
	for lines := json.NewDecoder(bufio.NewReader(file)); ; {
		var e Evaluated
		switch err := lines.Decode(&e); {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("read evaluated pairs %s: line %d: %w: evaluate again with --overwrite", path, len(out)+1, err)
		}
		row := e.Row()
		if err := row.check(); err != nil {
			return nil, fmt.Errorf("read evaluated pairs %s: line %d: %w", path, len(out)+1, err)
		}
		out = append(out, e)
	}
}
