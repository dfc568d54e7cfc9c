package scoring

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"laurel/data"
)

// Task is all that decides the scores of a table. What was scored for one task is
// of no use to another.
type Task struct {
	Model     string `json:"model"` // its Hash
	Input     string `json:"input"` // SHA-256 of the file
	GroupRows int    `json:"group_rows"`
	Pairs     bool   `json:"pairs"`
	Ensemble  bool   `json:"ensemble"`
	// Temperature of the probabilities that are written of pairs; 0 for none.
	Temperature float64           `json:"probability_temperature,omitempty"`
	Settings    map[string]string `json:"settings"` // by the names that a user gives them
}

// InputHash tells a file of rows from others: SHA-256 of a zero byte and its content.
func InputHash(path string) (string, error) {
	sum := sha256.New()
	if err := hashFile(path, "", sum); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// differences say in what another task differs.
func (t Task) differences(other Task) (out []string) {
	if t.Model != other.Model {
		out = append(out, "another model (or other weights)")
	}
	if t.Input != other.Input || t.Pairs != other.Pairs || t.Ensemble != other.Ensemble {
		out = append(out, "another input")
	}
	mine, theirs := maps.Clone(t.Settings), maps.Clone(other.Settings)
	mine["group-rows"], theirs["group-rows"] = fmt.Sprint(t.GroupRows), fmt.Sprint(other.GroupRows)
	if t.Temperature != other.Temperature {
		mine["probability at T"], theirs["probability at T"] = fmt.Sprint(t.Temperature), fmt.Sprint(other.Temperature)
	}
	keys := maps.Clone(mine)
	maps.Copy(keys, theirs)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if mine[key] != theirs[key] {
			out = append(out, fmt.Sprintf("%s %s, not %s", key, cmp.Or(theirs[key], "none"), cmp.Or(mine[key], "none")))
		}
	}
	return out
}

// ShardFile keeps the scores of a shard, group by group, while they are computed.
// The file only grows. A group is with the kernel when Put returns, so that a process
// killed at any instant loses no more than the group it was at, and on disk with
// the first that comes a second later: what a power cut takes is scored again. One
// process writes the file at a time.
type ShardFile struct {
	Groups Groups // From is beyond the last that is there
	Kept   int    // groups that were there when it was opened
	// Rows is the number of rows of the whole table, -1 until the shard is
	// finished.
	Rows int
	// Repaired says that a line was not whole, as a killed process leaves it; empty
	// where all are.
	Repaired string

	ensemble bool
	path     string
	file     *os.File
	lock     *flock.Flock
	synced   time.Time
}

// ErrOtherTask is that of a file that holds scores of another task.
var ErrOtherTask = errors.New("scores of another run")

// OpenShard opens the file of a shard, a new one where there is none or where it
// holds another task's and anew is set.
func OpenShard(path string, task Task, shard data.Shard, anew bool) (*ShardFile, error) {
	f := &ShardFile{Groups: Groups{Rows: task.GroupRows, Shard: shard}, Rows: -1, ensemble: task.Ensemble, path: path, lock: flock.New(path, flock.SetPermissions(0o644))}
	locked, err := f.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if !locked {
		return nil, fmt.Errorf("%s is being written by another process, which scores the same shard: wait for its end", path)
	}
	if err := f.open(task, anew); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.close())
	}
	return f, nil
}

func (f *ShardFile) open(task Task, anew bool) (err error) {
	if f.file, err = os.OpenFile(f.path, os.O_RDWR, 0); err != nil {
		return err
	}
	head := shardHead{Format: shardFormat, Shard: f.Groups.Shard, Task: task}
	err = f.load(head)
	if anew && err != nil {
		f.Groups.From, f.Kept, f.Rows, f.Repaired, err = 0, 0, -1, "", f.file.Truncate(0)
	}
	size, seekErr := f.file.Seek(0, io.SeekEnd)
	if err = errors.Join(err, seekErr); err == nil && size == 0 {
		err = errors.Join(f.write(shardLine{Head: &head}), data.SyncFolder(filepath.Dir(f.path)))
	}
	return err
}

