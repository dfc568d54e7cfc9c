package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
)

// vocabulary is the model's own, without added tokens.
type vocabulary struct {
	ids   map[string]int32
	texts map[int32]string
	size  int
	list  bool // pieces with scores, as Unigram has them
}

// readVocabulary reads an object from text to id, or Unigram's list of
// [text, score].
func (d *definition) readVocabulary() (*vocabulary, error) {
	var model struct {
		Vocab   json.RawMessage `json:"vocab"`
		Dropout float64         `json:"dropout"`
	}
	if err := json.Unmarshal(d.keys["model"], &model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	d.dropout = model.Dropout
	v := &vocabulary{texts: map[int32]string{}}
	if json.Unmarshal(model.Vocab, &v.ids) != nil || v.ids == nil {
		var pieces [][]any
		if err := json.Unmarshal(model.Vocab, &pieces); err != nil {
			return nil, errors.New("model: vocab is neither an object of ids nor a list of pieces")
		}
		v.list, v.size, v.ids = true, len(pieces), make(map[string]int32, len(pieces))
		for i, piece := range pieces {
			text, ok := pieceText(piece)
			if !ok {
				return nil, fmt.Errorf("model: piece %d of vocab is no text with a score", i)
			}
			v.ids[text] = int32(i)
		}
	} else {
		v.size = len(v.ids)
	}
	for text, id := range v.ids {
		v.texts[id] = text
	}
	return v, nil
}

func pieceText(piece []any) (string, bool) {
	if len(piece) == 0 {
		return "", false
	}
	text, ok := piece[0].(string)
	return text, ok
}
