package parquetpages

import (
	"encoding/binary"
	"errors"
)

// errThriftShort: the bytes end inside the struct; errThrift: they are none.
var (
	errThriftShort = errors.New("the metadata ends early")
	errThrift      = errors.New("the metadata is damaged")
)

// thriftStruct walks one struct of Thrift's compact protocol and returns its
// length. Parquet's footer and page headers are such structs. parquet-go
// allocates whatever length a list or string claims, up to 2^31 elements, and
// a damaged file would end the process; here every claim must fit in b.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
func thriftStruct(b []byte) (int, error) {
	w := thriftWalk{b: b}
	err := w.structure(0)
	return w.i, err
}

type thriftWalk struct {
	b []byte
	i int
}

const maxThriftDepth = 32

func (w *thriftWalk) byte() (byte, error) {
	if w.i >= len(w.b) {
		return 0, errThriftShort
	}
	w.i++
	return w.b[w.i-1], nil
}

func (w *thriftWalk) varint() (uint64, error) {
	n, size := binary.Uvarint(w.b[w.i:])
	switch {
	case size == 0:
		return 0, errThriftShort
	case size < 0:
		return 0, errThrift
	}
	w.i += size
	return n, nil
}

// advance skips n bytes that must be there.
func (w *thriftWalk) advance(n uint64) error {
	if n > uint64(len(w.b)-w.i) {
		return errThriftShort
	}
	w.i += int(n)
	return nil
}

func (w *thriftWalk) structure(depth int) error {
	if depth > maxThriftDepth {
		return errThrift
	}
	for {
		header, err := w.byte()
		if err != nil {
			return err
		}
		if header == 0 {
			return nil
		}
		if header>>4 == 0 { // the field's id follows, not a difference
			if _, err := w.varint(); err != nil {
				return err
			}
		}
		if kind := header & 0x0f; kind > 2 { // booleans lie in the header
			if err := w.value(kind, depth); err != nil {
				return err
			}
		}
	}
}

func (w *thriftWalk) value(kind byte, depth int) error {
	switch kind {
	case 1, 2, 3: // a boolean in a list, a byte
		return w.advance(1)
	case 4, 5, 6: // integers
		_, err := w.varint()
		return err
	case 7: // double
		return w.advance(8)
	case 8: // bytes
		n, err := w.varint()
		if err != nil {
			return err
		}
		return w.advance(n)
	case 9, 10: // list, set
		return w.list(depth)
	case 11:
		return w.mapping(depth)
	case 12:
		return w.structure(depth + 1)
	}
	return errThrift
}

func (w *thriftWalk) list(depth int) error {
	header, err := w.byte()
	if err != nil {
		return err
	}
	n := uint64(header >> 4)
	if n == 15 {
		if n, err = w.varint(); err != nil {
			return err
		}
	}
	return w.values(n, depth, header&0x0f)
}

func (w *thriftWalk) mapping(depth int) error {
	n, err := w.varint()
	if err != nil || n == 0 {
		return err
	}
	kinds, err := w.byte()
	if err != nil {
		return err
	}
	return w.values(n, depth, kinds>>4, kinds&0x0f)
}

// values walks n values of each kind; every value takes a byte at least.
func (w *thriftWalk) values(n uint64, depth int, kinds ...byte) error {
	if depth > maxThriftDepth {
		return errThrift
	}
	if n > uint64(len(w.b)-w.i) {
		return errThriftShort
	}
	for range n {
		for _, kind := range kinds {
			if err := w.value(kind, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