// load reads what is there already, up to a line that is not whole, and cuts off
// the rest.
func (f *ShardFile) load(head shardHead) error {
	lines := newShardLines(f.file)
	for {
		line, err := lines.next()
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, errDamaged):
			f.Repaired = fmt.Sprintf("%s: line %d is damaged, or cut short as a killed process leaves it: its rows and those after it are scored again", f.path, lines.line)
			return f.file.Truncate(lines.size)
		case err != nil:
			return err
		case line.Head != nil:
			err = line.Head.sameAs(head)
		case line.Group != nil:
			f.Groups.From, f.Kept = line.Group.Group+1, f.Kept+1
		case line.End != nil:
			f.Rows = line.End.Rows
		}
		if err != nil {
			return err
		}
	}
}

// Put keeps the scores of the next group.
func (f *ShardFile) Put(group int, scores [][]data.Score) error {
	f.Groups.From = group + 1
	return f.write(shardLine{Group: newGroupScores(group, scores, f.ensemble)})
}

// Finish says that every group is there, of a table of so many rows.
func (f *ShardFile) Finish(rows int) error {
	f.Rows, f.synced = rows, time.Time{}
	return f.write(shardLine{End: &shardEnd{rows}})
}

func (f *ShardFile) write(line shardLine) error {
	content, err := line.encode()
	if err == nil {
		_, err = f.file.Write(content)
	}
	if err == nil && time.Since(f.synced) > time.Second {
		err = f.file.Sync()
		f.synced = time.Now()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

// Close closes the file; one without a group is removed.
func (f *ShardFile) Close() error {
	var err error
	if f.Rows < 0 && f.Groups.From == 0 {
		err = os.Remove(f.path)
	}
	return errors.Join(err, f.close())
}

func (f *ShardFile) close() error {
	if f.file == nil {
		return f.lock.Unlock()
	}
	return errors.Join(f.file.Close(), f.lock.Unlock())
}

// ScoreShard scores what is not yet in the file, and finishes it.
func (s *Scorer) ScoreShard(ctx context.Context, table *data.Table, f *ShardFile, done func(rows int)) error {
	if f.Rows >= 0 {
		return nil
	}
	rows, err := s.ScoreGroups(ctx, table, f.Groups, f.Put, done)
	if err != nil {
		return err
	}
	return f.Finish(rows)
}

// shardLines reads the lines of a shard's file.
type shardLines struct {
	in   *bufio.Reader
	line int
	size int64 // of the whole lines read
}

func newShardLines(file io.Reader) *shardLines {
	return &shardLines{in: bufio.NewReaderSize(file, 1<<20)}
}

// errDamaged is that of a line that is not as it was written, or not whole.
var errDamaged = errors.New("is damaged, or cut short: start that shard again, and what is lost is scored again")

// next reads a line; io.EOF after the last.
func (l *shardLines) next() (line shardLine, err error) {
	raw, err := l.in.ReadBytes('\n')
	if err == io.EOF && len(raw) == 0 {
		return line, io.EOF
	}
	if err != nil && err != io.EOF {
		return line, err
	}
	l.line++
	line, bad := parseShardLine(raw)
	switch {
	case bad == nil && err == nil && (l.line == 1) == (line.Head != nil):
		l.size += int64(len(raw))
		return line, nil
	case l.line == 1 && err == nil:
		return line, errors.New("it is no file of laurel score's shards, or of another version's, or damaged: remove it, and its rows are scored again")
	}
	return line, fmt.Errorf("line %d %w", l.line, errDamaged)
}

// sameAs refuses a head of another task, or another shard.
func (h shardHead) sameAs(want shardHead) error {
	if h.Format != want.Format {
		return fmt.Errorf("format %d, want %d: it was written by another version of laurel; remove the file, and its rows are scored again", h.Format, want.Format)
	}
	different := want.Task.differences(h.Task)
	if h.Shard != want.Shard {
		different = append(different, fmt.Sprintf("shard %v, not %v", h.Shard, want.Shard))
	}
	if len(different) > 0 {
		return fmt.Errorf("%w: %s", ErrOtherTask, data.List(different))
	}
	return nil
}

// encode gives the line: CRC-32 of the JSON in hexadecimal, a space, the JSON.
func (l shardLine) encode() ([]byte, error) {
	content, err := json.Marshal(l)
	return fmt.Appendf(nil, "%08x %s\n", checksum(content), content), err
}
