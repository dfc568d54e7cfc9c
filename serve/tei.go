package serve

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// teiPredict answers POST /predict as text-embeddings-inference does
// (router/src/http): inputs is a text, a pair [prompt, response], or a list of
// [text] and [prompt, response]. raw_scores false asks for the sigmoid, and truncate
// false for an error where a text is too long; TEI takes both for false where they
// are absent, and here the reward is the logit then, and a text is cut as the server
// is set to.
func teiPredict(r *request) (any, error) {
	raw, err1 := r.fields.flag("raw_scores")
	truncate, err2 := r.fields.flag("truncate")
	if err := firstOf(err1, err2); err != nil {
		return nil, err
	}
	if err := r.teiDirection(); err != nil {
		return nil, err
	}
	inputs, one, err := teiInputs(r.fields)
	if err != nil {
		return nil, err
	}
	m, view, err := r.model("", false)
	if err != nil {
		return nil, err
	}
	defer m.users.Done()
	c, err := r.cutting(m)
	if err != nil {
		return nil, err
	}
	if truncate != nil {
		c.refuse = !*truncate
	}
	if c.side, err = r.side("truncation_direction", c.side); err != nil {
		return nil, err
	}
	result, err := r.score(m, view, "inputs", inputs, c)
	if err != nil {
		return nil, err
	}
	type prediction struct {
		Score any    `json:"score"`
		Label string `json:"label"`
		spread
	}
	predictions := make([][]prediction, len(inputs))
	for i := range predictions {
		predictions[i] = []prediction{{result.number(i, raw != nil && !*raw), label, result.spread(i)}}
	}
	if one {
		return predictions[0], nil
	}
	return predictions, nil
}

// teiDirection spells TEI's Left and Right as side reads them.
func (r *request) teiDirection() error {
	direction, err := r.fields.text("truncation_direction")
	if err != nil || direction == "" {
		return err
	}
	spelled, known := map[string]string{"Left": "left", "Right": "right", "left": "left", "right": "right"}[direction]
	if !known {
		return bad("truncation_direction", "truncation_direction is %q, want Left or Right", clip(direction))
	}
	r.fields["truncation_direction"] = json.RawMessage(`"` + spelled + `"`)
	return nil
}

// teiInputs tells a batch from a pair by its first element.
func teiInputs(f fields) (inputs []input, one bool, err error) {
	if texts, _, err := f.texts("inputs"); err == nil {
		in, err := teiInput(texts, 0)
		return []input{in}, true, err
	}
	var lists []json.RawMessage
	if !bytes.HasPrefix(bytes.TrimSpace(f["inputs"]), []byte("[")) || json.Unmarshal(f["inputs"], &lists) != nil {
		return nil, false, bad("inputs", "inputs is %s, want a text, a pair of texts, or a list of [text] and [prompt, response]", clip(string(f["inputs"])))
	}
	for i, raw := range lists {
		texts, err := textList(raw, "inputs")
		if err != nil {
			return nil, false, err
		}
		in, err := teiInput(texts, i)
		if err != nil {
			return nil, false, err
		}
		inputs = append(inputs, in)
	}
	return inputs, false, nil
}

func teiInput(texts []string, at int) (input, error) {
	switch len(texts) {
	case 1:
		return input{text: texts[0]}, nil
	case 2:
		return input{text: texts[0], response: texts[1], pair: true}, nil
	}
	return input{}, bad("inputs", "inputs[%d] has %d texts, want a text or a pair", at, len(texts))
}

// teiError is TEI's error body.
func teiError(f *failure) any {
	kind := "Validation"
	switch {
	case f.status == http.StatusTooManyRequests:
		kind = "Overloaded"
	case f.status == http.StatusServiceUnavailable:
		kind = "Unhealthy"
	case f.status >= 500:
		kind = "Backend"
	}
	return struct {
		Error string `json:"error"`
		Type  string `json:"error_type"`
	}{f.message, kind}
}
