package scoring

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBaseIsOffered: a base by a relative path is sought from the working
// directory alone; one that lies where the path leads from the adapter, or from a
// folder above it, is named in the error, and not taken.
func TestBaseIsOffered(t *testing.T) {
	t.Setenv("HF_HUB_OFFLINE", "1")
	t.Setenv("HF_HOME", t.TempDir())
	root := t.TempDir()
	adapter := filepath.Join(root, "runs", "adapter")
	for _, dir := range []string{adapter, filepath.Join(adapter, "inside"), filepath.Join(root, "org", "base"), filepath.Join(root, "runs", "other")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const from, offer = "is a path from the working directory or a hub name, as PEFT takes it)", ": if that is the base"
	for base, want := range map[string]string{
		"inside":        filepath.Join(adapter, "inside") + ": if that is the base, name it so in adapter_config.json, or run this in " + adapter,
		"./inside":      filepath.Join(adapter, "inside") + ":",
		"../other":      filepath.Join(root, "runs", "other") + ":",
		"org/base":      filepath.Join(root, "org", "base") + ": if that is the base, name it so in adapter_config.json, or run this in " + root,
		"org/elsewhere": "",
		"/no/such/base": "",
	} {
		config := fmt.Sprintf(`{"peft_type": "LORA", "bias": "none", "r": 2, "lora_alpha": 4, "base_model_name_or_path": %q}`, base)
		if err := os.WriteFile(filepath.Join(adapter, "adapter_config.json"), []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Find(t.Context(), adapter, Options{})
		if err == nil {
			t.Fatalf("%s was found", base)
		}
		text := err.Error()
		if strings.Contains(text, from) == filepath.IsAbs(base) || strings.Contains(text, offer) != (want != "") || !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %q", base, text, want)
		}
	}
}
