package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

const goodLine = `{"prompt":"p","chosen":"a","rejected":"b"}` + "\n"

func gzipped(t testing.TB, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&b)
		w.Write([]byte(part))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestJSONLinesForms(t *testing.T) {
	long := `{"prompt":"p","chosen":"` + strings.Repeat("x", 3<<20) + `","rejected":"b"}` + "\n"
	for name, c := range map[string]struct {
		file, content string
		rows          []int // line numbers
	}{
		"BOM, CRLF, blank lines": {"a.jsonl", "\ufeff" + strings.Replace(goodLine, "\n", "\r\n", 1) + "\r\n \t\n" + goodLine, []int{1, 4}},
		"no last line end":       {"a.jsonl", goodLine + strings.TrimSpace(goodLine), []int{1, 2}},
		"long line":              {"a.jsonl", long + goodLine, []int{1, 2}},
		"gzip of many members":   {"a.jsonl.gz", gzipped(t, goodLine, "", goodLine+goodLine), []int{1, 2, 3}},
		"gzip by content":        {"a.jsonl", gzipped(t, goodLine), []int{1}},
		"gzip padded with zeros": {"a.jsonl.gz", gzipped(t, goodLine) + strings.Repeat("\x00", 600<<10), []int{1}},
		"zeros between members":  {"a.jsonl.gz", gzipped(t, goodLine) + "\x00\x00" + gzipped(t, goodLine) + "\x00", []int{1, 2}},
		"JSON by content":        {"a.data", "\n" + goodLine, []int{2}},
		"CSV by content":         {"a.data", "prompt,chosen,rejected\np,a,b\n", []int{0}},
		"TSV":                    {"a.tsv", "prompt\tchosen\trejected\np, q\ta\tb\n", []int{0}},
		"CSV, BOM, CRLF":         {"a.csv", "\ufeffprompt,chosen,rejected\r\np,a,b\r\n\r\n\"p\r\n\"\"q\"\"\",a,b", []int{0, 1}},
		"leading spaces":         {"a.jsonl", "   " + goodLine, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			pairs := mustRead(t, write(t, c.file, c.content), ReadConfig{})
			var rows []int
			for _, p := range pairs {
				rows = append(rows, p.Row)
			}
			if !reflect.DeepEqual(rows, c.rows) {
				t.Errorf("rows %v, not %v", rows, c.rows)
			}
			if name == "CSV, BOM, CRLF" && pairs[1].Prompt.Plain != "p\r\n\"q\"" {
				t.Errorf("%q", pairs[1].Prompt.Plain)
			}
			if name == "long line" && len(pairs[0].Chosen.Plain) != 3<<20 {
				t.Errorf("%d bytes", len(pairs[0].Chosen.Plain))
			}
		})
	}
}

func TestTruncatedGzip(t *testing.T) {
	whole := gzipped(t, strings.Repeat(goodLine, 1000)+goodLine[:20])
	for _, policy := range []string{"fail", "skip"} {
		_, _, err := readAll(t, write(t, "a.jsonl.gz", whole[:len(whole)-12]), ReadConfig{OnBadRow: policy})
		if err == nil || !strings.Contains(err.Error(), "gzip") || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v", policy, err)
		}
	}
	damaged := []byte(whole)
	damaged[len(damaged)-6] ^= 1 // the checksum
	if _, _, err := readAll(t, write(t, "a.jsonl.gz", string(damaged)), ReadConfig{OnBadRow: "skip"}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Error(err)
	}
}

// What lies behind a member and is neither padding nor a member is no file's end.
func TestBehindGzip(t *testing.T) {
	whole, named := gzipped(t, goodLine), "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03name"
	for _, rest := range []string{"x", "\x00\x00x", "\x1f", "\x00\x1f", "\x1f\x00", "\x1f\x8b\x08", "\x00" + whole[:12], named, goodLine} {
		_, _, err := readAll(t, write(t, "a.jsonl.gz", whole+rest), ReadConfig{OnBadRow: "skip"})
		if err == nil || !strings.Contains(err.Error(), "line 2: the gzip stream ends or breaks here") {
			t.Errorf("%q: %v", rest, err)
		}
	}
}

// The reader agrees with a multistream reader of the standard library wherever
// no padding is, and takes none of what is no gzip.
func FuzzGzip(f *testing.F) {
	whole := gzipped(f, goodLine, "", goodLine)
	for _, s := range []string{whole, whole + "\x00\x00", whole + "\x00\x00x", whole + "\x00" + whole, whole + "\x1f\x8b\x08\x08", whole[:len(whole)-3], whole + "\x1f"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		unpack := func(r io.Reader, err error) ([]byte, error) {
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		}
		wrap := func(b []byte) *bufio.Reader { return bufio.NewReaderSize(bytes.NewReader(b), 16) }
		mine, err := newGzipReader(wrap(b))
		got, gotErr := unpack(mine, err)
		std, err := gzip.NewReader(wrap(b))
		want, wantErr := unpack(std, err)
		switch {
		case wantErr == nil && (gotErr != nil || !bytes.Equal(got, want)) && !errors.Is(gotErr, io.ErrUnexpectedEOF):
			t.Fatalf("%q, %v; want %q", got, gotErr, want)
		case gotErr == nil && wantErr != nil && !bytes.Contains(b, []byte("\x00")):
			t.Fatalf("%q where there is %v", got, wantErr)
		case gotErr == nil && !bytes.HasPrefix(got, want):
			t.Fatalf("%q, want %q first", got, want)
		}
	})
}

