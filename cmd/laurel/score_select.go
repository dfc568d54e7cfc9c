package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"laurel/selection"
)

// selectFlags are those of best-of-n and rejection sampling.
func (s *scoreRun) selectFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.sftOut, "sft-out", "", "also write the best responses to each prompt as messages: .jsonl or .parquet")
	flags.StringVar(&s.dpoOut, "dpo-out", "", "also write pairs of the best and the worst response to each prompt: .jsonl or .parquet")
	flags.IntVar(&s.choice.BestOf, "best-of", 0, "look at the first so many responses to a prompt, and leave out prompts that have fewer (default: all)")
	flags.IntVar(&s.choice.TopK, "top-k", 1, "keep so many of a prompt at most, by falling reward")
	flags.Float64Var(&s.choice.MinMargin, "min-margin", 0, "keep those whose reward exceeds the lowest of their prompt by so much at least")
}

// selects tells whether anything is to be selected.
func (s *scoreRun) selects() bool { return s.sftOut != "" || s.dpoOut != "" }

// checkSelection refuses flags that select nothing, or nowhere.
func (s *scoreRun) checkSelection(cmd *cobra.Command) error {
	flags := cmd.Flags()
	given := flags.Changed("best-of") || flags.Changed("top-k") || flags.Changed("min-margin")
	switch {
	case given && !s.selects():
		return usage(cmd, errors.New("--best-of, --top-k and --min-margin say what --sft-out or --dpo-out gets: give one of them"))
	case s.selects() && s.part != "":
		return usage(cmd, errors.New("a shard has not every response to a prompt: give --sft-out and --dpo-out with --merge"))
	case flags.Changed("best-of") && s.choice.BestOf < 1:
		return usage(cmd, fmt.Errorf("--best-of is %d, want at least 1", s.choice.BestOf))
	}
	if err := s.choice.Check(); err != nil {
		return usage(cmd, err)
	}
	named := map[string]string{filepath.Clean(s.out): "--out"}
	for _, out := range []struct{ flag, path string }{{"--sft-out", s.sftOut}, {"--dpo-out", s.dpoOut}} {
		if out.path == "" {
			continue
		}
		if err := selection.CheckName(out.path); err != nil {
			return usage(cmd, fmt.Errorf("%s %w", out.flag, err))
		}
		if other := named[filepath.Clean(out.path)]; other != "" {
			return usage(cmd, fmt.Errorf("%s and %s are both %s: name two files", other, out.flag, out.path))
		}
		named[filepath.Clean(out.path)] = out.flag
	}
	return nil
}

// printSelection says what was kept, and why the rest was not.
func (s *scoreRun) printSelection(sum *selection.Summary) error {
	fmt.Fprintf(s.log, "%d candidates to %d prompts%s\n", sum.Candidates, sum.Prompts, leftOut(sum.Out))
	for _, one := range []struct {
		what, path string
		kept       selection.Kept
	}{{"messages", s.sftOut, sum.Messages}, {"pairs", s.dpoOut, sum.Pairs}} {
		if one.path == "" {
			continue
		}
		if _, err := fmt.Fprintf(s.log, "wrote %d %s of %d prompts: %s%s\n", one.kept.Rows, one.what, one.kept.Prompts, one.path, leftOut(one.kept.Out)); err != nil {
			return err
		}
	}
	return nil
}

// leftOut lists what was left out, by why.
func leftOut(counts map[string]int) string {
	var each []string
	for _, why := range slices.Sorted(maps.Keys(counts)) {
		each = append(each, fmt.Sprintf("%d with %s", counts[why], why))
	}
	if len(each) == 0 {
		return ""
	}
	return "; left out " + strings.Join(each, ", ")
}

// claimOutputs readies the places of all files that are to be written.
func (s *scoreRun) claimOutputs() error {
	for _, path := range []string{s.out, s.sftOut, s.dpoOut} {
		if path == "" {
			continue
		}
		if err := claimFile(path, s.overwrite, append(slices.Clone(s.shards), s.file, s.ref)...); err != nil {
			return err
		}
	}
	return nil
}
