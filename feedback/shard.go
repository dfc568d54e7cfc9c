package feedback

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"

	"laurel/data"
)

// OfShard yields the comparisons of one shard of several. Those of equal texts, in
// either order, are in one, so that shards together ask what one run asks. counts
// are of the shard's comparisons, and of the rows that are skipped.
func OfShard(all func(*data.Counts) iter.Seq2[data.Comparison, error], shard data.Shard) func(*data.Counts) iter.Seq2[data.Comparison, error] {
	return func(counts *data.Counts) iter.Seq2[data.Comparison, error] {
		return func(yield func(data.Comparison, error) bool) {
			for c, err := range all(counts) {
				if err == nil && !shard.Has(place(&c, shard.Of)) {
					if counts != nil {
						counts.Read--
						counts.Kept--
					}
					continue
				}
				if !yield(c, err) {
					return
				}
			}
		}
	}
}

// place is the shard of a comparison, by its texts.
func place(c *data.Comparison, of int) int {
	key := min(textsKey(c.Prompt, c.A, c.B), textsKey(c.Prompt, c.B, c.A))
	n, _ := strconv.ParseUint(key[:15], 16, 64) // hexadecimal digits of a hash
	return int(n % uint64(of))
}

// JoinStores writes the lines of stores, one store after the other, as those of one
// run that is finished. A file that is there is left where it holds just these
// lines, and refused where it holds others.
func JoinStores(path string, stores []string) error {
	write := func(w io.Writer) error {
		for _, store := range stores {
			if err := copyStore(w, store); err != nil {
				return fmt.Errorf("store %s: %w", store, err)
			}
		}
		_, err := io.WriteString(w, "{\"finished\":true}\n")
		return err
	}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return data.WriteAside(path, write)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	same := &sameBytes{from: bufio.NewReader(file)}
	if err := write(same); err != nil {
		return err
	}
	if _, err := same.from.ReadByte(); same.differ || err != io.EOF {
		return fmt.Errorf("%s holds other answers than the shards: they were paid for, so move them away, or name another --out", path)
	}
	return nil
}

// copyStore writes the lines of a store but those that say that a run is finished.
func copyStore(w io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	for n := 1; ; n++ {
		raw, err := readStoreLine(in)
		switch {
		case err == io.EOF && len(raw) == 0:
			return nil
		case err == io.EOF:
			return errors.New("its last line is cut short: start that shard again")
		case err != nil:
			return fmt.Errorf("line %d: %w", n, err)
		}
		line, err := parseStoreLine(raw)
		if err != nil {
			return fmt.Errorf("line %d is damaged: %w", n, err)
		}
		if line.Finished {
			continue
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
}

// sameBytes compares what is written with what a reader has.
type sameBytes struct {
	from   *bufio.Reader
	differ bool
}

func (s *sameBytes) Write(p []byte) (int, error) {
	theirs := make([]byte, len(p))
	if _, err := io.ReadFull(s.from, theirs); err != nil || !bytes.Equal(p, theirs) {
		s.differ = true
	}
	return len(p), nil
}