// An optional column that appears late is not lost.
func TestLateKeys(t *testing.T) {
	file := write(t, "a.jsonl", strings.Repeat(goodLine, sampleRows+5)+`{"prompt":"p","chosen":"a","rejected":"b","confidence":0.25,"id":"late"}`)
	pairs := mustRead(t, file, ReadConfig{})
	if p := pairs[len(pairs)-1]; p.Confidence != 0.25 || p.ID != "late" {
		t.Errorf("%+v", p)
	}
}

func TestBadCSV(t *testing.T) {
	head := "prompt,chosen,rejected,confidence\n"
	for name, c := range map[string]struct {
		row, says string
		reason    Reason
	}{
		"few fields":     {"p,a\n", "2 fields where the header has 4", ReasonBrokenLine},
		"after a quote":  {"p,\"a\"x,b,1\n", "follows the closing quote", ReasonBrokenLine},
		"not a number":   {"p,a,b,high\n", "column confidence", ReasonWrongType},
		"NaN":            {"p,a,b,NaN\n", "NaN", ReasonConfidenceNaN},
		"empty response": {"p,,b,1\n", "column chosen", ReasonEmptyResponse},
	} {
		file := write(t, "a.csv", head+"p,a,b,\n"+c.row+"p,a,b, 0.5 \n")
		if _, _, err := readAll(t, file, ReadConfig{}); err == nil || !strings.Contains(err.Error(), "row 1") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		pairs, counts, err := readAll(t, file, ReadConfig{OnBadRow: "skip"})
		if err != nil || len(pairs) != 2 || counts.Skipped[c.reason] != 1 || pairs[0].Confidence != 1 || pairs[1].Confidence != 0.5 {
			t.Errorf("%s: %v %v %v", name, pairs, counts, err)
		}
	}
}

// The CSV reader agrees with encoding/csv wherever that changes nothing.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a\n\"x\"\"y\"\n", "a,b\r\n\"1\r\n2\",3\r\n", "a;b\n1;2", "\"", "a\n\"", ",\n,", "a,b\n\"x\"y,2\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.csv")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		_, counts, _ := readAll(t, path, ReadConfig{OnBadRow: "skip", AllowZeroWeights: true})
		if counts.Read != counts.Kept+counts.SkippedRows() {
			t.Fatal(counts)
		}
		if bytes.HasPrefix(b, []byte("\x1f\x8b")) || bytes.ContainsAny(b, "\r") || bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
			return
		}
		src, err := openCSV(path)
		if err != nil {
			return
		}
		defer src.Close()
		s := src.(*csvSource)
		std := csv.NewReader(bytes.NewReader(b))
		std.Comma, std.FieldsPerRecord = rune(s.comma), -1
		want, err := std.ReadAll()
		if err != nil {
			return
		}
		got := [][]string{s.header}
		for {
			_, bad, err := s.nextFields()
			if err != nil {
				break
			}
			if bad == nil || strings.Contains(bad.Detail, "fields where") {
				got = append(got, append([]string(nil), s.fields...))
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %q, not %q", b, got, want)
		}
	})
}

