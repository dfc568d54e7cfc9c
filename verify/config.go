package verify

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/model"
	"laurel/scoring"
)

// configKeys are those of config.json that other readers go by, whether or not
// laurel knows the architecture.
type configKeys struct {
	Architectures []string       `json:"architectures"`
	ID2Label      map[string]any `json:"id2label"`
	NumLabels     *int           `json:"num_labels"`
	ProblemType   *string        `json:"problem_type"`
	PadTokenID    *int           `json:"pad_token_id"`
}

func readConfigKeys(dir string) (configKeys, error) {
	var keys configKeys
	raw, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return keys, err
	}
	if err := json.Unmarshal(raw, &keys); err != nil {
		return keys, fmt.Errorf("%s: %w", filepath.Join(dir, "config.json"), err)
	}
	return keys, nil
}

// checkLabels counts labels as transformers does: by id2label, else by
// num_labels, else two.
func checkLabels(s *subject) Check {
	if s.keysErr != nil {
		return failed("repair config.json, or export the model anew", "%v", s.keysErr)
	}
	const fix = `set "id2label": {"0": "LABEL_0"} in config.json, and "num_labels" to 1 or nothing`
	labels, spelling := 2, "neither id2label nor num_labels, so that transformers takes two labels"
	switch k := s.keys; {
	case len(k.ID2Label) > 0 && k.NumLabels != nil && *k.NumLabels != len(k.ID2Label):
		return failed(fix, "id2label has %d labels, num_labels is %d", len(k.ID2Label), *k.NumLabels)
	case len(k.ID2Label) > 0:
		labels, spelling = len(k.ID2Label), fmt.Sprintf("id2label has %d", len(k.ID2Label))
	case k.NumLabels != nil:
		labels, spelling = *k.NumLabels, fmt.Sprintf("num_labels is %d", *k.NumLabels)
	}
	if labels != 1 {
		return failed(fix, "a reward model has one label: %s", spelling)
	}
	return ok("one label (%s)", spelling)
}

// checkProblemType: without "regression" the text-classification pipeline of
// transformers and vLLM put a sigmoid on the one logit.
func checkProblemType(s *subject) Check {
	const fix = `set "problem_type": "regression" in config.json`
	switch {
	case s.keysErr != nil:
		return skipped("config.json does not read")
	case s.keys.ProblemType == nil:
		return warning(fix+` (or pass function_to_apply="none" to the pipeline)`,
			"not given: transformers' pipeline and vLLM put a sigmoid on the reward; the model's own logits are as they should be")
	case *s.keys.ProblemType != "regression":
		return failed(fix, "%q: servers put a sigmoid or a softmax on the reward, and a softmax over one label is always 1", *s.keys.ProblemType)
	}
	return ok("regression: servers return the logit itself")
}

// checkArchitectures: vLLM and others choose the model's class by this key.
func checkArchitectures(s *subject) Check {
	if s.keysErr != nil || s.weights == nil {
		return skipped("the config or the weights do not load")
	}
	want := s.weights.Config.Class()
	fix := fmt.Sprintf(`set "architectures": [%q] in config.json`, want)
	switch names := s.keys.Architectures; {
	case len(names) == 0:
		return warning(fix, "not given: AutoModelForSequenceClassification loads it, servers that go by this key do not")
	case !slices.Equal(names, []string{want}):
		return failed(fix, "%s, but a %s reward model is %s: servers would load another class", strings.Join(names, ", "), s.weights.Config.ModelType, want)
	}
	return ok("%s", want)
}

