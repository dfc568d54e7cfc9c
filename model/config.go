package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"laurel/data"
)

// Config is a Hugging Face config.json, in the dialect of transformers 4 or
// 5, with the family's part read and checked.
type Config struct {
	ModelType  string
	PadTokenID int     // -1 where the file has none
	EOSTokenID []int32 // those that end a sequence
	NumLabels  int
	Recorded   Recorded
	Norm       Norm
	initRange  float64  // standard deviation of new weights
	valueHead  string   // the head's tensor where a decoder's checkpoint has another name for score.weight
	Unknown    []string // keys that no reader here knows; they are said on screen

	keys    map[string]json.RawMessage // the whole file, written back on export
	family  family
	weights []weight // the family's, listed once
}

// Recorded is what training leaves in config.json under the key "laurel", so
// that whoever scores with the model cuts and renders text as in training.
type Recorded struct {
	MaxLength      int    `json:"max_length,omitempty"`
	TruncationSide string `json:"truncation_side,omitempty"`
	TemplateDate   string `json:"template_date,omitempty"` // given to a chat template that asks for the date
	TrainedOn      string `json:"trained_on,omitempty"`    // the form of its pairs: texts, messages, or "texts and messages"
	Base           string `json:"base,omitempty"`          // what training started from
	NewHead        bool   `json:"new_head,omitempty"`      // whether training began with a new score head
	Head           Head   `json:"head,omitzero"`           // what pools and scores, where not transformers' own
	BaseDType      string `json:"base_dtype,omitempty"`    // of the matrices under an adapter, where they were rounded to it: bfloat16

	Members []string `json:"members,omitempty"` // what the weights are the mean of
}

// ReadConfig reads dir/config.json, or the file itself where path is one.
func ReadConfig(path string) (*Config, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "config.json")
	}
	raw, err := readConfigFile(path)
	if err != nil {
		return nil, fmt.Errorf("read model config: %w", err)
	}
	c, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("model config %s: %w", path, err)
	}
	return c, nil
}

func parseConfig(raw []byte) (*Config, error) {
	r := &configReader{read: map[string]bool{}}
	if err := json.Unmarshal(raw, &r.keys); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	c := &Config{keys: r.keys, ModelType: r.text("model_type", "")}
	c.EOSTokenID = r.integers("eos_token_id")
	c.NumLabels = r.numLabels()
	if c.initRange = r.number("initializer_range", 0.02); !(c.initRange >= 0 && c.initRange <= mostInitRange) {
		r.refuse("initializer_range", fmt.Sprintf("is %v, want 0 to %v", c.initRange, float64(mostInitRange)))
	}
	r.into("laurel", &c.Recorded)
	if err := c.Recorded.Head.validate(); err != nil {
		r.refuse("laurel", err.Error())
	}
	if _, err := ParseBaseDType(c.Recorded.BaseDType); err != nil {
		r.refuse("laurel", "base_dtype "+err.Error())
	}
	r.must("per_layer_config", "{}")
	r.must("quantization_config")
	r.padToken(-1)
	c.family = parseFamily(c.ModelType, r)
	c.PadTokenID = r.pad
	c.Norm = r.norm()
	c.valueHead = r.valueHead(c.family)
	if err := errors.Join(r.problems...); err != nil {
		return nil, err
	}
	c.Unknown = r.unknown()
	c.listWeights()
	return c, checkTotal(c.weights)
}

// SetHead chooses another pooling and score head than the config's.
func (c *Config) SetHead(h Head) {
	c.Recorded.Head = h.complete(c.family.about().causal)
	c.listWeights()
}

func (c *Config) listWeights() { c.weights = append(c.family.weights(), c.headWeights()...) }

// configReader reads keys one by one, remembers which were read, and
// collects every problem rather than the first.
type configReader struct {
	keys     map[string]json.RawMessage
	read     map[string]bool
	problems []error
	pad      int // what padToken read last
}

func (r *configReader) refuse(key, why string) {
	r.problems = append(r.problems, fmt.Errorf("key %q %s", key, why))
}

// into decodes a key and says whether it was there and not null.
func (r *configReader) into(key string, value any) bool {
	r.read[key] = true
	raw, ok := r.keys[key]
	if !ok || string(raw) == "null" {
		return false
	}
	if err := json.Unmarshal(raw, value); err != nil {
		r.refuse(key, fmt.Sprintf("has the value %s: %s", data.Clip(string(raw), 80), wanted(err)))
		return false
	}
	return true
}

// wanted says in JSON's words what a value should have been.
func wanted(err error) string {
	bad := (*json.UnmarshalTypeError)(nil)
	if !errors.As(err, &bad) {
		return err.Error()
	}
	kind := "an object"
	switch k := bad.Type.Kind(); {
	case k == reflect.String:
		kind = "a text"
	case k == reflect.Bool:
		kind = "true or false"
	case k >= reflect.Int && k <= reflect.Uint64:
		kind = "a whole number"
	case k == reflect.Float64 || k == reflect.Float32:
		kind = "a number"
	case k == reflect.Slice:
		kind = "a list"
	}
	if bad.Field != "" {
		return fmt.Sprintf("%s is a JSON %s, want %s", bad.Field, bad.Value, kind)
	}
	return "want " + kind
}

func (r *configReader) text(key, otherwise string) string {
	value := otherwise
	if !r.into(key, &value) {
		return otherwise
	}
	return value
}

func (r *configReader) integer(key string, otherwise int) int {
	value := otherwise
	if !r.into(key, &value) {
		return otherwise
	}
	return value
}

