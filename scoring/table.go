package scoring

import (
	"context"
	"errors"
	"fmt"
	"io"

	"laurel/data"
)

// chunkRows is how many rows of a table are in memory at a time.
const chunkRows = 4096

// Tally is what scoring a table came to.
type Tally struct {
	Rows      int
	Truncated int            // sequences cut to max_length
	Unscored  map[string]int // rows without a reward, by reason
}

// ScoreTable scores the rows of a table chunk by chunk and hands each with its
// scores (one; two for a pair) to write, in order. done, if not nil, hears how
// many rows are through.
func (s *Scorer) ScoreTable(ctx context.Context, table *data.Table, write func(data.Record, []data.Score) error, done func(rows int)) (Tally, error) {
	tally := Tally{Unscored: map[string]int{}}
	for {
		records, err := readChunk(table)
		if err != nil || len(records) == 0 {
			return tally, err
		}
		scores, err := s.scoreRecords(ctx, table, records)
		if err != nil {
			return tally, err
		}
		for i, record := range records {
			tally.count(record, scores[i])
			if err := write(record, scores[i]); err != nil {
				return tally, err
			}
		}
		tally.Rows += len(records)
		if done != nil {
			done(tally.Rows)
		}
	}
}

func readChunk(table *data.Table) ([]data.Record, error) {
	var records []data.Record
	for len(records) < chunkRows {
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
		n := len(record.Completions)
		byRecord[i], scores = scores[:n:n], scores[n:]
	}
	return byRecord, nil
}

func (t *Tally) count(record data.Record, scores []data.Score) {
	if record.Problem != "" {
		t.Unscored[record.Problem]++
		return
	}
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
