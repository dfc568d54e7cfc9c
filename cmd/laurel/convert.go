package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"laurel/data"
)

func convertCommand() *cobra.Command {
	var out string
	var named []string
	var overwrite bool
	var read reading
	cmd := &cobra.Command{
		Use:   "convert IN… --out OUT.parquet",
		Short: "Write pairs of any readable layout as one Parquet file",
		Args:  someFiles(&named),
		RunE: func(cmd *cobra.Command, in []string) error {
			if err := required(cmd, "out"); err != nil {
				return err
			}
			read.Say = noteOnce(cmd.ErrOrStderr())
			in, err := localData(cmd.Context(), append(in, named...), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := claimFile(out, overwrite, in...); err != nil {
				return err
			}
			counts, err := data.Convert(cmd.Context(), in, out, read.ReadConfig)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", out, &counts)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write, .parquet or .jsonl")
	cmd.Flags().StringVar(&read.OnBadRow, "on-bad-row", "fail", "fail or skip")
	filesFlag(cmd.Flags(), &named)
	read.flags(cmd.Flags())
	overwriteFlag(cmd, &overwrite)
	return cmd
}
