// Package parquetpages reads the columns of Parquet files page by page, and
// keeps what parquet-go v0.32.0 gets wrong away from the rest: parquet-go is
// given each column chunk as if it were written without compression, its
// claims checked and its pages unpacked here. It is left to decode encodings
// and levels.
//
// What is worked around, each with its test in upstream_test.go, which fails
// once parquet-go does it right, and what upstream would have to change:
//
//   - An LZ4_RAW page is lost, unseen, and its rows hold stale memory
//     (TestUpstreamLosesLZ4Pages): Column.decompress takes it that Decode has
//     filled the buffer it was given whenever the lengths agree, but lz4's
//     Decode returns another one when three times the packed length does not
//     fit. To mend: compare the addresses, and copy.
//   - A damaged LZ4_RAW page doubles a buffer until the memory is gone
//     (TestDamagedLZ4Page): lz4's Decode takes every error for a short
//     buffer. To mend: decode into the page's stated length, once.
//   - All row groups are decompressed with the codec of the first
//     (TestUpstreamKeepsTheFirstCodec): the codec belongs to Column, though
//     the format gives each chunk its own. To mend: take it from the chunk's
//     metadata.
//   - The deprecated LZ4 codec, which Hadoop and old Arrow write, is not read
//     (TestUpstreamLacksDeprecatedLZ4). To mend: add the codec with its two
//     framings.
//   - Memory is claimed as a page header says (TestPageClaims): a page of 40
//     bytes may claim 2 GiB. To mend: bound the claim by the column's total.
//   - Memory is claimed as a list or string in the footer says
//     (TestThriftClaims), up to 2^31 elements, which ends the process. To
//     mend: refuse lengths beyond the bytes that are left.
//   - Some damaged bytes make it panic (FuzzRead has examples): Recover turns
//     these into errors. To mend: check levels and offsets against their
//     pages.
package parquetpages
