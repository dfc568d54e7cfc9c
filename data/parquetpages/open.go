package parquetpages

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Damaged is the advice that ends an error about bytes that cannot be right.
const Damaged = "the file is truncated or damaged: copy or write it again"

// File is an open Parquet file: its footer as parquet-go sees it, and its row
// groups as they are on disk.
type File struct {
	*parquet.File
	Disk   *os.File
	groups []format.RowGroup
}

// Open checks the footer, which parquet-go would trust, and tells parquet-go
// of a file without compression (see pageStream).
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	file, err := read(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return file, nil
}

// NumGroups is the number of row groups.
func (f *File) NumGroups() int { return len(f.groups) }

// GroupRows is the number of rows in a row group.
func (f *File) GroupRows(group int) int64 { return f.groups[group].NumRows }

// Close closes the file; the leaves are closed before it.
func (f *File) Close() error { return f.Disk.Close() }

func read(f *os.File) (file *File, err error) {
	defer Recover(&err)
	footer, err := readFooter(f)
	if err != nil {
		return nil, err
	}
	onDisk, shown := new(format.FileMetaData), new(format.FileMetaData)
	for _, meta := range []*format.FileMetaData{onDisk, shown} {
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, meta); err != nil {
			return nil, fmt.Errorf("Parquet footer: %w: %s", err, Damaged)
		}
	}
	hideCompression(shown)
	tail, err := thrift.Marshal(new(thrift.CompactProtocol), shown)
	if err != nil {
		return nil, fmt.Errorf("Parquet footer: %w: %s", err, Damaged)
	}
	tail = append(binary.LittleEndian.AppendUint32(tail, uint32(len(tail))), "PAR1"...)
	whole := "PAR1" + string(tail)
	opened, err := parquet.OpenFile(strings.NewReader(whole), int64(len(whole)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("Parquet footer: %w: %s", err, Damaged)
	}
	return &File{opened, f, onDisk.RowGroups}, checkGroups(opened)
}

// hideCompression makes every chunk begin at 0, without end or compression,
// as pageStream gives it.
func hideCompression(meta *format.FileMetaData) {
	meta.KeyValueMetadata = nil
	for g := range meta.RowGroups {
		for c := range meta.RowGroups[g].Columns {
			chunk := &meta.RowGroups[g].Columns[c]
			chunk.MetaData.Codec = format.Uncompressed
			chunk.MetaData.TotalCompressedSize = 1 << 60
			chunk.MetaData.DataPageOffset, chunk.MetaData.DictionaryPageOffset = 0, 0
			chunk.MetaData.BloomFilterOffset, chunk.ColumnIndexOffset, chunk.OffsetIndexOffset = 0, 0, 0
			chunk.MetaData.Statistics = format.Statistics{}
		}
	}
}

// Recover, deferred around whatever reads or writes through parquet-go, turns
// its panic into an error: some malformed bytes make it index out of range.
// This is the one place where we recover.
func Recover(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("Parquet: %v: %s", p, Damaged)
	}
}

// readFooter reads the metadata of "PAR1" pages metadata length "PAR1", where
// the length has 4 bytes, little endian.
func readFooter(f *os.File) ([]byte, error) {
	const least = 12
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size < least {
		return nil, fmt.Errorf("%d bytes, but a Parquet file has at least %d: %s", size, least, Damaged)
	}
	tail := make([]byte, 8)
	if _, err := f.ReadAt(tail, size-8); err != nil {
		return nil, err
	}
	switch string(tail[4:]) {
	case "PAR1":
	case "PARE":
		return nil, errors.New("the Parquet file is encrypted: decrypt it first")
	default:
		return nil, fmt.Errorf("the Parquet file has no footer (it does not end in PAR1): %s", Damaged)
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	if length > size-least {
		return nil, fmt.Errorf("the Parquet footer claims %d bytes, but the file has %d: %s", length, size, Damaged)
	}
	footer := make([]byte, length)
	if _, err := io.ReadFull(io.NewSectionReader(f, size-8-length, length), footer); err != nil {
		return nil, err
	}
	used, err := thriftStruct(footer) // a signature may follow
	if err != nil {
		return nil, fmt.Errorf("Parquet footer: %w: %s", err, Damaged)
	}
	return footer[:used], nil
}

// checkGroups compares the row groups with the schema and the row count.
func checkGroups(file *parquet.File) error {
	meta := file.Metadata()
	leaves := len(file.Schema().Columns())
	rows := int64(0)
	for g, group := range meta.RowGroups {
		if len(group.Columns) != leaves || group.NumRows < 0 {
			return fmt.Errorf("Parquet footer: row group %d does not fit the schema: %s", g, Damaged)
		}
		rows += group.NumRows
	}
	if rows != meta.NumRows {
		return fmt.Errorf("Parquet footer: %d rows, but the row groups add up to %d: %s", meta.NumRows, rows, Damaged)
	}
	return nil
}
