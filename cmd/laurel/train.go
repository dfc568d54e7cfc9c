package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"laurel/configs"
	"laurel/data"
	"laurel/data/batches"
	"laurel/data/tokenizer"
	"laurel/eval"
	"laurel/model"
	"laurel/trainer"
)

func trainCommand() *cobra.Command {
	var config, out string
	var settings []string
	var resume, dry bool
	var memory float64
	cmd := &cobra.Command{
		Use:   "train --config FILE [--set key=value]… [--resume] --out RUN_DIR",
		Short: "Train a reward model on preference pairs",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			needed := []string{"config", "out"}
			if dry {
				needed = needed[:1]
			}
			if err := required(cmd, needed...); err != nil {
				return err
			}
			c, err := configs.Load(config, settings)
			if err != nil {
				return err
			}
			t := training{config: c, dir: out, out: cmd.OutOrStdout(), memory: memory * 1e9}
			if dry {
				return t.dryRun(cmd.Context())
			}
			return t.run(cmd.Context(), resume)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "YAML file of the run")
	cmd.Flags().StringArrayVar(&settings, "set", nil, "key=value over the file, such as train.learning_rate=2e-5")
	cmd.Flags().BoolVar(&resume, "resume", false, "go on from the newest whole checkpoint in RUN_DIR")
	cmd.Flags().StringVar(&out, "out", "", "run directory")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what the run takes in work, time and memory, and fail if it cannot fit")
	cmd.Flags().Float64Var(&memory, "memory", 0, "GB to plan for (default: what this machine has free)")
	return cmd
}

// training is one run of the command.
type training struct {
	config configs.Config
	dir    string
	out    io.Writer
	memory float64 // bytes to plan for, 0 for what the machine has
}

// run is the whole line: directory, model, data, loop, report.
func (t *training) run(ctx context.Context, resume bool) error {
	backend, choice, err := openBackend(t.config.Backend, t.out)
	if err != nil {
		return err
	}
	if err := t.claim(resume); err != nil {
		return err
	}
	o, state, err := t.open(ctx, resume)
	if err != nil {
		return err
	}
	defer o.tokenizer.Close()
	train, validation, err := t.stores(ctx, o)
	if err != nil {
		return err
	}
	defer train.Close()
	if validation != nil {
		defer validation.Close()
	}
	if state.Data != "" && state.Data != train.Digest {
		return fmt.Errorf("resume: %s: the training pairs are not those that the run began with (or another tokenizer read them): put the old files back, or start anew with another --out",
			strings.Join(t.config.Data.Train, ", "))
	}
	if state.Backend != "" && state.Backend != choice.Name {
		fmt.Fprintf(t.out, "the checkpoint was made on %s: losses go on close to, not bit for bit as, they would have there\n", state.Backend)
	}
	if err := t.writeConfig(); err != nil {
		return err
	}
	order := t.order(o, train, choice)
	if need, have, ok := t.needs(o.Size(), choice, order); ok && need > have {
		fmt.Fprintf(t.out, "warning: the run may need about %.1f GB and %.1f GB are there; laurel train --dry-run says what would fit\n", need/1e9, have/1e9)
	}
	bar := newProgress(t.out, "train", "steps", -1)
	result, err := trainer.Train(ctx, trainer.Run{
		Config: t.config.Train, Dir: t.dir, Model: o.Model, Backend: backend, BackendName: choice.Name,
		Train: train, Validation: validation, Order: order, PadID: o.padID(),
		TokenizerFiles: o.tokenizerFiles(), State: state, Out: bar, Progress: bar.set,
	})
	bar.finish()
	if errors.Is(err, trainer.ErrInterrupted) {
		return fmt.Errorf("%w after step %d; go on with: laurel train --config %s --resume --out %s",
			err, result.State.Step, t.configPath(), t.dir)
	}
	if err != nil {
		return err
	}
	if err := t.sayPrecision(ctx, backend, o.Model, validation); err != nil {
		return err
	}
	return t.report(o, train, result, choice)
}

// configPath is where the resolved config of the run lies.
func (t *training) configPath() string { return filepath.Join(t.dir, "config.yaml") }

// writeConfig saves the resolved config when all is ready to train: what fails
// before leaves nothing that a second try would have to resume.
func (t *training) writeConfig() error {
	resolved, err := configs.YAML(t.config)
	if err != nil {
		return err
	}
	return data.WriteFile(t.configPath(), resolved)
}