// The parser accepts what encoding/json accepts, but for objects that have a
// key twice, and finds the same values.
func FuzzJSONLine(f *testing.F) {
	for _, s := range []string{goodLine, `{"a":[1,-2.5e+3,{"role":"user","content":"x"}],"b":null,"c":true}`, `{"a":"\u00e9\ud83d\ude00\ud800\n"}`, `{"a":NaN}`, `[1]`, `{"a":01}`,
		`{"a":"` + "\x01" + `"}`, `{"a":1,}`, `{"a" : "x" , "a":2}`, "{\"a\":\"\xff\"}", `{"":{}}`, `1e5`, `-`, `{"a":-Infinity}`, `"\x"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		values, members := map[string]Cell{}, 0
		var c Cell
		object, err := parseObject(b, func([]byte) *Cell { return &c }, func(key, raw []byte) {
			if !json.Valid(raw) {
				t.Fatalf("%q: the value %q is not valid", b, raw)
			}
			values[string(key)] = c
			members++
		})
		if err != nil && err.twice {
			return
		}
		if valid := json.Valid(b); valid != (err == nil) {
			t.Fatalf("%q: valid is %v but %v", b, valid, err)
		}
		if err != nil {
			return
		}
		var std map[string]any
		isObject := json.Unmarshal(b, &std) == nil && std != nil
		if !object || !isObject || !utf8.Valid(b) || bytes.Contains(bytes.ToLower(b), []byte(`\ud`)) {
			if object != isObject && !bytes.Contains(b, []byte("e")) && !bytes.Contains(b, []byte("E")) {
				t.Fatalf("%q: object is %v", b, object)
			}
			return
		}
		if len(values) != len(std) || members != len(std) {
			t.Fatalf("%q: %v, not %v", b, values, std)
		}
		for key, want := range std {
			sameValue(t, values[key], want)
		}
	})
}

func sameValue(t *testing.T, got Cell, want any) {
	t.Helper()
	ok := false
	switch want := want.(type) {
	case nil:
		ok = got.Kind == CellNull
	case string:
		ok = got.Kind == CellText && got.Text == want
	case float64:
		ok = got.Kind == CellNumber && (got.Num == want || math.IsInf(got.Num, 0))
	case bool:
		ok = got.Kind == CellBool && got.True == want
	case map[string]any:
		if ok = got.Kind == CellObject && len(got.Members) == len(want); !ok {
			break
		}
		for _, m := range got.Members {
			sameValue(t, m.Value, want[m.Key])
		}
	case []any:
		if ok = (got.Kind == CellMessages || got.Kind == CellList) && len(got.Items) == len(want); !ok {
			break
		}
		for i, value := range want {
			sameValue(t, got.Items[i], value)
		}
	}
	if !ok {
		t.Fatalf("%+v, not %v", got, want)
	}
}

func FuzzPairsJSONL(f *testing.F) {
	for _, s := range []string{goodLine, goodLine + "x\n" + goodLine, "[\n{}\n]", `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.jsonl")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		pairs, counts, _ := readAll(t, path, ReadConfig{OnBadRow: "skip"})
		if counts.Read != counts.Kept+counts.SkippedRows() {
			t.Fatal(counts)
		}
		for _, p := range pairs {
			soundPair(t, p)
		}
		if table, err := OpenTable(path, nil); err == nil {
			for {
				if _, err := table.Next(); err != nil {
					break
				}
			}
			table.Close()
		}
	})
}

// soundPair checks what every pair read promises.
func soundPair(t *testing.T, p Pair) {
	t.Helper()
	for _, text := range texts(p) {
		all := text.Plain
		for _, m := range text.Messages {
			all += m.Content
		}
		if !utf8.ValidString(all) || strings.ContainsRune(all, 0) {
			t.Fatalf("%q", all)
		}
	}
	if p.Chosen.blank() || p.Rejected.blank() || p.Chosen.equal(p.Rejected) || !(p.Confidence >= 0 && p.Confidence <= 1) ||
		math.IsNaN(p.Margin) || math.IsInf(p.Margin, 0) {
		t.Fatalf("%+v", p)
	}
}

func FuzzParquet(f *testing.F) {
	type message struct {
		Role    string `parquet:"role"`
		Content string `parquet:"content"`
	}
	chat := []message{{Role: "user", Content: "q"}, {Role: "assistant", Content: "a"}}
	for _, file := range []string{
		writeParquet(f, dialogues(5, 1), parquet.Compression(&parquet.Snappy)),
		writeParquet(f, dialogues(5, 2), parquet.Compression(&parquet.Lz4Raw), parquet.DataPageVersion(2)),
		writeParquet(f, []ChatRow{{Prompt: []Message{{Role: "user", Content: "q"}}, Chosen: []Message{{Role: "assistant", Content: "a"}}, Rejected: []Message{{Role: "assistant", Content: "b"}}}}),
		writeParquet(f, []struct {
			Messages []message `parquet:"messages,list"`
		}{{chat}}),
	} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, 0, byte(0), 0, byte(0))
		f.Add(b, len(b)-20, byte(7), 60, byte(200))
	}
	f.Fuzz(func(t *testing.T, b []byte, i int, x byte, j int, y byte) {
		if len(b) == 0 {
			return
		}
		b = bytes.Clone(b)
		b[uint(i)%uint(len(b))] ^= x
		b[uint(j)%uint(len(b))] ^= y
		path := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		pairs, counts, _ := readAll(t, path, ReadConfig{OnBadRow: "skip"})
		if counts.Read != counts.Kept+counts.SkippedRows() {
			t.Fatal(counts)
		}
		for _, p := range pairs {
			soundPair(t, p)
		}
		passThroughParquet(t, path)
	})
}

func passThroughParquet(t *testing.T, path string) {
	table, err := OpenTable(path, nil)
	if err != nil {
		return
	}
	defer table.Close()
	w, err := NewScoreWriter(path+".out.parquet", table, ScoreColumns{})
	if err != nil {
		return
	}
	for {
		_, err := table.Next()
		if err != nil {
			break
		}
		if err := w.Write(make([]Score, table.PerRow())); err != nil {
			break
		}
	}
	w.Close()
}
