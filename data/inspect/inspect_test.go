package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

// shared is the folder of files that lie beside the checkout, not in it.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("NOT TESTED: %s is not there, so nothing of it was read", path)
	}
	return path
}

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// words counts words, and two special tokens.
func words(maxLength int) Tokens {
	count := func(texts ...data.Text) int {
		n := 2
		for _, t := range texts {
			n += len(strings.Fields(t.Plain))
			for _, m := range t.Messages {
				n += len(strings.Fields(m.Content))
			}
		}
		return n
	}
	return Tokens{MaxLength: maxLength, Lengths: func(p data.Pair) (Lengths, error) {
		return Lengths{count(p.Prompt), count(p.Prompt, p.Chosen), count(p.Prompt, p.Rejected)}, nil
	}}
}

func TestInspect(t *testing.T) {
	a := write(t, "a.jsonl", `{"prompt":"What  is it?","chosen":"one two three","rejected":"x","confidence":0.5,"subset":"s"}
{"prompt":"what is IT?","chosen":"x","rejected":"one two three","confidence":1}
{"prompt":"What  is it?","chosen":"x","rejected":"one two three","confidence":0.99}
{"prompt":"What  is it?","chosen":"one two three","rejected":"x","confidence":0.1}
{"prompt":"other","chosen":"aa","rejected":"bb","confidence":0.05}
{"prompt":"other","chosen":"","rejected":"bb"}
broken
{"prompt":"other","chosen":"","rejected":"cc"}
`)
	b := write(t, "b.jsonl", `{"prompt":" OTHER ","chosen":"c","rejected":"dd"}
{"prompt":"new","chosen":"c","rejected":"dd"}
`)
	got, err := Files(t.Context(), []string{a, b}, data.ReadConfig{}, words(7))
	if err != nil {
		t.Fatal(err)
	}
	f := got.Files[0]
	want := File{
		File: a, Format: "prompt/chosen/rejected text",
		Counts: data.Counts{Read: 8, Kept: 5, Skipped: map[data.Reason]int{data.ReasonEmptyResponse: 2, data.ReasonBrokenLine: 1}},
		First: map[data.Reason]string{data.ReasonEmptyResponse: "line 6: column chosen: the response is empty or only white space",
			data.ReasonBrokenLine: `line 7: at byte 0: broken JSON: "broken" where a value should be`},
		Tokens: map[string]Quantiles{ // prompts of 3 and 1 words
			"prompt":          {3, 3, 5, 5, 5, 5, 5, 5, 4.6},
			"chosen":          {1, 1, 1, 1, 3, 3, 3, 3, 1.8},
			"rejected":        {1, 1, 1, 1, 3, 3, 3, 3, 1.8},
			"prompt+chosen":   {4, 4, 6, 6, 8, 8, 8, 8, 6.4},
			"prompt+rejected": {4, 4, 6, 6, 8, 8, 8, 8, 6.4},
		},
		Characters: map[string]Quantiles{
			"prompt":   {5, 5, 11, 12, 12, 12, 12, 12, 10.4},
			"chosen":   {1, 1, 1, 2, 13, 13, 13, 13, 6},
			"rejected": {1, 1, 1, 2, 13, 13, 13, 13, 6},
		},
		Truncated: 0.8, Prompts: 2, RepeatedPrompts: 3, Duplicates: 1, Contradictions: 1,
		LongerWins: 0.5, ShorterWins: 0.5,
		Confidence: ConfidenceHistogram{Bins: [10]int{1, 1, 0, 0, 0, 1, 0, 0, 0, 2}, Half: 1, Certain: 1, Mean: (0.5 + 1 + 0.99 + 0.1 + 0.05) / 5},
		Subsets:    map[string]int{"": 4, "s": 1},
	}
	f.Warnings = nil
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got\n%+v\nwant\n%+v", f, want)
	}
	if l := []Leakage{{a, b, 1, 1, 1}}; !reflect.DeepEqual(got.Leakage, l) {
		t.Errorf("leakage %+v", got.Leakage)
	}
	if f := got.Files[1]; f.LongerWins != 0 || f.ShorterWins != 1 || f.Subsets != nil {
		t.Errorf("%+v", f)
	}
	var text bytes.Buffer
	if err := got.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"8 rows read, 5 kept, 3 skipped (empty_response 2, broken_line 1)", "80.00 % of the rows", "duplicates       1", "contradictions   1",
		"longer wins      0.5000", "0.0-0.1        1", "1 prompts", "prompt+rejected"} {
		if !strings.Contains(text.String(), s) {
			t.Errorf("lacks %q:\n%s", s, text.String())
		}
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
}