// claim makes the run directory, or checks that a resumed run has the config
// that it began with.
func (t *training) claim(resume bool) error {
	path := t.configPath()
	if !trainer.Started(t.dir) {
		return errors.Join(os.MkdirAll(t.dir, 0o755), t.sweep())
	}
	if !resume {
		return fmt.Errorf("%s holds a run already: add --resume to go on with it, or name another --out", t.dir)
	}
	began, err := configs.Load(path, nil)
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if changed := configs.Changed(began, t.config); len(changed) > 0 {
		return fmt.Errorf("resume: the config differs from the run's own (%s) in %s: a resumed run keeps what decides its numbers; use %s, or start anew with another --out",
			path, strings.Join(changed, ", "), path)
	}
	return t.sweep()
}

// sweep removes files that a killed run left half written.
func (t *training) sweep() error {
	return errors.Join(data.RemovePartial(t.dir), data.RemovePartial(filepath.Join(t.dir, "plots")),
		data.RemovePartial(filepath.Join(t.dir, "bad-steps")))
}

// open loads the newest checkpoint of a resumed run, else the model that the
// config names.
func (t *training) open(ctx context.Context, resume bool) (*opened, trainer.State, error) {
	o := &opened{}
	var state trainer.State
	source, err := t.sourceDir(ctx)
	if err != nil {
		return nil, state, err
	}
	if resume {
		var notes []string
		if o.Model, state, notes, err = trainer.Resume(t.dir, func(dir string) (*model.Model, error) { return t.settle(loadDir(source, dir)) }); err != nil {
			return nil, state, fmt.Errorf("resume: %w", err)
		}
		for _, note := range notes {
			fmt.Fprintln(t.out, note)
		}
		fmt.Fprintf(t.out, "resume after step %d\n", state.Step)
	}
	if o.Model == nil {
		if o.Model, err = t.settle(t.load(source)); err != nil {
			return nil, state, err
		}
	}
	if o.tokenizer, err = tokenizer.Open(source); err != nil {
		return nil, state, err
	}
	o.dir = source
	if err := o.settlePadding(t.out); err != nil {
		return nil, state, err
	}
	if err := o.lengths(t.config.Model.MaxLength); err != nil {
		return nil, state, err
	}
	o.side, err = tokenizer.ParseSide(t.config.Model.TruncationSide)
	o.record(t.config.Model)
	return o, state, err
}

// record keeps with the weights how text was cut and what training began from.
func (o *opened) record(source model.Source) {
	if o.Config.Recorded.MaxLength == 0 { // not a resumed run's
		o.Config.Recorded.NewHead = o.Loaded.NewHead
		o.Config.Recorded.Base = source.Path
	}
	o.Config.Recorded.Members = nil // training makes another model of a mean
	o.Config.Recorded.MaxLength = o.maxLength
	o.Config.Recorded.TruncationSide = o.side.String()
}

// sourceDir is the folder of the model to start from, or of the config of a
// model from scratch; the tokenizer lies there.
func (t *training) sourceDir(ctx context.Context) (string, error) {
	if t.config.Model.Config != "" {
		return filepath.Dir(t.config.Model.Config), nil
	}
	return modelDir(ctx, t.config.Model.Path, t.config.Model.Revision, t.out)
}

func (t *training) load(source string) (*model.Model, error) {
	c := t.config.Model
	if c.Config != "" {
		m, err := model.New(c.Config, t.config.Train.Seed, c.Head)
		if err == nil {
			fmt.Fprintf(t.out, "model: from scratch by %s\n", c.Config)
		}
		return t.adapt(m, err)
	}
	m, err := model.LoadWithHead(source, t.config.Train.Seed, c.Head)
	if err == nil {
		fmt.Fprintf(t.out, "model: %s\n", source)
		sayLoaded(t.out, m, source)
	}
	return t.adapt(m, err)
}

// adapt puts on the adapter that the config asks for.
func (t *training) adapt(m *model.Model, err error) (*model.Model, error) {
	if err != nil || t.config.Model.LoRA.Rank == 0 {
		return m, err
	}
	base, err := t.adapterBase()
	if err != nil {
		return nil, err
	}
	return m, m.AddAdapter(t.config.Model.LoRA, base, t.config.Train.Seed)
}

// adapterBase is how the adapter names its base: a folder by its full path,
// so that it is found from anywhere, a hub model by its name.
func (t *training) adapterBase() (string, error) {
	path := t.config.Model.Path
	if t.config.Model.Config != "" {
		return "", errors.New("model.lora adapts a trained model: name one in model.path instead of model.config")
	}
	if _, err := os.Stat(path); err != nil {
		return path, nil
	}
	return filepath.Abs(path)
}

