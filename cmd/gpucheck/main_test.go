package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/model/plugins"
)

// TestProgramsAreHandedOut: with the changes to go-xla the CUDA programs of a
// step come out, in bfloat16 and with fused attention; without them it says what
// is lacking.
func TestProgramsAreHandedOut(t *testing.T) {
	t.Setenv("LAUREL_PJRT", filepath.Join("..", "..", "build", "pjrt"))
	plugin, err := plugins.Find("cpu")
	if err != nil {
		t.Skip("no XLA plugin here:", err)
	}
	t.Setenv("LAUREL_PROGRAMS", "") // what run sets is undone after the test
	t.Setenv("GOPJRT_CUDA_CHECKS", "")
	out := t.TempDir()
	err = run([]string{"--shape", "tiny-qwen3", "--tokens", "32", "--plugin", plugin, "--out", out}, io.Discard)
	if !changedXLA {
		if err == nil || !strings.Contains(err.Error(), "laurel's changes") {
			t.Fatalf("without laurel's changes to go-xla: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"gradients": {"__cudnn$fmhaSoftmax", "__cudnn$fmhaSoftmaxBackward", "tensor<16x32x"},
		"update":    {"jax.buffer_donor"},
		"score":     {"__cudnn$fmhaSoftmax"},
	} {
		raw, err := os.ReadFile(filepath.Join(out, name+".mlir"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(raw), want) {
				t.Errorf("%s.mlir has no %q", name, want)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, args := range [][]string{{}, {"--shape", "no-such", "--out", t.TempDir()}, {"--no-such-flag"}} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("gpucheck %q: no error", args)
		}
	}
}
