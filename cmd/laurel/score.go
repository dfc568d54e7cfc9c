package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/model"
)

func scoreCommand() *cobra.Command {
	var s scoring
	cmd := &cobra.Command{
		Use:   "score --model DIR --data FILE --out scores.parquet",
		Short: "Score texts, responses, conversations or pairs",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmp.Or(required(cmd, "model", "data", "out"), positiveLength(cmd, s.maxLength)); err != nil {
				return err
			}
			s.log = cmd.OutOrStdout()
			return s.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.ref, "model", "", "run directory, Hugging Face directory or hub name")
	flags.StringVar(&s.revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringVar(&s.file, "data", "", "Parquet, JSON lines or CSV with text, or prompt and response, or messages, or pairs")
	flags.StringVar(&s.out, "out", "", "Parquet file to write: the input's columns and the rewards")
	flags.StringToStringVar(&s.columns, "columns", nil, "field=column where the file's names differ")
	flags.IntVar(&s.maxLength, "max-length", 0, "cut sequences to so many tokens (default: as in training)")
	flags.StringVar(&s.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	return cmd
}

// scoring is one run of the command.
type scoring struct {
	ref, revision, file, out, backend string
	columns                           map[string]string
	maxLength                         int
	log                               io.Writer

	rows, truncated int
	unscored        map[string]int // rows without a reward, by reason
}

// scoreChunk is how many rows are in memory at a time.
const scoreChunk = 4096

func (s *scoring) run(ctx context.Context) error {
	backend, _, err := openBackend(s.backend, s.log)
	if err != nil {
		return err
	}
	o, err := openModel(ctx, s.ref, s.revision, s.maxLength, s.log)
	if err != nil {
		return err
	}
	defer o.tokenizer.Close()
	o.warnPadding(s.log)
	table, err := data.OpenTable(s.file, s.columns)
	if err != nil {
		return err
	}
	defer table.Close()
	scorer, err := o.ensemble(backend)
	if err != nil {
		return err
	}
	writer, err := data.NewScoreWriter(s.out, table, o.members != nil)
	if err != nil {
		return err
	}
	if err := s.scoreTable(ctx, o, scorer, table, writer); err != nil {
		return errors.Join(err, writer.Abort())
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return s.say(o, writer.Replaced())
}

// scoreTable goes through the table chunk by chunk: read, encode, score,
// write, in order.
func (s *scoring) scoreTable(ctx context.Context, o *opened, scorer *model.Ensemble, table *data.Table, writer *data.ScoreWriter) error {
	s.unscored = map[string]int{}
	total := int(table.NumRows())
	bar := newProgress(s.log, "score", "rows", total)
	defer bar.finish()
	for {
		records, err := readChunk(table)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return nil
		}
		scores, err := s.scoreChunk(ctx, o, scorer, records)
		if err != nil {
			return err
		}
		for i, record := range records {
			if err := writer.Write(record, scores[i]); err != nil {
				return err
			}
		}
		s.rows += len(records)
		bar.set(s.rows, total, "")
	}
}

func readChunk(table *data.Table) ([]data.Record, error) {
	var records []data.Record
	for len(records) < scoreChunk {
		record, err := table.Next()
		if err == io.EOF {
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

// scoreChunk encodes on every CPU, then scores what could be encoded.
func (s *scoring) scoreChunk(ctx context.Context, o *opened, scorer *model.Ensemble, records []data.Record) ([][]data.Score, error) {
	scores, tokens := make([][]data.Score, len(records)), make([][]data.Tokens, len(records))
	group := errgroup.Group{}
	group.SetLimit(runtime.NumCPU())
	for i, record := range records {
		group.Go(func() (err error) {
			scores[i], tokens[i], err = o.encodeRecord(record)
			if err != nil {
				return fmt.Errorf("score %s: row %d: %w", s.file, record.Row, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var sequences [][]int32
	var targets []*data.Score
	for i := range records {
		s.count(records[i], scores[i])
		for j := range scores[i] {
			if scores[i][j].Reason == "" {
				sequences, targets = append(sequences, tokens[i][j].IDs), append(targets, &scores[i][j])
			}
		}
	}
	rewards, std, err := scorer.ScoreWithStd(ctx, sequences, nil)
	if err != nil {
		return nil, err
	}
	for i, reward := range rewards {
		targets[i].Reward, targets[i].Valid = reward, true
		targets[i].Spread = data.Spread{Std: std[i], Lower: reward - float32(o.members.lowerBy())*std[i]}
	}
	return scores, nil
}

// count keeps the sums that are said at the end.
func (s *scoring) count(record data.Record, scores []data.Score) {
	if record.Problem != "" {
		s.unscored[record.Problem]++
		return
	}
	reason := ""
	for _, score := range scores {
		if score.Truncated {
			s.truncated++
		}
		if score.Reason != "" {
			reason = score.Reason
		}
	}
	if reason != "" {
		s.unscored[reason]++
	}
}

// noTokens is the reason of a text that gives nothing to score.
const noTokens = "no_tokens"

// encodeRecord encodes the texts of a row. What lies in the row's own text is
// a reason in its score, not an error.
func (o *opened) encodeRecord(record data.Record) ([]data.Score, []data.Tokens, error) {
	scores, tokens := make([]data.Score, len(record.Completions)), make([]data.Tokens, len(record.Completions))
	for j, completion := range record.Completions {
		t, err := o.tokenizer.EncodeCompletion(completion, o.maxLength, o.side)
		switch {
		case errors.Is(err, tokenizer.ErrText):
			scores[j].Reason = err.Error()
			continue
		case err != nil:
			return nil, nil, err
		case len(t.IDs) == 0:
			scores[j].Reason = noTokens
			continue
		}
		if err := o.checkIDs(t.IDs); err != nil {
			return nil, nil, err
		}
		tokens[j] = t
		scores[j].Tokens, scores[j].Truncated = len(t.IDs), t.Cut > 0
	}
	return scores, tokens, nil
}

func (s *scoring) say(o *opened, replaced []string) error {
	unscored := 0
	for _, reason := range slices.Sorted(maps.Keys(s.unscored)) {
		fmt.Fprintf(s.log, "no reward for %d rows: %s\n", s.unscored[reason], reason)
		unscored += s.unscored[reason]
	}
	for _, name := range replaced {
		fmt.Fprintf(s.log, "column %s of the input gave way to the new one\n", name)
	}
	if s.truncated > 0 {
		fmt.Fprintf(s.log, "%d sequences cut to max_length %d\n", s.truncated, o.maxLength)
	}
	_, err := fmt.Fprintf(s.log, "scored %d of %d rows: %s\n", s.rows-unscored, s.rows, s.out)
	return err
}
