package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"laurel/bench"
	"laurel/data"
	"laurel/eval/draw"
	"laurel/model"
)

func benchGrowthCommand() *cobra.Command {
	g := growth{benchmark: benchmark{load: bench.Load{Shape: "minilm", Pairs: 8, Tokens: 128, Steps: 3, DType: "float32"}, peak: 1}, // a peak that is not measured
		rows: []int{10_000, 100_000, 1_000_000, 10_000_000}, lengths: []int{32, 64, 128, 256, 512}, sizes: []int{1, 2, 4, 8, 16}, blocks: []int{1, 3, 6, 12}}
	cmd := &cobra.Command{
		Use:   "growth",
		Short: "Measure how pace and memory grow with rows, length, batch and model",
		Long: "Measure how pace and memory grow with one thing at a time, each value in a process of its own: simulated\n" +
			"rows on their way from JSON lines to batches, without a model; training steps against the length of sequences,\n" +
			"the pairs of a step, and the blocks of the model. --out gets growth.json and charts.",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := g.check(); err != nil {
				return usage(cmd, err)
			}
			g.out, g.log = outputs(cmd, g.asJSON)
			return g.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&g.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.StringVar(&g.load.Shape, "shape", g.load.Shape, "shape of the model")
	flags.IntSliceVar(&g.rows, "rows", g.rows, "numbers of simulated rows")
	flags.IntSliceVar(&g.lengths, "tokens", g.lengths, "lengths of sequences")
	flags.IntSliceVar(&g.sizes, "pairs", g.sizes, "pairs of a step")
	flags.IntSliceVar(&g.blocks, "blocks", g.blocks, "blocks of the model")
	flags.IntVar(&g.load.Steps, "steps", g.load.Steps, "steps measured, after the first")
	flags.StringSliceVar(&g.only, "only", growthAxes, "what is varied")
	flags.StringVar(&g.path, "out", "", "folder for growth.json and the charts")
	flags.BoolVar(&g.asJSON, "json", false, "print JSON")
	overwriteFlag(cmd, &g.overwrite)
	return cmd
}

var growthAxes = []string{"rows", "tokens", "pairs", "blocks"}

// growth is one run of the command: a benchmark whose load is what stays as it is
// while another thing is varied.
type growth struct {
	benchmark
	rows, lengths, sizes, blocks []int
	only                         []string
	found                        bench.Growth
}

func (g *growth) check() (err error) {
	for _, axis := range g.only {
		if !slices.Contains(growthAxes, axis) {
			return fmt.Errorf("--only %s%s; it is of %s", axis, data.DidYouMean(axis, growthAxes), strings.Join(growthAxes, ", "))
		}
	}
	if slices.Min(slices.Concat(g.rows, g.lengths, g.sizes, g.blocks)) < 1 {
		return fmt.Errorf("--rows, --tokens, --pairs and --blocks want at least 1 each")
	}
	if g.choice, err = model.ChooseBackend(g.backend); err != nil {
		return err
	}
	return g.load.Validate()
}

func (g *growth) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	if g.path != "" {
		if err := claimReports(g.path, g.overwrite, nil, "growth.json"); err != nil {
			return err
		}
	}
	if slices.Contains(g.only, "rows") {
		for _, n := range g.rows {
			fmt.Fprintf(g.log, "measure %d rows\n", n)
			one := g.rowsAlone
			if len(g.rows) == 1 && len(g.only) == 1 {
				one = rowsHere
			}
			s, err := one(ctx, n)
			if err != nil {
				return fmt.Errorf("%d rows: %w", n, err)
			}
			g.found.Rows = append(g.found.Rows, *s)
		}
	}
	for _, axis := range []struct {
		name   string
		values []int
		of     func(*bench.Load) *int
		to     *[]bench.Speed
	}{
		{"tokens", g.lengths, func(l *bench.Load) *int { return &l.Tokens }, &g.found.Tokens},
		{"pairs", g.sizes, func(l *bench.Load) *int { return &l.Pairs }, &g.found.Pairs},
		{"blocks", g.blocks, func(l *bench.Load) *int { return &l.Blocks }, &g.found.Blocks},
	} {
		if !slices.Contains(g.only, axis.name) {
			continue
		}
		for _, value := range axis.values {
			l := g.load
			*axis.of(&l) = value
			fmt.Fprintf(g.log, "measure %s, %d %s, on %s\n", l.Shape, value, axis.name, g.choice)
			s, err := g.alone(ctx, l)
			if err != nil {
				return fmt.Errorf("%d %s: %w", value, axis.name, err)
			}
			*axis.to = append(*axis.to, *s)
		}
	}
	return g.write()
}

// rowsHere measures rows in this process.
func rowsHere(ctx context.Context, n int) (*bench.RowsSpeed, error) {
	t, err := demoTokenizer()
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return bench.Rows(ctx, t, n)
}

// rowsAlone measures rows in another process, so that its peak is theirs.
func (g *growth) rowsAlone(ctx context.Context, n int) (*bench.RowsSpeed, error) {
	raw, err := laurelOutput(ctx, "bench", "growth", "--json", "--only", "rows", "--rows", strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	var found bench.Growth
	if err := json.Unmarshal(raw, &found); err != nil || len(found.Rows) != 1 {
		return nil, fmt.Errorf("its process printed %d measurements: %w", len(found.Rows), err)
	}
	return &found.Rows[0], nil
}

// write prints the tables or JSON, and writes the folder.
func (g *growth) write() error {
	if g.path != "" {
		if err := data.WriteAside(filepath.Join(g.path, "growth.json"), func(w io.Writer) error { return printJSON(w, &g.found) }); err != nil {
			return err
		}
		if _, err := draw.Write(g.path, g.found.Charts()); err != nil {
			return err
		}
	}
	if g.asJSON {
		return printJSON(g.out, &g.found)
	}
	return g.found.Print(g.out)
}
