package labels

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

// someLabels are a pair for each side and an abstention, with and without
// numbers; chat makes messages of them.
func someLabels(chat bool) []Label {
	nan := math.NaN()
	votes := []Vote{
		{"judge", "honest", 1.2, 0.9, 0.8, SideA, 0.85, ""},
		{"judge", "safe", 1.5, 0.9, nan, Neither, nan, AbstainFailed},
	}
	labels := []Label{
		{data.Comparison{ID: "one", Prompt: data.Text{Plain: "p"}, A: data.Text{Plain: " a"}, B: data.Text{Plain: "b\n"}, ModelA: "m", ModelB: "n", Subset: "s"},
			Verdict{SideA, 0.85, 1, 3, "safe", "because", "", votes}, "judge", 0.9, 0.8, 16, 100, 10, 0.01},
		{data.Comparison{ID: "two", Prompt: data.Text{Plain: ""}, A: data.Text{Plain: "a"}, B: data.Text{Plain: "b"}, ModelA: "m"},
			Verdict{SideB, 0.7, 0.55, 1, "honest", "", "", votes[:1]}, "judge+other", 0.1, nan, 0, 0, 0, 0},
		{data.Comparison{ID: "three", Prompt: data.Text{Plain: "p"}, A: data.Text{Plain: "x"}, B: data.Text{Plain: "x"}, ModelB: "n"},
			Verdict{Neither, nan, nan, 0, "", "", AbstainIdentical, nil}, "judge", nan, nan, 0, 0, 0, 0},
	}
	for i := range labels {
		l := &labels[i]
		if chat {
			l.Prompt = data.Text{Messages: []data.Message{{Role: "system", Content: "s"}, {Role: "user", Content: l.Prompt.Plain}}}
			l.A, l.B = assistant(l.A), assistant(l.B)
		}
	}
	if chat {
		labels[1].Prompt.Messages = []data.Message{}
	}
	return labels
}

func writeLabels(t testing.TB, labels []Label, chat bool) string {
	t.Helper()
	dir := t.TempDir()
	w, err := NewLabelWriter(dir, chat)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range labels {
		if err := w.Write(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLabelsReadAsWritten(t *testing.T) {
	for _, chat := range []bool{false, true} {
		labels := someLabels(chat)
		dir := writeLabels(t, labels, chat)
		i := 0
		for l, err := range ReadLabels(dir) {
			if err != nil {
				t.Fatal(err)
			}
			want := labels[i]
			want.File, want.Row = filepath.Join(dir, PairsFile), i
			if i == 2 {
				want.File, want.Row = filepath.Join(dir, AbstainedFile), 0
			}
			if got, want := fmt.Sprintf("%#v", l), fmt.Sprintf("%#v", want); got != want { // NaN and all
				t.Errorf("chat %v:\n%s\nwant\n%s", chat, got, want)
			}
			i++
		}
		if i != len(labels) {
			t.Errorf("chat %v: %d labels read", chat, i)
		}
	}
}

func TestLabelsArePairs(t *testing.T) {
	for _, chat := range []bool{false, true} {
		labels := someLabels(chat)
		dir := writeLabels(t, labels, chat)
		pairs := readPairs(t, filepath.Join(dir, PairsFile))
		if len(pairs) != 2 {
			t.Fatalf("%d pairs", len(pairs))
		}
		p, l := pairs[1], labels[1]
		if !reflect.DeepEqual(p.Chosen, l.B) || !reflect.DeepEqual(p.Rejected, l.A) || p.Confidence != 0.7 || p.VoteShare != 0.55 || p.ID != "two" {
			t.Errorf("chat %v: %+v", chat, p)
		}
		if first := labels[0]; pairs[0].Subset != "s" || !reflect.DeepEqual(pairs[0].Prompt, first.Prompt) || !reflect.DeepEqual(pairs[0].Chosen, first.A) {
			t.Errorf("chat %v: %+v", chat, pairs[0])
		}
	}
}

func TestLabelFilesAreWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	w, err := NewLabelWriter(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(someLabels(false)[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestReadLabelsRefuses(t *testing.T) {
	dir := writeLabels(t, someLabels(false), false)
	if err := os.Remove(filepath.Join(dir, AbstainedFile)); err != nil {
		t.Fatal(err)
	}
	pairs := filepath.Join(t.TempDir(), "pairs.parquet")
	if _, err := data.Convert(t.Context(), []string{filepath.Join(dir, PairsFile)}, pairs, data.ReadConfig{}); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		dir:   "abstained.parquet: no such file",
		pairs: "no column response_a",
		write(t, "x.parquet", "PAR1 and no more than this"): "damaged",
	} {
		var last error
		for _, err := range ReadLabels(path) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), says) || !strings.Contains(last.Error(), "read labels "+path) {
			t.Errorf("%s: %v, want %q", path, last, says)
		}
	}
}

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func assistant(t data.Text) data.Text {
	return data.Text{Messages: []data.Message{{Role: "assistant", Content: t.Plain}}}
}

func readPairs(t testing.TB, file string) (pairs []data.Pair) {
	t.Helper()
	for p, err := range data.ReadPairs([]string{file}, data.ReadConfig{}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// TestReadDamagedLabels: whatever bytes of a label file change, it is read or
// refused, by path, and nothing panics.
func TestReadDamagedLabels(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(writeLabels(t, someLabels(true), true), PairsFile))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for at := 0; at < len(whole); at += 23 {
		bytes := slices.Clone(whole)
		bytes[at] ^= 0x55
		path := write(t, "pairs.parquet", string(bytes))
		for _, err := range ReadLabels(path) {
			if err != nil {
				refused++
				if !strings.Contains(err.Error(), "read labels "+path) {
					t.Errorf("byte %d: %v", at, err)
				}
			}
		}
	}
	if refused < len(whole)/69 {
		t.Errorf("%d of %d damaged files refused", refused, len(whole)/23)
	}
}
