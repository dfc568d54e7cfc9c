package scoring

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCirclesEnd: directories that name one another, or themselves, are refused
// rather than followed for ever.
func TestCirclesEnd(t *testing.T) {
	a, b, together := t.TempDir(), t.TempDir(), t.TempDir()
	adapter := `{"peft_type": "LORA", "bias": "none", "r": 2, "lora_alpha": 4, "base_model_name_or_path": %q}`
	for path, content := range map[string]string{
		filepath.Join(a, "adapter_config.json"): fmt.Sprintf(adapter, b),
		filepath.Join(b, "adapter_config.json"): fmt.Sprintf(adapter, a),
		filepath.Join(together, ensembleFile):   fmt.Sprintf(`{"format": 1, "k": 1, "members": [{"model": %q, "offset": 0}]}`, together),
	} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{a: b + " is an adapter itself: merge it", together: "is an ensemble itself: name its members"} {
		if _, err := Open(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open: error %v, want %q", err, want)
		}
		if _, err := Hash(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("hash: error %v, want %q", err, want)
		}
	}
}
