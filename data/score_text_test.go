package data

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scoreAll writes a score for every row of a table.
func scoreAll(t *testing.T, in, out string, score func(row int) Score) string {
	t.Helper()
	table, err := OpenTable(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	w, err := NewScoreWriter(out, table, ScoreColumns{})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		_, err := table.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(slices.Repeat([]Score{score(i)}, table.PerRow())); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestScoresOfNestedColumns holds the JSON of nested Parquet to what pyarrow
// reads (testdata/make_nested.py).
func TestScoresOfNestedColumns(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("testdata", "nested.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got := scoreAll(t, filepath.Join("testdata", "nested.parquet"), filepath.Join(t.TempDir(), "s.jsonl"), func(int) Score {
		return Score{Reward: 0.1, Valid: true, Tokens: 3}
	})
	scores := `,"reward":0.1,"tokens":3,"truncated":false,"reason":null}`
	if expected := strings.ReplaceAll(string(want), "}\n", scores+"\n"); got != expected {
		t.Errorf("got\n%swant\n%s", got, expected)
	}
}

// TestScoresAsText: JSON lines keep what they are, an older score gives way,
// and CSV has texts as they stand.
func TestScoresAsText(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.jsonl")
	lines := `{"text":"a","n":12345678901234567890,"reward":9,"tags":["x",{"y":1.50}]}` + "\n" +
		`{"text":"say \"hi\", you\n","n":null}` + "\n" + `{"text":null,"late":true}` + "\n"
	if err := os.WriteFile(in, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	score := func(row int) Score {
		if row == 2 {
			return Score{Reason: "null_text"}
		}
		return Score{Reward: -1.5e-7, Valid: true, Tokens: 2 + row, Truncated: row == 1}
	}
	want := `{"text":"a","n":12345678901234567890,"tags":["x",{"y":1.50}],"reward":-1.5e-07,"tokens":2,"truncated":false,"reason":null}` + "\n" +
		`{"text":"say \"hi\", you\n","n":null,"reward":-1.5e-07,"tokens":3,"truncated":true,"reason":null}` + "\n" +
		`{"text":null,"late":true,"reward":null,"tokens":0,"truncated":false,"reason":"null_text"}` + "\n"
	if got := scoreAll(t, in, filepath.Join(dir, "out.JSONL"), score); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	want = "text,n,tags,late,reward,tokens,truncated,reason\n" +
		`a,12345678901234567890,"[""x"",{""y"":1.50}]",,-1.5e-07,2,false,` + "\n" +
		`"say ""hi"", you` + "\n" + `",,,,-1.5e-07,3,true,` + "\n" + ",,,true,,0,false,null_text\n"
	got := scoreAll(t, in, filepath.Join(dir, "out.csv"), score)
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	again := scoreAll(t, filepath.Join(dir, "out.csv"), filepath.Join(dir, "again.csv"), score)
	if again != got {
		t.Errorf("CSV scored again is\n%swant\n%s", again, got)
	}
}

// TestScoresOfHalves: FLOAT16 columns pass through as numbers.
func TestScoresOfHalves(t *testing.T) {
	for name, want := range map[string]string{
		"s.jsonl": `"margin":1.5,"confidence":0.75,"reward_chosen"`,
		"s.csv":   "p,a,b,1.5,0.75,",
	} {
		got := scoreAll(t, filepath.Join("testdata", "float16.parquet"), filepath.Join(t.TempDir(), name), func(int) Score { return Score{Valid: true} })
		if !strings.Contains(got, want) || !strings.Contains(got, "-6.097555e-05") {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
}
