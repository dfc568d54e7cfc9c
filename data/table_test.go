package data

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func readTable(t testing.TB, table *Table) []Record {
	t.Helper()
	var out []Record
	for {
		rec, err := table.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rec)
	}
}

func openTable(t testing.TB, file string) *Table {
	t.Helper()
	table, err := OpenTable(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	return table
}

func TestTableShapes(t *testing.T) {
	turn := func(role, content string) Text { return Text{Messages: []Message{{Role: role, Content: content}}} }
	for name, c := range map[string]struct {
		file, line string
		want       []Completion
		problem    Reason
	}{
		"text":            {"a.jsonl", `{"text":"x"}`, []Completion{{Response: Text{Plain: "x"}, IsText: true}}, ""},
		"empty text":      {"a.jsonl", `{"text":""}`, []Completion{{IsText: true}}, ""},
		"csv text":        {"a.csv", "text,n\nx,1\n", []Completion{{Response: Text{Plain: "x"}, IsText: true}}, ""},
		"response":        {"a.jsonl", `{"prompt":"p","response":"r"}`, []Completion{{Prompt: Text{Plain: "p"}, Response: Text{Plain: "r"}}}, ""},
		"chat response":   {"a.jsonl", `{"prompt":[{"role":"user","content":"q"}],"response":"r"}`, []Completion{{Prompt: turn("user", "q"), Response: turn("assistant", "r")}}, ""},
		"messages":        {"a.jsonl", `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}`, []Completion{{Prompt: turn("user", "q"), Response: turn("assistant", "a")}}, ""},
		"pair":            {"a.jsonl", `{"prompt":"p","chosen":"a","rejected":"a"}`, []Completion{{Prompt: Text{Plain: "p"}, Response: Text{Plain: "a"}}, {Prompt: Text{Plain: "p"}, Response: Text{Plain: "a"}}}, ""},
		"labelled":        {"a.jsonl", `{"prompt":"p","response_a":"a","response_b":"b","label":"b"}`, []Completion{{Prompt: Text{Plain: "p"}, Response: Text{Plain: "b"}}, {Prompt: Text{Plain: "p"}, Response: Text{Plain: "a"}}}, ""},
		"null":            {"a.jsonl", `{"text":null}`, nil, ReasonNullText},
		"missing":         {"a.jsonl", "{\"text\":\"x\"}\n{\"other\":1}", nil, ReasonMissingField},
		"NUL":             {"a.jsonl", `{"text":"a\u0000b"}`, nil, ReasonNUL},
		"no UTF-8":        {"a.jsonl", "{\"text\":\"a\xffb\"}", nil, ReasonUTF8},
		"number":          {"a.jsonl", "{\"text\":\"x\"}\n{\"text\":3}", nil, ReasonWrongType},
		"broken":          {"a.jsonl", "{\"text\":\"x\"}\n{\"text\":", nil, ReasonBrokenLine},
		"array":           {"a.jsonl", "{\"text\":\"x\"}\n[1]", nil, ReasonNotObject},
		"bad role":        {"a.jsonl", `{"messages":[{"role":"me","content":"q"}]}`, nil, ReasonRole},
		"no message":      {"a.jsonl", `{"messages":[]}`, nil, ReasonNoMessages},
		"ends with user":  {"a.jsonl", `{"messages":[{"role":"user","content":"q"}]}`, nil, ReasonLastTurn},
		"tie":             {"a.jsonl", `{"prompt":"p","response_a":"a","response_b":"b","label":"tie"}`, nil, ReasonTie},
		"too many fields": {"a.csv", "text,n\nx,1,2\n", nil, ReasonBrokenLine},
	} {
		t.Run(name, func(t *testing.T) {
			records := readTable(t, openTable(t, write(t, c.file, c.line+"\n")))
			rec := records[len(records)-1]
			if !reflect.DeepEqual(rec.Completions, c.want) || rec.Problem != string(c.problem) || (rec.Detail == "") != (rec.Problem == "") {
				t.Errorf("%+v", rec)
			}
		})
	}
	_, err := OpenTable(write(t, "a.jsonl", `{"txt":"a"}`), nil)
	if err == nil || !strings.Contains(err.Error(), "nothing to score") || !strings.Contains(err.Error(), "txt") {
		t.Error(err)
	}
	table, err := OpenTable(write(t, "a.jsonl", `{"txt":"a"}`), map[string]string{"text": "txt"})
	if err != nil {
		t.Fatal(err)
	}
	table.Close()
}

// score gives every completion the length of its response.
func score(t testing.TB, in, out string) *ScoreWriter {
	t.Helper()
	table := openTable(t, in)
	w, err := NewScoreWriter(out, table, ScoreColumns{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range readTable(t, table) {
		var scores []Score
		for _, c := range rec.Completions {
			n := len(c.Response.Plain)
			scores = append(scores, Score{Reward: float32(n), Valid: n > 0, Tokens: n, Truncated: n > 3, Reason: map[bool]string{true: "no_tokens"}[n == 0]})
		}
		if rec.Problem != "" {
			scores = table.NoScores(rec.Problem)
		}
		if err := w.Write(scores); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(out + "*partial")
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return w
}

func TestScoreJSONLines(t *testing.T) {
	in := write(t, "a.jsonl", `{"text":"abc","n":1,"x":1.5,"ok":true,"tags":["a",{"b":1}],"mixed":1,"big":1e3,"last":null}
{"text":"","n":-2,"x":2,"ok":false,"tags":null,"mixed":"two","later":"é\n"}
broken
{"text":"abcd","n":9007199254740993,"bad":"\ud800"}
`)
	out := filepath.Join(t.TempDir(), "scores.parquet")
	score(t, in, out)
	type scored struct {
		Text      *string  `parquet:"text,optional"`
		N         *int64   `parquet:"n,optional"`
		X         *float64 `parquet:"x,optional"`
		OK        *bool    `parquet:"ok,optional"`
		Tags      *string  `parquet:"tags,optional"`
		Mixed     *string  `parquet:"mixed,optional"`
		Big       *float64 `parquet:"big,optional"`
		Last      *string  `parquet:"last,optional"`
		Later     *string  `parquet:"later,optional"`
		Bad       *string  `parquet:"bad,optional"`
		Reward    *float32 `parquet:"reward,optional"`
		Tokens    int32    `parquet:"tokens"`
		Truncated bool     `parquet:"truncated"`
		Reason    *string  `parquet:"reason,optional"`
	}
	rows, err := parquet.ReadFile[scored](out)
	if err != nil {
		t.Fatal(err)
	}
	s := func(s string) *string { return &s }
	n := func(n int64) *int64 { return &n }
	x := func(x float64) *float64 { return &x }
	b := func(b bool) *bool { return &b }
	r := func(r float32) *float32 { return &r }
	want := []scored{
		{Text: s("abc"), N: n(1), X: x(1.5), OK: b(true), Tags: s(`["a",{"b":1}]`), Mixed: s("1"), Big: x(1000), Reward: r(3), Tokens: 3},
		{Text: s(""), N: n(-2), X: x(2), OK: b(false), Mixed: s(`"two"`), Later: s("é\n"), Reason: s("no_tokens")},
		{Reason: s("broken_line")},
		{Text: s("abcd"), N: n(9007199254740993), Bad: s("\ufffd\ufffd\ufffd"), Reward: r(4), Tokens: 4, Truncated: true},
	}
	want[3].Bad = rows[3].Bad // one or three replacement characters
	if !reflect.DeepEqual(rows, want) {
		for i := range rows {
			t.Errorf("row %d: %+v", i, rows[i])
		}
	}
	if !strings.Contains(*rows[3].Bad, "\ufffd") {
		t.Errorf("%q", *rows[3].Bad)
	}
}

// Parquet columns of every kind come out as they went in.
func TestScoreParquetPassesThrough(t *testing.T) {
	type inner struct {
		A *int32            `parquet:"a,optional"`
		B []string          `parquet:"b,list"`
		C map[string]uint64 `parquet:"c"`
	}
	type before struct {
		Z      [2]int16 `parquet:"-"`
		Prompt string   `parquet:"prompt"`
		Chosen string   `parquet:"chosen"`
		Deep   []inner  `parquet:"deep,list"`
		Bytes  []byte   `parquet:"bytes"`
		Fixed  [3]byte  `parquet:"fixed"`
		Flag   *bool    `parquet:"flag,optional"`
		When   int64    `parquet:"when,timestamp"`
		U      uint8    `parquet:"u"`
		F      float32  `parquet:"f"`
		// Rejected is not last, so that scores do not follow the texts.
		Rejected string `parquet:"rejected"`
	}
	type after struct {
		RewardChosen      *float32 `parquet:"reward_chosen,optional"`
		TokensChosen      int32    `parquet:"tokens_chosen"`
		TruncatedChosen   bool     `parquet:"truncated_chosen"`
		ReasonChosen      *string  `parquet:"reason_chosen,optional"`
		RewardRejected    *float32 `parquet:"reward_rejected,optional"`
		TokensRejected    int32    `parquet:"tokens_rejected"`
		TruncatedRejected bool     `parquet:"truncated_rejected"`
		ReasonRejected    *string  `parquet:"reason_rejected,optional"`
	}
	a := int32(4)
	yes := true
	rows := []before{
		{Prompt: "p", Chosen: "abcd", Rejected: "b\xff", Deep: []inner{{&a, []string{"x", ""}, map[string]uint64{"k": 1}}, {nil, []string{}, map[string]uint64{}}}, Bytes: []byte("\xff\xfe"), Fixed: [3]byte{1, 2, 3}, Flag: &yes, When: 1, U: 255, F: float32(math.Inf(1))},
		{Prompt: "", Chosen: "a", Rejected: "c", Deep: []inner{}, Bytes: []byte{}, U: 1},
	}
	for i := range 500 {
		rows = append(rows, before{Chosen: strings.Repeat("y", i%5), Rejected: "z", Deep: rows[i%2].Deep, Bytes: []byte{byte(i)}, When: int64(i)})
	}
	in := writeParquet(t, rows, parquet.MaxRowsPerRowGroup(100), parquet.PageBufferSize(500), parquet.Compression(&parquet.Lz4Raw))
	out := filepath.Join(t.TempDir(), "scores.parquet")
	if w := score(t, in, out); len(w.Replaced()) != 0 {
		t.Errorf("replaced %v", w.Replaced())
	}
	got, err := parquet.ReadFile[after](out)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(rows) {
		t.Fatalf("%d rows", len(got))
	}
	want, err := parquet.ReadFile[before](in)
	if err != nil {
		t.Fatal(err)
	}
	passed, err := parquet.ReadFile[before](out)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if !reflect.DeepEqual(passed[i], want[i]) {
			t.Fatalf("row %d:\n%+v\n%+v", i, passed[i], want[i])
		}
	}
	if g := got[0]; g.RewardChosen != nil || g.ReasonRejected == nil || *g.ReasonRejected != "invalid_utf8" {
		t.Errorf("%+v", g)
	}
	if g := got[1]; *g.RewardChosen != 1 || *g.RewardRejected != 1 || g.ReasonChosen != nil {
		t.Errorf("%+v", g)
	}

	again := filepath.Join(t.TempDir(), "again.parquet")
	if w := score(t, out, again); len(w.Replaced()) != 8 {
		t.Errorf("replaced %v", w.Replaced())
	}
	twice, err := parquet.ReadFile[after](again)
	if err != nil || !reflect.DeepEqual(got, twice) {
		t.Errorf("scoring a scored file changes it: %v", err)
	}
	scores, counts, err := ReadScores(again, ReadConfig{OnBadRow: "skip"})
	if err != nil || counts.Read != len(rows) || counts.Skipped[ReasonReward] != counts.SkippedRows() {
		t.Fatal(counts, err)
	}
	if s := scores[0]; s.Row != 1 || s.RewardChosen != 1 || s.LenChosen != 1 || s.Confidence != 1 {
		t.Errorf("%+v", s)
	}
}

func TestScoreSharedFiles(t *testing.T) {
	for _, name := range []string{"variants/extra-nested-columns.parquet", "variants/pandas-index.parquet", "variants/plain.csv", "chat-format.parquet",
		"unlabelled.parquet", "human/llmbar.parquet", "bad/invalid-utf8.parquet", "bad/broken-line.jsonl", "variants/int-confidence.parquet"} {
		in := shared(t, name)
		if name == "unlabelled.parquet" {
			if _, err := OpenTable(in, nil); err == nil {
				t.Error("scores what has no label")
			}
			continue
		}
		out := filepath.Join(t.TempDir(), "out.parquet")
		score(t, in, out)
		n := 0
		for range readTable(t, openTable(t, in)) {
			n++
		}
		if got := openTable(t, out).NumRows(); got != int64(n) {
			t.Errorf("%s: %d rows of %d", name, got, n)
		}
	}
}

func TestScoreWriterRefuses(t *testing.T) {
	in := write(t, "a.csv", "text\na\nb\n")
	out := filepath.Join(t.TempDir(), "o.parquet")
	table := openTable(t, in)
	w, err := NewScoreWriter(out, table, ScoreColumns{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(nil); err == nil {
		t.Error("took no score")
	}
	if err := w.Write([]Score{{Valid: true}}); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "only 1 rows") {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(out)); len(entries) != 0 {
		t.Errorf("left %v", entries)
	}
	if _, err := NewScoreWriter(filepath.Join(in, "under", "x.parquet"), table, ScoreColumns{}); err == nil {
		t.Error("wrote into a file as if it were a folder")
	}
}

func TestReadScores(t *testing.T) {
	file := write(t, "a.csv", "reward_chosen,reward_rejected,confidence,subset,id,len_chosen,len_rejected\n1.5,-2,0.9,chat,7,10,20\n0,0,,,,,\n")
	got, counts, err := ReadScores(file, ReadConfig{})
	want := []Scored{{0, "7", "chat", 1.5, -2, 0.9, 10, 20, 0}, {1, "", "", 0, 0, 1, -1, -1, 0}}
	if err != nil || !reflect.DeepEqual(got, want) || counts.Kept != 2 {
		t.Errorf("%+v %v %v", got, counts, err)
	}
	file = write(t, "a.jsonl", `{"reward_chosen":1,"reward_rejected":2,"chosen":"héé","rejected":"x"}
{"reward_chosen":null,"reward_rejected":2,"chosen":"h","rejected":"x"}
{"reward_chosen":1,"reward_rejected":1e999,"chosen":"h","rejected":"x"}
`)
	if _, _, err := ReadScores(file, ReadConfig{}); err == nil || !strings.Contains(err.Error(), "line 2: column reward_chosen: the reward is null") {
		t.Error(err)
	}
	got, counts, err = ReadScores(file, ReadConfig{OnBadRow: "skip"})
	if err != nil || len(got) != 1 || got[0].LenChosen != 3 || got[0].LenRejected != 1 || counts.Skipped[ReasonReward] != 2 {
		t.Errorf("%+v %v %v", got, counts, err)
	}
	file = write(t, "p.csv", "prompt,reward_chosen,reward_rejected,len_chosen,len_rejected\nsame,1,2,3,4\nsame,1,2,3,4\n,1,2,3,4\n")
	same := PromptKey(Text{Plain: "same"})
	if got, _, err = ReadScores(file, ReadConfig{}); err != nil || got[0].Prompt != same || got[1].Prompt != same || got[2].Prompt != 0 {
		t.Errorf("prompts of %+v, %v", got, err)
	}
	for content, says := range map[string]string{
		"reward_chosen\n1\n":                           "no column reward_rejected",
		"reward_chosen,reward_rejected\n":              "no rows",
		"reward_chosen,reward_rejected\nx,1\n":         "row 0: column reward_chosen",
		"reward_chosen,reward_rejected\nNaN,1\n":       "NaN",
		"reward_chosen,reward_rejectd\n1,2\n":          "did you mean",
		"reward_chosen,reward_rejected,id\n1,2,\x00\n": "column id",
	} {
		if _, _, err := ReadScores(write(t, "b.csv", content), ReadConfig{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v lacks %q", content, err, says)
		}
	}
}

// A column of nothing but nulls has a type of its own.
func TestNullTypedColumn(t *testing.T) {
	null := parquet.Optional(parquet.Leaf(parquet.NullType))
	schema := parquet.NewSchema("x", structOf("chosen", parquet.String(), "confidence", null, "extra", null, "prompt", parquet.String(), "rejected", parquet.String()))
	in := filepath.Join(t.TempDir(), "x.parquet")
	f, err := os.Create(in)
	if err != nil {
		t.Fatal(err)
	}
	w := parquet.NewWriter(f, schema)
	text := func(s string, column int) parquet.Value { return parquet.ValueOf(s).Level(0, 0, column) }
	for range 3 {
		if _, err := w.WriteRows([]parquet.Row{{text("a", 0), parquet.NullValue().Level(0, 0, 1), parquet.NullValue().Level(0, 0, 2), text("p", 3), text("b", 4)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	pairs := mustRead(t, in, ReadConfig{})
	if len(pairs) != 3 || pairs[2].Confidence != 1 || pairs[2].Rejected.Plain != "b" {
		t.Errorf("%+v", pairs)
	}
	out := filepath.Join(t.TempDir(), "scores.parquet")
	score(t, in, out)
	if got := mustRead(t, out, ReadConfig{}); !reflect.DeepEqual(texts(got[2]), texts(pairs[2])) {
		t.Errorf("%+v", got)
	}
}
