package review

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
	"laurel/labels"
)

// TestTornFile cuts the file after every byte of its last line, as a kill may: what had its line
// end, or all but it, is there; the rest is cut off, which is said, and the file
// goes on.
func TestTornFile(t *testing.T) {
	rows, out := comparisons(3), filepath.Join(t.TempDir(), "answers.jsonl")
	b := open(t, rows, Config{Out: out})
	say(t, b, "ann", "left")
	say(t, b, "ann", "skip")
	say(t, b, "ann", "tie")
	b.Close()
	whole, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for size := bytes.LastIndexByte(whole[:len(whole)-1], '\n') - 1; size < len(whole); size++ {
		if err := os.WriteFile(out, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		kept := bytes.Count(whole[:min(size+1, len(whole))], []byte("\n"))
		b, err := Open(rows, Config{Out: out})
		if err != nil {
			t.Fatalf("cut to %d bytes: %v", size, err)
		}
		if b.person("ann").lines != kept || (b.Repaired != "") != (size > 0 && whole[size-1] != '\n') {
			t.Errorf("cut to %d bytes: %d lines, want %d; repaired %q", size, b.person("ann").lines, kept, b.Repaired)
		}
		say(t, b, "bo", "tie")
		b.Close()
		if b, err = Open(rows, Config{Out: out}); err != nil || b.Repaired != "" || b.person("bo").lines != 1 {
			t.Fatalf("cut to %d bytes and gone on: %v", size, err)
		}
		b.Close()
	}
}

// TestFileOfAnswers: one process writes at a time, and what is not of these
// comparisons is refused with its place.
func TestFileOfAnswers(t *testing.T) {
	rows, dir := comparisons(2), t.TempDir()
	out := filepath.Join(dir, "answers.jsonl")
	b := open(t, rows, Config{Out: out})
	if _, err := Open(rows, Config{Out: out}); err == nil || !strings.Contains(err.Error(), "are written by another laurel review") {
		t.Errorf("opened twice: %v", err)
	}
	say(t, b, "ann", "left")
	b.Close()
	changed := comparisons(2)
	for i := range changed {
		changed[i].A.Plain = "something else"
	}
	if _, err := Open(changed, Config{Out: out}); err == nil || !strings.Contains(err.Error(), "line 1: the answer about") || !strings.Contains(err.Error(), "other texts than those of --data") {
		t.Errorf("other texts: %v", err)
	}
	if _, err := Open(comparisons(0), Config{Out: out}); err == nil || !strings.Contains(err.Error(), "which is not in --data") {
		t.Errorf("other comparisons: %v", err)
	}
	good, _ := os.ReadFile(out)
	for bad, want := range map[string]string{
		"nonsense\n" + string(good):                                                    "line 1 is no answer of laurel review",
		string(good) + string(good):                                                    "has version 1 of the answer",
		`{"id":"c0","answer":"both"}\n`:                                                "",
		strings.Replace(string(good), `"left":"`, `"left":"x`, 1):                      "want a or b",
		strings.Replace(string(good), `"did":"answered"`, `"did":"skipped"`, 1):        "does not go with its answer",
		strings.Replace(string(good), `"did":"answered"`, `"did":"guessed"`, 1):        `did is "guessed"`,
		strings.Replace(string(good), `"version":1`, `"version":0`, 1):                 "is missing",
		strings.Replace(strings.TrimSuffix(string(good), "\n"), "}", "} {}", 1) + "\n": "more follows",
		strings.Replace(string(good), `"note"`, `"remark"`, 1):                         "unknown field",
		strings.Replace(string(good), `"answer":"`, `"answer":"not `, 1):               "want a, b or tie",
	} {
		path := filepath.Join(dir, "bad.jsonl")
		if err := os.WriteFile(path, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := Open(rows, Config{Out: path})
		if err == nil {
			b.Close()
		}
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
}

// TestOthers: answers of another file count in the agreement, are never written,
// and their names are taken.
func TestOthers(t *testing.T) {
	rows, dir := comparisons(10), t.TempDir()
	bo := open(t, rows, Config{Out: filepath.Join(dir, "bo.jsonl")})
	ann := open(t, rows, Config{Out: filepath.Join(dir, "ann.jsonl")})
	for range 10 {
		say(t, ann, "ann", "tie")
		say(t, bo, "bo", "tie")
	}
	if _, err := bo.undo("bo", 10); err != nil {
		t.Fatal(err)
	}
	say(t, bo, "bo", "left")
	bo.Close()
	ann.Close()
	ann = open(t, rows, Config{Out: filepath.Join(dir, "ann.jsonl"), Others: []string{filepath.Join(dir, "bo.jsonl")}})
	a := ann.Agreement()
	if a.Annotators["ann"] != 10 || a.Annotators["bo"] != 10 || a.Twice != 10 || len(a.Conflicts) != 1 || a.Conflicts[0].People != "split" {
		t.Errorf("%+v", a)
	}
	var printed strings.Builder
	if err := a.Print(&printed); err != nil || !strings.Contains(printed.String(), "10 of 10 comparisons answered (ann 10, bo 10), 10 by two people or more") ||
		!strings.Contains(printed.String(), "90.0% agree") || !strings.Contains(printed.String(), ": people split (ann tie, bo ") {
		t.Errorf("%v\n%s", err, printed.String())
	}
	if err := ann.answer(entry{"bo", 0, 0, "left", ""}); err == nil || !strings.Contains(err.Error(), "has answers in") {
		t.Errorf("a name of another file: %v", err)
	}
	if _, err := Open(rows, Config{Out: filepath.Join(dir, "new"), Others: []string{filepath.Join(dir, "nowhere")}}); err == nil {
		t.Error("no such file")
	}
}

// TestMergeTakes: what the book writes is what labels reads, with the last version
// of each.
func TestMergeTakes(t *testing.T) {
	rows, out := comparisons(3), filepath.Join(t.TempDir(), "answers.jsonl")
	b := open(t, rows, Config{Out: out})
	say(t, b, "ann", "left")
	say(t, b, "ann", "skip")
	say(t, b, "bo", "tie")
	if _, err := b.undo("bo", 1); err != nil {
		t.Fatal(err)
	}
	all := func(yield func(labels.Label, error) bool) {
		for _, row := range rows {
			if !yield(labels.Label{Comparison: row.Comparison}, nil) {
				return
			}
		}
	}
	read, err := labels.ReadReviewed([]string{out}, all, data.ReadConfig{}, nil)
	if err != nil || len(read) != 4 {
		t.Fatalf("%d rows, %v", len(read), err)
	}
	if read[0].Side != b.people["ann"].said[b.byID[read[0].ID]].Side || !read[0].Answered || read[1].Answered || !read[2].Superseded || read[3].Answered || read[3].Superseded {
		t.Errorf("%+v", read)
	}
}

// TestSheets: conversations are turns, in whichever of its forms a file has them;
// a text that is none stays one.
func TestSheets(t *testing.T) {
	chat := data.Text{Messages: []data.Message{{Role: "system", Content: "s"}, {Role: "user", Content: "<b>u</b>"}}}
	answer := func(text string) data.Text {
		return data.Text{Messages: []data.Message{{Role: "assistant", Content: text}}}
	}
	for _, c := range []struct {
		prompt, a data.Text
		want      string
	}{
		{data.Text{Plain: "p"}, data.Text{Plain: "[1]"}, "[{ p}] [{ [1]}]"},
		{chat, answer("x"), "[{system s} {user <b>u</b>}] [{ x}]"},
		{data.Text{Plain: `[{"role":"user","content":"u"}]`}, data.Text{Plain: `[{"role":"assistant","content":"x"}]`}, "[{ u}] [{ x}]"},
		{data.Text{Plain: `[{"role":"user","content":"u"}]`}, data.Text{Plain: "x"}, `[{ [{"role":"user","content":"u"}]}] [{ x}]`},
		{data.Text{Plain: "\n\nHuman: hi\n\nAssistant: yes?\n\nHuman: go\n\nAssistant:"}, data.Text{Plain: " gone"}, "[{user hi} {assistant yes?} {user go}] [{  gone}]"},
		{data.Text{}, data.Text{Plain: "x"}, "[] [{ x}]"},
	} {
		s := newSheet(labels.Review{Comparison: data.Comparison{ID: "1", Prompt: c.prompt, A: c.a, B: c.a}})
		if got := fmtTurns(s.prompt) + " " + fmtTurns(s.a); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func fmtTurns(turns []Turn) string { return fmt.Sprint(turns) }
