package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"laurel/bench"
	"laurel/data"
	"laurel/model"
)

func benchCommand() *cobra.Command {
	b := benchmark{load: bench.Load{Pairs: 8, Steps: 10}, shapes: []string{"minilm", "modernbert-large", "qwen3-0.6b"}, tokens: []int{512, 2048}}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine trains and scores models of known shapes",
		Long: "Measure how fast this machine trains and scores models of known shapes, with random\n" +
			"weights: tokens and operations a second, the share of the device's rate (MFU), what a\n" +
			"step's time goes to, and memory. Shapes: " + strings.Join(bench.Shapes(), ", ") + ".",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !(b.peak >= 0) {
				return usage(cmd, fmt.Errorf("--peak is %g, want TFLOP/s, or 0 to find it out", b.peak))
			}
			b.out, b.log = outputs(cmd, b.asJSON)
			if err := b.check(); err != nil {
				return usage(cmd, err)
			}
			return b.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&b.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.StringSliceVar(&b.shapes, "shape", b.shapes, "shapes of models")
	flags.IntSliceVar(&b.tokens, "tokens", b.tokens, "lengths of sequences")
	flags.IntVar(&b.load.Blocks, "blocks", 0, "blocks of the models (default: the shape's own)")
	flags.IntVar(&b.load.Pairs, "pairs", b.load.Pairs, "pairs of a step")
	flags.IntVar(&b.load.Steps, "steps", b.load.Steps, "steps measured, after the first")
	flags.StringVar(&b.load.DType, "dtype", "", "float32 or bfloat16 (default: bfloat16 on a GPU, else float32)")
	flags.BoolVar(&b.load.LoRA, "lora", false, "train an adapter of rank 16 instead of every weight")
	flags.BoolVar(&b.load.Checkpoint, "gradient-checkpointing", false, "compute the blocks again for the backward pass")
	flags.Float64Var(&b.peak, "peak", 0, "the device's rate in TFLOP/s, for the MFU (default: known GPUs' own, else measured)")
	flags.StringSliceVar(&b.peerFiles, "peer", nil, "measurements of other engines to compare with: what bench/torch_step.py and bench/jax_step.py print")
	flags.StringVar(&b.path, "out", "", "write all as JSON to this file")
	flags.BoolVar(&b.asJSON, "json", false, "print JSON")
	overwriteFlag(cmd, &b.overwrite)
	cmd.AddCommand(benchGrowthCommand())
	return cmd
}

// benchmark is one run of the command.
type benchmark struct {
	load      bench.Load
	backend   string
	shapes    []string
	tokens    []int
	peak      float64
	peerFiles []string
	path      string

	asJSON, overwrite bool
	out, log          io.Writer
	choice            *model.BackendChoice
	peers             []bench.Speed
}

// check settles what the flags leave open, and refuses what makes no sense.
func (b *benchmark) check() (err error) {
	if b.choice, err = model.ChooseBackend(b.backend); err != nil {
		return err
	}
	if b.load.DType == "" {
		b.load.DType = "float32"
		if b.choice.Name == "cuda" {
			b.load.DType = "bfloat16"
		}
	}
	for _, l := range b.loads() {
		if err := l.Validate(); err != nil {
			return err
		}
	}
	return b.choice.CheckPrecision(b.load.DType)
}

// loads are the shapes at each length.
func (b *benchmark) loads() []bench.Load {
	var loads []bench.Load
	for _, shape := range b.shapes {
		for _, tokens := range b.tokens {
			l := b.load
			l.Shape, l.Tokens = shape, tokens
			loads = append(loads, l)
		}
	}
	return loads
}

func (b *benchmark) run(ctx context.Context) error {
	if b.path != "" {
		if err := claimFile(b.path, b.overwrite, b.peerFiles...); err != nil {
			return err
		}
	}
	for _, path := range b.peerFiles {
		rows, err := bench.ReadPeers(path)
		if err != nil {
			return fmt.Errorf("--peer %w", err)
		}
		b.peers = append(b.peers, rows...)
	}
	measured, failed := b.measure(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(b.write(measured), failed)
}

// measure runs each load in a process of its own where there are several, so
// that none finds another's memory taken. One that fails does not end the rest.
func (b *benchmark) measure(ctx context.Context) (measured []bench.Speed, failed error) {
	loads := b.loads()
	for _, l := range loads {
		fmt.Fprintf(b.log, "measure %s, %d pairs of %d tokens, %s, on %s\n", l.Shape, l.Pairs, l.Tokens, l.DType, b.choice)
		one := b.alone
		if len(loads) == 1 {
			one = func(ctx context.Context, l bench.Load) (*bench.Speed, error) {
				return bench.Run(ctx, b.choice, l, b.peak)
			}
		}
		s, err := one(ctx, l)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s at %d tokens: %w", l.Shape, l.Tokens, err))
			continue
		}
		measured = append(measured, *s)
	}
	return measured, failed
}

// alone measures a load in another process.
func (b *benchmark) alone(ctx context.Context, l bench.Load) (*bench.Speed, error) {
	out, err := laurelOutput(ctx, "bench", "--json", "--backend", b.backend, "--shape", l.Shape, "--blocks", strconv.Itoa(l.Blocks), "--tokens", strconv.Itoa(l.Tokens),
		"--pairs", strconv.Itoa(l.Pairs), "--steps", strconv.Itoa(l.Steps), "--dtype", l.DType, fmt.Sprintf("--lora=%v", l.LoRA),
		fmt.Sprintf("--gradient-checkpointing=%v", l.Checkpoint), fmt.Sprintf("--peak=%v", b.peak))
	if err != nil {
		return nil, err
	}
	var found struct{ Measured []bench.Speed }
	if err := json.Unmarshal(out, &found); err != nil || len(found.Measured) != 1 {
		return nil, fmt.Errorf("its process printed %d measurements: %w", len(found.Measured), err)
	}
	return &found.Measured[0], nil
}

// laurelOutput is what another process of this program prints.
func laurelOutput(ctx context.Context, args ...string) ([]byte, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	child := exec.CommandContext(ctx, exe, args...)
	child.Stderr = &said
	out, err := child.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, lastLine(said.String()))
	}
	return out, nil
}

// lastLine is the line in which a process that failed says why.
func lastLine(text string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	if len(lines) == 0 {
		return "it said nothing"
	}
	return lines[len(lines)-1]
}

// write prints the table or JSON, and writes the file.
func (b *benchmark) write(measured []bench.Speed) error {
	all := struct {
		Version  string        `json:"version"`
		Measured []bench.Speed `json:"measured"`
		Peers    []bench.Speed `json:"peers"`
	}{version(), measured, b.peers}
	if b.path != "" {
		if err := data.WriteAside(b.path, func(w io.Writer) error { return printJSON(w, all) }); err != nil {
			return err
		}
	}
	if b.asJSON {
		return printJSON(b.out, all)
	}
	return bench.Print(b.out, measured, b.peers)
}
