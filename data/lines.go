package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// maxLine bounds one line or CSV record: a binary file without line ends must
// not fill the memory.
const maxLine = 256 << 20

// lineReader reads lines of any length from a text file, compressed by gzip or
// zstd or not at all, and counts them from 1.
type lineReader struct {
	file   *os.File
	packed string // gzip or zstd; "" for neither
	free   func() // of the decompressor
	buf    *bufio.Reader
	long   []byte // a line longer than buf
	line   int    // number of the line read last
}

func openLines(path string) (*lineReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, RootCause(err)
	}
	r := &lineReader{file: f, buf: bufio.NewReaderSize(f, 256<<10)}
	if err := r.unpack(); err != nil {
		f.Close()
		return nil, err
	}
	if bom, _ := r.buf.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		r.buf.Discard(3)
	}
	return r, nil
}

// unpack puts a decompressor between the file and its lines.
func (r *lineReader) unpack() error {
	magic, _ := r.buf.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte(gzipMagic)):
		gz, err := newGzipReader(r.buf)
		if err != nil {
			return fmt.Errorf("gzip header: %w: the file is damaged", err)
		}
		r.packed, r.buf = "gzip", bufio.NewReaderSize(gz, 256<<10)
	case bytes.Equal(magic, []byte(zstdMagic)):
		const most = 512 << 20 // bytes that a frame may ask to be kept
		zst, err := zstd.NewReader(r.buf, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(most))
		if err != nil {
			return fmt.Errorf("zstd: %w", err)
		}
		r.packed, r.free, r.buf = "zstd", zst.Close, bufio.NewReaderSize(zst, 256<<10)
	}
	return nil
}

// The first bytes of compressed files.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

// next returns the next line without its end; it is valid until the next call.
func (r *lineReader) next() ([]byte, error) {
	line, err := r.nextRaw()
	if err != nil {
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// nextRaw returns the next line with its end, if it has one.
func (r *lineReader) nextRaw() ([]byte, error) {
	r.long = r.long[:0]
	for {
		part, err := r.buf.ReadSlice('\n')
		if len(r.long)+len(part) > maxLine {
			return nil, fmt.Errorf("line %d is longer than %d bytes: not a text file of rows", r.line+1, maxLine)
		}
		switch {
		case err == nil && len(r.long) == 0:
			r.line++
			return part, nil
		case err == nil, err == io.EOF && len(r.long)+len(part) > 0:
			r.line++
			r.long = append(r.long, part...)
			return r.long, nil
		case errors.Is(err, bufio.ErrBufferFull):
			r.long = append(r.long, part...)
		case err == io.EOF:
			return nil, io.EOF
		default:
			return nil, r.failed(err)
		}
	}
}

func (r *lineReader) failed(err error) error {
	if r.packed != "" {
		return fmt.Errorf("line %d: the %s stream ends or breaks here (%w): the file is truncated or damaged, copy it again", r.line+1, r.packed, err)
	}
	return fmt.Errorf("line %d: %w", r.line+1, RootCause(err))
}

// firstByte is the first byte that is no white space, 0 where there is none.
func (r *lineReader) firstByte() (byte, error) {
	for {
		line, err := r.nextRaw()
		if err == io.EOF {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 {
			return trimmed[0], nil
		}
	}
}

func (r *lineReader) place() int   { return r.line }
func (r *lineReader) unit() string { return "line" }

func (r *lineReader) Close() error {
	if r.free != nil {
		r.free()
	}
	return r.file.Close()
}
