package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// adapterConfig are the keys of adapter_config.json that are written, and
// read back.
type adapterConfig struct {
	PEFTType      string          `json:"peft_type"`
	TaskType      string          `json:"task_type"`
	Base          string          `json:"base_model_name_or_path"`
	Revision      *string         `json:"revision"`
	Rank          int             `json:"r"`
	Alpha         float64         `json:"lora_alpha"`
	Dropout       float64         `json:"lora_dropout"`
	TargetModules json.RawMessage `json:"target_modules"`
	ModulesToSave []string        `json:"modules_to_save"`
	RSLoRA        bool            `json:"use_rslora"`
	Bias          string          `json:"bias"`
	FanInFanOut   bool            `json:"fan_in_fan_out"`
	InferenceMode bool            `json:"inference_mode"`
	InitWeights   json.RawMessage `json:"init_lora_weights"`

	// read alone: a list of whole names, as is written, needs none
	LayersToTransform json.RawMessage `json:"layers_to_transform,omitempty"`
	LayersPattern     json.RawMessage `json:"layers_pattern,omitempty"`
	ExcludeModules    json.RawMessage `json:"exclude_modules,omitempty"`
}

// sequenceTask is PEFT's name of the task of a classifier with a head.
const sequenceTask = "SEQ_CLS"

// saved are the modules that PEFT trains whole: for a classifier its head, too,
// by both of the names that it may have.
func (c *adapterConfig) saved() []string {
	modules := slices.Clone(c.ModulesToSave)
	if c.TaskType == sequenceTask {
		for _, head := range []string{"classifier", "score"} {
			if !slices.Contains(modules, head) {
				modules = append(modules, head)
			}
		}
	}
	return modules
}

// whySaved is what of the config asks for a module to be trained whole, and
// notSaved what would take that back.
func (c *adapterConfig) whySaved(module string) string {
	if slices.Contains(c.ModulesToSave, module) {
		return fmt.Sprintf("key \"modules_to_save\" names %q", module)
	}
	return fmt.Sprintf("key \"task_type\" is %q, to which PEFT adds the head %q", sequenceTask, module)
}

func (c *adapterConfig) notSaved(module string) string {
	if c.TaskType != sequenceTask || !slices.Contains(elsewhere, module) {
		return "take the name out"
	}
	return "set task_type to null and take the name out of modules_to_save"
}

// adapterHarmless are the keys of adapter_config.json that are read elsewhere, or
// change no reward.
var adapterHarmless = strings.Fields(`auto_mapping peft_version layers_to_transform layers_pattern exclude_modules
	megatron_config megatron_core loftq_config eva_config corda_config lora_ga_config qalora_group_size runtime_config
	ensure_weight_tying task_type base_model_name_or_path revision r lora_alpha lora_dropout target_modules
	modules_to_save use_rslora inference_mode`)

// IsAdapter tells a PEFT adapter directory from a whole model.
func IsAdapter(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, adapterConfigFile))
	return err == nil
}

// AdapterBase is the model that an adapter directory belongs to, a path or a
// hub name, and the revision ("" for none named).
func AdapterBase(dir string) (base, revision string, err error) {
	c, err := readAdapterConfig(dir)
	if err != nil {
		return "", "", err
	}
	if c.Base == "" {
		return "", "", fmt.Errorf("%s: base_model_name_or_path is missing: name the model that the adapter was trained on", filepath.Join(dir, adapterConfigFile))
	}
	if c.Revision != nil {
		revision = *c.Revision
	}
	return c.Base, revision, nil
}

func readAdapterConfig(dir string) (*adapterConfig, error) {
	path := filepath.Join(dir, adapterConfigFile)
	raw, err := readConfigFile(path)
	if err != nil {
		return nil, fmt.Errorf("read adapter: %w", err)
	}
	c := &adapterConfig{Rank: 8, Alpha: 8} // PEFT's, where the keys are absent
	r := &configReader{read: map[string]bool{}}
	if err := json.Unmarshal(raw, &r.keys); err != nil {
		return nil, fmt.Errorf("adapter config %s: not a JSON object: %w: save the adapter again, or fetch the file", path, err)
	}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("adapter config %s: %s", path, wanted(err))
	}
	if r.must("peft_type", `"LORA"`); len(r.problems) > 0 { // its other keys are another method's
		return nil, fmt.Errorf("adapter config %s: %w: %s", path, r.problems[0], mergeIt)
	}
	r.must("bias", `"none"`)
	// Other ways to begin change the base's weights, anew at every loading.
	r.must("init_lora_weights", "true", "false", `"gaussian"`, `"eva"`, `"orthogonal"`)
	for _, key := range slices.Sorted(maps.Keys(r.keys)) {
		if !r.read[key] && !slices.Contains(adapterHarmless, key) {
			r.must(key, "false", "{}", "[]")
		}
	}
	if r.null("r") || c.Rank < 1 || c.Rank > mostWidth {
		r.refuse("r", fmt.Sprintf("is %s, want 1 to %d", r.keys["r"], mostWidth))
	}
	if r.null("lora_alpha") || !(c.Alpha > 0 && c.Alpha <= mostWidth) {
		r.refuse("lora_alpha", fmt.Sprintf("is %s, want above 0 and at most %d", r.keys["lora_alpha"], mostWidth))
	}
	if err := errors.Join(r.problems...); err != nil {
		return nil, fmt.Errorf("adapter config %s: %w: %s", path, err, mergeIt)
	}
	return c, nil
}

// mergeIt is what can be done with an adapter that is not computed.
const mergeIt = "merge it into its base in Python, model.merge_and_unload().save_pretrained(DIR), and name DIR"
