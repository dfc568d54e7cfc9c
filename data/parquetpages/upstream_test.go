package parquetpages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

type line struct {
	Text string `parquet:"text"`
}

// noise are lines that no codec makes shorter.
func noise(rows int) []line {
	rng := rand.New(rand.NewPCG(2, 2))
	out := make([]line, rows)
	for i := range out {
		b := make([]byte, 20+rng.IntN(300))
		for k := range b {
			b[k] = byte(33 + rng.IntN(90))
		}
		out[i].Text = string(b)
	}
	return out
}

func encode(t testing.TB, rows []line, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[line](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readTexts reads the first column of a file through this package.
func readTexts(t testing.TB, content []byte) (texts []string, err error) {
	t.Helper()
	defer Recover(&err)
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	leaf := file.NewLeaf(LeavesOf(file.Root())[0])
	defer leaf.Close()
	for group := range file.NumGroups() {
		if err := leaf.Open(group); err != nil {
			return texts, err
		}
		for range file.GroupRows(group) {
			v, err := leaf.Peek()
			if err != nil {
				return texts, NoEOF(err)
			}
			leaf.Skip()
			if !leaf.Null(v) {
				texts = append(texts, v.String())
			}
		}
	}
	return texts, nil
}

// upstream reads the file as parquet-go does by itself.
func upstream(content []byte) (texts []string, err error) {
	defer Recover(&err)
	r := parquet.NewGenericReader[line](bytes.NewReader(content))
	defer r.Close()
	rows := make([]line, 100)
	for {
		n, err := r.Read(rows)
		for _, row := range rows[:n] {
			texts = append(texts, strings.Clone(row.Text))
		}
		if err == io.EOF {
			return texts, nil
		}
		if err != nil {
			return texts, err
		}
	}
}

// needed checks that this package reads the rows and parquet-go does not.
func needed(t *testing.T, content []byte, rows []line) {
	t.Helper()
	same := func(got []string) bool {
		return slices.EqualFunc(got, rows, func(s string, row line) bool { return s == row.Text })
	}
	if got, err := readTexts(t, content); err != nil || !same(got) {
		t.Errorf("%d texts of %d, or others, %v", len(got), len(rows), err)
	}
	if got, err := upstream(content); err == nil && same(got) {
		t.Error("parquet-go reads this now: what works around it can go")
	} else {
		t.Logf("parquet-go: %d texts, %v", len(got), err)
	}
}

func TestUpstreamLosesLZ4Pages(t *testing.T) {
	rows := noise(1500)
	needed(t, encode(t, rows, parquet.Compression(&parquet.Lz4Raw), parquet.PageBufferSize(4000)), rows)
}

// parts are what lies before the footer, and the footer.
func parts(t testing.TB, file []byte) ([]byte, *format.FileMetaData) {
	t.Helper()
	end := len(file) - 8
	start := end - int(binary.LittleEndian.Uint32(file[end:]))
	meta := new(format.FileMetaData)
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), file[start:end], meta); err != nil {
		t.Fatal(err)
	}
	return file[:start:start], meta
}

func join(t testing.TB, pages []byte, meta *format.FileMetaData) []byte {
	t.Helper()
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), meta)
	if err != nil {
		t.Fatal(err)
	}
	out := append(slices.Clone(pages), footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), "PAR1"...)
}

func TestUpstreamKeepsTheFirstCodec(t *testing.T) {
	rows := noise(200)
	pages, meta := parts(t, encode(t, rows[:100], parquet.Compression(&parquet.Snappy)))
	more, second := parts(t, encode(t, rows[100:], parquet.Compression(&parquet.Zstd)))
	for _, group := range second.RowGroups {
		for c := range group.Columns {
			chunk := &group.Columns[c]
			chunk.MetaData.DataPageOffset += int64(len(pages) - 4)
			chunk.ColumnIndexOffset, chunk.OffsetIndexOffset = 0, 0
			chunk.ColumnIndexLength, chunk.OffsetIndexLength = 0, 0
		}
		group.FileOffset += int64(len(pages) - 4)
		meta.RowGroups = append(meta.RowGroups, group)
	}
	for g := range meta.RowGroups {
		chunk := &meta.RowGroups[g].Columns[0]
		chunk.ColumnIndexOffset, chunk.OffsetIndexOffset = 0, 0
		chunk.ColumnIndexLength, chunk.OffsetIndexLength = 0, 0
	}
	meta.NumRows += second.NumRows
	needed(t, join(t, append(pages, more[4:]...), meta), rows)
}

