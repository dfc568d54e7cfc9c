package triage

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// setFile keeps the shingles of all texts in a scratch file that has no name, so
// that nothing is left of it however the process ends, and memory does not grow
// with the texts.
type setFile struct {
	file   *os.File
	out    *bufio.Writer
	end    int64
	begins []int64    // of each pair's sets
	sizes  [][3]int32 // of prompt, chosen and rejected
}

func newSetFile(dir string) (*setFile, error) {
	file, err := os.CreateTemp(dir, ".laurel-shingles-")
	if err != nil {
		return nil, fmt.Errorf("scratch file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("scratch file: %w", err), file.Close())
	}
	return &setFile{file: file, out: bufio.NewWriterSize(file, 1<<20)}, nil
}

// add appends the sets of the next pair.
func (f *setFile) add(sets [3][]uint64) error {
	f.begins = append(f.begins, f.end)
	var sizes [3]int32
	var raw [8]byte
	for part, set := range sets {
		sizes[part] = int32(len(set))
		for _, x := range set {
			binary.LittleEndian.PutUint64(raw[:], x)
			if _, err := f.out.Write(raw[:]); err != nil {
				return fmt.Errorf("scratch file: %w", err)
			}
		}
		f.end += 8 * int64(len(set))
	}
	f.sizes = append(f.sizes, sizes)
	return nil
}

// written makes all that was added readable.
func (f *setFile) written() error { return f.out.Flush() }

// of reads the sets of a pair back.
func (f *setFile) of(pair int32) (sets [3][]uint64, err error) {
	n := 0
	for _, size := range f.sizes[pair] {
		n += int(size)
	}
	raw := make([]byte, 8*n)
	if _, err := f.file.ReadAt(raw, f.begins[pair]); err != nil {
		return sets, fmt.Errorf("scratch file: %w", err)
	}
	for part, size := range f.sizes[pair] {
		sets[part] = make([]uint64, size)
		for i := range sets[part] {
			sets[part][i], raw = binary.LittleEndian.Uint64(raw), raw[8:]
		}
	}
	return sets, nil
}

func (f *setFile) close() error { return f.file.Close() }
