package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"laurel/data"
)

// reading is the flags by which files of pairs are read.
type reading struct{ data.ReadConfig }

func (r *reading) flags(flags *pflag.FlagSet) {
	names, _ := data.Layouts()
	flags.StringToStringVar(&r.Columns, "columns", nil, "field=column where the file's names differ; a.b is a value inside of a column")
	flags.StringToStringVar(&r.LabelValues, "label-values", nil, "what a label column has for a, b and tie, for example a=0,b=1")
	flags.StringVar(&r.From, "from", "", "layout of the files, where it is not found by their columns: "+strings.Join(names, ", "))
	flags.IntVar(&r.PairsPerPrompt, "pairs-per-prompt", 0, "at most so many pairs of the ranked responses to a prompt, drawn by --seed; 0 takes all")
	flags.Int64Var(&r.Seed, "seed", 42, "seed of that draw")
	flags.BoolVar(&r.Chat, "chat", false, "make messages of texts: prompts the user's turns (an HH transcript's turns), responses the assistant's")
}

// filesFlag gives a command that takes files as arguments --data too, as the
// others have it.
func filesFlag(flags *pflag.FlagSet, files *[]string) {
	flags.StringArrayVar(files, "data", nil, "files, as the arguments are")
}

// someFiles checks that there are files, as arguments or by --data.
func someFiles(named *[]string) cobra.PositionalArgs {
	return usageArgs(func(cmd *cobra.Command, args []string) error {
		if len(args)+len(*named) == 0 {
			return fmt.Errorf("%s needs files", cmd.CommandPath())
		}
		return nil
	})
}

// noteOnce prints what a reader of a file should know, each thing once.
func noteOnce(out io.Writer) func(file, note string) {
	said := map[string]bool{}
	return func(file, note string) {
		if line := fmt.Sprintf("%s: %s", file, note); !said[line] {
			said[line] = true
			fmt.Fprintln(out, line)
		}
	}
}