// settle sets what is computed in which precision and what is trained.
func (t *training) settle(m *model.Model, err error) (*model.Model, error) {
	if err != nil {
		return nil, err
	}
	if m.Compute, err = model.ParseDType(t.config.Model.DType); err != nil {
		return nil, err
	}
	if m.Adapter != nil {
		m.Adapter.Dropout = t.config.Model.LoRA.Dropout
	}
	if err := m.Freeze(t.config.Model.Freeze); err != nil {
		return nil, err
	}
	all, trained := m.NumParameters(), m.NumTrainable()
	fmt.Fprintf(t.out, "parameters: %d, of them trained %d (%.3g%%); products in %s\n", all, trained, 100*float64(trained)/float64(all), t.config.Model.DType)
	return m, nil
}

// stores encode the training and validation pairs.
func (t *training) stores(ctx context.Context, o *opened) (train, validation *batches.Store, err error) {
	train, counts, err := o.buildStore(ctx, filepath.Join(t.dir, "train.tokens"), t.config.Data.Train, t.config.Data, t.out)
	if err != nil {
		return nil, nil, err
	}
	sayStore(t.out, "train", train, counts, o.maxLength)
	if len(t.config.Data.Validation) == 0 {
		return train, nil, nil
	}
	validation, counts, err = o.buildStore(ctx, filepath.Join(t.dir, "validation.tokens"), t.config.Data.Validation, t.config.Data, t.out)
	if err != nil {
		train.Close()
		return nil, nil, err
	}
	sayStore(t.out, "validation", validation, counts, o.maxLength)
	return train, validation, nil
}

// What compiling one shape costs, in ids that could have been computed
// meanwhile: seconds of compilation times ids a second (docs/experiments.md).
const (
	compileTokensCPU  = 10_000
	compileTokensCUDA = 2_000_000
)

// order settles in which batches the pairs come.
func (t *training) order(o *opened, train *batches.Store, choice *model.BackendChoice) batches.Order {
	c := t.config
	compileTokens := compileTokensCPU
	if choice.Name == "cuda" {
		compileTokens = compileTokensCUDA
	}
	order := batches.Order{BatchSize: c.Train.BatchSize, Shuffle: c.Data.Shuffle, Seed: c.Train.Seed,
		Wrap:    !c.Data.Shuffle && c.Data.Buckets.None,
		Buckets: batches.Lengths(c.Data.Buckets, train, c.Train.Epochs, compileTokens, o.MaxPositions())}
	names := make([]string, len(order.Buckets))
	for i, n := range order.Buckets {
		names[i] = strconv.Itoa(n)
	}
	fmt.Fprintf(t.out, "batches of %d pairs, padded to %s tokens\n", order.BatchSize, strings.Join(names, ", "))
	return order
}

// report writes what the run was worth, and where everything lies.
func (t *training) report(o *opened, train *batches.Store, result *trainer.Result, choice *model.BackendChoice) error {
	lines, err := trainer.ReadMetrics(t.dir)
	if err != nil {
		return err
	}
	plots, curve := filepath.Join(t.dir, "plots"), trainer.Curve(lines)
	if _, err := eval.WritePlots(plots, result.Report, curve); err != nil {
		return err
	}
	facts := []eval.Fact{
		{Name: "run", Value: t.dir}, {Name: "model", Value: t.config.Model.Path + t.config.Model.Config},
		{Name: "parameters", Value: strconv.Itoa(o.NumParameters())}, {Name: "backend", Value: choice.String()},
		{Name: "training pairs", Value: strconv.Itoa(train.Len())}, {Name: "steps", Value: strconv.Itoa(result.State.Step)},
		{Name: "steps skipped (not finite)", Value: strconv.Itoa(result.State.Skipped)},
	}
	html := filepath.Join(t.dir, "report.html")
	if err := eval.WriteHTML(html, result.Report, curve, facts...); err != nil {
		return err
	}
	if result.Report != nil {
		fmt.Fprintln(t.out, "\nvalidation after the last step:")
		if err := result.Report.Print(t.out); err != nil {
			return err
		}
		if err := result.Report.WriteJSON(filepath.Join(t.dir, "report.json")); err != nil {
			return err
		}
	}
	best, why, err := trainer.BestCheckpoint(t.dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "\ncheckpoint  %s (%s)\nreport      %s\nplots       %s\nmetrics     %s\npace        %d pairs in %.0f s of steps, compiling included: %.2f pairs/s\npeak memory %s\n",
		best, why, html, plots, filepath.Join(t.dir, trainer.MetricsFile),
		result.Pairs, result.Stepping.Seconds(), float64(result.Pairs)/max(result.Stepping.Seconds(), 1e-9), peakMemory())
	return err
}
