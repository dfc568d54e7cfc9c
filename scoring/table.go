package scoring

import (
	"context"
	"errors"
	"fmt"
	"io"

	"laurel/data"
)

// GroupRows is how many rows of a table are scored together, and kept together,
// where nothing else is asked for.
const GroupRows = 4096

// Tally is what scoring a table came to.
type Tally struct {
	Rows      int
	Truncated int            // sequences cut to max_length
	Unscored  map[string]int // rows without a reward, by reason
}

// Groups are those rows of a table that are to be scored: group g has the Rows
// rows from row g·Rows on, the last what is left.
type Groups struct {
	Rows  int
	Shard data.Shard // which of them
	From  int        // and of these the first that is wanted
}

// ScoreGroups scores groups of rows of a table and hands each with the scores of
// its rows (one a row; two for a pair) to put, in order. done, if not nil, hears
// how many rows of the table are through. It gives the number of rows in the
// table. A group's scores do not depend on which others are scored.
func (s *Scorer) ScoreGroups(ctx context.Context, table *data.Table, g Groups, put func(group int, scores [][]data.Score) error, done func(rows int)) (rows int, err error) {
	for group := 0; ; group++ {
		records, err := readGroup(ctx, table, g.Rows)
		if err != nil || len(records) == 0 {
			return rows, err
		}
		rows += len(records)
		if !g.Shard.Has(group) || group < g.From {
			continue
		}
		scores, err := s.scoreRecords(ctx, table, records)
		if err == nil {
			err = put(group, scores)
		}
		if err != nil {
			return rows, err
		}
		if done != nil {
			done(rows)
		}
	}
}

func readGroup(ctx context.Context, table *data.Table, rows int) ([]data.Record, error) {
	var records []data.Record
	for len(records) < rows {
		record, err := table.Next()
		if err == io.EOF {
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, ctx.Err()
}

// scoreRecords scores the completions of all records together.
func (s *Scorer) scoreRecords(ctx context.Context, table *data.Table, records []data.Record) ([][]data.Score, error) {
	var completions []data.Completion
	var of []int // the record of each completion
	for i, record := range records {
		for _, completion := range record.Completions {
			completions, of = append(completions, completion), append(of, i)
		}
	}
	scores, err := s.Score(ctx, completions)
	if bad := (*encodeError)(nil); errors.As(err, &bad) {
		record := records[of[bad.at]]
		return nil, fmt.Errorf("score %s: %s %d: %w", table.File(), record.Unit, record.Row, bad.err)
	}
	if err != nil {
		return nil, err
	}
	byRecord := make([][]data.Score, len(records))
	for i, record := range records {
		if record.Problem != "" {
			byRecord[i] = table.NoScores(record.Problem)
			continue
		}
		n := len(record.Completions)
		byRecord[i], scores = scores[:n:n], scores[n:]
	}
	return byRecord, nil
}

// count takes the scores of one row.
func (t *Tally) count(scores []data.Score) {
	t.Rows++
	reason := ""
	for _, score := range scores {
		if score.Truncated {
			t.Truncated++
		}
		if score.Reason != "" {
			reason = score.Reason
		}
	}
	if reason != "" {
		t.Unscored[reason]++
	}
}

// UnscoredRows is the number of rows without a reward, for whatever reason.
func (t Tally) UnscoredRows() int {
	n := 0
	for _, rows := range t.Unscored {
		n += rows
	}
	return n
}
