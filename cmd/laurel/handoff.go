package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"laurel/handoff"
	"laurel/scoring"
)

// handingOff is one run of the command.
type handingOff struct {
	ref, revision, file, dir, backend, dtype string
	columns                                  map[string]string
	overwrite                                bool
	out                                      io.Writer
}

func handoffCommand() *cobra.Command {
	var h handingOff
	cmd := &cobra.Command{
		Use:   "handoff --model RUN_DIR --data FILE --out DIR",
		Short: "Write what PPO, GRPO or RLOO need: the model, its rewards' constants, snippets",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model", "data", "out"); err != nil {
				return err
			}
			h.out = cmd.OutOrStdout()
			if err := h.run(cmd.Context()); err != nil {
				return fmt.Errorf("handoff: %w", err)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&h.ref, "model", "", "run directory, Hugging Face directory or hub name")
	flags.StringVar(&h.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringVar(&h.file, "data", "", "reference responses: what laurel score reads; of pairs both sides")
	flags.StringToStringVar(&h.columns, "columns", nil, "field=column where the file's names differ")
	flags.StringVar(&h.dir, "out", "", "directory to write")
	flags.StringVar(&h.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	dtypeFlag(cmd, &h.dtype)
	overwriteFlag(cmd, &h.overwrite)
	return cmd
}

func (h *handingOff) run(ctx context.Context) error {
	if err := h.claim(); err != nil {
		return err
	}
	var err error
	if h.file, err = localFile(ctx, h.file, h.out); err != nil {
		return err
	}
	options, finish := opening(h.revision, 0, h.out)
	m, err := scoring.Open(ctx, h.ref, options)
	finish()
	if err != nil {
		return err
	}
	defer m.Close()
	if err := apart(h.dir, folders(m)...); err != nil {
		return err
	}
	if err := m.SettlePadding(printTo(h.out)); err != nil {
		return err
	}
	if m.Adapter != nil {
		if err := m.Merge(); err != nil {
			return err
		}
		fmt.Fprintln(h.out, "the adapter is worked into the weights, for readers without PEFT")
	}
	if err := addCard(m, h.ref, h.out); err != nil {
		return err
	}
	backend, choice, err := openBackend(h.backend, h.out)
	if err != nil {
		return err
	}
	bar := newProgress(h.out, "score", "rows", -1)
	said, err := handoff.Pack{Model: m, Backend: backend, BackendName: choice.String(), Laurel: version(), Data: h.file, Columns: h.columns,
		DType: h.dtype, Ready: func(s *scoring.Scorer) error { return setDType(s, choice, h.dtype, h.out) },
		Done: func(rows, total int) { bar.set(rows, total, "") }, Notice: printTo(h.out)}.Write(ctx, h.dir)
	bar.finish()
	if err != nil {
		return err
	}
	warnUnread(m, h.out)
	return h.tell(said)
}

// claim readies the place. With overwrite a hand-off that is there is replaced, but
// never anything else.
func (h *handingOff) claim() error {
	return claimWhole(h.dir, "hand-off", h.overwrite, []string{h.ref}, func(error) error {
		if _, missing := os.Stat(filepath.Join(h.dir, handoff.File)); missing != nil {
			return fmt.Errorf("--overwrite replaces a hand-off, and %s has no %s: name another directory", h.dir, handoff.File)
		}
		return nil
	})
}

func (h *handingOff) tell(said *handoff.Handoff) error {
	for _, reason := range slices.Sorted(maps.Keys(said.Data.LeftOut)) {
		fmt.Fprintf(h.out, "no reward for %d responses: %s\n", said.Data.LeftOut[reason], reason)
	}
	if said.Data.Truncated > 0 {
		fmt.Fprintf(h.out, "%d sequences cut to max_length %d: not in the length slope\n", said.Data.Truncated, said.Model.MaxLength)
	}
	fmt.Fprintf(h.out, "rewards of %d responses: mean %.4g, std %.4g; whitened, clip at %g and %g\n",
		said.Data.Responses, said.Whitening.Mean, said.Whitening.Std, said.Clip.Low, said.Clip.High)
	where := "over all responses"
	if said.Length.WithinPrompts {
		where = "within prompts"
	}
	_, err := fmt.Fprintf(h.out, "length slope %s: %v a token (95%% interval %v), of %d responses to %d prompts\nhand-off written: %s\n",
		where, said.Length.Slope, said.Length.Interval, said.Length.Responses, said.Length.Prompts, h.dir)
	return err
}
