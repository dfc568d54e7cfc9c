package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/verify"
)

// verifying is one run of the command.
type verifying struct {
	ref, revision, backend, dialect, tokenFile string
	target                                     verify.Target
	log                                        io.Writer
}

func verifyCommand() *cobra.Command {
	var v verifying
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify --model DIR [--url http://HOST:PORT]",
		Short: "Check an exported or downloaded model before it is served, or the server that serves it",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model"); err != nil {
				return err
			}
			out, log := outputs(cmd, asJSON)
			v.log = log
			if err := v.check(cmd); err != nil {
				return err
			}
			report, err := v.run(cmd.Context())
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
				return fmt.Errorf("verify %s: %d of %d checks failed; what fixes each is said above", cmp.Or(v.target.URL, v.ref), report.Failed, len(report.Checks))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&v.ref, "model", "", "Hugging Face directory, run directory or hub name")
	flags.StringVar(&v.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringVar(&v.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.StringVar(&v.target.URL, "url", "", "a running server: its answers are held to the model's golden vector")
	flags.StringVar(&v.dialect, "dialect", "auto", "in which the server is asked: "+strings.Join(verify.DialectNames(), ", ")+", several with commas, all, or auto (those that it has)")
	flags.StringVar(&v.target.ModelName, "model-name", "", "the server's name of the model (default: the first that it lists)")
	flags.StringVar(&v.tokenFile, "token-file", "", "file with the server's bearer token (or the variable "+tokenVariable+")")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// check refuses flags that make no sense together.
func (v *verifying) check(cmd *cobra.Command) error {
	if v.target.URL == "" {
		for _, name := range []string{"url", "dialect", "model-name", "token-file"} {
			if cmd.Flags().Changed(name) {
				return usage(cmd, fmt.Errorf("--%s is of a server: give its --url", name))
			}
		}
		return nil
	}
	switch v.dialect {
	case "auto":
	case "all":
		v.target.Dialects = verify.DialectNames()
	default:
		v.target.Dialects = strings.Split(v.dialect, ",")
	}
	for _, name := range v.target.Dialects {
		if !slices.Contains(verify.DialectNames(), name) {
			return usage(cmd, fmt.Errorf("--dialect %q: want auto, all, or one of %s", name, strings.Join(verify.DialectNames(), ", ")))
		}
	}
	var err error
	v.target.Token, err = bearerToken(v.tokenFile, v.log)
	return err
}

func (v *verifying) run(ctx context.Context) (*verify.Report, error) {
	dir, err := modelDir(ctx, v.ref, v.revision, v.log)
	if err != nil {
		return nil, err
	}
	backend, _, err := openBackend(v.backend, v.log)
	if err != nil {
		return nil, err
	}
	options, finish := opening("", 0, v.log)
	defer finish()
	if v.target.URL == "" {
		return verify.Model(ctx, dir, backend, options)
	}
	report, err := verify.Server(ctx, dir, backend, options, v.target)
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", v.target.URL, err)
	}
	return report, nil
}
