package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"laurel/data"
	"laurel/model/safetensors"
)

// Files of a PEFT adapter directory.
const (
	adapterConfigFile  = "adapter_config.json"
	adapterWeightsFile = "adapter_model.safetensors"
	// peftPrefix is what PEFT's wrapping puts before the model's own names.
	peftPrefix = "base_model.model."
)

// Adapter is LoRA on the model that it belongs to.
type Adapter struct {
	LoRA
	Base string // a path or a hub name
}

// AddAdapter puts a new adapter on the model, its A drawn from the seed, its
// B zero, so that rewards are at first what they were, and freezes what it
// adapts. base is what the model was read from.
func (m *Model) AddAdapter(l LoRA, base string, seed uint64) error {
	targets := l.targets(m.Config)
	for _, name := range l.TargetModules {
		if name != allLinear && !slices.ContainsFunc(targets, func(t weight) bool { return isModule(strings.TrimSuffix(t.name, ".weight"), name) }) {
			return fmt.Errorf("model.lora.target_modules: no linear layer of this %s model is called %q; its first layers are %s",
				m.Config.ModelType, name, firstFew(m.Config.linearNames()))
		}
	}
	m.Adapter = &Adapter{l, base}
	if err := m.draw(l.weights(m.Config), rand.New(rand.NewPCG(seed, 1))); err != nil {
		return fmt.Errorf("model.lora: %w", err)
	}
	return m.Freeze(nil)
}

