package data

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

const damaged = "the file is truncated or damaged: copy or write it again"

// parquetFile is an open Parquet file: its footer as parquet-go sees it, and
// its row groups as they are on disk.
type parquetFile struct {
	*parquet.File
	os     *os.File
	groups []format.RowGroup
}

// openParquetFile checks the footer, which parquet-go would trust, and tells
// parquet-go of a file without compression (see pageStream).
func openParquetFile(path string) (*parquetFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, RootCause(err)
	}
	file, err := readParquet(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return file, nil
}

func readParquet(f *os.File) (file *parquetFile, err error) {
	defer recoverParquet(&err)
	footer, err := readFooter(f)
	if err != nil {
		return nil, err
	}
	onDisk, shown := new(format.FileMetaData), new(format.FileMetaData)
	for _, meta := range []*format.FileMetaData{onDisk, shown} {
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, meta); err != nil {
			return nil, fmt.Errorf("Parquet footer: %w: %s", err, damaged)
		}
	}
	hideCompression(shown)
	tail, err := thrift.Marshal(new(thrift.CompactProtocol), shown)
	if err != nil {
		return nil, fmt.Errorf("Parquet footer: %w: %s", err, damaged)
	}
	tail = append(binary.LittleEndian.AppendUint32(tail, uint32(len(tail))), "PAR1"...)
	whole := "PAR1" + string(tail)
	opened, err := parquet.OpenFile(strings.NewReader(whole), int64(len(whole)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("Parquet footer: %w: %s", err, damaged)
	}
	return &parquetFile{opened, f, onDisk.RowGroups}, checkGroups(opened)
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

// recoverParquet turns a panic of parquet-go into an error: some malformed
// bytes make it index out of range. This is the one place where we recover.
func recoverParquet(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("Parquet: %v: %s", p, damaged)
	}
}

// readFooter reads the metadata of "PAR1" pages metadata length "PAR1", where
// the length has 4 bytes, little endian.
func readFooter(f *os.File) ([]byte, error) {
	const least = 12
	info, err := f.Stat()
	if err != nil {
		return nil, RootCause(err)
	}
	size := info.Size()
	if size < least {
		return nil, fmt.Errorf("%d bytes, but a Parquet file has at least %d: %s", size, least, damaged)
	}
	tail := make([]byte, 8)
	if _, err := f.ReadAt(tail, size-8); err != nil {
		return nil, RootCause(err)
	}
	switch string(tail[4:]) {
	case "PAR1":
	case "PARE":
		return nil, errors.New("the Parquet file is encrypted: decrypt it first")
	default:
		return nil, fmt.Errorf("the Parquet file has no footer (it does not end in PAR1): %s", damaged)
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	if length > size-least {
		return nil, fmt.Errorf("the Parquet footer claims %d bytes, but the file has %d: %s", length, size, damaged)
	}
	footer := make([]byte, length)
	if _, err := io.ReadFull(io.NewSectionReader(f, size-8-length, length), footer); err != nil {
		return nil, RootCause(err)
	}
	used, err := thriftStruct(footer) // a signature may follow
	if err != nil {
		return nil, fmt.Errorf("Parquet footer: %w: %s", err, damaged)
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
			return fmt.Errorf("Parquet footer: row group %d does not fit the schema: %s", g, damaged)
		}
		rows += group.NumRows
	}
	if rows != meta.NumRows {
		return fmt.Errorf("Parquet footer: %d rows, but the row groups add up to %d: %s", meta.NumRows, rows, damaged)
	}
	return nil
}