// checkPad: decoders pool the last token that is not pad_token_id, so that it
// must be what batches are padded with, and nothing that a text ends with.
func checkPad(s *subject) Check {
	switch {
	case s.keysErr != nil:
		return skipped("config.json does not read")
	case s.weights == nil || s.tokenizer == nil:
		return skipped("the weights or the tokenizer do not load")
	}
	const anew = "; laurel export writes a directory in which both agree"
	pad, has := s.tokenizer.PadID()
	switch {
	case s.keys.PadTokenID == nil && s.weights.Causal():
		return failed("set pad_token_id in config.json to the id of the tokenizer's pad_token"+anew,
			"config.json has no pad_token_id: transformers cannot score a batch of two")
	case s.keys.PadTokenID == nil:
		return warning("set pad_token_id in config.json to the id of the tokenizer's pad_token"+anew, "config.json has no pad_token_id")
	case !has:
		return failed("set pad_token in tokenizer_config.json to the token of that id"+anew, "pad_token_id is %d, and the tokenizer names no pad_token: it cannot pad", *s.keys.PadTokenID)
	case int(pad) != *s.keys.PadTokenID:
		return failed("make pad_token of tokenizer_config.json and pad_token_id of config.json one token"+anew,
			"pad_token_id is %d, the tokenizer pads with %d", *s.keys.PadTokenID, pad)
	case s.model.PadsWithEnd():
		return failed("give the model a padding token of its own: laurel export (or training) does",
			"pad_token_id %d also ends sequences: transformers reads the reward one token before the end, vLLM at the end", pad)
	}
	return ok("id %d in config.json and tokenizer", pad)
}

// checkTokenizer: ids must have a row in the embedding table.
func checkTokenizer(s *subject) Check {
	switch {
	case s.tokenErr != nil:
		return failed("put the tokenizer's files beside the weights: tokenizer.save_pretrained(DIR)", "%v", s.tokenErr)
	case s.weights == nil:
		return skipped("the weights do not load")
	}
	if doubt := scoring.DoubtTokenizer(s.weights, s.tokenizer); doubt != "" {
		return warning("put the files of the model's own tokenizer there: they come with the checkpoint that it was trained from",
			"it may be another model's: %s", doubt)
	}
	if n, example := scoring.BeyondEmbeddings(s.weights, s.tokenizer); n > 0 {
		if example != "" {
			example = " (" + example + ")"
		}
		return warning("nothing, where such tokens are not meant to be in texts; else resize the embeddings and train",
			"%d of its %d tokens%s are beyond the model's %d embeddings: a text that holds one gets no reward (%s)",
			n, s.tokenizer.VocabSize(), example, s.weights.VocabSize(), data.ReasonBeyondEmbeddings)
	}
	if notes := s.tokenizer.Notes(); len(notes) > 0 {
		return warning("make the files beside tokenizer.json agree with it: load and save the tokenizer with transformers 5", "%s", strings.Join(notes, "; "))
	}
	return ok("%d tokens, %d embeddings", s.tokenizer.VocabSize(), s.weights.VocabSize())
}

// checkLengths holds what training recorded to what the model can take.
func checkLengths(s *subject) Check {
	switch {
	case s.weights == nil || s.tokenizer == nil:
		return skipped("the weights or the tokenizer do not load")
	case s.weights.Config.Recorded.MaxLength == 0 || s.weights.Config.Recorded.TruncationSide == "":
		return warning("laurel export records both", "config.json does not record how training cut texts: laurel would cut to %d tokens at the %s", s.model.MaxLength, s.model.Side)
	}
	const fix = `set "max_length" and "truncation_side" under "laurel" in config.json to those of training`
	recorded, positions := s.weights.Config.Recorded, s.weights.MaxPositions()
	prefix, suffix := s.tokenizer.Specials()
	specials := len(prefix) + len(suffix)
	_, sideErr := tokenizer.ParseSide(recorded.TruncationSide)
	switch {
	case recorded.MaxLength <= specials:
		return failed(fix, "max_length %d leaves no room beside %d special tokens", recorded.MaxLength, specials)
	case positions > 0 && recorded.MaxLength > positions:
		return failed(fix, "max_length %d is more than the model's %d positions", recorded.MaxLength, positions)
	case sideErr != nil:
		return failed(fix, "%v", sideErr)
	}
	return ok("max_length %d%s, truncation side %s", recorded.MaxLength, ofPositions(s.weights), recorded.TruncationSide)
}

func ofPositions(m *model.Model) string {
	if m.MaxPositions() == 0 {
		return ""
	}
	return fmt.Sprintf(" of %d positions", m.MaxPositions())
}
