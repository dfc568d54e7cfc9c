package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// rowFile is a file of rows that is being written aside.
type rowFile[T any] struct {
	file   *asideFile
	buffer *bufio.Writer
	rows   rowWriter[T]
}

// beginRows begins a file; rows makes the writer of its layout.
func beginRows[T any](path string, rows func(io.Writer) rowWriter[T]) (*rowFile[T], error) {
	file, err := createAside(path)
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(file, 1<<20)
	return &rowFile[T]{file, buffer, rows(buffer)}, nil
}

// Write writes the next row.
func (f *rowFile[T]) Write(value T) error {
	if err := f.rows.write(value); err != nil {
		return fmt.Errorf("write %s: %w", f.file.path, err)
	}
	return nil
}

// closeAll finishes all files before it gives any of them its name.
func closeAll[T any](files ...*rowFile[T]) error {
	for _, f := range files {
		if err := errors.Join(f.rows.close(), f.buffer.Flush()); err != nil {
			return errors.Join(fmt.Errorf("write %s: %w", f.file.path, err), abortAll(files...))
		}
	}
	for i, f := range files {
		if err := f.file.commit(); err != nil {
			return errors.Join(err, abortAll(files[i+1:]...))
		}
	}
	return nil
}

// abortAll removes what was written.
func abortAll[T any](files ...*rowFile[T]) error {
	var problems []error
	for _, f := range files {
		problems = append(problems, f.file.abort())
	}
	return errors.Join(problems...)
}
