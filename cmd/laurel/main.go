// Laurel trains, evaluates and serves reward models from preference pairs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"laurel/data"
	"laurel/model"
)

// Exit codes: 0 done, 1 failed, 2 usage.
func main() {
	if err := withEnvironment(); err != nil {
		fmt.Fprintf(os.Stderr, "laurel: %v: going on without\n", err)
	}
	os.Exit(laurel(untilInterrupted(), os.Args[1:], os.Stdout, os.Stderr))
}

// untilInterrupted is done at the first Ctrl-C or SIGTERM; a second one ends the
// process at once, however soon it follows.
func untilInterrupted() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupts
		cancel()
		again := <-interrupts
		signal.Reset(again)
		if err := syscall.Kill(os.Getpid(), again.(syscall.Signal)); err != nil {
			os.Exit(1)
		}
	}()
	return ctx
}

// withEnvironment starts the process again, once, with the variables that the
// best backend here needs from the start.
func withEnvironment() error {
	choice, err := model.ChooseBackend("auto")
	if err != nil {
		return err
	}
	missing, err := choice.Environment(os.Environ())
	if err != nil || len(missing) == 0 {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	err = syscall.Exec(exe, os.Args, append(os.Environ(), missing...))
	return fmt.Errorf("start again with %v: %w", missing, err)
}

// errUsage marks errors of the command line itself.
var errUsage = errors.New("usage")

// laurel runs one command and gives its exit code.
func laurel(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := &cobra.Command{
		Use:           "laurel",
		Short:         "Reward models from preference pairs: train, evaluate, score, export",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return notNegative(cmd) },

		SuggestionsMinimumDistance: 2,
		Version:                    readBuild().line(),
	}
	root.SetVersionTemplate("laurel {{.Version}}\n")
	root.AddCommand(doctorCommand(), inspectCommand(), convertCommand(), trainCommand(), learningCurveCommand(), evalCommand(), probeCommand(), bestofnCommand(), driftCommand(), labelCommand(), reviewCommand(), mergeCommand(), triageCommand(), scoreCommand(), exportCommand(), handoffCommand(), ensembleCommand(),
		verifyCommand(), serveCommand(), boardCommand(), reportCommand(), reviseCommand(), generateCommand(), estimateCommand(), loopCommand(), constitutionCommand(), agreeCommand(), benchmarkCommand(), benchCommand(), parityCommand(), versionCommand())
	root.InitDefaultCompletionCmd(args...)
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // cobra's: help, and no error, for a shell that it does not know
			c.Args = usageArgs(cobra.NoArgs)
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	out, errOut = visible{out}, visible{errOut}
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetFlagErrorFunc(usage)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(errOut, "laurel: %v\n", err)
		return 2
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(errOut, "laurel: interrupted before it was done; the same command starts again")
		return 1
	}
	fmt.Fprintf(errOut, "laurel: %v\n", err)
	return 1
}

// usage makes an error one of the command line, and shows how the command is
// called: of the flags --help tells, so that the error stays in sight.
func usage(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w: %w\nUsage: %s\n%s --help says more", errUsage, err, cmd.UseLine(), cmd.CommandPath())
}

// usageArgs makes a failed check of the arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage(cmd, err)
		}
		return nil
	}
}

// knownCommand refuses a word that is no command, and names those like it.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return usage(root, err)
}

// required makes missing flags a usage error that names them all.
func required(cmd *cobra.Command, flags ...string) error {
	var missing []string
	for _, name := range flags {
		if !cmd.Flags().Changed(name) {
			missing = append(missing, "--"+name)
		}
	}
	if len(missing) > 0 {
		err := fmt.Errorf("%s needs %s", cmd.CommandPath(), strings.Join(missing, ", "))
		if args := cmd.Flags().Args(); len(args) > 0 && slices.Contains(missing, "--data") {
			err = fmt.Errorf("%w; --data stands before files: --data %s", err, strings.Join(args, " "))
		}
		return usage(cmd, err)
	}
	return nil
}

// notNegative refuses flags whose numbers are below 0: no command counts or waits so,
// and only a seed may be anything.
func notNegative(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		switch strings.TrimSuffix(f.Value.Type(), "Slice") {
		case "int", "int64", "float64", "duration":
		default:
			return
		}
		for _, value := range values {
			if negative := strings.HasPrefix(value, "-") || strings.EqualFold(value, "nan"); negative && f.Name != "seed" && err == nil {
				if strings.Contains(value, ".") { // lists write all of their digits
					value = strings.TrimSuffix(strings.TrimRight(value, "0"), ".")
				}
				err = usage(cmd, fmt.Errorf("--%s is %s, want 0 or more", f.Name, value))
			}
		}
	})
	return err
}

// unused refuses flags that are given and do nothing beside the others, because of why.
func unused(cmd *cobra.Command, why string, flags ...string) error {
	var given []string
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) == 0 {
		return nil
	}
	return usage(cmd, fmt.Errorf("%s: without effect here: %s", strings.Join(given, ", "), why))
}

// positiveLength refuses a --max-length that is given and is no length.
func positiveLength(cmd *cobra.Command, maxLength int) error {
	if cmd.Flags().Changed("max-length") && maxLength < 1 {
		return usage(cmd, fmt.Errorf("--max-length is %d, want at least 1", maxLength))
	}
	return nil
}

// outputs are where a command writes its result, and what it says on the way:
// with --json the result alone is on standard output.
func outputs(cmd *cobra.Command, asJSON bool) (out, log io.Writer) {
	if asJSON {
		return cmd.OutOrStdout(), cmd.ErrOrStderr()
	}
	return cmd.OutOrStdout(), cmd.OutOrStdout()
}

// writeLines writes rows as JSON lines, aside first.
func writeLines[T any](path string, rows []T) error {
	return data.WriteAside(path, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		for _, row := range rows {
			if err := lines.Encode(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// printJSON is what --json prints.
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", " ")
	return encoder.Encode(value)
}

// version is what the binary was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
