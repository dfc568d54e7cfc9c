package data

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Prompt is a conversation that waits for the assistant's answer.
type Prompt struct {
	ID       string    // the file's, or row:N
	Messages []Message // the last is not the assistant's
	Response string    // an answer that the file gives, without white space around it; empty where there is none
	Subset   string
	File     string
	Row      int // from 0; for JSONL the line, from 1
}

var promptFields = []field{fieldPrompt, fieldResponse, fieldSubset, fieldSource, fieldID}

// findPrompts finds the shape of a file of prompts.
func findPrompts(src source, mapping map[string]string) (shape, error) {
	n, err := resolve(mapping, promptFields, src)
	if err != nil {
		return shape{}, err
	}
	s := shape{names: n}
	s.preferSubset(src)
	if err := missingColumns(s.names, []field{fieldPrompt}, src, "prompts are prompt, and response where there is an answer to begin with"); err != nil {
		return shape{}, err
	}
	err = s.types(src)
	if s.names[fieldResponse] != "" && !s.has(fieldResponse) {
		s.kinds[fieldResponse] = cellNull // JSON lines of which only later ones have it
	}
	return s, err
}

// ReadPrompts yields the prompts of the files, with the answers that the files
// give, and stops after the first error. Plain text is the user's turn, or the
// turns of an HH transcript. Ids are as in ReadComparisons; what became of the
// rows is added to counts, which may be nil.
func ReadPrompts(files []string, cfg ReadConfig, counts *Counts) iter.Seq2[Prompt, error] {
	return func(yield func(Prompt, error) bool) {
		ids := givenIDs{seen: map[[16]byte]idPlace{}, files: files}
		for i := range files {
			if !ids.readPrompts(i, cfg, counts, yield) {
				return
			}
		}
		if len(files) == 0 {
			yield(Prompt{}, errors.New("read prompts: no files"))
		}
	}
}

func (g *givenIDs) readPrompts(at int, cfg ReadConfig, counts *Counts, yield func(Prompt, error) bool) (more bool) {
	r := rowReader{what: "prompts", file: g.files[at], total: counts}
	if err := r.open(cfg, findPrompts); err != nil {
		yield(Prompt{}, r.fail(err))
		return false
	}
	defer r.Close()
	g.units = append(g.units, r.src.unit())
	for {
		var p Prompt
		id, place, err := g.identify(&r, at, func(row *row) (_ string, bad *problem) {
			p, bad = r.shape.promptRow(row)
			return p.ID, bad
		})
		if err == io.EOF {
			return true
		}
		p.ID, p.File, p.Row = id, r.file, place
		if !yield(p, err) || err != nil {
			return false
		}
	}
}

// promptRow checks a row and makes a prompt of it.
func (s *shape) promptRow(r *row) (p Prompt, bad *problem) {
	text, bad := s.text(r, fieldPrompt)
	if bad != nil {
		return p, bad
	}
	if p.Messages, bad = waiting(text, s.names[fieldPrompt]); bad != nil {
		return p, bad
	}
	if p.Response, bad = s.given(r, p.Messages); bad != nil {
		return p, bad
	}
	return p, s.words(r, wordField{fieldSource, &p.Subset}, wordField{fieldSubset, &p.Subset}, wordField{fieldID, &p.ID})
}

// waiting is a prompt as messages of which the last waits for an answer.
func waiting(prompt Text, column string) ([]Message, *problem) {
	m := prompt.Messages
	if m == nil {
		m = plainTurns(prompt.Plain)
	}
	switch {
	case len(m) == 0 || strings.TrimSpace(m[len(m)-1].Content) == "":
		return nil, &problem{ReasonEmptyPrompt, column, "the prompt, or its last turn, is empty or only white space"}
	case m[len(m)-1].Role == "assistant":
		return nil, &problem{ReasonAnswered, column, "ends with the assistant's turn: a prompt ends with the turn to be answered"}
	}
	return m, nil
}

// plainTurns are the turns of an HH transcript, "\n\nHuman: …\n\nAssistant:",
// or else the text as one turn of the user.
func plainTurns(text string) []Message {
	const human, assistant = "\n\nHuman:", "\n\nAssistant:"
	body, ends := strings.CutSuffix(strings.TrimRight(text, " \n"), assistant)
	if !ends || !strings.HasPrefix(body, human) {
		return []Message{{Role: "user", Content: text}}
	}
	var turns []Message
	for body != "" {
		role, rest := "user", ""
		var ok bool
		if rest, ok = strings.CutPrefix(body, human); !ok {
			role, rest = "assistant", strings.TrimPrefix(body, assistant)
		}
		end := len(rest)
		for _, marker := range []string{human, assistant} {
			if at := strings.Index(rest, marker); at >= 0 {
				end = min(end, at)
			}
		}
		turns = append(turns, Message{Role: role, Content: strings.TrimSpace(rest[:end])})
		body = rest[end:]
	}
	return turns
}

// given is the answer that a row gives, alone or after the prompt; a null or
// blank one is none.
func (s *shape) given(r *row, prompt []Message) (string, *problem) {
	if kind := r[fieldResponse].kind; kind == cellMissing || kind == cellNull {
		return "", nil
	}
	response, bad := s.text(r, fieldResponse)
	if bad != nil {
		return "", bad
	}
	m := response.Messages
	if m == nil {
		return strings.TrimSpace(response.Plain), nil
	}
	if beginsWith(m, prompt) {
		m = m[len(prompt):]
	}
	if len(m) != 1 || m[0].Role != "assistant" {
		return "", &problem{ReasonWrongType, s.names[fieldResponse], fmt.Sprintf("%d messages where the assistant's answer alone should be", len(m))}
	}
	return strings.TrimSpace(m[0].Content), nil
}
