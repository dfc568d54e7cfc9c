package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// openSource opens a file by what it holds; its name decides only between
// JSON and CSV, which have no magic bytes.
func openSource(path string) (Source, error) {
	head, size, err := readHead(path)
	if err != nil {
		return nil, err
	}
	named := strings.ToLower(filepath.Base(path))
	if err := CheckPointer(head); err != nil {
		return nil, err
	}
	switch {
	case size == 0:
		return nil, errors.New("the file is empty (0 bytes): write or copy it again")
	case bytes.HasPrefix(head, []byte("PAR1")), bytes.HasPrefix(head, []byte("PARE")):
		return openParquet(path)
	case strings.HasSuffix(named, ".parquet"):
		return nil, fmt.Errorf("not a Parquet file: it begins with %q, not PAR1%s", Clip(head, 20), looksLike(head))
	}
	for _, other := range []struct{ magic, name string }{
		{"PK\x03\x04", "a zip archive: unpack it first"},
		{"BZh", "compressed with bzip2: decompress it first (bunzip2), or use gzip or zstd"},
		{"ARROW1", "an Arrow file: write it as Parquet"},
		{"\xff\xff\xff\xff", "an Arrow stream: write it as Parquet"},
		{"\xff\xfe", "UTF-16 text: write it as UTF-8"},
		{"\xfe\xff", "UTF-16 text: write it as UTF-8"},
	} {
		if bytes.HasPrefix(head, []byte(other.magic)) {
			return nil, errors.New(other.name)
		}
	}
	return openTextual(path, named)
}

// openTextual opens JSON lines or CSV, compressed or not.
func openTextual(path, named string) (Source, error) {
	lines, err := openLines(path)
	if err != nil {
		return nil, err
	}
	defer lines.Close()
	first, err := lines.firstByte()
	if err != nil {
		return nil, err
	}
	switch ext := filepath.Ext(strings.TrimSuffix(strings.TrimSuffix(named, ".gz"), ".zst")); ext {
	case ".csv", ".tsv":
		return openCSV(path)
	case ".jsonl", ".json", ".ndjson":
		return openJSONL(path)
	}
	if first == '{' || first == '[' {
		return openJSONL(path)
	}
	return openCSV(path)
}

func readHead(path string) (head []byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("%w%s", RootCause(err), soughtFrom(path, err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, RootCause(err)
	}
	if info.IsDir() {
		return nil, 0, errors.New("is a folder: name its files, for example with /*" + filepath.Ext(firstFile(path)) + " behind it")
	}
	head = make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, 0, RootCause(err)
	}
	return head[:n], info.Size(), nil
}

// soughtFrom says from where a path that is not there was sought.
func soughtFrom(path string, err error) string {
	folder, wd := os.Getwd()
	if !errors.Is(err, os.ErrNotExist) || filepath.IsAbs(path) || wd != nil {
		return ""
	}
	return fmt.Sprintf(" (from %s, where laurel was started)", folder)
}

// firstFile is the first file of a folder that is not hidden and has an ending
// of data, "" where there is none.
func firstFile(folder string) string {
	entries, _ := os.ReadDir(folder) // one that cannot be read has none to name
	for _, entry := range entries {
		switch name := entry.Name(); filepath.Ext(name) {
		case ".parquet", ".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".gz", ".zst":
			return name
		}
	}
	return ""
}

// RootCause drops the path from an os error: ours has the file in front.
func RootCause(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

func looksLike(head []byte) string {
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	line, _, _ := bytes.Cut(trimmed, []byte("\n"))
	switch {
	case bytes.HasPrefix(head, []byte(gzipMagic)):
		return "; it is gzip: name it .jsonl.gz or .csv.gz, or write Parquet"
	case bytes.HasPrefix(head, []byte(zstdMagic)):
		return "; it is zstd: name it .jsonl.zst or .csv.zst, or write Parquet"
	case bytes.HasPrefix(trimmed, []byte("{")):
		return "; it looks like JSON lines: name it .jsonl"
	case bytes.Contains(line, []byte(",")):
		return "; it looks like CSV: name it .csv"
	}
	return "; copy or write it again"
}

// CheckPointer refuses what git leaves in the place of a file that git-lfs has not
// fetched.
func CheckPointer(content []byte) error {
	if bytes.HasPrefix(content, []byte("version https://git-lfs")) {
		return errors.New("it is a git-lfs pointer: fetch the file itself with git lfs pull")
	}
	return nil
}

// Clip is the beginning of a text, to be quoted in an error.
func Clip[T string | []byte](text T, most int) string {
	if len(text) <= most {
		return string(text)
	}
	return string(text[:most]) + "…"
}
