package data

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// dialogue generates pairs like hh-harmless: a few turns, short answers.
func dialogues(rows int, seed uint64) []textRow {
	rng := rand.New(rand.NewPCG(seed, 1))
	words := strings.Fields("how can I make the best of a rainy day when nobody is home and the shops are closed early for once")
	say := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(' ')
			b.WriteString(words[rng.IntN(len(words))])
		}
		return b.String()
	}
	out := make([]textRow, rows)
	for i := range out {
		out[i] = textRow{
			Prompt:     "\n\nHuman:" + say(10+rng.IntN(20)) + "\n\nAssistant:",
			Chosen:     say(5+rng.IntN(20)) + fmt.Sprint(" ", i),
			Rejected:   say(5 + rng.IntN(20)),
			Confidence: float64(1+rng.IntN(1000)) / 1000,
			Margin:     rng.Float64(),
			ID:         fmt.Sprint(i),
		}
	}
	return out
}

func writeParquet[T any](t testing.TB, rows []T, options ...parquet.WriterOption) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := parquet.WriteFile(path, rows, options...); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkRows(t *testing.T, file string, want []textRow) {
	t.Helper()
	got := mustRead(t, file, ReadConfig{})
	if len(got) != len(want) {
		t.Fatalf("%d rows, not %d", len(got), len(want))
	}
	for i, p := range got {
		w := want[i]
		if p.Row-i != got[0].Row || p.Prompt.Plain != w.Prompt || p.Chosen.Plain != w.Chosen || p.Rejected.Plain != w.Rejected ||
			p.Confidence != w.Confidence || p.Margin != w.Margin || p.ID != w.ID {
			t.Fatalf("row %d: %+v, not %+v", i, p, w)
		}
	}
}

// Incompressible texts in small pages: the case in which parquet-go itself
// loses LZ4 pages.
func TestParquetCodecsAndPages(t *testing.T) {
	rows := dialogues(1500, 1)
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range rows {
		noise := make([]byte, 20+rng.IntN(300))
		for k := range noise {
			noise[k] = byte(33 + rng.IntN(90))
		}
		rows[i].Rejected = string(noise)
	}
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Brotli, &parquet.Zstd, &parquet.Lz4Raw} {
		for version := 1; version <= 2; version++ {
			t.Run(fmt.Sprintf("%s-v%d", codec, version), func(t *testing.T) {
				checkRows(t, writeParquet(t, rows, parquet.Compression(codec), parquet.DataPageVersion(version),
					parquet.PageBufferSize(4000), parquet.MaxRowsPerRowGroup(700)), rows)
			})
		}
	}
}

// node puts fields in order, as no writer but ours needs to.
func structOf(fields ...any) parquet.Node {
	g := orderedGroup{}
	for i := 0; i < len(fields); i += 2 {
		g.fields = append(g.fields, namedNode{fields[i+1].(parquet.Node), fields[i].(string)})
	}
	return g
}

