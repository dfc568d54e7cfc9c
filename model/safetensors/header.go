// Package safetensors reads and writes the safetensors format: one file, or
// shards with an index.
package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"

	"laurel/data"
)

// The safetensors format, as the reference implementation (version 0.8) reads
// and writes it:
//
//	8 bytes   N, little-endian, length of the header
//	N bytes   JSON {"__metadata__": {string: string}, NAME: {"dtype", "shape",
//	          "data_offsets": [begin, end)}}, padded with spaces
//	the rest  the tensors' bytes, little-endian, row-major; offsets count from here

// maxHeader is the reference's bound on the header, in bytes.
const maxHeader = 100_000_000

// Tensor says where one tensor lies and what it is; its values are read by Weights.
type Tensor struct {
	Name  string
	DType string // as in the format: "F32", "F16", "BF16", "F64", "I64", "U8", …
	Shape []int  // empty for a scalar
	File  string // path of the file that holds it

	begin, end int64 // byte range within the file
	source     io.ReaderAt
}

// Elements is the product of the shape: 1 for a scalar.
func (t Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// readHeader reads and checks the whole header of a safetensors file of size
// bytes: the tensors come back in the order of their bytes, which they cover
// without gap or overlap.
func readHeader(file io.ReaderAt, size int64) ([]Tensor, map[string]string, error) {
	header, err := headerBytes(file, size)
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := parseHeader(header)
	if err != nil {
		return nil, nil, err
	}
	dataStart := 8 + int64(len(header))
	if err := checkRanges(tensors, size-dataStart); err != nil {
		return nil, nil, err
	}
	for i := range tensors {
		tensors[i].begin += dataStart
		tensors[i].end += dataStart
		tensors[i].source = file
	}
	return tensors, metadata, nil
}

func headerBytes(file io.ReaderAt, size int64) ([]byte, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, fmt.Errorf("%d bytes are too few for a safetensors file (cut short? fetch or copy it again)", size)
	}
	if _, err := file.ReadAt(length[:], 0); err != nil {
		return nil, fmt.Errorf("read the header's length: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		head := make([]byte, min(size, 64))
		if _, err := file.ReadAt(head, 0); err != nil {
			return nil, fmt.Errorf("read the header's length: %w", err)
		}
		if err := data.CheckPointer(head); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the header claims %d bytes, over the format's %d: not a safetensors file; fetch or write it again", n, maxHeader)
	}
	if int64(n) > size-8 {
		return nil, fmt.Errorf("the header claims %d bytes, the file has %d (cut short? fetch or copy it again)", n, size)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(file, 8, int64(n)), header); err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	return header, nil
}

// parseHeader reads the JSON; begin and end still count from the end of the header.
func parseHeader(header []byte) (tensors []Tensor, metadata map[string]string, err error) {
	if !bytes.HasPrefix(header, []byte("{")) || !utf8.Valid(header) {
		return nil, nil, errors.New("the header is not JSON text: not a safetensors file; fetch or write it again")
	}
	err = eachField(header, func(name string, value json.RawMessage) error {
		if name == "__metadata__" {
			metadata, err = parseMetadata(value)
			return err
		}
		t, err := parseTensor(name, value)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors = append(tensors, t)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	return tensors, metadata, nil
}

func parseMetadata(value json.RawMessage) (map[string]string, error) {
	metadata := map[string]string{}
	err := eachField(value, func(key string, value json.RawMessage) error {
		var s *string
		if err := json.Unmarshal(value, &s); err != nil || s == nil {
			return fmt.Errorf("%q is not a string", key)
		}
		metadata[key] = *s
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("__metadata__: %w", err)
	}
	return metadata, nil
}

func parseTensor(name string, value json.RawMessage) (Tensor, error) {
	t := Tensor{Name: name}
	var shape, offsets []int64
	var hasShape bool
	err := eachField(value, func(key string, value json.RawMessage) (err error) {
		switch key {
		case "dtype":
			err = json.Unmarshal(value, &t.DType)
		case "shape":
			shape, err = parseCounts(value)
			hasShape = true
		case "data_offsets":
			offsets, err = parseCounts(value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	if t.DType == "" || !hasShape || len(offsets) != 2 {
		return t, errors.New("needs dtype, shape and two data_offsets")
	}
	for _, d := range shape {
		t.Shape = append(t.Shape, int(d))
	}
	t.begin, t.end = offsets[0], offsets[1]
	return t, t.checkSize()
}

// parseCounts reads a JSON array of integers from 0 to the largest int.
func parseCounts(value json.RawMessage) ([]int64, error) {
	var numbers []*int64 // pointers, since a plain int64 takes null for 0
	if err := json.Unmarshal(value, &numbers); err != nil {
		return nil, err
	}
	if numbers == nil {
		return nil, errors.New("null")
	}
	counts := make([]int64, len(numbers))
	for i, n := range numbers {
		if n == nil || *n < 0 || *n > math.MaxInt {
			return nil, fmt.Errorf("entry %d is not a count", i)
		}
		counts[i] = *n
	}
	return counts, nil
}

// checkSize compares the byte range with dtype and shape.
func (t Tensor) checkSize() error {
	want, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return err
	}
	if t.end < t.begin || t.end-t.begin != want {
		return fmt.Errorf("%s %v takes %d bytes, data_offsets [%d, %d) hold %d", t.DType, t.Shape, want, t.begin, t.end, t.end-t.begin)
	}
	return nil
}

// byteSize is what a tensor of this dtype and shape takes in the file.
func byteSize(dtype string, shape []int) (int64, error) {
	_, width, ok := dtypeRank(dtype)
	if !ok {
		return 0, fmt.Errorf("unknown dtype %q", dtype)
	}
	product := uint64(width) // in bits: the smallest dtypes have four
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative size", shape)
		}
		high, low := bits.Mul64(product, uint64(d))
		if high != 0 || low > math.MaxInt64 {
			return 0, fmt.Errorf("shape %v overflows", shape)
		}
		product = low
	}
	if product%8 != 0 {
		return 0, fmt.Errorf("%s %v does not end on a byte", dtype, shape)
	}
	return int64(product / 8), nil
}

// checkRanges sorts the tensors by place and holds them to the data section:
// from its first byte to its last, no gap, no overlap.
func checkRanges(tensors []Tensor, dataSize int64) error {
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	var at int64
	for _, t := range tensors {
		switch {
		case t.end > dataSize:
			return fmt.Errorf("tensor %q ends at byte %d of %d bytes of data (cut short? fetch or copy it again)", t.Name, t.end, dataSize)
		case t.begin < at:
			return fmt.Errorf("tensor %q begins at byte %d, within the tensor before it", t.Name, t.begin)
		case t.begin > at:
			return fmt.Errorf("tensor %q begins at byte %d, %d bytes before it belong to none", t.Name, t.begin, t.begin-at)
		}
		at = t.end
	}
	if at != dataSize {
		return fmt.Errorf("%d bytes after the last tensor belong to none", dataSize-at)
	}
	return nil
}

// eachField walks one JSON object and refuses a key that comes twice, which
// encoding/json would let the last one win, as well as text after the object.
func eachField(object []byte, field func(key string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(object))
	if start, err := dec.Token(); err != nil {
		return err
	} else if start != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key := token.(string) // the decoder admits no other token here
		if seen[key] {
			return fmt.Errorf("%q comes twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if err := field(key, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("text after the JSON object")
	}
	return nil
}
