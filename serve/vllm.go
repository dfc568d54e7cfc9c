package serve

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"laurel/data/tokenizer"
)

// label is that of the one class that a reward model has.
const label = "LABEL_0"

// newID is an id as vLLM's: a kind and 32 hexadecimal digits.
func newID(kind string) string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return kind + hex.EncodeToString(id[:])
}

// usage counts tokens as OpenAI's API does.
type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	TotalTokens      int `json:"total_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	Details          any `json:"prompt_tokens_details"`
}

func usageOf(tokens int) usage { return usage{PromptTokens: tokens, TotalTokens: tokens} }

// classify answers POST /classify as vLLM does (entrypoints/pooling/classify), or
// as SGLang where the body has SGLang's keys.
func classify(r *request) (any, error) {
	if r.fields.first("text", "input_ids") != "" && r.fields.first("input", "messages") == "" {
		return sglangClassify(r)
	}
	q, err := r.pooled(false)
	if err != nil {
		return nil, err
	}
	type class struct {
		Index      int    `json:"index"`
		Label      string `json:"label"`
		Probs      []any  `json:"probs"`
		NumClasses int    `json:"num_classes"`
		spread
	}
	classes := make([]class, len(q.scores))
	for i := range classes {
		classes[i] = class{i, label, []any{q.number(i, q.sigmoid)}, 1, q.spread(i)}
	}
	return struct {
		ID      string  `json:"id"`
		Object  string  `json:"object"`
		Created int64   `json:"created"`
		Model   string  `json:"model"`
		Data    []class `json:"data"`
		Usage   usage   `json:"usage"`
	}{newID("classify-"), "list", time.Now().Unix(), q.model, classes, usageOf(q.tokens)}, nil
}

// pooled is a request for rewards of input or messages, and its rewards.
type pooled struct {
	*scored
	model   string // as it is named in the answer
	sigmoid bool
}

// pooled reads the keys that vLLM's requests for pooling have in common
// (entrypoints/pooling/base/protocol.py), and scores. An input gets its special
// tokens unless add_special_tokens is false; messages are rendered by the model's
// own template.
func (r *request) pooled(anyName bool) (*pooled, error) {
	f := r.fields
	if err := f.refuse("only a model's own chat template renders its messages", "chat_template"); err != nil {
		return nil, err
	}
	if err := f.refuse("a reward model scores text", "mm_processor_kwargs"); err != nil {
		return nil, err
	}
	name, err := f.text("model")
	if err != nil {
		return nil, err
	}
	sigmoid, err := r.sigmoid()
	if err != nil {
		return nil, err
	}
	param, inputs, err := r.inputs()
	if err != nil {
		return nil, err
	}
	return r.vllmScores(name, anyName, sigmoid, param, inputs)
}

// vllmScores scores what a request of vLLM's asks for; param is the key that the
// inputs came in.
func (r *request) vllmScores(name string, anyName, sigmoid bool, param string, inputs []input) (*pooled, error) {
	m, view, err := r.model(name, anyName)
	if err != nil {
		return nil, err
	}
	defer m.users.Done()
	c, err := r.vllmCutting(m)
	if err != nil {
		return nil, err
	}
	result, err := r.score(m, view, param, inputs, c)
	if err != nil {
		return nil, err
	}
	return &pooled{result, m.Name + view, sigmoid}, nil
}

// sigmoid tells whether the probability is asked for rather than the logit:
// use_activation, or as older versions call it, activation or softmax. Absent, it is
// the logit, as of a model with problem_type regression.
func (r *request) sigmoid() (bool, error) {
	sigmoid := false
	for _, key := range []string{"softmax", "activation", "use_activation"} { // the last counts
		asked, err := r.fields.flag(key)
		if err != nil {
			return false, err
		}
		if asked != nil {
			sigmoid = *asked
		}
	}
	return sigmoid, nil
}

// vllmCutting is the request's, with truncate_prompt_tokens (-1: the model's length)
// and truncation_side. vLLM refuses a text that is too long where the first is
// absent; here that is the server's setting.
func (r *request) vllmCutting(m *served) (cutting, error) {
	c, err := r.cutting(m)
	if err != nil {
		return c, err
	}
	n, err := r.fields.integer("truncate_prompt_tokens")
	if err != nil {
		return c, err
	}
	if n != nil {
		switch {
		case *n < -1 || *n == 0:
			return c, bad("truncate_prompt_tokens", "truncate_prompt_tokens is %d, want -1 or at least 1", *n)
		case *n > m.Scorer.MaxLength:
			return c, bad("truncate_prompt_tokens", "truncate_prompt_tokens is %d, more than the model's max_length %d", *n, m.Scorer.MaxLength)
		}
		c.length, c.refuse = max(0, *n), false
	}
	c.side, err = r.side("truncation_side", c.side)
	return c, err
}

// side is the end at which a text is cut, as a key says.
func (r *request) side(key string, otherwise tokenizer.Side) (tokenizer.Side, error) {
	name, err := r.fields.text(key)
	if err != nil || name == "" {
		return otherwise, err
	}
	side, err := tokenizer.ParseSide(name)
	if err != nil {
		return otherwise, bad(key, "%s is %q, want left or right", key, clip(name))
	}
	return side, nil
}

// inputs reads input or messages.
func (r *request) inputs() (param string, inputs []input, err error) {
	specials, err := r.fields.flag("add_special_tokens")
	if err != nil {
		return "", nil, err
	}
	bare := specials != nil && !*specials
	switch {
	case r.fields.has("input") && r.fields.has("messages"):
		return "", nil, bad("input", "input and messages: give one of them")
	case r.fields.has("messages"):
		in, err := r.messages()
		in.bare = bare
		return "messages", []input{in}, err
	}
	if err := r.fields.refuse("it is of messages, and there are none", "tools", "chat_template_kwargs", "add_generation_prompt", "continue_final_message"); err != nil {
		return "", nil, err
	}
	if raw := bytes.TrimLeft(r.fields["input"], "[ \t\r\n"); len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
		inputs, _, err = idsOf(r.fields, "input")
	} else {
		inputs, _, err = textsOf(r.fields, "input", bare)
	}
	return "input", inputs, err
}

// messages reads a conversation, with its tools and template variables.
func (r *request) messages() (in input, err error) {
	f := r.fields
	if err := json.Unmarshal(f["messages"], &in.messages); err != nil {
		return in, bad("messages", "messages is not a list of {role, content}: %v", err)
	}
	if len(in.messages) == 0 {
		return in, bad("messages", "messages is an empty list")
	}
	for key, to := range map[string]*string{"tools": &in.context.Tools, "chat_template_kwargs": &in.context.TemplateKwargs} {
		open := map[string]string{"tools": "[", "chat_template_kwargs": "{"}[key]
		if !f.has(key) {
			continue
		}
		if !bytes.HasPrefix(bytes.TrimSpace(f[key]), []byte(open)) {
			return in, bad(key, "%s is %s, want a list of tools, or an object of variables", key, clip(string(f[key])))
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, f[key]); err != nil {
			return in, bad(key, "%s is no JSON: %v", key, err)
		}
		*to = compact.String()
	}
	generate, err1 := f.flag("add_generation_prompt")
	goesOn, err2 := f.flag("continue_final_message")
	if err := firstOf(err1, err2); err != nil {
		return in, err
	}
	if goesOn != nil && *goesOn {
		return in, bad("continue_final_message", "continue_final_message: a reward is of whole turns")
	}
	in.generate = generate != nil && *generate
	return in, nil
}

// textsOf reads a text or a list of texts, which may not be empty.
func textsOf(f fields, key string, bare bool) (inputs []input, one bool, err error) {
	texts, one, err := f.texts(key)
	if err == nil && len(texts) == 0 {
		err = bad(key, "%s is an empty list", key)
	}
	return textInputs(texts, bare), one, err
}

// idsOf reads token ids, or lists of them.
func idsOf(f fields, key string) (inputs []input, one bool, err error) {
	var ids []int32
	var lists [][]int32
	raw := f[key]
	switch {
	case bytes.Contains(raw, []byte("null")):
		return nil, false, bad(key, "%s is %s, want token ids, or lists of them", key, clip(string(raw)))
	case json.Unmarshal(raw, &ids) == nil:
		lists, one = [][]int32{ids}, true
	case json.Unmarshal(raw, &lists) != nil:
		return nil, false, bad(key, "%s is %s, want token ids, or lists of them", key, clip(string(raw)))
	}
	for i, ids := range lists {
		if len(ids) == 0 {
			return nil, false, bad(key, "%s[%d] has no token id", key, i)
		}
		if least := slices.Min(ids); least < 0 {
			return nil, false, bad(key, "%s[%d]: token id %d is negative", key, i, least)
		}
		inputs = append(inputs, input{ids: ids})
	}
	return inputs, one, nil
}

// firstOf is the first error.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
