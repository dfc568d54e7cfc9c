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

// TestProgramsOfSeveralDevices: a batch that eight devices share is one program
// on each, which adds up every gradient and the loss; blocks count as told.
func TestProgramsOfSeveralDevices(t *testing.T) {
	if !changedXLA {
		t.Skip("SKIPPED: programs are handed out by laurel's changes to go-xla (make test has them)")
	}
	t.Setenv("LAUREL_PJRT", filepath.Join("..", "..", "build", "pjrt"))
	plugin, err := plugins.Find("cpu")
	if err != nil {
		t.Skip("no XLA plugin here:", err)
	}
	t.Setenv("LAUREL_PROGRAMS", "")
	t.Setenv("GOPJRT_CUDA_CHECKS", "")
	out := t.TempDir()
	if err := run([]string{"--shape", "tiny-qwen3", "--tokens", "32", "--pairs", "64", "--devices", "8", "--blocks", "1", "--plugin", plugin, "--out", out}, io.Discard); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(out, "gradients.mlir"))
	if err != nil {
		t.Fatal(err)
	}
	program := string(raw)
	weights := strings.Count(strings.SplitN(program, "\n", 3)[1], "_weight: tensor")
	if got := strings.Count(program, "stablehlo.all_reduce"); weights == 0 || got != weights+1 {
		t.Errorf("%d sums over the devices, want those of %d gradients and the loss", got, weights)
	}
	for _, want := range []string{"num_replicas = 8", "tensor<16x32xi32>", "_model_layers_0_"} {
		if !strings.Contains(program, want) {
			t.Errorf("gradients.mlir has no %q", want)
		}
	}
	if strings.Contains(program, "_model_layers_1_") {
		t.Error("gradients.mlir has a second block")
	}
}

func TestRefusals(t *testing.T) {
	for _, args := range [][]string{{}, {"--shape", "no-such", "--out", t.TempDir()}, {"--no-such-flag"}} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("gpucheck %q: no error", args)
		}
	}
}
