// Laurel trains, evaluates and serves reward models from preference pairs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes: 0 done, 1 failed, 2 usage.
func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := laurel(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
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
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(doctorCommand(), inspectCommand(), convertCommand(), trainCommand(), evalCommand(), scoreCommand(), exportCommand())
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\n%s", errors.Join(errUsage, err), cmd.UsageString())
	})
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(errOut, "laurel: %v\n", err)
		return 2
	}
	fmt.Fprintf(errOut, "laurel: %v\n", err)
	return 1
}

// usageArgs makes a failed check of the arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fmt.Errorf("%w: %w\n%s", errUsage, err, cmd.UsageString())
		}
		return nil
	}
}

// required makes missing flags a usage error that names them all.
func required(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if !cmd.Flags().Changed(name) {
			return fmt.Errorf("%w: %s needs --%s\n%s", errUsage, cmd.CommandPath(), name, cmd.UsageString())
		}
	}
	return nil
}
