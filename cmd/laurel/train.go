package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"laurel/configs"
	"laurel/data"
	"laurel/model"
	"laurel/scoring"
	"laurel/trainer"
)

func trainCommand() *cobra.Command {
	var t training
	var memory float64
	cmd := &cobra.Command{
		Use:   "train --config FILE [--set key=value]… --out RUN_DIR | train --model DIR --data FILE… --out RUN_DIR",
		Short: "Train a reward model on preference pairs",
		Args:  usageArgs(cobra.ArbitraryArgs), // more files of --data
		RunE: func(cmd *cobra.Command, more []string) error {
			if len(more) > 0 && len(t.train) == 0 {
				return usage(cmd, fmt.Errorf("unknown argument %q: files of pairs go behind --data", more[0]))
			}
			t.train = append(t.train, more...)
			if cmd.Flags().Changed("memory") && !(memory > 0) {
				return usage(cmd, fmt.Errorf("--memory is %g, want GB above 0", memory))
			}
			if err := t.load(cmd); err != nil {
				return err
			}
			t.out, t.memory = cmd.OutOrStdout(), memory*1e9
			if t.dry {
				return inSettings(t.dryRun(cmd.Context()))
			}
			return inSettings(t.run(cmd.Context()))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&t.path, "config", "", "YAML file of the run (with --resume, default: the run's own)")
	flags.String("model", "", "model to start from, as model.path: a run, a Hugging Face directory or a hub name")
	flags.StringArrayVar(&t.train, "data", nil, "files of pairs, as data.train")
	flags.StringArrayVar(&t.validation, "validation", nil, "files of pairs to validate on, or a share of the training prompts such as 0.05, as data.validation")
	flags.StringArrayVar(&t.settings, "set", nil, "key=value over the file, such as train.learning_rate=2e-5")
	flags.BoolVar(&t.resume, "resume", false, "go on from the newest whole checkpoint in RUN_DIR; train.epochs and train.max_steps may be others than before")
	flags.StringVar(&t.dir, "out", "", "run directory")
	flags.BoolVar(&t.dry, "dry-run", false, "say what the run takes in work, time and memory, and fail if it cannot fit")
	flags.Float64Var(&memory, "memory", 0, "GB to plan for (default: what this machine has free)")
	return cmd
}

// load reads the configuration: of the file, of the flags that stand for keys,
// of --set, each over the one before.
func (t *training) load(cmd *cobra.Command) (err error) {
	var needed []string
	switch given := cmd.Flags().Changed; {
	case t.resume, given("config"), given("model") && given("data"):
	case given("data"):
		needed = append(needed, "model")
	case given("model"):
		needed = append(needed, "data")
	default:
		needed = append(needed, "config")
	}
	if !t.dry || t.resume {
		needed = append(needed, "out")
	}
	if err := required(cmd, needed...); err != nil {
		return err
	}
	if t.path == "" && t.resume {
		if t.path = t.configPath(); !isThere(t.path) {
			return fmt.Errorf("resume: %s holds no run (there is no %s): name the --out of one, or begin it with --config, or with --model and --data", t.dir, t.path)
		}
	}
	files, err := t.fileSettings()
	if err != nil {
		return err
	}
	settings, err := withSet(cmd, append(flagSettings(cmd.Flags(), map[string]string{"model": "model.path"}), files...), t.settings)
	if err != nil {
		return err
	}
	t.config, err = configs.LoadTrain(t.path, settings)
	return err
}

// training is one run of the command.
type training struct {
	path, dir                   string
	train, validation, settings []string
	resume, dry                 bool
	memory                      float64 // bytes to plan for, 0 for what the machine has
	out                         io.Writer

	backends backends
	pairs    int // that it trained on

	config configs.Config
	began  *configs.Config // that a resumed run began with; nil for a new one
}

// run is the whole line: directory, model, data, loop, report.
func (t *training) run(ctx context.Context) error {
	if err := apart(t.dir, startFolder(t.config.Model)); err != nil {
		return err
	}
	done, err := t.lock()
	if err != nil {
		return err
	}
	defer done()
	if err := t.claim(); err != nil {
		return err
	}
	run, err := t.prepare(ctx)
	if err != nil {
		return err
	}
	defer run.close()
	t.pairs = run.Train.Stats.Pairs
	if err := t.writeConfig(); err != nil {
		return err
	}
	result, err := t.steps(ctx, run)
	if err != nil {
		return err
	}
	if err := t.printPrecision(ctx, run); err != nil {
		return err
	}
	return t.report(run, result)
}

// fileSettings are --data and --validation as settings. One number that is no file is
// the share of the training prompts to validate on.
func (t *training) fileSettings() (settings []flagSetting, err error) {
	for _, files := range []struct {
		flag, key string
		given     []string
	}{{"data", "data.train", t.train}, {"validation", "data.validation", t.validation}} {
		if len(files.given) == 0 {
			continue
		}
		value, err := json.Marshal(files.given)
		if err != nil {
			return nil, err
		}
		if one := files.given[0]; files.flag == "validation" && len(files.given) == 1 && !isThere(one) {
			if _, err := strconv.ParseFloat(one, 64); err == nil {
				value = []byte(one)
			}
		}
		settings = append(settings, flagSetting{files.flag, files.key, string(value)})
	}
	return settings, nil
}

// startFolder is the folder of what training starts from.
func startFolder(from model.Source) string {
	if from.Config != "" {
		return filepath.Dir(from.Config)
	}
	return from.Path
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

// lock makes the run directory this process's own. Where its disk has no locks the
// run goes on without.
func (t *training) lock() (done func() error, err error) {
	if err := claimFolder(t.dir); err != nil {
		return nil, err
	}
	done, err = trainer.Use(t.dir)
	if err != nil && !errors.Is(err, trainer.ErrInUse) {
		fmt.Fprintf(t.out, "note: no other process is kept from training in %s, and laurel board will not see that this run is running: %v\n", t.dir, err)
		return func() error { return nil }, nil
	}
	return done, err
}

// claim sees that a new run does not replace another, or checks that a resumed run has the config
// that it began with.
func (t *training) claim() error {
	path := t.configPath()
	if !trainer.Started(t.dir) {
		if t.resume {
			fmt.Fprintf(t.out, "%s holds no run to go on with: it begins\n", t.dir)
		}
		return t.sweep()
	}
	if !t.resume {
		return fmt.Errorf("%s holds a run already: add --resume to go on with it, or name another --out", t.dir)
	}
	began, err := configs.Load(path, nil)
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	mine, first := &t.config.Model, began.Model
	mine.TemplateDate = cmp.Or(mine.TemplateDate, first.TemplateDate)
	mine.MaxLength, mine.TruncationSide = cmp.Or(mine.MaxLength, first.MaxLength), cmp.Or(mine.TruncationSide, first.TruncationSide)
	t.began = &began
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

// prepared is a run ready to go.
type prepared struct {
	trainer.Run
	scored *scoring.Model // the model that trains, and what feeds it
	choice *model.BackendChoice
	pairs  *trainingPairs
}

func (p *prepared) close() {
	p.scored.Close()
	if p.Train != nil {
		p.Train.Close()
	}
	if p.Validation != nil {
		p.Validation.Close()
	}
}

// prepare opens all that a run needs: backend, model, pairs, and the order in
// which they come.
func (t *training) prepare(ctx context.Context) (p *prepared, err error) {
	p = &prepared{Run: trainer.Run{Config: t.config.Train, Dir: t.dir, Out: t.out}}
	if p.pairs, err = findPairs(ctx, t.config.Data, t.config.Train.Seed, t.out); err != nil {
		return nil, err
	}
	if p.Backend, p.choice, err = t.backends.open(t.config.Backend, t.out); err != nil {
		return nil, err
	}
	if err := p.choice.CheckPrecision(t.config.Model.DType); err != nil {
		return nil, fmt.Errorf("model.%w", err)
	}
	if p.scored, p.State, err = t.open(ctx); err != nil {
		return nil, err
	}
	p.Model, p.BackendName, p.PadID = p.scored.Model, p.choice.Name, p.scored.PadID()
	p.SaveTokenizer = func(dir string) error { return p.scored.Tokenizer.CopyFiles(dir, data.WriteFile) }
	if err := p.Model.UseDevices(p.Backend, devicesFor(int(p.Config.Devices), p.choice, p.Backend, t.out)); err != nil {
		p.scored.Close()
		return nil, fmt.Errorf("train.devices: %w", err)
	}
	if p.Train, p.Validation, err = p.pairs.encode(ctx, p.scored, t.dir, t.out); err == nil {
		err = t.checkState(p)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	if s := p.Train.Stats; s.Margins > 0 && p.Config.Margin {
		fmt.Fprintf(t.out, "margins: %d of %d pairs have one, from %.4g to %.4g: the loss asks their rewards to differ by it (train.margin=false leaves them out)\n",
			s.Margins, s.Pairs, s.LeastMargin, s.MostMargin)
	}
	p.FillBatches(t.config.Data)
	if err := t.layOut(p); err != nil {
		p.close()
		return nil, err
	}
	for _, warning := range p.Warnings(t.config.Train) {
		fmt.Fprintln(t.out, "warning:", warning)
	}
	fmt.Fprintf(t.out, "attention in %s: %s\n", t.config.Model.DType, p.Attention())
	if t.config.Train.Dropout == trainer.Auto && p.Model.Causal() {
		fmt.Fprintln(t.out, "dropout 0, as for every decoder (train.dropout=from_model takes config.json's)")
	}
	if err := t.printExtension(p); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// printExtension says what a resumed run makes of another number of steps.
func (t *training) printExtension(p *prepared) error {
	if t.began == nil {
		return nil
	}
	extension, err := p.Extends(t.began.Train)
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if extension != nil {
		fmt.Fprintln(t.out, extension)
	}
	return nil
}

// open loads the newest checkpoint of a resumed run, else the model that the
// config names.
func (t *training) open(ctx context.Context) (_ *scoring.Model, state trainer.State, err error) {
	options, finish := opening("", 0, t.out)
	defer finish()
	start, err := scoring.FindStart(ctx, t.config.Model, t.config.Train.Seed, options)
	if err != nil {
		return nil, state, err
	}
	var m *model.Model
	if t.began != nil {
		var notes []string
		if m, state, notes, err = trainer.Resume(t.dir, start.Checkpoint); err != nil {
			return nil, state, fmt.Errorf("resume: %w", err)
		}
		for _, note := range notes {
			fmt.Fprintln(t.out, note)
		}
		fmt.Fprintf(t.out, "resume after step %d\n", state.Step)
	}
	if m == nil {
		fresh := start.Fresh
		if t.dry {
			fresh = start.Outline
		}
		if m, err = fresh(); err != nil {
			return nil, state, err
		}
	}
	scored, err := start.Ready(m)
	if err == nil {
		t.recordText(scored)
	}
	return scored, state, err
}

// recordText puts in the config that is saved how text is cut, and the date that
// the chat template is given.
func (t *training) recordText(m *scoring.Model) {
	t.config.Model.MaxLength, t.config.Model.TruncationSide = m.MaxLength, m.Side.String()
	if date := m.TemplateDate(); date != "" {
		t.config.Model.TemplateDate = date
		fmt.Fprintf(t.out, "the chat template asks for the date: it is given %s, which is recorded with the model (model.template_date)\n", date)
	}
}

// checkState holds a resumed run's state to its pairs and backend.
func (t *training) checkState(p *prepared) error {
	if p.State.Data != "" && p.State.Data != p.Train.Digest {
		return fmt.Errorf("resume: %s: the training pairs are not those that the run began with (or another tokenizer read them): put the old files back, or start anew with another --out",
			strings.Join(t.config.Data.Train, ", "))
	}
	if was, is := max(1, p.State.Devices), p.Model.NumDevices(); p.State.Step > 0 && was != is {
		fmt.Fprintf(t.out, "the checkpoint was made on %d devices and goes on on %d: sums are rounded in another order\n", was, is)
	}
	if p.State.Backend != "" && p.State.Backend != p.BackendName {
		fmt.Fprintf(t.out, "the checkpoint was made on %s: losses go on close to, not bit for bit as, they would have there\n", p.State.Backend)
	}
	return nil
}

// steps makes the steps, with a bar.
func (t *training) steps(ctx context.Context, p *prepared) (*trainer.Result, error) {
	need := trainer.NewPlan(p.Run).Memory.Total()
	if have, ok := t.availableMemory(p.BackendName); ok && need > have {
		fmt.Fprintf(t.out, "warning: the run may need about %.1f GB and %.1f GB are there; laurel train --dry-run says what would fit\n", need/1e9, have/1e9)
	}
	bar := newProgress(t.out, "train", "steps", -1)
	p.Out, p.Progress = bar, bar.set
	p.Kept = func(m *trainer.Measured, state trainer.State) {
		if err := t.keep(p, m, state); err != nil { // it is written at the end too
			fmt.Fprintf(bar, "warning: laurel report and board do not show the validation of step %d: %v\n", m.Report.Step, err)
		}
	}
	result, err := trainer.Train(ctx, p.Run)
	bar.finish()
	if errors.Is(err, trainer.ErrInterrupted) {
		return nil, fmt.Errorf("%w after step %d; go on with: laurel train --config %s --resume --out %s",
			err, result.State.Step, t.configPath(), t.dir)
	}
	return result, err
}

// printPrecision says what training in less than float32 changes in rewards.
func (t *training) printPrecision(ctx context.Context, p *prepared) error {
	d, err := trainer.ComparePrecision(ctx, p.Run)
	if err != nil || d == nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "rewards of %d validation texts in %s differ from float32 by %.2g on average, %.2g at most (their standard deviation is %.2g)\n",
		d.Texts, t.config.Model.DType, d.Mean, d.Max, d.StandardDeviation)
	return err
}