// Every dialect of a list of messages, with a null list, an empty one, a null
// role and a null content.
func TestListDialects(t *testing.T) {
	text := parquet.Optional(parquet.String())
	message := structOf("content", text, "name", text, "role", text)
	listOf := func(outer, inner string, element parquet.Node) parquet.Node {
		return orderedGroup{fields: []parquet.Field{namedNode{parquet.Repeated(structOf(inner, element)), outer}}, typ: parquet.List(parquet.String()).Type()}
	}
	for name, c := range map[string]struct {
		node    parquet.Node
		element int // definition level of an element
		value   int // definition level of a text
		leaves  int
		role    int // which leaf
	}{
		"list.element":          {parquet.Optional(listOf("list", "element", parquet.Optional(message))), 2, 4, 3, 2},
		"list.item":             {parquet.Optional(listOf("list", "item", message)), 2, 3, 3, 2},
		"bag.array_element":     {parquet.Optional(listOf("bag", "array_element", parquet.Optional(message))), 2, 4, 3, 2},
		"required list":         {listOf("list", "element", message), 1, 2, 3, 2},
		"array":                 {parquet.Optional(structOf("array", parquet.Repeated(message))), 2, 3, 3, 2},
		"bare repeated":         {parquet.Repeated(message), 1, 2, 3, 2},
		"struct of two lists":   {structOf("content", parquet.Optional(listOf("list", "element", text)), "role", parquet.Optional(listOf("list", "element", text))), 2, 3, 2, 1},
		"with a nested content": {parquet.Optional(listOf("list", "element", structOf("content", text, "extra", structOf("content", text), "role", text))), 2, 3, 3, 2},
	} {
		t.Run(name, func(t *testing.T) {
			schema := parquet.NewSchema("x", orderedGroup{fields: []parquet.Field{namedNode{c.node, "chosen"}, namedNode{c.node, "rejected"}}})
			// leaf appends one list to a leaf; nil is a null text.
			leaf := func(row parquet.Row, column int, texts ...any) parquet.Row {
				if len(texts) == 0 {
					return append(row, parquet.NullValue().Level(0, c.element-1, column))
				}
				for i, s := range texts {
					v := parquet.NullValue().Level(min(i, 1), c.value-1, column)
					if s != nil {
						v = parquet.ValueOf(s).Level(min(i, 1), c.value, column)
					}
					row = append(row, v)
				}
				return row
			}
			row := func(roles, contents []any) (row parquet.Row) {
				for side := range 2 {
					answer := append([]any(nil), contents...)
					if n := len(answer); n > 0 && side == 1 && answer[n-1] != nil {
						answer[n-1] = "another answer"
					}
					for k := range c.leaves {
						if k == c.role {
							row = leaf(row, side*c.leaves+k, roles...)
						} else {
							row = leaf(row, side*c.leaves+k, answer...)
						}
					}
				}
				return row
			}
			path := filepath.Join(t.TempDir(), "x.parquet")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			w := parquet.NewWriter(f, schema)
			if _, err := w.WriteRows([]parquet.Row{
				row([]any{"user", "assistant"}, []any{"q", "a"}),
				row(nil, nil),
				row([]any{"user", nil}, []any{"q", "a"}),
				row([]any{"user", "assistant"}, []any{"q", nil}),
				row([]any{"user", "assistant", "user", "assistant"}, []any{"q", "a", "r", "b"}),
			}); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			f.Close()
			pairs, counts, err := readAll(t, path, ReadConfig{OnBadRow: "skip"})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(counts.Skipped, map[Reason]int{ReasonNoMessages: 1, ReasonNullMessage: 2}) {
				t.Errorf("%v", counts)
			}
			want := []Message{{Role: "user", Content: "q"}, {Role: "assistant", Content: "a"}, {Role: "user", Content: "r"}}
			for i := range pairs[1].Prompt.Messages { // the other columns are the template's
				pairs[1].Prompt.Messages[i].Whole = ""
			}
			if p := pairs[1]; !reflect.DeepEqual(p.Prompt.Messages, want) || p.Chosen.Messages[0].Content != "b" || p.Rejected.Messages[0].Content != "another answer" || p.Row != 4 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// A null list is no empty list: level 0 is null, 1 empty.
func TestNullList(t *testing.T) {
	message := structOf("content", parquet.String(), "role", parquet.String())
	list := parquet.Optional(parquet.List(message))
	schema := parquet.NewSchema("x", structOf("chosen", list, "rejected", list))
	for level, want := range []string{"column chosen: null", "column chosen: an empty list"} {
		var row parquet.Row
		for leaf := range 4 {
			row = append(row, parquet.NullValue().Level(0, level, leaf))
		}
		path := filepath.Join(t.TempDir(), "x.parquet")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w := parquet.NewWriter(f, schema)
		w.WriteRows([]parquet.Row{row})
		if err := errors.Join(w.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
		if _, _, err := readAll(t, path, ReadConfig{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("level %d: %v lacks %q", level, err, want)
		}
	}
}

func TestColumnTypes(t *testing.T) {
	type odd struct {
		Prompt     []byte    `parquet:"prompt"`
		Chosen     string    `parquet:"chosen,enum"`
		Rejected   string    `parquet:"rejected,json"`
		Confidence float32   `parquet:"confidence"`
		Margin     int32     `parquet:"margin"`
		ID         int64     `parquet:"id"`
		Subset     uint32    `parquet:"subset"`
		Time       time.Time `parquet:"time"`
		Nested     []struct {
			A map[string]int32 `parquet:"a"`
		} `parquet:"nested,list"`
	}
	p := mustRead(t, writeParquet(t, []odd{{Prompt: []byte("p"), Chosen: "a", Rejected: "b", Confidence: 0.25, Margin: -3, ID: 1<<62 + 1, Subset: 1<<32 - 1}}), ReadConfig{})[0]
	if p.Prompt.Plain != "p" || p.Chosen.Plain != "a" || p.Rejected.Plain != "b" || p.Confidence != 0.25 || p.Margin != -3 ||
		p.ID != "4611686018427387905" || p.Subset != "4294967295" {
		t.Errorf("%+v", p)
	}
	type wrong struct {
		Prompt     bool      `parquet:"prompt"`
		Chosen     string    `parquet:"chosen"`
		Rejected   []string  `parquet:"rejected,list"`
		Confidence time.Time `parquet:"confidence"`
	}
	_, err := OpenPairs(writeParquet(t, []wrong{{}}), ReadConfig{})
	for _, s := range []string{"column prompt is boolean", "column rejected is a struct or list", "column confidence is timestamp"} {
		if err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("%v lacks %q", err, s)
		}
	}
}

// A whole file cut at any length, or with any byte changed, is an error or
// reads as rows that add up; it never panics and never claims memory.
func TestDamagedParquet(t *testing.T) {
	whole, err := os.ReadFile(writeParquet(t, dialogues(40, 3), parquet.Compression(&parquet.Lz4Raw), parquet.MaxRowsPerRowGroup(25)))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	try := func(b []byte) error {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		_, _, err := readAll(t, path, ReadConfig{OnBadRow: "skip"})
		return err
	}
	for n := 0; n < len(whole); n += 197 {
		if err := try(whole[:n]); err == nil {
			t.Fatalf("cut at %d: no error", n)
		}
	}
	rng := rand.New(rand.NewPCG(5, 5))
	for range 400 {
		b := bytes.Clone(whole)
		at := rng.IntN(len(b))
		b[at] ^= byte(1 + rng.IntN(255))
		try(b)
	}
}

// Two hundred thousand rows in one row group, beside a column that is not
// wanted, are read within a few pages' memory.
func TestReadingIsStreamed(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED: memory while streaming (short)")
	}
	type wide struct {
		textRow
		Waste string `parquet:"waste"`
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewGenericWriter[wide](f, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(1<<40))
	const rows = 200_000
	for seed := range uint64(rows / 1000) {
		for _, row := range dialogues(1000, seed) {
			if _, err := w.Write([]wide{{row, strings.Repeat("waste ", 50)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	w = nil
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := OpenPairs(path, ReadConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.NumRows() != rows {
		t.Errorf("%d rows", r.NumRows())
	}
	most := uint64(0)
	for i := 0; ; i++ {
		if _, err := r.Next(); err != nil {
			break
		}
		if i%20_000 == 0 {
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse)
		}
	}
	if c := r.Counts(); c.Kept != rows {
		t.Errorf("%v", c)
	}
	if grown := (int64(most) - int64(before.HeapInuse)) >> 20; grown > 100 {
		t.Errorf("the heap grew by %d MiB", grown)
	} else {
		t.Logf("the heap grew by %d MiB", grown)
	}
}

func BenchmarkReadPairs(b *testing.B) {
	rows := dialogues(50_000, 7)
	in := writeParquet(b, rows, parquet.Compression(&parquet.Snappy))
	jsonl := filepath.Join(b.TempDir(), "x.jsonl")
	if _, err := Convert(b.Context(), []string{in}, jsonl, ReadConfig{}); err != nil {
		b.Fatal(err)
	}
	for _, file := range []string{in, jsonl} {
		b.Run(filepath.Ext(file)[1:], func(b *testing.B) {
			n := 0
			for b.Loop() {
				for _, err := range ReadPairs([]string{file}, ReadConfig{}, nil) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}
