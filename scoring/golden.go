package scoring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/model"
)

// Golden is laurel_golden.json, which export leaves beside the weights: what
// this model answered here, so that any server of it can be checked later.
type Golden struct {
	Format         int          `json:"format"`
	Laurel         string       `json:"laurel"`  // the version that exported
	Backend        string       `json:"backend"` // that computed the logits
	DType          string       `json:"dtype"`   // of the weights and the computation
	Tolerance      float64      `json:"tolerance"`
	MaxLength      int          `json:"max_length"` // the texts are cut to so many ids here
	TruncationSide string       `json:"truncation_side"`
	Cases          []GoldenCase `json:"cases"`
}

// GoldenCase is one text: what it is, its ids, and the logit of these ids.
type GoldenCase struct {
	Name     string          `json:"name"`
	Messages []GoldenMessage `json:"messages,omitempty"` // a conversation; Text is what it renders to
	Text     string          `json:"text"`
	// AddSpecialTokens is what a tokenizer call needs that is to turn Text into
	// IDs; null where neither value does.
	AddSpecialTokens *bool    `json:"add_special_tokens"`
	IDs              []int32  `json:"ids"`
	Logit            *float32 `json:"logit"`
}

// GoldenMessage is one turn of a conversation.
type GoldenMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

const (
	goldenFormat = 1
	// GoldenTolerance is absolute, or relative where the logit is above one.
	GoldenTolerance = 1e-4
	goldenLength    = 128 // no case is longer: they shall cost little on any machine
)

// GoldenTexts are ASCII, code, accents, other scripts, nearly nothing, and
// more than goldenLength tokens in any vocabulary.
func GoldenTexts() []GoldenCase {
	long := "\n\nHuman: Tell me about the sea." + strings.Repeat(" The sea is deep, and cold, and full of fish.", 40) + "\n\nAssistant: It is."
	return []GoldenCase{
		{Name: "question", Text: "What is two plus two? Four."},
		{Name: "transcript", Text: "\n\nHuman: How do I boil an egg?\n\nAssistant: Eight minutes in boiling water."},
		{Name: "code", Text: "def add(a, b):\n    return a + b  # 1 + 2 == 3"},
		{Name: "accents", Text: "Être naïf coûte cher : 12 €, à peu près. Füße, ñandú."},
		{Name: "scripts", Text: "今天天气很好。Привет, мир! שלום 👍🏽"},
		{Name: "space", Text: " "},
		{Name: "long", Text: long},
		{Name: "chat", Messages: []GoldenMessage{
			{"user", "Which planet is nearest to the sun?"},
			{"assistant", "Mercury is."},
		}},
	}
}

func (c GoldenCase) messages() []data.Message {
	var messages []data.Message
	for _, m := range c.Messages {
		messages = append(messages, data.Message{Role: m.Role, Content: m.Content})
	}
	return messages
}

// Encode gives the case's ids as scoring does, special tokens included.
func (c GoldenCase) Encode(m *Model, maxLength int, side tokenizer.Side) ([]int32, error) {
	if c.Messages != nil {
		tokens, err := m.Tokenizer.EncodeMessages(c.messages(), maxLength, side)
		return tokens.IDs, err
	}
	tokens, err := m.Tokenizer.EncodeText(c.Text, maxLength, side)
	return tokens.IDs, err
}

