package feedback

import (
	"bufio"
	"fmt"
	"io"
)

// maxStoreLine is more than any reply has; a longer line is damage.
const maxStoreLine = 64 << 20

// load reads the file from its beginning into the index, and repairs its end.
func (s *Store) load() error {
	in := bufio.NewReaderSize(io.NewSectionReader(s.file, 0, 1<<62), 1<<20)
	for {
		raw, err := readStoreLine(in)
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", s.lines+1, err)
		}
		if err == io.EOF {
			return s.repairEnd(raw)
		}
		line, err := parseStoreLine(raw)
		if err != nil {
			return fmt.Errorf("line %d is damaged: %w; restore it from a copy, or delete the line, and what it held will be asked for again", s.lines+1, err)
		}
		s.take(line, int32(len(raw)))
	}
}

// readStoreLine reads one line with its end; at the file's end it is io.EOF
// and what there is of a line.
func readStoreLine(in *bufio.Reader) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if err != bufio.ErrBufferFull {
			return line, err
		}
		if len(line) > maxStoreLine {
			return nil, fmt.Errorf("longer than %d bytes: the file is damaged", maxStoreLine)
		}
	}
}

// repairEnd makes the last line whole where only its end is missing, and cuts it
// off else: its writer was killed in it.
func (s *Store) repairEnd(last []byte) error {
	if len(last) == 0 {
		return nil
	}
	line, err := parseStoreLine(last)
	if err == nil {
		if _, err := s.file.WriteAt([]byte("\n"), s.size+int64(len(last))); err != nil {
			return err
		}
		s.take(line, int32(len(last)+1))
		s.Repaired = fmt.Sprintf("%s: the end of the last line was missing and is repaired", s.path)
		return s.file.Sync()
	}
	if err := s.file.Truncate(s.size); err != nil {
		return err
	}
	s.Repaired = fmt.Sprintf("%s: the last line was cut short after %d bytes, as a killed run leaves it: cut off", s.path, len(last))
	return s.file.Sync()
}
