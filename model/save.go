package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"

	"github.com/gomlx/gomlx/core/tensors"

	"laurel/data"
	"laurel/model/safetensors"
)

// GoldenFile lies beside exported weights: texts, their ids and their rewards,
// by which any server of the model can be checked.
const GoldenFile = "laurel_golden.json"

// CalibrationFile lies beside weights: the temperature that makes differences of
// rewards probabilities.
const CalibrationFile = "laurel_calibration.json"

// Save writes config.json and model.safetensors into dir so that
// AutoModelForSequenceClassification.from_pretrained loads them, or, where
// the model has an adapter, config.json and the adapter as PEFT keeps it.
// padID goes into the config where it is not negative. Files are synced to
// disk.
func (m *Model) Save(dir string, padID int) error {
	config, err := m.exportedConfig(padID)
	if err != nil {
		return err
	}
	if err := data.WriteFile(filepath.Join(dir, "config.json"), config); err != nil {
		return err
	}
	if m.Adapter != nil {
		return m.saveAdapter(dir)
	}
	var sources []safetensors.Source
	for _, t := range m.Config.weights {
		sources = append(sources, m.source("/"+t.name, t.name, t.shape))
	}
	return safetensors.Write(filepath.Join(dir, "model.safetensors"), sources, map[string]string{"format": "pt"})
}

// source reads one variable of the store when its turn to be written comes.
func (m *Model) source(path, name string, shape []int) safetensors.Source {
	return safetensors.Source{Name: name, DType: "F32", Shape: shape, Float32: func() ([]float32, error) {
		values, err := m.values(path)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		return values, nil
	}}
}

// SaveVariables writes the tensors that lie beside every weight in the given
// scopes of the store, such as an optimiser's moments.
func (m *Model) SaveVariables(path string, scopes []string) error {
	var sources []safetensors.Source
	for _, scope := range scopes {
		for _, t := range m.trainable() {
			sources = append(sources, m.source(scope+t.name, scope+t.name, t.shape))
		}
	}
	return safetensors.Write(path, sources, nil)
}

// LoadVariables reads what SaveVariables wrote into the store.
func (m *Model) LoadVariables(path string, scopes []string) error {
	w, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer w.Close()
	for _, scope := range scopes {
		for _, t := range m.trainable() {
			values, err := w.Float32(scope + t.name)
			if err != nil {
				return err
			}
			if len(values) != t.size() {
				return fmt.Errorf("%s: tensor %s has %d values, want %d", path, scope+t.name, len(values), t.size())
			}
			value := tensors.FromFlatDataAndDimensions(values, t.shape...)
			if _, err := m.Store.CreateVariable(scope+t.name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// exportedConfig is the model's own config with what makes it a reward model
// for every reader: one label, and problem_type regression, which keeps
// transformers' pipeline and vLLM from putting a sigmoid on the logit.
func (m *Model) exportedConfig(padID int) ([]byte, error) {
	keys := maps.Clone(m.Config.keys)
	set := func(key string, value any) error {
		raw, err := json.Marshal(value)
		keys[key] = raw
		return err
	}
	changes := map[string]any{
		"architectures": []string{m.Config.family.about().class},
		"id2label":      map[string]string{"0": "LABEL_0"},
		"label2id":      map[string]int{"LABEL_0": 0},
		"problem_type":  "regression",
	}
	if padID >= 0 {
		changes["pad_token_id"] = padID
	}
	if !reflect.ValueOf(m.Config.Recorded).IsZero() {
		changes["laurel"] = m.Config.Recorded
	}
	for _, key := range []string{"dtype", "torch_dtype"} {
		if _, ok := keys[key]; ok {
			changes[key] = "float32"
		}
	}
	for key, value := range changes {
		if err := set(key, value); err != nil {
			return nil, err
		}
	}
	if m.Adapter == nil && m.Config.valueHead != "" {
		delete(keys, "value_head_prefix") // the head is written as transformers calls it
	}
	delete(keys, "num_labels") // derived from id2label by transformers, which warns where both are there
	delete(keys, "_name_or_path")
	raw, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(raw, '\n'), nil
}
