package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/model"
)

func ensembleCommand() *cobra.Command {
	var e ensembling
	cmd := &cobra.Command{
		Use:   "ensemble A B… --out DIR",
		Short: "Average the weights of several models, or score with all of them",
		Args:  usageArgs(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, refs []string) error {
			if err := required(cmd, "out"); err != nil {
				return err
			}
			if cmd.Flags().Changed("center") && !e.scorer {
				return usage(cmd, fmt.Errorf("--center is for --scorer: averaged weights have one offset"))
			}
			if !(e.k >= 0) || math.IsInf(e.k, 0) {
				return usage(cmd, fmt.Errorf("--k is %v, want 0 or more", e.k))
			}
			e.refs, e.log = refs, cmd.OutOrStdout()
			return e.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&e.out, "out", "", "directory to write; it must not hold files yet")
	flags.BoolVar(&e.scorer, "scorer", false, "keep the members apart: score gives their mean, standard deviation and lower bound")
	flags.Float64Var(&e.k, "k", 1, "with --scorer, reward_lower is mean - k·std")
	flags.StringVar(&e.center, "center", "", "with --scorer, a file whose mean reward becomes each member's zero")
	flags.StringVar(&e.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	return cmd
}

// ensembling is one run of the command.
type ensembling struct {
	refs                 []string
	out, center, backend string
	scorer               bool
	k                    float64
	log                  io.Writer
}

func (e *ensembling) run(ctx context.Context) error {
	if err := checkNew(e.out); err != nil {
		return fmt.Errorf("ensemble: %w", err)
	}
	if e.scorer {
		return e.writeScorer(ctx)
	}
	return e.average(ctx)
}

// open opens one of the models, whole: an adapter is merged.
func (e *ensembling) open(ctx context.Context, i int, first *opened) (*opened, error) {
	o, err := openModel(ctx, e.refs[i], "main", 0, e.log)
	if err != nil {
		return nil, err
	}
	if o.members != nil {
		return nil, fmt.Errorf("ensemble: %s is an ensemble itself: name its members", e.refs[i])
	}
	if o.Adapter != nil {
		if err := o.Merge(); err != nil {
			return nil, err
		}
	}
	if first == nil {
		return o, nil
	}
	if err := first.sameTokenizer(o); err != nil {
		return nil, fmt.Errorf("ensemble: %w", err)
	}
	return o, o.tokenizer.Close()
}

// average writes the mean of the weights as one Hugging Face directory.
func (e *ensembling) average(ctx context.Context) error {
	first, err := e.open(ctx, 0, nil)
	if err != nil {
		return err
	}
	defer first.tokenizer.Close()
	i := 0
	err = first.Average(func() (*model.Model, error) {
		if i++; i == len(e.refs) {
			return nil, nil
		}
		o, err := e.open(ctx, i, first)
		if err != nil {
			return nil, err
		}
		if key := first.Config.DiffersFrom(o.Config); key != "" {
			return nil, fmt.Errorf("ensemble: weights of %s and %s cannot be averaged, the models differ in %s", e.refs[0], e.refs[i], key)
		}
		return o.Model, nil
	})
	if err != nil {
		return err
	}
	if err := first.settlePadding(e.log); err != nil {
		return err
	}
	first.Config.Recorded.Members = e.refs
	first.Config.Recorded.MaxLength, first.Config.Recorded.TruncationSide = first.maxLength, first.side.String()
	backend, choice, err := openBackend(e.backend, e.log)
	if err != nil {
		return err
	}
	err = writeWhole(e.out, func(aside string) error {
		if err := first.writeHF(aside); err != nil {
			return err
		}
		return first.writeGolden(aside, backend, choice)
	})
	if err != nil {
		return fmt.Errorf("ensemble: %w", err)
	}
	_, err = fmt.Fprintf(e.log, "wrote %s: the mean of %d models' weights\n", e.out, len(e.refs))
	return err
}

// writeScorer writes the directory that names the members.
func (e *ensembling) writeScorer(ctx context.Context) error {
	config := ensembleConfig{Format: 1, K: e.k, Centred: e.center}
	var first *opened
	for i, ref := range e.refs {
		o, err := e.open(ctx, i, first)
		if err != nil {
			return err
		}
		if first == nil {
			first = o
			defer first.tokenizer.Close()
		}
		offset, err := e.offset(ctx, first, o)
		if err != nil {
			return err
		}
		if _, err := os.Stat(ref); err == nil {
			if ref, err = filepath.Abs(ref); err != nil {
				return err
			}
		}
		config.Members = append(config.Members, member{Model: ref, Offset: offset})
	}
	raw, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	if err := writeWhole(e.out, func(aside string) error { return data.WriteFile(filepath.Join(aside, ensembleFile), append(raw, '\n')) }); err != nil {
		return fmt.Errorf("ensemble: %w", err)
	}
	if e.center == "" {
		fmt.Fprintln(e.log, "members are not centred: reward_std holds the constants by which separately trained rewards differ; --center FILE takes them off")
	}
	_, err = fmt.Fprintf(e.log, "wrote %s: %d members; score it with: laurel score --model %s\n", e.out, len(e.refs), e.out)
	return err
}

// offset is the mean reward of a member on the centring file, 0 without one.
func (e *ensembling) offset(ctx context.Context, first, o *opened) (float32, error) {
	if e.center == "" {
		return 0, nil
	}
	backend, _, err := openBackend(e.backend, e.log)
	if err != nil {
		return 0, err
	}
	one, err := model.NewEnsemble(backend, []*model.Model{o.Model}, []float32{0})
	if err != nil {
		return 0, err
	}
	table, err := data.OpenTable(e.center, nil)
	if err != nil {
		return 0, err
	}
	defer table.Close()
	s := scoring{file: e.center, log: e.log, unscored: map[string]int{}}
	sum, n := 0.0, 0
	for {
		records, err := readChunk(table)
		if err != nil {
			return 0, err
		}
		if len(records) == 0 {
			break
		}
		scores, err := s.scoreChunk(ctx, first, one, records)
		if err != nil {
			return 0, err
		}
		for _, row := range scores {
			for _, score := range row {
				if score.Valid {
					sum, n = sum+float64(score.Reward), n+1
				}
			}
		}
	}
	if n == 0 {
		return 0, fmt.Errorf("ensemble: %s has no row that can be scored", e.center)
	}
	return float32(sum / float64(n)), nil
}
