package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"laurel/bench"
	"laurel/data"
	"laurel/eval/stats"
	"laurel/model"
)

func parityCommand() *cobra.Command {
	p := parity{families: bench.Families()}
	cmd := &cobra.Command{
		Use:   "parity",
		Short: "Hold a device's numbers to those of the pure-Go backend, for every family",
		Long: "Hold a device's numbers to those of the pure-Go backend (float32), another implementation\n" +
			"of every operation: rewards, 20 training steps and the rewards after them, for a small\n" +
			"random model of every family, and that no reward depends on what is scored beside it.\n" +
			"Families: " + strings.Join(p.families, ", ") + ".",
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.out, p.log = outputs(cmd, p.asJSON)
			if err := p.check(); err != nil {
				return usage(cmd, err)
			}
			return p.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&p.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.StringSliceVar(&p.families, "family", p.families, "families of models")
	flags.StringSliceVar(&p.dtypes, "dtype", nil, "precisions (default: float32, and bfloat16 where the backend has it)")
	flags.StringVar(&p.path, "out", "", "write all as JSON to this file")
	flags.BoolVar(&p.asJSON, "json", false, "print JSON")
	overwriteFlag(cmd, &p.overwrite)
	return cmd
}

// parity is one run of the command.
type parity struct {
	backend           string
	families, dtypes  []string
	path              string
	asJSON, overwrite bool
	out, log          io.Writer
}

func (p *parity) check() error {
	for _, f := range p.families {
		if !slices.Contains(bench.Families(), f) {
			return fmt.Errorf("no family %q: there are %s", f, strings.Join(bench.Families(), ", "))
		}
	}
	choice, err := model.ChooseBackend(p.backend)
	if err != nil {
		return err
	}
	if len(p.dtypes) == 0 {
		p.dtypes = []string{"float32"}
		if choice.CheckPrecision("bfloat16") == nil {
			p.dtypes = append(p.dtypes, "bfloat16")
		}
	}
	for _, d := range p.dtypes {
		if _, err := model.ParseDType(d); err != nil {
			return fmt.Errorf("--dtype %w", err)
		}
		if err := choice.CheckPrecision(d); err != nil {
			return err
		}
	}
	return nil
}

func (p *parity) run(ctx context.Context) error {
	if p.path != "" {
		if err := claimFile(p.path, p.overwrite); err != nil {
			return err
		}
	}
	backend, choice, err := openBackend(p.backend, p.log)
	if err != nil {
		return err
	}
	all := parityReport{Version: version(), Backend: choice, Plugin: choice.PluginVersion(), Devices: model.Devices(backend)}
	var failed []error
	for _, family := range p.families {
		fmt.Fprintf(p.log, "%s in %s\n", family, strings.Join(p.dtypes, ", "))
		compared, err := bench.Parity(ctx, backend, family, p.dtypes)
		if err != nil {
			return err
		}
		all.Compared = append(all.Compared, compared...)
		for _, c := range compared {
			if !c.Passed {
				failed = append(failed, fmt.Errorf("%s in %s differs more than it may", family, c.DType))
			}
		}
	}
	return errors.Join(append(failed, p.write(all))...)
}

// parityReport is what --json and --out give.
type parityReport struct {
	Version  string               `json:"version"`
	Backend  *model.BackendChoice `json:"backend"`
	Plugin   string               `json:"plugin"`
	Devices  []model.Device       `json:"devices"`
	Compared []bench.Comparison   `json:"compared"`
}

func (p *parity) write(all parityReport) error {
	if p.path != "" {
		if err := data.WriteAside(p.path, func(w io.Writer) error { return printJSON(w, all) }); err != nil {
			return err
		}
	}
	if p.asJSON {
		return printJSON(p.out, all)
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "family\tprecision\trewards\tloss\tgradient norm\trewards after 20 steps\tchanged by neighbours\t\t")
	for _, c := range all.Compared {
		verdict := "ok"
		if !c.Passed {
			verdict = "FAILED"
		}
		of := func(difference stats.Value, limit float64) string {
			return fmt.Sprintf("%.2g of %.2g", float64(difference), limit)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t\n", c.Family, c.DType, of(c.Rewards, c.Limits.Rewards), of(c.Loss, c.Limits.Loss),
			of(c.GradNorm, c.Limits.GradNorm), of(c.Trained, c.Limits.Trained), c.Changed, verdict)
	}
	return w.Flush()
}