// linearNames lists the linear layers by the last part of their names.
func (c *Config) linearNames() []string {
	var names []string
	for _, t := range c.weights {
		layer := strings.TrimSuffix(t.name, ".weight")
		if name := layer[strings.LastIndexByte(layer, '.')+1:]; t.linear && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// LoadAdapter reads a PEFT adapter directory over its base model. Where the
// adapter's directory has a config.json it is the base's as training left it.
func LoadAdapter(base, dir string) (*Model, error) {
	c, err := readAdapterConfig(dir)
	if err != nil {
		return nil, err
	}
	m, err := adapterOutline(base, dir)
	if err != nil {
		return nil, err
	}
	dtype := m.Config.Recorded.BaseDType
	if err := m.readBase(base, 0, Base{dtype, LoRA{ModulesToSave: c.ModulesToSave}}); err != nil {
		return nil, err
	}
	m.Adapter = &Adapter{LoRA{Rank: c.Rank, Alpha: c.Alpha, Dropout: c.Dropout, RankStabilised: c.RSLoRA}, c.Base}
	path := filepath.Join(dir, adapterWeightsFile)
	w, err := safetensors.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load adapter %s: %w: fetch it, or save the adapter again with PEFT, model.save_pretrained(DIR), where there is only adapter_model.bin", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("load adapter %s: %w", dir, err)
	}
	defer w.Close()
	if err := m.readAdapter(c, w); err != nil {
		return nil, fmt.Errorf("load adapter %s: %w", path, err)
	}
	if err := m.setBase(Base{dtype, m.Adapter.LoRA}); err != nil { // the file says what is saved whole
		return nil, err
	}
	return m, nil
}

// readAdapter puts the file's tensors into the store. Which layers are
// adapted follows from the file, whatever target_modules spells it like.
func (m *Model) readAdapter(c *adapterConfig, w *safetensors.Weights) error {
	l := m.Adapter
	source, err := m.adapterNames(w)
	if err != nil {
		return err
	}
	for own := range source {
		if layer, ok := strings.CutSuffix(own, loraA); ok {
			l.TargetModules = append(l.TargetModules, layer)
		}
	}
	slices.Sort(l.TargetModules)
	if err := m.checkSaved(c.ModulesToSave, source); err != nil {
		return err
	}
	m.Loaded.New = slices.DeleteFunc(m.Loaded.New, func(name string) bool { return source[name] != "" })
	m.Loaded.NewHead = len(m.Loaded.New) > 0
	for _, t := range m.tensors() {
		name, ok := source[t.name]
		if !ok {
			if isLoRA(t.name) {
				return fmt.Errorf("lacks tensor %s", peftPrefix+t.name)
			}
			continue
		}
		if err := m.replace(t, name, w); err != nil {
			return err
		}
		delete(source, t.name)
		if module := t.name[:strings.LastIndexByte(t.name, '.')]; !isLoRA(t.name) && t.group != scoreGroup && !slices.Contains(l.ModulesToSave, module) {
			l.ModulesToSave = append(l.ModulesToSave, module)
		}
	}
	for own, name := range source {
		if strings.Contains(own, ".lora_embedding_") || strings.Contains(own, ".base_layer.") {
			return fmt.Errorf("tensor %s is of an adapter on embeddings, which is not computed: %s", name, mergeIt)
		}
		return fmt.Errorf("tensor %s has no place in the %s model (as %s)", name, m.Config.ModelType, own)
	}
	return nil
}

// adapterNames maps the model's names to the file's. Whole modules may lie in
// PEFT's wrapping, which also keeps the base's own copy as original_module.
func (m *Model) adapterNames(w *safetensors.Weights) (map[string]string, error) {
	source := map[string]string{}
	for _, name := range w.Names() {
		own, ok := strings.CutPrefix(name, peftPrefix)
		if !ok {
			return nil, fmt.Errorf("tensor %s does not begin with %s: this is no PEFT adapter", name, peftPrefix)
		}
		if strings.Contains(own, ".original_module.") {
			m.Loaded.Dropped = append(m.Loaded.Dropped, name)
			continue
		}
		own = strings.Replace(strings.Replace(own, ".modules_to_save.default", "", 1), ".modules_to_save", "", 1)
		own = strings.Replace(strings.Replace(own, "lora_A.default.", "lora_A.", 1), "lora_B.default.", "lora_B.", 1)
		if before := source[own]; before != "" {
			return nil, fmt.Errorf("tensors %s and %s are both %s", before, name, own)
		}
		source[own] = name
	}
	return source, nil
}

// elsewhere are modules that PEFT names for every classifier, or that a
// language model has, and that this model may do without.
var elsewhere = []string{"classifier", "score", "lm_head"}

// checkSaved holds modules_to_save to the file: a module that was trained whole
// and is not there would be scored with as the base has it.
func (m *Model) checkSaved(modules []string, source map[string]string) error {
	for _, module := range modules {
		var found bool
		var missing []string
		for _, t := range m.Config.weights {
			if !inModule(t.name, module) {
				continue
			}
			if found = true; source[t.name] == "" {
				missing = append(missing, t.name)
			}
		}
		if len(missing) > 0 {
			return ofHead(missing, m.Config.weights, fmt.Errorf("%s, key \"modules_to_save\" names %q, which was trained whole, and the file lacks its tensors: %s: save them with the adapter, or take the name out where the base's are meant",
				adapterConfigFile, module, firstFew(missing)))
		}
		if !found && !slices.Contains(elsewhere, module) {
			return fmt.Errorf("%s, key \"modules_to_save\" names %q, which the %s model does not have", adapterConfigFile, module, m.Config.ModelType)
		}
	}
	return nil
}

// inModule tells whether a tensor lies in a module that PEFT takes a name for:
// one whose own name ends so.
func inModule(tensor, name string) bool {
	for i := range tensor {
		if tensor[i] == '.' && strings.HasSuffix(tensor[:i], name) {
			return true
		}
	}
	return false
}

// replace sets a tensor of the store, or creates it, from a file.
func (m *Model) replace(t weight, name string, w *safetensors.Weights) error {
	info, err := w.Info(name)
	if err != nil {
		return err
	}
	if !slices.Equal(info.Shape, t.shape) {
		return fmt.Errorf("tensor %s has shape %v, want %v", name, info.Shape, t.shape)
	}
	value, err := readFloat32(t, name, w)
	if err != nil {
		return err
	}
	if v := m.Store.GetVariable("/" + t.name); v != nil {
		return v.SetValue(value)
	}
	_, err = m.Store.CreateVariable("/"+t.name, value)
	return err
}

// saveAdapter writes what peft.PeftModel.from_pretrained reads: the adapter
// and the modules that were trained whole.
func (m *Model) saveAdapter(dir string) error {
	l := m.Adapter
	var sources []safetensors.Source
	for _, t := range m.tensors() {
		if isLoRA(t.name) || l.saved(t) {
			sources = append(sources, m.source("/"+t.name, peftPrefix+t.name, t.shape))
		}
	}
	if err := safetensors.Write(filepath.Join(dir, adapterWeightsFile), sources, map[string]string{"format": "pt"}); err != nil {
		return err
	}
	targets, err := json.Marshal(l.layers(m.Config))
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(adapterConfig{PEFTType: "LORA", TaskType: "SEQ_CLS", Base: l.Base, Rank: l.Rank, Alpha: l.Alpha,
		Dropout: l.Dropout, TargetModules: targets, ModulesToSave: m.savedModules(), RSLoRA: l.RankStabilised,
		Bias: "none", InferenceMode: true, InitWeights: json.RawMessage("true")}, "", "  ")
	if err != nil {
		return err
	}
	return data.WriteFile(filepath.Join(dir, adapterConfigFile), append(raw, '\n'))
}

// layers names the adapted layers in full, which no reader can take for
// others.
func (l *LoRA) layers(c *Config) []string {
	var names []string
	for _, t := range l.targets(c) {
		names = append(names, strings.TrimSuffix(t.name, ".weight"))
	}
	return names
}

// savedModules are modules_to_save as PEFT means them: parts of a module's
// name, the score head's first.
func (m *Model) savedModules() []string {
	var names []string
	for _, t := range m.Config.weights {
		if t.group == scoreGroup {
			top, _, _ := strings.Cut(t.name, ".")
			if !slices.Contains(names, top) {
				names = append(names, top)
			}
		}
	}
	return append(names, m.Adapter.ModulesToSave...)
}

// Merge works the adapter into the weights, W + scale·B·A, and leaves a
// model without one.
func (m *Model) Merge() error {
	l := m.Adapter
	for _, t := range l.targets(m.Config) {
		layer := "/" + strings.TrimSuffix(t.name, ".weight")
		a, errA := m.values(layer + loraA)
		b, errB := m.values(layer + loraB)
		w, errW := m.values("/" + t.name)
		if err := errors.Join(errA, errB, errW); err != nil {
			return fmt.Errorf("merge %s: %w", t.name, err)
		}
		out, in := t.shape[0], t.shape[1]
		blas32.Gemm(blas.NoTrans, blas.NoTrans, float32(l.scale()),
			blas32.General{Rows: out, Cols: l.Rank, Stride: l.Rank, Data: b},
			blas32.General{Rows: l.Rank, Cols: in, Stride: in, Data: a},
			1, blas32.General{Rows: out, Cols: in, Stride: in, Data: w})
		if err := m.Store.GetVariable("/" + t.name).SetValue(tensorOf(t, w)); err != nil {
			return fmt.Errorf("merge %s: %w", t.name, err)
		}
	}
	m.Adapter, m.frozen = nil, nil
	return m.setBase(Base{})
}

// CheckSaved reads the config that Save wrote and opens the weights, without
// reading them all.
func CheckSaved(dir string) error {
	if _, err := ReadConfig(dir); err != nil {
		return err
	}
	name := "model.safetensors"
	if IsAdapter(dir) {
		name = adapterWeightsFile
	}
	w, err := safetensors.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	return w.Close()
}
