// Gpucheck hands out the CUDA programs that laurel would run, for check.py to
// compile for a GPU on a machine without one:
//
//	gpucheck --shape minilm --tokens 512 --plugin build/pjrt/cpu/….so --out DIR
//
// leaves gradients.mlir, update.mlir and score.mlir (StableHLO) in DIR, and
// case.json with the model's sizes. It needs laurel's changes to go-xla
// (docs/upstream.md). Nothing is compiled or run.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"laurel/bench"
	"laurel/model"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "gpucheck:", err)
		os.Exit(1)
	}
}

// programs are the names under which they are handed out.
var programs = [...]string{"gradients", "update", "score"}

func run(args []string, messages io.Writer) error {
	flags := flag.NewFlagSet("gpucheck", flag.ContinueOnError)
	flags.SetOutput(messages)
	load, variant := bench.Load{Steps: 1}, bench.Variant{}
	flags.StringVar(&load.Shape, "shape", "minilm", "shape of the model")
	flags.IntVar(&variant.Blocks, "blocks", 0, "of the model, 0 for as many as the shape has")
	flags.IntVar(&load.Tokens, "tokens", 512, "tokens of a sequence")
	flags.IntVar(&load.Pairs, "pairs", 8, "pairs of a step")
	flags.StringVar(&load.DType, "dtype", "bfloat16", "of the matrix products")
	flags.BoolVar(&load.LoRA, "lora", false, "train an adapter of rank 16")
	flags.BoolVar(&load.Checkpoint, "gradient-checkpointing", false, "compute each block twice")
	flags.IntVar(&variant.Devices, "devices", 1, "that share a batch")
	plugin := flags.String("plugin", "build/pjrt/cpu/pjrt_c_api_cpu_plugin.so", "any PJRT plugin: it is loaded and computes nothing")
	out := flags.String("out", "", "folder for the programs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" {
		return errors.New("--out names the folder for the programs")
	}
	return handOut(load, variant, *plugin, *out)
}

func handOut(load bench.Load, variant bench.Variant, plugin, out string) error {
	backend, err := openAsCUDA(plugin, out, variant.Devices)
	if err != nil {
		return err
	}
	sizes, refusals := bench.Programs(backend, load, variant)
	for _, name := range programs {
		if _, err := os.Stat(filepath.Join(out, name+".mlir")); err != nil {
			return fmt.Errorf("no program %s: %w", name, refusals)
		}
	}
	raw, err := json.MarshalIndent(sizes, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "case.json"), raw, 0o644)
}

// openAsCUDA opens a plugin under a name that go-xla takes for CUDA's, and has
// programs written to a folder instead of being compiled.
func openAsCUDA(plugin, out string, devices int) (model.Backend, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	for _, name := range programs {
		if err := os.RemoveAll(filepath.Join(out, name+".mlir")); err != nil {
			return nil, err
		}
	}
	target, err := filepath.Abs(plugin)
	if err != nil {
		return nil, err
	}
	link := filepath.Join(out, "pjrt_c_api_cuda_plugin.so")
	if err := errors.Join(os.RemoveAll(link), os.Symlink(target, link)); err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"LAUREL_PROGRAMS": out, "GOPJRT_CUDA_CHECKS": "0"} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	backend, _, err := model.OpenBackend("xla:" + link)
	if err != nil {
		return nil, fmt.Errorf("this needs laurel's changes to go-xla, which make gpu-check builds with: %w", err)
	}
	return withDevices{backend, devices}, nil
}

// withDevices is a backend that says it has so many devices: programs for them
// are handed out, and none is run.
type withDevices struct {
	model.Backend
	devices int
}

func (b withDevices) NumDevices() int { return b.devices }

func (b withDevices) Builder(name string) compute.Builder {
	return onAnyDevice{b.Backend.Builder(name)}
}

// onAnyDevice does not hold the devices of a program to those that are there.
type onAnyDevice struct{ compute.Builder }

func (onAnyDevice) DeviceAssignment(...compute.DeviceNum) error { return nil }