func TestInspectProblems(t *testing.T) {
	skipped := write(t, "a.jsonl", `{"prompt":"p","chosen":"a","rejected":"a"}`)
	got, err := Files(t.Context(), []string{skipped}, data.ReadConfig{}, Tokens{})
	if err != nil || len(got.Files[0].Warnings) != 1 || got.Files[0].Counts.Skipped[data.ReasonIdentical] != 1 {
		t.Errorf("%+v %v", got, err)
	}
	var text bytes.Buffer
	if err := got.Print(&text); err != nil || !strings.Contains(text.String(), "no row can be used") {
		t.Error(text.String(), err)
	}
	zero := write(t, "a.jsonl", `{"prompt":"p","chosen":"a","rejected":"b","confidence":0}`)
	if got, err := Files(t.Context(), []string{zero}, data.ReadConfig{}, Tokens{}); err != nil || !strings.Contains(strings.Join(got.Files[0].Warnings, ""), "every confidence is 0") {
		t.Error(got, err)
	}
	scored := write(t, "a.jsonl", `{"prompt":"p","chosen":"a","rejected":"b","score_chosen":7,"score_rejected":5}
{"prompt":"q","chosen":"a","rejected":"b","score_chosen":2,"score_rejected":3}`)
	got, err = Files(t.Context(), []string{scored}, data.ReadConfig{}, Tokens{})
	if err != nil || *got.Files[0].Margin != (Margins{Min: -1, Max: 2, Mean: 0.5, Below: 1}) || !strings.Contains(strings.Join(got.Files[0].Notes, ""), "score_chosen is below score_rejected in 1 rows") {
		t.Errorf("%+v %v", got, err)
	}
	broken := errors.New("no tokenizer")
	if _, err := Files(t.Context(), []string{zero}, data.ReadConfig{}, Tokens{Lengths: func(data.Pair) (Lengths, error) { return Lengths{}, broken }}); !errors.Is(err, broken) || !strings.Contains(err.Error(), zero) {
		t.Error(err)
	}
	if _, err := Files(t.Context(), []string{write(t, "a.csv", "x\n1\n")}, data.ReadConfig{}, Tokens{}); err == nil {
		t.Error("inspected a file without pairs")
	}
}

// Many blocks, measured by several goroutines, are counted in order: the first
// row at fault is named, and one CPU finds what several find.
func TestBlocks(t *testing.T) {
	var lines strings.Builder
	for i := range 5 * 256 {
		fmt.Fprintf(&lines, "{\"prompt\":\"p %d\",\"chosen\":\"%s\",\"rejected\":\"x\",\"confidence\":%v}\n", i%700, strings.Repeat("a ", 1+i%9), 0.5+float64(i%5)/10)
	}
	file := write(t, "a.jsonl", lines.String())
	find := func(how Tokens) (*Inspection, error) {
		return Files(t.Context(), []string{file}, data.ReadConfig{}, how)
	}
	got, err := find(words(5))
	if err != nil || got.Files[0].Counts.Kept != 5*256 || got.Files[0].Prompts != 700 {
		t.Fatalf("%+v, %v", got, err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if alone, err := find(words(5)); err != nil || !reflect.DeepEqual(got, alone) {
		t.Errorf("%+v, %v; several: %+v", alone, err, got)
	}
	runtime.GOMAXPROCS(4)
	late := Tokens{Lengths: func(p data.Pair) (n Lengths, err error) {
		if p.Row%500 == 400 {
			err = errors.New("no such letter")
		}
		return n, err
	}}
	if _, err := find(late); err == nil || !strings.Contains(err.Error(), "line 400: no such letter") {
		t.Error(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Files(stopped, []string{file}, data.ReadConfig{}, words(5)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The figures of stats.json, which Python counted.
func TestInspectSharedStats(t *testing.T) {
	train, test := shared(t, "hh-harmless/train.parquet"), shared(t, "hh-harmless/test.parquet")
	got, err := Files(t.Context(), []string{train, test, train}, data.ReadConfig{}, Tokens{})
	if err != nil {
		t.Fatal(err)
	}
	f := got.Files[0]
	mean := func(name string) float64 { return float64(int(f.Characters[name].Mean*10+0.5)) / 10 }
	if f.Counts.Kept != 1337 || mean("prompt") != 482.3 || mean("chosen") != 168.4 || mean("rejected") != 212.8 ||
		f.Confidence.Certain != 1337 || f.Confidence.Bins[9] != 1337 {
		t.Errorf("%+v", f)
	}
	if f.Prompts > 1335 || f.Prompts < 1330 {
		t.Errorf("%d prompts; 1335 before case and white space are set aside", f.Prompts)
	}
	// stats.json counts longer_wins over the pairs of unequal length: (1337-5)·0.4467 + 5/2.
	if got := f.LongerWins * 1337; got < 595 || got > 600 {
		t.Errorf("the longer wins %v times", got)
	}
	if l := got.Leakage[len(got.Leakage)-1]; l.A != test && l.Prompts == 0 || got.Leakage[0].RowsA != 1337 {
		t.Errorf("%+v", got.Leakage)
	}
	bad, err := Files(t.Context(), []string{shared(t, "bad/contradiction.parquet"), shared(t, "bad/duplicate-rows.parquet")}, data.ReadConfig{}, Tokens{})
	if err != nil {
		t.Fatal(err)
	}
	if c, d := bad.Files[0], bad.Files[1]; c.Contradictions != 1 || c.Duplicates != 0 || d.Duplicates != 5 || d.Contradictions != 0 {
		t.Errorf("%+v\n%+v", c, d)
	}
}

// Quantiles are lengths that occur, within a thousandth.
func TestHistogram(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var h histogram
		lengths := make([]int, 1+rng.IntN(300))
		for i := range lengths {
			lengths[i] = rng.IntN(1 << (1 + rng.IntN(24)))
			h.add(lengths[i])
		}
		slices.Sort(lengths)
		for _, q := range []float64{0.05, 0.25, 0.5, 0.75, 0.95, 0.99} {
			rank := 0
			for float64(rank+1) < q*float64(len(lengths))-1e-9 {
				rank++
			}
			want, got := lengths[rank], h.quantile(q)
			if got > want || float64(want-got) > float64(want)/1000 || want < exactLengths && got != want {
				t.Fatalf("quantile %v of %d: %d, not %d", q, len(lengths), got, want)
			}
		}
		if h.min != lengths[0] || h.max != lengths[len(lengths)-1] {
			t.Fatal("ends")
		}
	}
	for b := range 12_000 {
		if bin(lowest(b)) != b {
			t.Fatalf("bin %d begins at %d, which is in %d", b, lowest(b), bin(lowest(b)))
		}
	}
}
