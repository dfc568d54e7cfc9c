package model

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"laurel/model/safetensors"

	"github.com/gomlx/gomlx/core/tensors"
)

// weight is one tensor that a family has.
type weight struct {
	name  string // as transformers writes it, with the backbone's prefix
	shape []int
	init  initialiser
	// group names tensors that a checkpoint may lack together, such as the
	// score head's, and that are then drawn anew. Empty: never lacking.
	group  string
	linear bool // the weight of a linear layer, which LoRA can adapt
}

// initialiser says how a tensor starts when no checkpoint has it.
type initialiser int

const (
	normal initialiser = iota // N(0, initializer_range²), as transformers' _init_weights
	zeros
	ones
	kaiming // U(-1/√in, 1/√in), as torch.nn.Linear and PEFT's lora_A
)

// scoreGroup is the group of the score head, which always trains.
const scoreGroup = "score head"

func (w weight) size() int {
	n := 1
	for _, d := range w.shape {
		n *= d
	}
	return n
}

func embedding(name string, rows, d int) weight {
	return weight{name: name, shape: []int{rows, d}, init: normal}
}

// projection is a linear layer with or without bias.
func projection(name string, out, in int, bias bool) []weight {
	ws := []weight{{name: name + ".weight", shape: []int{out, in}, init: normal, linear: true}}
	if bias {
		ws = append(ws, weight{name: name + ".bias", shape: []int{out}, init: zeros})
	}
	return ws
}

func linear(name string, out, in int) []weight { return projection(name, out, in, true) }

func layerNorm(name string, d int) []weight {
	return []weight{
		{name: name + ".weight", shape: []int{d}, init: ones},
		{name: name + ".bias", shape: []int{d}, init: zeros},
	}
}

func inGroup(group string, ws []weight) []weight {
	for i := range ws {
		ws[i].group = group
	}
	return ws
}

// Loaded says what loading did with the checkpoint's tensors.
type Loaded struct {
	NewHead     bool     `json:"new_head"`
	New         []string `json:"new,omitempty"`     // tensors that no checkpoint had: drawn from the seed
	Dropped     []string `json:"dropped,omitempty"` // tensors of the checkpoint that a reward model has no use for
	Buffers     []string `json:"buffers,omitempty"` // tensors of older checkpoints that are computed, not learnt
	AddedPrefix string   `json:"added_prefix,omitempty"`
	Tensors     int      `json:"tensors"`
}

