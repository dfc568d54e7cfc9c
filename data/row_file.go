package data

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
)

// RowFile is a file of rows that is being written aside.
type RowFile[T any] struct {
	file   *asideFile
	buffer *bufio.Writer
	rows   RowWriter[T]
}

// BeginRows begins a file; rows makes the writer of its layout.
func BeginRows[T any](path string, rows func(io.Writer) RowWriter[T]) (*RowFile[T], error) {
	file, err := createAside(path)
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(file, 1<<20)
	return &RowFile[T]{file, buffer, rows(buffer)}, nil
}

// Write writes the next row.
func (f *RowFile[T]) Write(value T) error {
	if err := f.rows.Write(value); err != nil {
		return fmt.Errorf("write %s: %w", f.file.path, err)
	}
	return nil
}

// CloseAll finishes all files before it gives any of them its name.
func CloseAll[T any](files ...*RowFile[T]) error {
	for _, f := range files {
		if err := cmp.Or(f.rows.Close(), f.buffer.Flush()); err != nil {
			return errors.Join(fmt.Errorf("write %s: %w", f.file.path, err), AbortAll(files...))
		}
	}
	for i, f := range files {
		if err := f.file.commit(); err != nil {
			return errors.Join(err, AbortAll(files[i+1:]...))
		}
	}
	return nil
}

// AbortAll removes what was written.
func AbortAll[T any](files ...*RowFile[T]) error {
	var problems []error
	for _, f := range files {
		problems = append(problems, f.file.abort())
	}
	return errors.Join(problems...)
}
