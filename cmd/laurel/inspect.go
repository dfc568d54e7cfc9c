package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"laurel/configs"
	"laurel/data/inspect"
	"laurel/data/tokenizer"
	"laurel/scoring"
)

func inspectCommand() *cobra.Command {
	var ref, revision string
	var named []string
	var read reading
	var maxLength int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE…",
		Short: "Describe files of pairs: lengths, duplicates, leakage, shortcuts",
		Args:  someFiles(&named),
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := positiveLength(cmd, maxLength); err != nil {
				return err
			}
			files, err := localData(cmd.Context(), append(files, named...), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := checkPairs(files, read.ReadConfig); err != nil {
				return err
			}
			t, err := inspectTokenizer(cmd, ref, revision)
			if err != nil {
				return err
			}
			defer t.Close()
			found, err := inspect.Files(cmd.Context(), files, read.ReadConfig, inspect.With(t, maxLength))
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), found)
			}
			return found.Print(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ref, "model", "", "count tokens with this model's tokenizer (default: the demo's)")
	flags.StringVar(&revision, "revision", "main", "branch, tag or commit of a hub name")
	filesFlag(flags, &named)
	read.flags(flags)
	flags.IntVar(&maxLength, "max-length", scoring.DefaultMaxLength, "count sequences longer than so many tokens as truncated")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// inspectTokenizer is that of the model asked for, else the demo's, which is
// in the binary.
func inspectTokenizer(cmd *cobra.Command, ref, revision string) (*tokenizer.Tokenizer, error) {
	if ref != "" {
		dir, err := modelDir(cmd.Context(), ref, revision, cmd.ErrOrStderr())
		if err != nil {
			return nil, err
		}
		return tokenizer.Open(dir)
	}
	cmd.PrintErrln("tokens are counted with the demo's English tokenizer; --model counts with your model's")
	return demoTokenizer()
}

// demoTokenizer is the one that is in the binary.
func demoTokenizer() (*tokenizer.Tokenizer, error) {
	dir, err := os.MkdirTemp("", "laurel")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, configs.DemoEncoder); err != nil {
		return nil, err
	}
	return tokenizer.Open(filepath.Join(dir, "demo-encoder"))
}