// unneeded are the beginnings of tensor names, without the backbone's
// prefix, that belong to pre-training heads.
var unneeded = []string{"lm_head.", "cls.predictions.", "cls.seq_relationship.", "pooler.dense.", "discriminator_predictions.", "generator_predictions.", "generator_lm_head.",
	"vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "decoder.", "lm_predictions.", "mask_predictions."}

// buffers are the ends of the names of tensors that torch keeps beside the
// weights and that older versions wrote into checkpoints: positions counted
// out, rotary tables, causal masks.
var buffers = []string{"position_ids", "token_type_ids", "inv_freq", ".cos_cached", ".sin_cached", ".attn.bias", ".masked_bias",
	".attention.bias"}

func isBuffer(name string) bool {
	return slices.ContainsFunc(buffers, func(end string) bool { return strings.HasSuffix(name, end) })
}

// load fills the model from a checkpoint, strictly: every tensor of the
// model must be there with its shape, and every tensor of the checkpoint
// must be used or known to be unneeded.
func (m *Model) load(w *safetensors.Weights, seed uint64) error {
	c, want := m.Config, m.Config.weights
	m.Loaded = &Loaded{Tensors: len(want)}
	source, err := matchNames(c, w, m.Loaded)
	if err != nil {
		return err
	}
	if err := missingTensors(want, source, m.Loaded); err != nil {
		return err
	}
	if err := checkShapes(want, source, w); err != nil {
		return err
	}
	if c.NumLabels > 1 && !m.Loaded.NewHead {
		return fmt.Errorf("config.json, key \"id2label\" or \"num_labels\": %d labels, but the score head is a reward model's, with one: set \"id2label\": {\"0\": \"LABEL_0\"}", c.NumLabels)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	return m.fill(want, func(t weight) (*tensors.Tensor, error) {
		if name, ok := source[t.name]; ok {
			return m.read(t, name, w)
		}
		return tensorOf(t, initial(t, c, random)), nil
	})
}

// fill makes the variables of tensors, whose values come one by one; of an
// outline it makes none.
func (m *Model) fill(ws []weight, value func(weight) (*tensors.Tensor, error)) error {
	if m.Store == nil {
		return nil
	}
	if err := m.checkMemory(ws); err != nil {
		return err
	}
	for _, t := range ws {
		v, err := value(t)
		if err != nil {
			return err
		}
		if _, err := m.Store.CreateVariable("/"+t.name, v); err != nil {
			return err
		}
	}
	return nil
}

// draw fills tensors as transformers and PEFT begin them.
func (m *Model) draw(ws []weight, random *rand.Rand) error {
	return m.fill(ws, func(t weight) (*tensors.Tensor, error) { return tensorOf(t, initial(t, m.Config, random)), nil })
}

func tensorOf(t weight, values []float32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, t.shape...)
}

// checkShapes holds the file's shapes to the config's.
func checkShapes(want []weight, source map[string]string, w *safetensors.Weights) error {
	for _, t := range want {
		name, ok := source[t.name]
		if !ok {
			continue
		}
		info, err := w.Info(name)
		if err != nil {
			return err
		}
		if !slices.Equal(info.Shape, t.shape) {
			err := fmt.Errorf("tensor %s has shape %v, the config asks for %v", name, info.Shape, t.shape)
			if t.group == scoreGroup {
				return &HeadError{fmt.Errorf("%w: a reward model has one label; this head is a classifier's", err)}
			}
			return err
		}
	}
	return nil
}

// matchNames maps the model's names to the checkpoint's. Base models carry
// no prefix; older files call a norm's gain and bias gamma and beta. A tensor
// that is there under two names is refused: which of them counts is not said.
func matchNames(c *Config, w *safetensors.Weights, report *Loaded) (map[string]string, error) {
	want := c.weights
	prefix := want[0].name[:strings.IndexByte(want[0].name, '.')+1]
	wanted := make(map[string]bool, len(want))
	for _, t := range want {
		wanted[t.name] = true
	}
	if c.valueHead != "" && c.Recorded.Head.Own() {
		wanted["score.weight"] = false // the head lies under the name that the config gives it
		if _, err := w.Info(c.valueHead); err != nil {
			return nil, &HeadError{fmt.Errorf("config.json, key \"value_head_prefix\" names the head %s, which the checkpoint does not have", c.valueHead)}
		}
	}
	source := make(map[string]string, len(want))
	var twice error
	found := func(own, name string) {
		if before, ok := source[own]; ok && twice == nil {
			twice = fmt.Errorf("tensors %s and %s are both the model's %s: save the checkpoint with the one that it was trained with alone", before, name, own)
		}
		source[own] = name
	}
	var unexpected []string
	for _, name := range w.Names() {
		modern := strings.Replace(strings.Replace(name, "LayerNorm.gamma", "LayerNorm.weight", 1), "LayerNorm.beta", "LayerNorm.bias", 1)
		switch {
		case wanted[modern]:
			found(modern, name)
		case wanted[prefix+modern]:
			found(prefix+modern, name)
			report.AddedPrefix = prefix
		case modern == c.valueHead:
			found("score.weight", name)
		case isBuffer(modern):
			report.Buffers = append(report.Buffers, name)
		case isUnneeded(strings.TrimPrefix(name, prefix)) || c.replacesHead(modern):
			report.Dropped = append(report.Dropped, name)
		default:
			unexpected = append(unexpected, name)
		}
	}
	if twice != nil {
		return nil, twice
	}
	if len(unexpected) > 0 {
		return nil, fmt.Errorf("the checkpoint has %d tensors that this model has no place for: %s (wrong model_type or more layers than config.json says?)",
			len(unexpected), firstFew(unexpected))
	}
	return source, nil
}

// replacesHead tells whether a tensor is of transformers' own head, where the
// model has another.
func (c *Config) replacesHead(name string) bool {
	return !c.Recorded.Head.Own() && name == c.valueHead || !c.Recorded.Head.Own() && slices.ContainsFunc(c.family.headWeights(), func(t weight) bool { return t.name == name })
}

func isUnneeded(name string) bool {
	return slices.ContainsFunc(unneeded, func(beginning string) bool { return strings.HasPrefix(name, beginning) })
}

// missingTensors allows a group to be missing as a whole, and nothing else.
func missingTensors(want []weight, source map[string]string, report *Loaded) error {
	var missing []string
	lacking, found := map[string][]string{}, map[string]bool{}
	for _, t := range want {
		_, ok := source[t.name]
		switch {
		case ok:
			found[t.group] = true
		case t.group == "":
			missing = append(missing, t.name)
		default:
			lacking[t.group] = append(lacking[t.group], t.name)
		}
	}
	for _, group := range slices.Sorted(maps.Keys(lacking)) {
		if found[group] {
			missing = append(missing, lacking[group]...)
		} else {
			report.New = append(report.New, lacking[group]...)
		}
	}
	if len(missing) > 0 {
		return ofHead(missing, want, fmt.Errorf("the checkpoint lacks %d tensors: %s", len(missing), firstFew(missing)))
	}
	report.NewHead = len(report.New) > 0
	return nil
}

// HeadError is what is amiss with a checkpoint's score head.
type HeadError struct{ error }

func (e *HeadError) Unwrap() error { return e.error }

// ofHead marks an error about tensors that are all the score head's.
func ofHead(names []string, of []weight, err error) error {
	for _, t := range of {
		if t.group != scoreGroup && slices.Contains(names, t.name) {
			return err
		}
	}
	return &HeadError{err}
}

func firstFew(names []string) string {
	if len(names) <= 8 {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:8], ", ") + fmt.Sprintf(" and %d more", len(names)-8)
}

// initial draws a tensor as transformers does for a model from scratch.
func initial(t weight, c *Config, random *rand.Rand) []float32 {
	values := make([]float32, t.size())
	switch t.init {
	case ones:
		for i := range values {
			values[i] = 1
		}
	case normal:
		for i := range values {
			values[i] = float32(random.NormFloat64() * c.initRange)
		}
	case kaiming:
		bound := 1 / math.Sqrt(float64(t.shape[1]))
		for i := range values {
			values[i] = float32((2*random.Float64() - 1) * bound)
		}
	}
	return values
}
