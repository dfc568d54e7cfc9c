package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"laurel/data"
	"laurel/eval/audit"
	"laurel/eval/draw"
	"laurel/feedback"
	"laurel/labels"
)

func agreeCommand() *cobra.Command {
	a := agreement{precision: 0.9}
	cmd := &cobra.Command{
		Use:   "agree LABELS GOLD",
		Short: "Measure labels against gold: agreement, calibration, risk, bias",
		Args:  usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(a.precision > 0 && a.precision <= 1) {
				return usage(cmd, fmt.Errorf("--precision is %v, want above 0 and at most 1", a.precision))
			}
			if err := endsIn(cmd, "write-calibrated", a.calibrated, ".parquet"); err != nil {
				return err
			}
			a.labels, a.gold = args[0], args[1]
			a.out, a.log = outputs(cmd, a.asJSON)
			return a.run()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&a.dir, "out", "", "directory for report.json, report.html and plots")
	flags.Float64Var(&a.precision, "precision", a.precision, "find the confidence that buys this share of right labels")
	flags.StringVar(&a.calibrated, "write-calibrated", "", "write the pairs with calibrated confidences to this Parquet file")
	flags.Uint64Var(&a.seed, "seed", 42, "of the split into fitted and tested prompts, and of the bootstrap")
	flags.StringToStringVar(&a.columns, "columns", nil, "field=column where the names of the gold file differ")
	flags.StringVar(&a.onBadRow, "on-bad-row", "fail", "fail or skip, for rows of gold")
	flags.BoolVar(&a.asJSON, "json", false, "print the report as JSON")
	overwriteFlag(cmd, &a.overwrite)
	return cmd
}

// agreement is one run of the command.
type agreement struct {
	labels, gold, dir, calibrated, onBadRow string
	columns                                 map[string]string
	precision                               float64
	seed                                    uint64
	asJSON, overwrite                       bool
	out, log                                io.Writer
}

func (a *agreement) run() error {
	if err := a.claim(); err != nil {
		return err
	}
	gold, counts, err := labels.ReadGold(a.gold, data.ReadConfig{Columns: a.columns, OnBadRow: a.onBadRow})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.log, "%s: %s\n", a.gold, &counts)
	cfg, err := a.labelledBy()
	if err != nil {
		return err
	}
	cfg.Gold, cfg.Precision, cfg.Seed = gold, a.precision, a.seed
	report, err := audit.Labels(labels.ReadLabels(a.labels), cfg)
	if err != nil {
		return err
	}
	facts := []draw.Fact{{Name: "labels", Value: a.labels}, {Name: "gold", Value: a.gold}, {Name: "rows of gold", Value: counts.String()}}
	if err := a.write(report, facts); err != nil {
		return err
	}
	return a.calibrate(report.Gold)
}

// claim readies the places of the outputs.
func (a *agreement) claim() error {
	inputs := []string{a.labels, a.gold}
	if a.dir != "" {
		if err := claimReports(a.dir, a.overwrite, inputs, "report.json", "report.html"); err != nil {
			return err
		}
	}
	if a.calibrated != "" {
		return claimFile(a.calibrated, a.overwrite, append(inputs, filepath.Join(a.labels, labels.PairsFile))...)
	}
	return nil
}

// labelledBy takes constitution and judges from the label.json of a label
// directory, where there is one.
func (a *agreement) labelledBy() (audit.Config, error) {
	path := filepath.Join(a.labels, labelFile)
	raw, err := os.ReadFile(path)
	if err != nil { // a file of labels, or a directory without
		return audit.Config{}, nil
	}
	var record struct {
		Constitution feedback.Constitution
		Config       struct{ Judges []feedback.JudgeConfig }
	}
	if err := yaml.Unmarshal(raw, &record); err != nil { // JSON is YAML, of which the config has the keys
		return audit.Config{}, fmt.Errorf("read %s: %w: run laurel label --reaggregate to write it anew", path, err)
	}
	return auditConfig(&record.Constitution, record.Config.Judges), nil
}

func (a *agreement) write(report *audit.Report, facts []draw.Fact) error {
	if a.dir != "" {
		if err := writeLabelReport(a.dir, "labels "+a.labels+" · gold "+a.gold, report, facts...); err != nil {
			return err
		}
	}
	if a.asJSON {
		return printJSON(a.out, report)
	}
	if err := report.Print(a.out); err != nil || a.dir == "" {
		return err
	}
	_, err := fmt.Fprintf(a.out, "\nreport  %s\nplots   %s\n", filepath.Join(a.dir, "report.html"), filepath.Join(a.dir, "plots"))
	return err
}

// writeLabelReport writes the report of labels in its three forms.
func writeLabelReport(dir, of string, report *audit.Report, facts ...draw.Fact) error {
	if err := report.WriteJSON(filepath.Join(dir, "report.json")); err != nil {
		return err
	}
	if _, err := report.WritePlots(filepath.Join(dir, "plots")); err != nil {
		return err
	}
	return report.WriteHTML(filepath.Join(dir, "report.html"), of, append(facts, madeBy()...)...)
}

// calibrate writes the pairs with the confidence that the gold teaches.
func (a *agreement) calibrate(found *audit.Agreement) error {
	if a.calibrated == "" {
		return nil
	}
	if found.Calibration == nil {
		return errors.New("--write-calibrated: too few labels have gold for a side to fit a calibration on half of the prompts and test it on the others: give more gold")
	}
	pairs := a.labels
	if info, err := os.Stat(pairs); err == nil && info.IsDir() {
		pairs = filepath.Join(pairs, labels.PairsFile)
	}
	c := found.Calibration.Final
	if err := labels.WriteCalibrated(a.calibrated, pairs, c.Apply, c.Method); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.log, "calibrated  %s (%s; the old confidence is %s)\n", a.calibrated, c.Describe(), labels.UncalibratedColumn)
	return err
}
