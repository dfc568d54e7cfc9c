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

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/probe"
	"laurel/scoring"
)

// Files of a probe's directory.
const (
	probeReport = "probe.json"
	probePage   = "probe.html"
	probeEdits  = "probe.jsonl"
)

func probeCommand() *cobra.Command {
	p := probing{config: probe.Default()}
	cmd := &cobra.Command{
		Use:   "probe --model DIR --data FILE [--out DIR]",
		Short: "Edit responses, and see what a model rewards",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmp.Or(required(cmd, "model", "data"), positiveLength(cmd, p.maxLength)); err != nil {
				return err
			}
			if cmd.Flags().Changed("rows") && p.config.Rows < 1 {
				return usage(cmd, fmt.Errorf("--rows is %d, want at least 1", p.config.Rows))
			}
			p.out, p.log = outputs(cmd, p.asJSON)
			var err error
			if p.file, err = localFile(cmd.Context(), p.file, p.log); err != nil {
				return err
			}
			return p.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&p.ref, "model", "", "run directory, Hugging Face directory or hub name")
	flags.StringVar(&p.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringVar(&p.file, "data", "", "Parquet, JSON lines or CSV with prompt and response, or messages, or pairs")
	flags.StringVar(&p.dir, "out", "", "directory for probe.json, probe.html and probe.jsonl")
	flags.StringToStringVar(&p.columns, "columns", nil, "field=column where the file's names differ")
	flags.IntVar(&p.config.Rows, "rows", 0, "probe the first so many rows (default: all)")
	flags.Uint64Var(&p.config.Seed, "seed", p.config.Seed, "of what edits and intervals draw")
	flags.IntVar(&p.maxLength, "max-length", 0, "cut sequences to so many tokens (default: as in training)")
	flags.StringVar(&p.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.BoolVar(&p.asJSON, "json", false, "print the report as JSON")
	devicesFlag(cmd, &p.devices)
	dtypeFlag(cmd, &p.dtype)
	overwriteFlag(cmd, &p.overwrite)
	return cmd
}

// probing is one run of the command.
type probing struct {
	ref, revision, file, dir, backend, dtype string
	columns                                  map[string]string
	config                                   probe.Config
	maxLength, devices                       int
	asJSON, overwrite                        bool
	out, log                                 io.Writer
}

func (p *probing) run(ctx context.Context) (err error) {
	table, err := data.OpenTable(p.file, p.columns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, table.Close()) }()
	for _, note := range table.Notes() {
		fmt.Fprintf(p.log, "%s: %s\n", p.file, note)
	}
	if p.dir != "" {
		if err := claimReports(p.dir, p.overwrite, []string{p.ref, p.file}, probeReport, probePage, probeEdits); err != nil {
			return err
		}
	}
	scorer, choice, err := backends{}.scorer(ctx, p.ref, p.revision, p.maxLength, p.backend, p.devices, p.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scorer.Close()) }()
	if err := setDType(scorer, choice, p.dtype, p.log); err != nil {
		return err
	}
	report, err := p.probed(ctx, table, scorer)
	if err != nil {
		return err
	}
	warnUnread(scorer.Model, p.log)
	return p.write(report, []draw.Fact{{Name: "model", Value: p.ref}, {Name: "checkpoint", Value: scorer.Dir}, {Name: "data", Value: p.file},
		{Name: "rows", Value: strconv.Itoa(report.Rows)}, {Name: "max_length", Value: strconv.Itoa(scorer.MaxLength)}, {Name: "backend", Value: choice.String()}, {Name: "matrix products", Value: p.dtype}})
}

// probed runs the probes, and with --out keeps every edit.
func (p *probing) probed(ctx context.Context, table *data.Table, scorer *scoring.Scorer) (report *probe.Report, err error) {
	total := int(table.NumRows())
	if p.config.Rows > 0 && (total < 0 || p.config.Rows < total) {
		total = p.config.Rows
	}
	bar := newProgress(p.log, "probe", "rows", total)
	defer bar.finish()
	done := func(rows int) { bar.set(rows, total, "") }
	if p.dir == "" {
		return probe.Run(ctx, table, scorer.Score, p.config, nil, done)
	}
	return report, data.WriteAside(filepath.Join(p.dir, probeEdits), func(w io.Writer) error {
		lines := json.NewEncoder(w)
		lines.SetEscapeHTML(false)
		report, err = probe.Run(ctx, table, scorer.Score, p.config, func(e probe.Edit) error { return lines.Encode(e) }, done)
		return err
	})
}

func (p *probing) write(report *probe.Report, facts []draw.Fact) error {
	page := func(path string) error {
		return report.WriteHTML(path, "model "+p.ref+" · data "+p.file, append(facts, madeBy()...)...)
	}
	if err := publish(report, p.dir, probeReport, probePage, page, p.asJSON, p.out); err != nil || p.asJSON || p.dir == "" {
		return err
	}
	_, err := fmt.Fprintf(p.out, "edits   %s\n", filepath.Join(p.dir, probeEdits))
	return err
}
