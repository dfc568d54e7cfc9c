package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
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

// export writes the directory aside and renames it, so that it is whole or
// not there.
func export(ctx context.Context, ref, revision, dir, backendName string, merge bool, out io.Writer) error {
	o, err := openModel(ctx, ref, revision, 0, out)
	if err != nil {
		return err
	}
	defer o.tokenizer.Close()
	if err := checkNew(dir); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := o.settlePadding(out); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if merge {
		if o.Adapter == nil {
			return fmt.Errorf("export --merge: %s has no adapter to merge", ref)
		}
		if err := o.Merge(); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	o.Config.Recorded.MaxLength, o.Config.Recorded.TruncationSide = o.maxLength, o.side.String()
	backend, choice, err := openBackend(backendName, out)
	if err != nil {
		return err
	}
	err = writeWhole(dir, func(aside string) error {
		if err := o.writeHF(aside); err != nil {
			return err
		}
		return o.writeGolden(aside, backend, choice)
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if !o.Config.Recorded.Head.Own() {
		fmt.Fprintf(out, "transformers cannot express this head (pooling %s, %s): it would load the backbone with a new head; score it with laurel score --model %s\n",
			o.Config.Recorded.Head.Pooling, o.Config.Recorded.Head.Kind, dir)
	}
	_, err = fmt.Fprintf(out, "exported %s: %s, %d parameters, max_length %d, truncation side %s, pad id %d\n",
		dir, o.Config.ModelType, o.NumParameters(), o.maxLength, o.side, o.padID())
	return err
}

// writeWhole fills a directory aside and renames it to dir.
func writeWhole(dir string, fill func(aside string) error) error {
	aside := filepath.Clean(dir) + ".writing"
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.MkdirAll(aside, 0o755); err != nil {
		return err
	}
	if err := fill(aside); err != nil {
		return errors.Join(err, os.RemoveAll(aside))
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(aside, dir)
}

// checkNew refuses a place that holds anything.
func checkNew(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is a file: name a new directory", dir)
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s holds files already: name a new directory", dir)
	}
	return err
}

func (o *opened) writeHF(dir string) error {
	if err := o.Save(dir, o.padID()); err != nil {
		return err
	}
	return o.writeBeside(dir)
}

// writeBeside writes what lies beside the weights: the tokenizer and a card.
func (o *opened) writeBeside(dir string) error {
	for _, path := range o.tokenizerFiles() {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), content, 0o644); err != nil {
			return err
		}
	}
	if err := o.agreeOnPad(dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "README.md"), []byte(o.modelCard()), 0o644)
}

// modelCard says how the model is to be used, for the hub and for people.
func (o *opened) modelCard() string {
	return fmt.Sprintf(`---
library_name: transformers
pipeline_tag: text-classification
tags: [reward-model, laurel]
---

A reward model: one label, whose logit is the reward of prompt + response
(higher is better; only differences mean something). Trained with laurel.

    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    model = AutoModelForSequenceClassification.from_pretrained(DIR)
    tokenizer = AutoTokenizer.from_pretrained(DIR)
    tokenizer.truncation_side = %[2]q
    reward = model(**tokenizer(prompt + response, truncation=True, max_length=%[1]d, return_tensors="pt")).logits[0, 0]

Text is tokenized with special tokens and cut to %[1]d tokens at the %[2]s.
`, o.maxLength, o.side)
}
