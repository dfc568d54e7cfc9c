package data

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gzipReader reads the members of a gzip file one after the other. Zero bytes
// behind a member are padding, as gzip(1) and Python take them; anything else that
// is no member is an error.
type gzipReader struct {
	packed *bufio.Reader
	member *gzip.Reader
	err    error // at which the reading ended
}

func newGzipReader(packed *bufio.Reader) (*gzipReader, error) {
	member, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	member.Multistream(false)
	return &gzipReader{packed: packed, member: member}, nil
}

func (g *gzipReader) Read(p []byte) (n int, err error) {
	for n == 0 && g.err == nil {
		if n, g.err = g.member.Read(p); g.err == io.EOF {
			g.err = g.next()
		}
	}
	return n, g.err
}

// next goes on to the member behind this one; io.EOF where there is none.
func (g *gzipReader) next() error {
	for {
		b, err := g.packed.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			break
		}
	}
	if err := g.packed.UnreadByte(); err != nil {
		return err
	}
	if magic, _ := g.packed.Peek(len(gzipMagic)); !bytes.HasPrefix([]byte(gzipMagic), magic) {
		return fmt.Errorf("behind it lies what is no gzip, beginning with %q", magic)
	}
	err := g.member.Reset(g.packed)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // within the header
	}
	g.member.Multistream(false)
	return err
}
