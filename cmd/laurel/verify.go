package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"laurel/verify"
)

func verifyCommand() *cobra.Command {
	var ref, revision, backend string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify --model DIR",
		Short: "Check an exported or downloaded model before it is served",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model"); err != nil {
				return err
			}
			out, log := outputs(cmd, asJSON)
			report, err := verifyModel(cmd.Context(), ref, revision, backend, log)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(out, report)
			} else {
				err = report.Print(out)
			}
			if err != nil {
				return err
			}
			if report.Failed > 0 {
				return fmt.Errorf("verify %s: %d of %d checks failed; what fixes each is said above", ref, report.Failed, len(report.Checks))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ref, "model", "", "Hugging Face directory, run directory or hub name")
	flags.StringVar(&revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringVar(&backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func verifyModel(ctx context.Context, ref, revision, backendName string, log io.Writer) (*verify.Report, error) {
	dir, err := modelDir(ctx, ref, revision, log)
	if err != nil {
		return nil, err
	}
	backend, _, err := openBackend(backendName, log)
	if err != nil {
		return nil, err
	}
	options, finish := opening("", 0, log)
	defer finish()
	return verify.Model(ctx, dir, backend, options)
}
