package parquetpages

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

var errPacked = errors.New("its compressed bytes are damaged")

// decompress fills out, whose length the page's header gives.
func decompress(codec format.CompressionCodec, out, packed []byte) error {
	n, err := 0, error(nil)
	switch codec {
	case format.Uncompressed:
		n = copy(out, packed)
	case format.Lz4Raw:
		n, err = lz4.UncompressBlock(packed, out)
	case format.Lz4:
		n, err = lz4Hadoop(out, packed)
	case format.Snappy, format.Gzip, format.Brotli, format.Zstd:
		var got []byte
		if len(packed) == 0 && len(out) == 0 {
			return nil
		}
		got, err = parquet.LookupCompressionCodec(codec).Decode(out, packed)
		if n = len(got); n == len(out) && n > 0 && &got[0] != &out[0] {
			copy(out, got)
		}
	default:
		return fmt.Errorf("compressed with %v, which cannot be read: write the file with zstd", codec)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w (%v: %v)", errPacked, codec, err)
	case n != len(out):
		return fmt.Errorf("%w (%v gives %d bytes, not %d)", errPacked, codec, n, len(out))
	}
	return nil
}

// lz4Hadoop reads the deprecated LZ4 codec: blocks, each after its
// decompressed and compressed lengths (4 bytes each, big endian); or, as some
// old writers have it, one bare block.
func lz4Hadoop(out, packed []byte) (int, error) {
	n := 0
	for rest := packed; len(rest) > 0; {
		if len(rest) < 8 {
			return lz4.UncompressBlock(packed, out)
		}
		size, length := binary.BigEndian.Uint32(rest), binary.BigEndian.Uint32(rest[4:])
		if uint64(length) > uint64(len(rest)-8) || uint64(size) > uint64(len(out)-n) {
			return lz4.UncompressBlock(packed, out)
		}
		got, err := lz4.UncompressBlock(rest[8:8+length], out[n:n+int(size)])
		if err != nil || got != int(size) {
			return lz4.UncompressBlock(packed, out)
		}
		n += got
		rest = rest[8+length:]
	}
	return n, nil
}
