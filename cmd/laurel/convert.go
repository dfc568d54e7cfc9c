package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"laurel/data"
)

func convertCommand() *cobra.Command {
	var out, onBadRow string
	var overwrite bool
	var columns map[string]string
	cmd := &cobra.Command{
		Use:   "convert IN… --out OUT.parquet",
		Short: "Write pairs of any readable layout as one Parquet file",
		Args:  usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, in []string) error {
			if err := required(cmd, "out"); err != nil {
				return err
			}
			if err := claimFile(out, overwrite); err != nil {
				return err
			}
			counts, err := data.Convert(cmd.Context(), in, out, data.ReadConfig{Columns: columns, OnBadRow: onBadRow})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", out, &counts)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write, .parquet or .jsonl")
	cmd.Flags().StringToStringVar(&columns, "columns", nil, "field=column where the file's names differ")
	cmd.Flags().StringVar(&onBadRow, "on-bad-row", "fail", "fail or skip")
	overwriteFlag(cmd, &overwrite)
	return cmd
}
