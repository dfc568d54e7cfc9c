package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"laurel/configs"
	"laurel/data"
	"laurel/eval/draw"
	"laurel/learning"
	"laurel/trainer"
)

// Files of a learning curve's directory.
const (
	learningReport = "learning-curve.json"
	learningPage   = "learning-curve.html"
	learningBase   = "learning-base.json" // what all runs have in common
	learningRun    = "learning.json"      // in a run's directory, once it is measured
)

func learningCurveCommand() *cobra.Command {
	var l learningCurve
	cmd := &cobra.Command{
		Use:   "learning-curve --config FILE [--set key=value]… [--data FILE…] --out DIR",
		Short: "Accuracy against data size: train on nested subsets, with several seeds",
		Args:  usageArgs(cobra.ArbitraryArgs), // more files of --data
		RunE: func(cmd *cobra.Command, more []string) error {
			if err := required(cmd, "config", "out"); err != nil {
				return err
			}
			l.test = append(l.test, more...)
			return inSettings(l.start(cmd))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&l.path, "config", "", "YAML file of the run")
	flags.StringArrayVar(&l.settings, "set", nil, "key=value over the file")
	flags.StringArrayVar(&l.test, "data", nil, "files of pairs to measure on (default: the validation pairs, which also choose each run's checkpoint)")
	l.addFlags(flags)
	flags.StringVar(&l.dir, "out", "", "directory for the runs, learning-curve.json and learning-curve.html; the same command goes on where it was stopped")
	flags.BoolVar(&l.asJSON, "json", false, "print the report as JSON")
	return cmd
}

// addFlags adds those that learning-curve and eval have in common.
func (l *learningCurve) addFlags(flags *pflag.FlagSet) {
	flags.IntSliceVar(&l.sizes, "sizes", nil, "numbers of training pairs of a learning curve (default: all, a half, a quarter, an eighth, a sixteenth)")
	flags.IntVar(&l.seeds, "seeds", 3, "train each size of a learning curve so often, from train.seed on")
}

// start runs the command when its flags are read.
func (l *learningCurve) start(cmd *cobra.Command) (err error) {
	if l.seeds < 1 {
		return usage(cmd, fmt.Errorf("--seeds is %d, want at least 1", l.seeds))
	}
	if i := slices.IndexFunc(l.sizes, func(n int) bool { return n < 1 }); i >= 0 {
		return usage(cmd, fmt.Errorf("--sizes has %d, want numbers of pairs", l.sizes[i]))
	}
	l.out, l.log = outputs(cmd, l.asJSON)
	if l.test, err = localData(cmd.Context(), l.test, l.log); err != nil {
		return err
	}
	if l.config, err = configs.LoadTrain(l.path, l.settings); err != nil {
		return err
	}
	return l.run(cmd.Context())
}

// learningCurve is one run of the command.
type learningCurve struct {
	path, dir      string
	settings, test []string
	sizes          []int
	seeds          int
	asJSON         bool
	out, log       io.Writer

	config   configs.Config
	backends backends
	subsets  *subsets
}

// run trains and measures what is not there yet, then puts all together. The
// runs of a size come before those of the next, so that a stopped curve has whole
// sizes.
func (l *learningCurve) run(ctx context.Context) (err error) {
	if len(l.test) == 0 && l.config.Data.Validation.None() {
		return fmt.Errorf("%s has no data.validation: name pairs to measure on with --data", l.path)
	}
	if err := cmp.Or(apart(l.dir, startFolder(l.config.Model)), claimFolder(l.dir), l.claim()); err != nil {
		return err
	}
	l.backends = backends{}
	if l.subsets, err = l.findSubsets(ctx); err != nil {
		return err
	}
	if l.sizes, err = l.subsets.sizes(l.sizes); err != nil {
		return err
	}
	var runs []learning.Run
	for _, size := range l.sizes {
		for s := range l.seeds {
			one, err := l.one(ctx, size, l.config.Train.Seed+uint64(s))
			if err != nil {
				return err
			}
			runs = append(runs, *one)
		}
	}
	report, err := learning.New(runs, l.config.Train.Seed)
	if err != nil {
		return err
	}
	if len(l.test) == 0 {
		report.Warnings = append(report.Warnings, "measured on the validation pairs, which also chose each run's checkpoint: accuracies look a little better than they are; name other pairs with --data")
	}
	most := slices.MaxFunc(runs, func(a, b learning.Run) int { return cmp.Compare(a.Seen, b.Seen) })
	if most.Seen > 0 {
		report.Warnings = append(report.Warnings, fmt.Sprintf("%d of the pairs measured on are training pairs of the runs of %d: accuracies are better than on pairs not seen, and more so the larger the size", most.Seen, most.Size))
	}
	page := func(path string) error { return report.WriteHTML(path, append(l.facts(), madeBy()...)...) }
	return publish(report, l.dir, learningReport, learningPage, page, l.asJSON, l.out)
}

func (l *learningCurve) facts() []draw.Fact {
	return []draw.Fact{{Name: "configuration", Value: l.path}, {Name: "training pairs", Value: strings.Join(l.config.Data.Train, ", ")},
		{Name: "measured on", Value: strings.Join(l.testFiles(), ", ")}, {Name: "seeds", Value: fmt.Sprintf("%d, from %d on", l.seeds, l.config.Train.Seed)}}
}

// learningRecord is what all runs of a directory have in common.
type learningRecord struct {
	Config string            `json:"config"` // YAML
	Test   []string          `json:"test"`
	SHA256 map[string]string `json:"sha256"` // of the local files
}

// claim refuses a directory of another curve's runs.
func (l *learningCurve) claim() error {
	resolved, err := configs.YAML(l.config)
	if err != nil {
		return err
	}
	record := learningRecord{Config: string(resolved), Test: l.test, SHA256: map[string]string{}}
	for _, name := range slices.Concat(l.config.Data.Train, l.config.Data.Validation.Files, l.test) {
		if strings.HasPrefix(name, "hf://") {
			continue // its revision is in the name, or it is what the cache has
		}
		files := []string{name}
		if isPattern(name) {
			if files, err = matching(name); err != nil {
				return err
			}
		}
		for _, file := range files {
			if record.SHA256[file], err = data.SHA256(file); err != nil {
				return err
			}
		}
	}
	raw, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(l.dir, learningBase)
	switch before, err := os.ReadFile(path); {
	case errors.Is(err, os.ErrNotExist):
		return data.WriteFile(path, raw)
	case err != nil:
		return err
	case !bytes.Equal(before, raw):
		return fmt.Errorf("%s holds the runs of a learning curve with another configuration, or of other data (%s): name another --out, or remove it", l.dir, path)
	}
	return nil
}

// testFiles are the pairs that every run is measured on.
func (l *learningCurve) testFiles() []string {
	if len(l.test) > 0 {
		return l.test
	}
	return []string{l.validationPath()}
}

// one is the run of a size and a seed: as it is kept, or trained and measured.
func (l *learningCurve) one(ctx context.Context, size int, seed uint64) (*learning.Run, error) {
	dir := filepath.Join(l.dir, fmt.Sprintf("size-%06d", size), fmt.Sprintf("seed-%d", seed))
	kept := filepath.Join(dir, learningRun)
	raw, err := os.ReadFile(kept)
	if err == nil {
		one := &learning.Run{}
		if err := json.Unmarshal(raw, one); err != nil {
			return nil, fmt.Errorf("read %s: %w: remove it, and the run is measured again", kept, err)
		}
		return one, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	fmt.Fprintf(l.log, "\n%d pairs, seed %d: %s\n", size, seed, dir)
	if err := l.train(ctx, dir, size, seed); err != nil {
		return nil, err
	}
	one, err := l.measure(ctx, dir, size, seed)
	if err != nil {
		return nil, err
	}
	if raw, err = json.Marshal(one); err != nil {
		return nil, err
	}
	return one, data.WriteFile(kept, raw)
}

// train trains on the subset, or goes on with a run that was stopped.
func (l *learningCurve) train(ctx context.Context, dir string, size int, seed uint64) error {
	t := training{dir: dir, resume: trainer.Started(dir), out: l.log, config: l.config, backends: l.backends}
	subset, err := l.subsets.write(ctx, size, seed)
	if err != nil {
		return err
	}
	d := &t.config.Data
	d.Train, d.Columns, d.LabelValues, d.From = []string{subset}, map[string]string{}, map[string]string{}, ""
	if d.Validation = (data.Validation{}); !l.config.Data.Validation.None() {
		d.Validation.Files = []string{l.validationPath()}
	}
	t.config.Train.Seed = seed
	return t.run(ctx)
}