// GoldenCases are the texts with their ids, those left out that yield none.
func (m *Model) GoldenCases() ([]GoldenCase, error) {
	var cases []GoldenCase
	for _, c := range GoldenTexts() {
		if c.Messages != nil {
			text, err := m.Tokenizer.Render(c.messages(), false)
			if err != nil {
				return nil, fmt.Errorf("case %s: %w", c.Name, err)
			}
			c.Text = text
		}
		var err error
		if c.IDs, err = c.Encode(m, m.GoldenLength(), m.Side); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		if len(c.IDs) == 0 { // a space, where the tokenizer adds nothing
			continue
		}
		if err := m.CheckIDs(c.IDs); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		if c.AddSpecialTokens, err = m.addsSpecials(c); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// GoldenLength is what the golden texts are cut to for this model.
func (m *Model) GoldenLength() int { return min(m.MaxLength, goldenLength) }

// addsSpecials tells with which add_special_tokens the case's text becomes its
// ids: a rendered conversation may hold its BOS already.
func (m *Model) addsSpecials(c GoldenCase) (*bool, error) {
	full, err := m.Tokenizer.EncodeText(c.Text, m.GoldenLength(), m.Side)
	if err != nil {
		return nil, err
	}
	bare, err := m.Tokenizer.EncodeBare(c.Text, m.GoldenLength(), m.Side)
	if err != nil {
		return nil, err
	}
	yes, no := true, false
	switch {
	case slices.Equal(full.IDs, c.IDs):
		return &yes, nil
	case slices.Equal(bare.IDs, c.IDs):
		return &no, nil
	}
	return nil, nil
}

// NewGolden scores the golden texts with the model. version is laurel's, name
// the backend's, for whoever compares later.
func (m *Model) NewGolden(backend model.Backend, name, version string) (*Golden, error) {
	g := &Golden{Format: goldenFormat, Laurel: version, Backend: name, DType: "float32", Tolerance: GoldenTolerance,
		MaxLength: m.GoldenLength(), TruncationSide: m.Side.String()}
	var err error
	if g.Cases, err = m.GoldenCases(); err != nil {
		return nil, err
	}
	scorer, err := model.NewScorer(backend, m.Model)
	if err != nil {
		return nil, err
	}
	logits, err := scorer.ScoreBatch(g.IDs())
	if err != nil {
		return nil, err
	}
	for i := range g.Cases {
		if g.Cases[i].Logit = &logits[i]; !finite(logits[i]) {
			return nil, fmt.Errorf("case %s: the reward is %v: the weights are damaged or too large for float32", g.Cases[i].Name, logits[i])
		}
	}
	return g, nil
}

// IDs are those of all cases.
func (g *Golden) IDs() [][]int32 {
	var ids [][]int32
	for _, c := range g.Cases {
		ids = append(ids, c.IDs)
	}
	return ids
}

// Write leaves the golden vector in dir, beside the weights.
func (g *Golden) Write(dir string) error {
	text, err := g.text()
	if err != nil {
		return err
	}
	return data.WriteFile(filepath.Join(dir, model.GoldenFile), text)
}

// text is the file: JSON with a line for each case.
func (g *Golden) text() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	b.WriteString("{")
	for _, field := range []struct {
		name  string
		value any
	}{{"format", g.Format}, {"laurel", g.Laurel}, {"backend", g.Backend}, {"dtype", g.DType}, {"tolerance", g.Tolerance},
		{"max_length", g.MaxLength}, {"truncation_side", g.TruncationSide}} {
		fmt.Fprintf(&b, "\n %q: ", field.name)
		if err := encoder.Encode(field.value); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // the encoder's newline
		b.WriteByte(',')
	}
	b.WriteString("\n \"cases\": [")
	for i, c := range g.Cases {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  ")
		if err := encoder.Encode(c); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteString("\n ]\n}\n")
	return b.Bytes(), nil
}

// ReadGolden reads a directory's golden vector, nil where it has none. It is
// strict: what a server is checked by must itself be whole.
func ReadGolden(dir string) (*Golden, error) {
	path := filepath.Join(dir, model.GoldenFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	g := &Golden{}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(g); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if err := g.validate(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return g, nil
}

func (g *Golden) validate() error {
	if g.Format != goldenFormat {
		return fmt.Errorf("format %d, this laurel reads %d", g.Format, goldenFormat)
	}
	if _, err := tokenizer.ParseSide(g.TruncationSide); err != nil {
		return err
	}
	if len(g.Cases) == 0 || g.MaxLength < 1 {
		return errors.New("no cases, or no max_length")
	}
	for i, c := range g.Cases {
		if len(c.IDs) == 0 || c.Logit == nil {
			return fmt.Errorf("case %d (%s) has no ids or no logit", i, c.Name)
		}
	}
	return nil
}
