package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/bestofn"
	"laurel/eval/draw"
)

// Files of a best-of-n directory.
const (
	bestReport = "bestofn.json"
	bestPage   = "bestofn.html"
)

func bestofnCommand() *cobra.Command {
	b := bestRun{config: bestofn.Default()}
	cmd := &cobra.Command{
		Use:   "bestofn --gold FILE[:COLUMN] --proxy FILE[:COLUMN]… [--out DIR]",
		Short: "Over-optimisation: what a gold scorer thinks of the best of n by a reward model",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmp.Or(required(cmd, "gold", "proxy"), b.check(cmd)); err != nil {
				return err
			}
			b.out = cmd.OutOrStdout()
			return b.run()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&b.gold, "gold", "", "the scores that count: candidates with a column of numbers, reward unless another is named")
	flags.StringArrayVar(&b.proxies, "proxy", nil, "scores of the same candidates by a reward model, as laurel score writes them; several are also taken together")
	flags.StringVar(&b.dir, "out", "", "directory for bestofn.json and bestofn.html")
	flags.StringToStringVar(&b.columns, "columns", nil, "field=column where the files' names differ")
	flags.IntVar(&b.config.N, "n", 0, "the largest n (default: as many candidates as nine in ten prompts have)")
	flags.Float64Var(&b.config.K, "k", b.config.K, "an ensemble's lower bound is mean - k std of its members")
	flags.Uint64Var(&b.config.Seed, "seed", b.config.Seed, "of the intervals' resamples")
	flags.BoolVar(&b.asJSON, "json", false, "print the report as JSON")
	overwriteFlag(cmd, &b.overwrite)
	return cmd
}

// bestRun is one run of the command.
type bestRun struct {
	gold, dir         string
	proxies           []string
	columns           map[string]string
	config            bestofn.Config
	asJSON, overwrite bool
	out               io.Writer
}

func (b *bestRun) check(cmd *cobra.Command) error {
	switch {
	case cmd.Flags().Changed("n") && b.config.N < 2:
		return usage(cmd, fmt.Errorf("--n is %d, want at least 2", b.config.N))
	case len(b.proxies) < 2 && cmd.Flags().Changed("k"):
		return unused(cmd, "one proxy has no spread: name several with --proxy", "k")
	case !(b.config.K >= 0):
		return usage(cmd, fmt.Errorf("--k is %v, want at least 0", b.config.K))
	}
	return nil
}

func (b *bestRun) run() error {
	if b.dir != "" {
		if err := claimReports(b.dir, b.overwrite, b.files(), bestReport, bestPage); err != nil {
			return err
		}
	}
	gold, err := bestofn.Read(b.gold, b.columns)
	if err != nil {
		return err
	}
	var proxies []*bestofn.Scores
	for _, name := range b.proxies {
		scores, err := bestofn.Read(name, b.columns)
		if err != nil {
			return err
		}
		proxies = append(proxies, scores)
	}
	report, err := bestofn.Measure(gold, proxies, b.config)
	if err != nil {
		return err
	}
	return b.write(report)
}

// files are those that are read, whose columns stand behind a colon.
func (b *bestRun) files() (files []string) {
	for _, name := range append(slices.Clone(b.proxies), b.gold) {
		file, _ := bestofn.FileOf(name)
		files = append(files, file)
	}
	return files
}

func (b *bestRun) write(report *bestofn.Report) error {
	facts := []draw.Fact{{Name: "gold", Value: b.gold}, {Name: "proxies", Value: strings.Join(b.proxies, ", ")}}
	page := func(path string) error { return report.WriteHTML(path, append(facts, madeBy()...)...) }
	return publish(report, b.dir, bestReport, bestPage, page, b.asJSON, b.out)
}
