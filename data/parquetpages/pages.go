package parquetpages

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// pageStream is a column chunk with its pages checked and decompressed, as
// parquet-go reads a chunk without compression: header, bytes, header, bytes …
//
// parquet-go v0.32 is not left to decompress: it loses an LZ4 page when the
// decompressed bytes do not land in the buffer it offered (the rows then hold
// stale memory, unseen), doubles a buffer for ever on a damaged LZ4 page,
// allocates what a header claims, and reads all row groups with the codec of
// the first.
type pageStream struct {
	file    io.ReaderAt
	meta    *format.ColumnMetaData
	at, end int64 // the next page header and the end of the chunk, in the file
	start   int64 // of the page in the stream
	page    []byte
	packed  []byte
	values  int64
}

// openPages checks what the footer says of a chunk.
func openPages(file io.ReaderAt, chunk *format.ColumnChunk, rows int64, flat bool) (*pageStream, error) {
	meta := &chunk.MetaData
	at := meta.DataPageOffset
	if meta.DictionaryPageOffset != 0 {
		at = min(at, meta.DictionaryPageOffset)
	}
	switch {
	case chunk.CryptoMetadata.Value != nil:
		return nil, errors.New("the column is encrypted: decrypt the file first")
	case chunk.FilePath != "":
		return nil, fmt.Errorf("its values lie in another file, %q: write the data as one file", chunk.FilePath)
	case meta.TotalCompressedSize < 0 || at < 4 || meta.NumValues < 0:
		return nil, errors.New("its place in the file is damaged")
	case flat && meta.NumValues != rows:
		return nil, fmt.Errorf("%d values for %d rows", meta.NumValues, rows)
	}
	return &pageStream{file: file, meta: meta, at: at, end: at + meta.TotalCompressedSize}, nil
}

// ReadAt reads on where the last call ended, or again within the last page.
func (s *pageStream) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		within := off + int64(n) - s.start
		switch {
		case within < 0:
			return n, errors.New("the dictionary page is missing")
		case within < int64(len(s.page)):
			n += copy(p[n:], s.page[within:])
		default:
			if err := s.nextPage(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (s *pageStream) nextPage() error {
	s.start += int64(len(s.page))
	s.page = s.page[:0]
	if s.at >= s.end {
		if s.values != s.meta.NumValues {
			return fmt.Errorf("its pages hold %d values where the footer says %d", s.values, s.meta.NumValues)
		}
		return io.EOF
	}
	at := s.at
	if err := s.readPage(); err != nil {
		return fmt.Errorf("page at byte %d: %w", at, NoEOF(err))
	}
	return nil
}

func (s *pageStream) readPage() error {
	header, length, err := readPageHeader(s.file, s.at, s.end-s.at)
	if err != nil {
		return err
	}
	if err := s.check(header, s.end-s.at-length); err != nil {
		return err
	}
	s.packed = sized(s.packed, int(header.CompressedPageSize))
	if _, err := s.file.ReadAt(s.packed, s.at+length); err != nil {
		return err
	}
	if header.CRC != 0 && crc32.ChecksumIEEE(s.packed) != uint32(header.CRC) {
		return errors.New("its checksum (CRC-32) is wrong")
	}
	s.at += length + int64(header.CompressedPageSize)
	return s.unpack(header)
}

// unpack sets s.page: the header of an uncompressed page, and the page.
func (s *pageStream) unpack(h *format.PageHeader) error {
	plain, codec := 0, s.meta.Codec
	if v2 := &h.DataPageHeaderV2; h.Type == format.DataPageV2 {
		plain = int(v2.V.RepetitionLevelsByteLength + v2.V.DefinitionLevelsByteLength)
		if v2.V.IsCompressed.Valid && !v2.V.IsCompressed.V {
			codec = format.Uncompressed
		}
		v2.V.IsCompressed.Set(false)
		v2.V.Statistics = format.Statistics{}
	}
	h.DataPageHeader.V.Statistics = format.Statistics{}
	size := int(h.UncompressedPageSize)
	if codec == format.Uncompressed {
		size = len(s.packed)
	}
	h.CRC, h.CompressedPageSize, h.UncompressedPageSize = 0, int32(size), int32(size)
	header, err := thrift.Marshal(new(thrift.CompactProtocol), h)
	if err != nil {
		return err
	}
	s.page = sized(s.page, len(header)+size)
	copy(s.page, header)
	rest := s.page[len(header)+copy(s.page[len(header):], s.packed[:plain]):]
	return decompress(codec, rest, s.packed[plain:])
}

// check refuses claims of a page that cannot be true; left is what is left of
// the chunk after its header.
func (s *pageStream) check(h *format.PageHeader, left int64) error {
	const always = 64 << 20 // some writers state the column's total too low
	packed, size := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
	if packed < 0 || packed > left || size < 0 || size > max(always, s.meta.TotalUncompressedSize) {
		return fmt.Errorf("claims %d bytes, %d without compression: %w", packed, size, errThrift)
	}
	values, least := int64(0), int64(0)
	switch {
	case h.Type == format.DataPage && h.DataPageHeader.Valid:
		values = int64(h.DataPageHeader.V.NumValues)
	case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
		v2 := &h.DataPageHeaderV2.V
		values = int64(v2.NumValues)
		least = int64(v2.RepetitionLevelsByteLength) + int64(v2.DefinitionLevelsByteLength)
		if v2.RepetitionLevelsByteLength < 0 || v2.DefinitionLevelsByteLength < 0 || v2.NumNulls < 0 || v2.NumNulls > v2.NumValues {
			return errThrift
		}
	case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
		if n := int64(h.DictionaryPageHeader.V.NumValues); n < 0 || n > size {
			return fmt.Errorf("claims %d dictionary entries in %d bytes: %w", n, size, errThrift)
		}
	}
	if values < 0 || values > s.meta.NumValues-s.values || least > min(packed, size) {
		return fmt.Errorf("claims %d values where %d are left: %w", values, s.meta.NumValues-s.values, errThrift)
	}
	s.values += values
	return nil
}

// sized returns b with the given length, grown if need be.
func sized(b []byte, length int) []byte {
	if cap(b) < length {
		return make([]byte, length)
	}
	return b[:length]
}

// readPageHeader reads the header at the offset; it is no longer than most.
func readPageHeader(r io.ReaderAt, at, most int64) (*format.PageHeader, int64, error) {
	for size := int64(256); ; size *= 8 {
		b := make([]byte, min(size, most))
		if n, err := r.ReadAt(b, at); n < len(b) {
			return nil, 0, err
		}
		n, err := thriftStruct(b)
		if err == errThriftShort && size < most {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		header := new(format.PageHeader)
		err = thrift.Unmarshal(new(thrift.CompactProtocol), b[:n], header)
		return header, int64(n), err
	}
}

// NoEOF: a column that ends before its rows do is damaged, not at its end.
func NoEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