// padToken reads the padding token's id, for which every family of
// transformers has its own value where the key is absent; null is none, -1.
func (r *configReader) padToken(otherwise int) int {
	if r.null("pad_token_id") {
		otherwise = -1
	}
	r.pad = r.integer("pad_token_id", otherwise)
	return r.pad
}

// integers reads one number or a list.
func (r *configReader) integers(key string) []int32 {
	var one int32
	var list []int32
	r.read[key] = true
	switch raw := r.keys[key]; {
	case !r.given(key):
	case json.Unmarshal(raw, &one) == nil:
		return []int32{one}
	case json.Unmarshal(raw, &list) == nil:
		return list
	default:
		r.refuse(key, fmt.Sprintf("is %s, want a token id or a list of them", raw))
	}
	return nil
}

func (r *configReader) number(key string, otherwise float64) float64 {
	value := otherwise
	if !r.into(key, &value) {
		return otherwise
	}
	return value
}

// probability reads a dropout rate.
func (r *configReader) probability(key string, otherwise float64) float64 {
	value := r.number(key, otherwise)
	if value < 0 || value >= 1 {
		r.refuse(key, fmt.Sprintf("is %v, want 0 up to but not including 1", value))
		return 0
	}
	return value
}

func (r *configReader) flag(key string, otherwise bool) bool {
	value := otherwise
	if otherwise && r.null(key) {
		r.refuse(key, "is null, want true or false (transformers refuses it too)")
	}
	if !r.into(key, &value) {
		return otherwise
	}
	return value
}

// given tells whether a key is there and not null, null whether it is null.
func (r *configReader) given(key string) bool {
	raw, ok := r.keys[key]
	return ok && string(raw) != "null"
}

func (r *configReader) null(key string) bool { return string(r.keys[key]) == "null" }

// window reads the width of a sliding window; null means none, 0.
func (r *configReader) window(key string, otherwise int) int {
	if r.null(key) {
		r.ignore(key)
		return 0
	}
	return r.positive(key, otherwise)
}

// layerTypes reads which layers attend within the window only; where the
// config does not list them, otherwise decides.
func (r *configReader) layerTypes(layers, window int, otherwise func(i int) bool) []bool {
	sliding := make([]bool, layers)
	var kinds []string
	if !r.into("layer_types", &kinds) {
		for i := range sliding {
			sliding[i] = otherwise(i)
		}
	} else if len(kinds) != layers {
		r.refuse("layer_types", fmt.Sprintf("lists %d layers, the model has %d", len(kinds), layers))
		return sliding
	}
	for i, kind := range kinds {
		if kind != "full_attention" && kind != "sliding_attention" {
			r.refuse("layer_types", fmt.Sprintf("has %q; supported: full_attention, sliding_attention", kind))
		}
		sliding[i] = kind == "sliding_attention"
	}
	if window < 1 && slices.Contains(sliding, true) {
		r.refuse("layer_types", "has sliding_attention, and the config gives it no window (sliding_window, or local_attention of 2 or more)")
	}
	return sliding
}

// must refuses a key whose value would change the numbers in a way that
// this family does not compute.
func (r *configReader) must(key string, allowed ...string) {
	r.read[key] = true
	raw, ok := r.keys[key]
	switch {
	case !ok || string(raw) == "null" || slices.Contains(allowed, string(raw)):
	case len(allowed) == 0:
		r.refuse(key, fmt.Sprintf("is %s, which is not supported", oneLine(raw)))
	default:
		r.refuse(key, fmt.Sprintf("is %s, supported is %s only", oneLine(raw), strings.Join(allowed, " or ")))
	}
}

// oneLine is a value as an error can show it.
func oneLine(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return data.Clip(string(raw), 80)
	}
	return data.Clip(b.String(), 80)
}

// ignore notes a key that this family knows and that changes no reward.
func (r *configReader) ignore(key string) { r.read[key] = true }

// numLabels is len(id2label) as transformers derives it; num_labels is the
// older spelling, and 1 is a reward model's.
func (r *configReader) numLabels() int {
	var labels map[string]any
	r.read["label2id"] = true
	n := r.integer("num_labels", 0)
	if r.into("id2label", &labels) && len(labels) > 0 {
		return len(labels)
	}
	return max(n, 0)
}

// harmless are keys that do not change a reward model's numbers.
var harmless = strings.Fields(`_name_or_path transformers_version torch_dtype dtype use_cache
	architectures model_type initializer_factor problem_type bos_token_id eos_token_id
	sep_token_id cls_token_id mask_token_id unk_token_id decoder_start_token_id tie_word_embeddings
	output_attentions output_hidden_states return_dict gradient_checkpointing finetuning_task
	task_specific_params tokenizer_class directionality name_or_path _commit_hash auto_map
	attn_implementation _attn_implementation _attn_implementation_autoset laurel num_labels label2id id2label pooler_fc_size pooler_num_attention_heads
	pooler_num_fc_layers pooler_size_per_head pooler_type torchscript use_bfloat16 prefix
	sentence_transformers chunk_size_feed_forward is_causal`)

// unknown lists the keys nobody read and nobody knows to be harmless.
func (r *configReader) unknown() []string {
	var names []string
	for key := range r.keys {
		if !r.read[key] && !isHarmless(key) {
			names = append(names, key)
		}
	}
	slices.Sort(names)
	return names
}

func isHarmless(key string) bool { return slices.Contains(harmless, key) }
