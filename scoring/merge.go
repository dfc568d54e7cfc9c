package scoring

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"laurel/data"
)

// Shards are the finished shards of one task, every one of them once.
type Shards struct {
	Task Task
	Rows int // of the table

	paths []string // by the shards' indexes
}

// OpenShards checks that the files hold every shard of one task exactly once,
// each finished.
func OpenShards(paths []string) (*Shards, error) {
	s := &Shards{}
	for i, path := range paths {
		head, rows, err := readShardEnds(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if i == 0 {
			s.Task, s.Rows, s.paths = head.Task, rows, make([]string, head.Of)
		}
		want := shardHead{shardFormat, head.Shard, s.Task}
		want.Of = len(s.paths)
		if err := head.sameAs(want); err != nil {
			return nil, fmt.Errorf("%s does not belong to %s: %w", path, paths[0], err)
		}
		if other := s.paths[head.Index]; other != "" {
			return nil, fmt.Errorf("%s and %s are both shard %v: name each once", other, path, head.Shard)
		}
		if rows != s.Rows {
			return nil, fmt.Errorf("%s tells of %d rows, %s of %d", paths[0], s.Rows, path, rows)
		}
		s.paths[head.Index] = path
	}
	return s, s.missing()
}

func (s *Shards) missing() error {
	var missing []string
	for i, path := range s.paths {
		if path == "" {
			missing = append(missing, data.Shard{Index: i, Of: len(s.paths)}.String())
		}
	}
	switch {
	case len(s.paths) == 0:
		return errors.New("no shards to merge")
	case len(missing) > 0:
		return fmt.Errorf("%d of %d shards are missing: %s: score them, with the same --out", len(missing), len(s.paths), strings.Join(missing, ", "))
	}
	return nil
}

// readShardEnds reads the first line of a shard's file, and its last.
func readShardEnds(path string) (head shardHead, rows int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return head, 0, err
	}
	defer file.Close()
	first, err := newShardLines(file).next()
	if err != nil {
		return head, 0, err
	}
	const most = 256 // bytes of an end
	info, err := file.Stat()
	if err != nil {
		return head, 0, err
	}
	tail := make([]byte, min(most, info.Size()))
	if _, err := file.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return head, 0, err
	}
	lines := strings.SplitAfter(string(tail), "\n")
	last, err := parseShardLine([]byte(lines[max(len(lines)-2, 0)]))
	if err != nil || last.End == nil {
		return head, 0, fmt.Errorf("shard %v is not finished: start it again, and it goes on", first.Head.Shard)
	}
	return *first.Head, last.End.Rows, nil
}

// Fits refuses a table that is not the one that was scored.
func (s *Shards) Fits(table *data.Table) error {
	input, err := InputHash(table.File())
	if err != nil {
		return err
	}
	if input != s.Task.Input || table.Pairs() != s.Task.Pairs {
		return fmt.Errorf("the scores in %s are those of another input than %s: give the file that was scored", s.paths[0], table.File())
	}
	return nil
}

// Write writes the columns of the table that was scored and the scores into a
// file, as data.NewScoreWriter does; each hears the scores of every row, in order,
// and may be nil. replaced are columns of the input that gave way to the scores.
func (s *Shards) Write(out string, table *data.Table, each func(scores []data.Score) error) (tally Tally, replaced []string, err error) {
	writer, err := data.NewScoreWriter(out, table, data.ScoreColumns{Ensemble: s.Task.Ensemble, Temperature: s.Task.Temperature})
	if err != nil {
		return tally, nil, err
	}
	tally.Unscored = map[string]int{}
	err = s.read(table.PerRow(), func(scores []data.Score) error {
		tally.count(scores)
		if each != nil {
			if err := each(scores); err != nil {
				return err
			}
		}
		return writer.Write(scores)
	})
	if err == nil && tally.Rows != s.Rows {
		err = fmt.Errorf("the shards have the scores of %d rows, and tell of %d: remove them and score again", tally.Rows, s.Rows)
	}
	if err != nil {
		return tally, nil, errors.Join(err, writer.Abort())
	}
	return tally, writer.Replaced(), writer.Close()
}

// read gives the scores of all rows in order, a group of each shard in memory.
func (s *Shards) read(perRow int, row func([]data.Score) error) error {
	shards := make([]*shardLines, len(s.paths))
	for i, path := range s.paths {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		shards[i] = newShardLines(file)
		if _, err := shards[i].next(); err != nil { // the head
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for group := 0; ; group++ {
		i := group % len(shards)
		line, err := shards[i].next()
		switch {
		case err == io.EOF || err == nil && line.End != nil:
			return nil
		case err == nil && line.Group.Group != group:
			err = fmt.Errorf("group %d where group %d is next", line.Group.Group, group)
		}
		var scores [][]data.Score
		if err == nil {
			scores, err = line.Group.scores(perRow, s.Task.Ensemble)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.paths[i], err)
		}
		for _, one := range scores {
			if err := row(one); err != nil {
				return err
			}
		}
	}
}

// Remove removes the files of the shards.
func (s *Shards) Remove() error {
	var problems []error
	for _, path := range slices.Compact(slices.Clone(s.paths)) {
		problems = append(problems, os.Remove(path))
	}
	return errors.Join(problems...)
}
