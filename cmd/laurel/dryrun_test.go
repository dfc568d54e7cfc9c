package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestDryRunAllocatesNoWeights: a model of 6.6 billion parameters is foreseen
// in little memory, from its config alone.
func TestDryRunAllocatesNoWeights(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.json": `{"model_type": "llama", "vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32, "pad_token_id": 0}`,
		"pairs.jsonl": `{"prompt": "p", "chosen": "good", "rejected": "bad"}` + "\n",
		"run.yaml":    "model: {config: config.json, max_length: 48}\ndata: {train: [pairs.jsonl]}\ntrain: {max_steps: 1, batch_size: 1}\nbackend: go\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"tokenizer.json", "tokenizer_config.json"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "configs", "demo-encoder", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := startLaurel(t, dir, "train", "--config", "run.yaml", "--dry-run", "--memory", "400")
	if err := p.Wait(); err != nil {
		t.Fatalf("%v: %s", err, p.out.String())
	}
	const most = 300e6
	if peak := float64(p.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) * 1024; peak > most {
		t.Errorf("the dry run held %.0f MB, want at most %.0f", peak/1e6, most/1e6)
	}
}