// Hadoop's framing and a bare block: the same file, its codec named LZ4.
func TestUpstreamLacksDeprecatedLZ4(t *testing.T) {
	rows := slices.Repeat([]line{{"preference pairs "}}, 50)
	pages, meta := parts(t, encode(t, rows, parquet.Compression(&parquet.Lz4Raw)))
	meta.RowGroups[0].Columns[0].MetaData.Codec = format.Lz4
	needed(t, join(t, pages, meta), rows)

	want := bytes.Repeat([]byte("preference pairs "), 50)
	packed, err := parquet.Lz4Raw.Encode(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	framed := append([]byte{0, 0, byte(len(want) >> 8), byte(len(want)), 0, 0, 0, byte(len(packed))}, packed...)
	for _, in := range [][]byte{packed, framed} {
		out := make([]byte, len(want))
		if n, err := lz4Hadoop(out, in); n != len(want) || err != nil || !bytes.Equal(out, want) {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}

// parquet-go itself is not tried: it would take the memory.
func TestDamagedLZ4Page(t *testing.T) {
	content := encode(t, slices.Repeat([]line{{"preference pairs "}}, 500), parquet.Compression(&parquet.Lz4Raw))
	pages, _ := parts(t, content)
	refused := 0
	for at := 4; at < len(pages); at++ {
		damaged := slices.Clone(content)
		damaged[at] ^= 0xff
		if _, err := readTexts(t, damaged); err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Errorf("%d bytes changed one by one, and no error", len(pages)-4)
	}
	if err := decompress(format.Lz4Raw, make([]byte, 100), []byte("\xff\xff\xff no block")); !errors.Is(err, errPacked) {
		t.Error(err)
	}
}

// A page header that claims more than its column has is refused before
// anything is allocated.
func TestPageClaims(t *testing.T) {
	content := encode(t, noise(10), parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(2))
	pages, meta := parts(t, content)
	chunk := meta.RowGroups[0].Columns[0].MetaData
	header, length, err := readPageHeader(bytes.NewReader(content), chunk.DataPageOffset, chunk.TotalCompressedSize)
	if err != nil {
		t.Fatal(err)
	}
	for name, claim := range map[string]func(*format.PageHeader){
		"bytes":  func(h *format.PageHeader) { h.UncompressedPageSize = 1<<31 - 1 },
		"packed": func(h *format.PageHeader) { h.CompressedPageSize = 1 << 30 },
		"values": func(h *format.PageHeader) { h.DataPageHeaderV2.V.NumValues = 1 << 30 },
	} {
		t.Run(name, func(t *testing.T) {
			h := *header
			claim(&h)
			b, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
			if err != nil {
				t.Fatal(err)
			}
			changed := slices.Concat(pages[:chunk.DataPageOffset], b, pages[chunk.DataPageOffset+length:])
			grown := *meta
			grown.RowGroups = slices.Clone(meta.RowGroups)
			grown.RowGroups[0].Columns = slices.Clone(meta.RowGroups[0].Columns)
			grown.RowGroups[0].Columns[0].MetaData.TotalCompressedSize += int64(len(b)) - length
			if _, err := readTexts(t, join(t, changed, &grown)); err == nil || !strings.Contains(err.Error(), "claims") {
				t.Error(err)
			}
		})
	}
}

// Whatever the bytes, reading ends, with rows or an error: it neither hangs
// nor takes memory without end.
func FuzzRead(f *testing.F) {
	for _, version := range []int{1, 2} {
		content := encode(f, noise(20), parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(version), parquet.PageBufferSize(500))
		f.Add(content)
		f.Add(content[:len(content)/2])
		for _, at := range []int{5, 20, len(content) - 30, len(content) - 100} {
			changed := slices.Clone(content)
			changed[at] ^= 0x55
			f.Add(changed)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		readTexts(t, content)
	})
}
