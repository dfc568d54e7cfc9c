package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"laurel/data"
)

func exportCommand() *cobra.Command {
	var ref, revision, out, backend string
	var merge bool
	cmd := &cobra.Command{
		Use:   "export --model RUN_DIR --out HF_DIR",
		Short: "Write a trained model as a Hugging Face directory",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model", "out"); err != nil {
				return err
			}
			return export(cmd.Context(), ref, revision, out, backend, merge, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&ref, "model", "", "run directory, Hugging Face directory or hub name")
	cmd.Flags().StringVar(&revision, "revision", "main", "branch, tag or commit of a hub name")
	cmd.Flags().BoolVar(&merge, "merge", false, "work a LoRA adapter into the weights, for readers without PEFT")
	cmd.Flags().StringVar(&out, "out", "", "directory to write; it must not hold files yet")
	cmd.Flags().StringVar(&backend, "backend", "auto", "that computes the golden vector: auto, cuda, cpu, go or xla:/path/plugin.so")
	return cmd
}

func export(ctx context.Context, ref, revision, dir, backendName string, merge bool, out io.Writer) error {
	m, err := openModel(ctx, ref, revision, 0, out)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := data.CheckNewFolder(dir); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := m.SettlePadding(printTo(out)); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if merge {
		if m.Adapter == nil {
			return fmt.Errorf("export --merge: %s has no adapter to merge", ref)
		}
		if err := m.Merge(); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	backend, choice, err := openBackend(backendName, out)
	if err != nil {
		return err
	}
	if err := m.Export(dir, backend, choice.String(), version()); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if head := m.Config.Recorded.Head; !head.Own() {
		fmt.Fprintf(out, "transformers cannot express this head (pooling %s, %s): it would load the backbone with a new head; score it with laurel score --model %s\n",
			head.Pooling, head.Kind, dir)
	}
	_, err = fmt.Fprintf(out, "exported %s: %s, %d parameters, max_length %d, truncation side %s, pad id %d\n",
		dir, m.Config.ModelType, m.NumParameters(), m.MaxLength, m.Side, m.PadID())
	return err
}
