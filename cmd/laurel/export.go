package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"laurel/model"
	"laurel/scoring"
)

// exporting is one run of the command.
type exporting struct {
	ref, revision, dir, backend, templateDate string
	merge, overwrite                          bool
	out                                       io.Writer
	backends                                  backends
}

func exportCommand() *cobra.Command {
	var e exporting
	cmd := &cobra.Command{
		Use:   "export --model RUN_DIR --out HF_DIR",
		Short: "Write a trained model as a Hugging Face directory",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model", "out"); err != nil {
				return err
			}
			e.out = cmd.OutOrStdout()
			if err := e.run(cmd.Context()); err != nil {
				return fmt.Errorf("export: %w", err)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&e.ref, "model", "", "run directory, Hugging Face directory or hub name")
	flags.StringVar(&e.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.BoolVar(&e.merge, "merge", false, "work a LoRA adapter into the weights, for readers without PEFT")
	flags.StringVar(&e.templateDate, "template-date", "", "YYYY-MM-DD that a chat template is given which asks for the date (default: as in training)")
	flags.StringVar(&e.dir, "out", "", "directory to write")
	flags.StringVar(&e.backend, "backend", "auto", "that computes the golden vector: auto, cuda, cpu, go or xla:/path/plugin.so")
	overwriteFlag(cmd, &e.overwrite)
	return cmd
}

func (e *exporting) run(ctx context.Context) error {
	if err := claimModelFolder(e.dir, e.overwrite, e.ref); err != nil {
		return err
	}
	options, finish := opening(e.revision, 0, e.out)
	options.TemplateDate = e.templateDate
	m, err := scoring.Open(ctx, e.ref, options)
	finish()
	if err != nil {
		return err
	}
	defer m.Close()
	if err := apart(e.dir, folders(m)...); err != nil { // a checkpoint of the run, an adapter's base
		return err
	}
	if err := m.SettlePadding(printTo(e.out)); err != nil {
		return err
	}
	if e.merge {
		if m.Adapter == nil {
			return fmt.Errorf("--merge: %s has no adapter to merge", e.ref)
		}
		if err := m.Merge(); err != nil {
			return err
		}
	}
	if err := addCard(m, e.ref, e.out); err != nil {
		return err
	}
	backend, choice, err := e.backends.open(e.backend, e.out)
	if err != nil {
		return err
	}
	if err := m.Export(e.dir, backend, choice.String(), version()); err != nil {
		return err
	}
	return e.tell(m)
}

// folders are those that a model was read from: its own, and its base's where it is
// an adapter.
func folders(m *scoring.Model) []string {
	read := []string{m.Dir}
	if base, _, err := model.AdapterBase(m.Dir); err == nil && m.Adapter != nil {
		read = append(read, base)
	}
	return read
}

// tell says what is in the exported directory, and what other readers make of
// it.
func (e *exporting) tell(m *scoring.Model) error {
	if head := m.Config.Recorded.Head; !head.Own() {
		fmt.Fprintf(e.out, "transformers cannot express this head (pooling %s, %s): it would load the backbone with a new head; score it with laurel score --model %s\n",
			head.Pooling, head.Kind, e.dir)
	}
	if date := m.TemplateDate(); date != "" {
		fmt.Fprintf(e.out, "the chat template asks for the date: %s is recorded and used here; other servers render conversations with today's\n", date)
	}
	_, err := fmt.Fprintf(e.out, "exported %s: %s, %d parameters, max_length %d, truncation side %s, pad id %d\n",
		e.dir, m.Config.ModelType, m.NumParameters(), m.MaxLength, m.Side, m.PadID())
	return err
}
