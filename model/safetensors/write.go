package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"laurel/data"
)

// Source is a tensor to be written. Exactly one of Float32 and Bytes is
// set; it is called once, when the tensor's turn comes, so that one tensor at a
// time is in memory.
type Source struct {
	Name  string
	DType string
	Shape []int

	// Float32 yields the values, row-major, which are rounded to DType: F32, F16, BF16 or F64.
	Float32 func() ([]float32, error)
	// Bytes yields the tensor as it shall lie in the file: any DType, little-endian.
	Bytes func() ([]byte, error)
}

// Write writes a safetensors file, aside first and then renamed, so
// that path is the old file or the whole new one at every instant. The order is
// the reference's (widest dtype first, then by name) whatever order the tensors
// come in, so equal tensors give equal bytes. Metadata may be nil; transformers
// asks for {"format": "pt"}.
func Write(path string, tensors []Source, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortStableFunc(tensors, func(a, b Source) int {
		rankA, _, _ := dtypeRank(a.DType)
		rankB, _, _ := dtypeRank(b.DType)
		return cmp.Or(cmp.Compare(rankB, rankA), cmp.Compare(a.Name, b.Name))
	})
	header, err := encodeHeader(tensors, metadata)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return data.WriteAside(path, func(w io.Writer) error {
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, t := range tensors {
			if err := t.writeTo(w); err != nil {
				return fmt.Errorf("tensor %q: %w", t.Name, err)
			}
		}
		return nil
	})
}

// encodeHeader returns the length, the JSON and the spaces that pad it to eight bytes.
func encodeHeader(tensors []Source, metadata map[string]string) ([]byte, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	if len(metadata) > 0 {
		if err := writeField(&text, "__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{"__metadata__": true}
	var end int64
	for _, t := range tensors {
		if seen[t.Name] || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("tensor %q: comes twice, is reserved or is not UTF-8", t.Name)
		}
		seen[t.Name] = true
		size, err := byteSize(t.DType, t.Shape)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if err := writeField(&text, t.Name, headerEntry{t.DType, append([]int{}, t.Shape...), [2]int64{end, end + size}}); err != nil {
			return nil, err
		}
		end += size
	}
	text.WriteByte('}')
	text.Write(bytes.Repeat([]byte(" "), (8-text.Len()%8)%8))
	if text.Len() > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes is over the format's %d", text.Len(), maxHeader)
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(text.Len())), text.Bytes()...), nil
}

type headerEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

func writeField(text *bytes.Buffer, key string, value any) error {
	if text.Len() > 1 {
		text.WriteByte(',')
	}
	enc := json.NewEncoder(text)
	enc.SetEscapeHTML(false)
	for i, v := range []any{key, value} {
		if err := enc.Encode(v); err != nil {
			return err
		}
		text.Truncate(text.Len() - 1) // the encoder ends each value with a newline
		if i == 0 {
			text.WriteByte(':')
		}
	}
	return nil
}

func (t Source) writeTo(w io.Writer) error {
	size, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return err
	}
	switch {
	case (t.Float32 == nil) == (t.Bytes == nil):
		return errors.New("needs either Float32 or Bytes")
	case t.Float32 != nil:
		return t.writeFloats(w, size)
	}
	raw, err := t.Bytes()
	if err != nil {
		return err
	}
	if int64(len(raw)) != size {
		return fmt.Errorf("%d bytes for %s %v, which takes %d", len(raw), t.DType, t.Shape, size)
	}
	_, err = w.Write(raw)
	return err
}

func (t Source) writeFloats(w io.Writer, size int64) error {
	width := floatWidth(t.DType)
	if width == 0 {
		return fmt.Errorf("float32 values cannot be written as %s", t.DType)
	}
	values, err := t.Float32()
	if err != nil {
		return err
	}
	if int64(len(values))*int64(width) != size {
		return fmt.Errorf("%d values for shape %v", len(values), t.Shape)
	}
	raw := make([]byte, 0, width*min(partValues, len(values)))
	for part := range slices.Chunk(values, partValues) {
		if raw, err = encodeFloats(raw[:0], part, t.DType); err != nil {
			return err
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return nil
}
