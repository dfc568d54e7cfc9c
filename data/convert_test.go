package data

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestConvertRoundTrip(t *testing.T) {
	rows := dialogues(300, 9)
	share := 0.75
	rows[4].VoteShare, rows[5].Subset, rows[6].Prompt = &share, "a subset", ""
	rows[7].Chosen = strings.Repeat("long ", 200_000)
	rows[8].Chosen = "quote \" comma , \r\n line ends \n and é😀"
	in := writeParquet(t, rows)
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "a.parquet"), filepath.Join(dir, "b.jsonl"), filepath.Join(dir, "c.parquet")}
	for i, from := range append([]string{in}, files[:2]...) {
		counts, err := Convert(t.Context(), []string{from}, files[i], ReadConfig{})
		if err != nil || counts.Kept != 300 {
			t.Fatal(counts, err)
		}
		checkRows(t, files[i], rows)
	}
	if a, b := mustRead(t, files[0], ReadConfig{}), mustRead(t, files[2], ReadConfig{}); a[4].VoteShare != share || b[4].VoteShare != share || b[5].Subset != "a subset" {
		t.Error("vote_share or subset lost")
	}
	if tail := footerLength(t, files[0]); tail > 20_000 {
		t.Errorf("the footer holds %d bytes: texts got into it", tail)
	}
}

func footerLength(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(b[len(b)-8]) | int(b[len(b)-7])<<8 | int(b[len(b)-6])<<16
}

func TestConvertChat(t *testing.T) {
	in := write(t, "a.jsonl", `{"chosen":[{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":"b"}],"confidence":0.75}
{"chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]}
`)
	want := mustRead(t, in, ReadConfig{})
	for _, name := range []string{"o.parquet", "o.jsonl"} {
		out := filepath.Join(t.TempDir(), name)
		if _, err := Convert(t.Context(), []string{in}, out, ReadConfig{}); err != nil {
			t.Fatal(err)
		}
		for i, p := range mustRead(t, out, ReadConfig{}) {
			if !reflect.DeepEqual(texts(p), texts(want[i])) || p.Confidence != want[i].Confidence {
				t.Errorf("%s: row %d: %+v", name, i, p)
			}
		}
	}
	text := write(t, "b.jsonl", `{"prompt":"p","chosen":"a","rejected":"b"}`)
	out := filepath.Join(t.TempDir(), "o.parquet")
	if _, err := Convert(t.Context(), []string{in, text}, out, ReadConfig{}); err == nil || !strings.Contains(err.Error(), "text and messages") {
		t.Error(err)
	}
	for _, bad := range []struct{ in, out string }{{text, "o.csv"}, {write(t, "c.jsonl", `{"prompt":"p","chosen":"","rejected":"b"}`), out}, {"none.jsonl", out}} {
		if _, err := Convert(t.Context(), []string{bad.in}, bad.out, ReadConfig{}); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(out)); len(entries) != 0 {
		t.Errorf("left %v", entries)
	}
}

func TestConvertSharedFiles(t *testing.T) {
	for _, name := range []string{"variants/plain.csv", "chat-format.jsonl", "implicit-prompt.parquet", "alpaca-eval-gpt4/validation.parquet"} {
		in := shared(t, name)
		out := filepath.Join(t.TempDir(), "o.parquet")
		if _, err := Convert(t.Context(), []string{in}, out, ReadConfig{}); err != nil {
			t.Fatal(err)
		}
		want, got := mustRead(t, in, ReadConfig{}), mustRead(t, out, ReadConfig{})
		for i := range want {
			if !reflect.DeepEqual(texts(want[i]), texts(got[i])) || want[i].Confidence != got[i].Confidence || want[i].Margin != got[i].Margin {
				t.Fatalf("%s: row %d differs", name, i)
			}
		}
	}
}

func TestAsideOnlyWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	f, err := createAside(path)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("whole")
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("there before it is whole")
	}
	if err := f.commit(); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); !bytes.Equal(b, []byte("whole")) {
		t.Errorf("%q", b)
	}
	if _, err := createAside(filepath.Dir(path)); err == nil {
		t.Error("overwrites a folder")
	}
}

// TestConvertCancelled: Ctrl-C leaves neither a file nor a part of one.
func TestConvertCancelled(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.jsonl")
	if err := os.WriteFile(in, []byte(`{"prompt":"p","chosen":"a","rejected":"b"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Convert(ctx, []string{in}, filepath.Join(dir, "out.parquet"), ReadConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}
