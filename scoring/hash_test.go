package scoring

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestHashOfEveryFile: each file that may decide a reward has a part in the hash,
// in place of an older one too; what decides none has not.
func TestHashOfEveryFile(t *testing.T) {
	put := func(path, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	base, dir := t.TempDir(), t.TempDir()
	put(filepath.Join(base, "model.safetensors.index.json"), `{"weight_map": {"a": "model-1.safetensors", "b": "parts/model-2.safetensors"}}`)
	put(filepath.Join(dir, "adapter_config.json"), fmt.Sprintf(`{"peft_type": "LORA", "bias": "none", "r": 2, "lora_alpha": 4, "base_model_name_or_path": %q}`, base))
	put(filepath.Join(base, "model-1.safetensors"), "weights")
	put(filepath.Join(base, "parts/model-2.safetensors"), "weights")
	hash := func() string {
		t.Helper()
		sum, err := Hash(t.Context(), dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	decide := []string{"config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
		"additional_chat_templates/default.jinja", "additional_chat_templates/tool_use.jinja"}
	for _, place := range []struct {
		dir   string
		names []string
	}{
		{dir, append(decide, "adapter_model.safetensors")},
		{base, append(decide, "model-1.safetensors", "parts/model-2.safetensors")},
	} {
		for _, name := range place.names {
			for _, content := range []string{"one", "two"} {
				before := hash()
				put(filepath.Join(place.dir, name), content)
				if hash() == before {
					t.Errorf("%s in %s has no part in the hash", name, place.dir)
				}
			}
		}
	}
	before := hash()
	for _, name := range []string{"optimizer.safetensors", "trainer_state.json", "laurel_calibration.json", "README.md", "additional_chat_templates/README.md"} {
		put(filepath.Join(dir, name), "other")
		if hash() != before {
			t.Errorf("%s decides no reward", name)
		}
	}
}
