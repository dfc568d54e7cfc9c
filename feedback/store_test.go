package feedback

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"laurel/feedback/chat"
)

func openStore(t testing.TB, path string) *Store {
	t.Helper()
	s, err := OpenStore(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s *Store, key string, value any) {
	t.Helper()
	if err := s.Put(key, value, chat.Spent{Requests: 1, PromptTokens: 10, Cost: 0.5}); err != nil {
		t.Fatal(err)
	}
}

func wantStored(t testing.TB, s *Store, key, want string) {
	t.Helper()
	var got string
	found, err := s.Get(key, &got)
	if err != nil || found != (want != "") || got != want {
		t.Errorf("%q, %v, %v, want %q", got, found, err, want)
	}
}

func TestStoreKeepsWhatIsPut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.jsonl")
	s := openStore(t, path)
	one, two, three := Key("one"), Key("two"), Key("three")
	put(t, s, one, "first")
	put(t, s, two, "<second>\nline \x00 \u2028")
	if err := s.Spend(chat.Spent{Requests: 3, Cost: 0.25}); err != nil {
		t.Fatal(err)
	}
	put(t, s, one, "again")
	for range 2 {
		wantStored(t, s, one, "again")
		wantStored(t, s, two, "<second>\nline \x00 \u2028")
		wantStored(t, s, three, "")
		if want := (chat.Spent{Requests: 6, PromptTokens: 30, Cost: 1.75}); s.Spent() != want {
			t.Errorf("spent %+v, want %+v", s.Spent(), want)
		}
		if s.Repaired != "" {
			t.Error(s.Repaired)
		}
		closeStore(t, s)
		s = openStore(t, path)
	}
	closeStore(t, s)
}

func TestStoreAsksAgainAfterFinish(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.jsonl")
	s := openStore(t, path)
	good, bad := Key("good"), Key("bad")
	put(t, s, good, "kept")
	if err := s.PutUntilFinished(bad, "unusable", chat.Spent{Requests: 1}); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	s = openStore(t, path) // the run goes on
	wantStored(t, s, bad, "unusable")
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		wantStored(t, s, good, "kept")
		wantStored(t, s, bad, "")
		var last string
		if found, err := s.Last(bad, &last); !found || err != nil || last != "unusable" {
			t.Errorf("%q, %v, %v", last, found, err)
		}
		closeStore(t, s)
		s = openStore(t, path)
	}
	put(t, s, bad, "better")
	wantStored(t, s, bad, "better")
	closeStore(t, s)
}

func TestStoreIsForOneRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.jsonl")
	s := openStore(t, path)
	if _, err := OpenStore(path); err == nil || !strings.Contains(err.Error(), "in use by another run") {
		t.Errorf("opened twice: %v", err)
	}
	closeStore(t, s)
	closeStore(t, openStore(t, path))
}

// A process killed while it writes leaves any number of the last line's bytes.
func TestStoreCutAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.jsonl")
	s := openStore(t, whole)
	put(t, s, Key("one"), "first")
	before := s.size
	put(t, s, Key("two"), "second ä")
	closeStore(t, s)
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for cut := int(before); cut <= len(content); cut++ {
		path := filepath.Join(dir, fmt.Sprintf("%d.jsonl", cut))
		if err := os.WriteFile(path, content[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		s := openStore(t, path)
		second, torn := "", cut != int(before) && cut != len(content)
		if cut >= len(content)-1 {
			second = "second ä"
		}
		wantStored(t, s, Key("one"), "first")
		wantStored(t, s, Key("two"), second)
		if (s.Repaired != "") != torn {
			t.Errorf("cut at %d: %q", cut, s.Repaired)
		}
		put(t, s, Key("two"), "second ä")
		closeStore(t, s)
		if s = openStore(t, path); s.Repaired != "" {
			t.Errorf("cut at %d: repaired twice: %s", cut, s.Repaired)
		}
		wantStored(t, s, Key("two"), "second ä")
		closeStore(t, s)
	}
}

func TestStoreRefusesDamage(t *testing.T) {
	good := `{"key":"` + Key("k") + `","value":1}` + "\n"
	for _, line := range []string{"", "{}", `{"key":"12","value":1}`, `{"key":"` + Key("k") + `"}`, `{"spent":{"cost":-1}}`,
		`{"finished":true,"spent":{}}`, `{"answer":1}`, good[:20], strings.TrimSpace(good) + " x", "\x00\x00"} {
		path := filepath.Join(t.TempDir(), "answers.jsonl")
		if err := os.WriteFile(path, []byte(good+line+"\n"+good), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenStore(path); err == nil || !strings.Contains(err.Error(), path+": line 2 is damaged") {
			t.Errorf("%q: %v", line, err)
		}
		if content, _ := os.ReadFile(path); string(content) != good+line+"\n"+good {
			t.Errorf("%q: the file was changed", line)
		}
	}
}

func TestStoreTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.jsonl")
	s := openStore(t, path)
	var group sync.WaitGroup
	for writer := range 8 {
		group.Go(func() {
			for i := range 50 {
				key := Key("k", fmt.Sprint(writer), fmt.Sprint(i))
				put(t, s, key, strings.Repeat("x", i))
				var back string
				if found, err := s.Get(key, &back); !found || err != nil || len(back) != i {
					t.Errorf("%v, %v, %d characters", found, err, len(back))
				}
			}
		})
	}
	group.Wait()
	closeStore(t, s)
	s = openStore(t, path)
	if len(s.index) != 400 || s.Spent().Requests != 400 {
		t.Errorf("%d values, %+v", len(s.index), s.Spent())
	}
	closeStore(t, s)
}

func TestKeyTellsPartsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"", "ab"}, {"ab", ""}} {
		key := Key(parts...)
		if other, ok := seen[key]; ok {
			t.Errorf("%q and %q have one key", parts, other)
		}
		seen[key] = parts
	}
}

func FuzzStoreLine(f *testing.F) {
	f.Add([]byte(`{"key":"` + Key("k") + `","value":{"a":[1,null,"x"]},"again":true,"spent":{"requests":2,"cost":0.1}}`))
	f.Add([]byte(`{"spent":{"prompt_tokens":3}}`))
	f.Add([]byte(`{"finished":true}`))
	f.Add([]byte(`{"key":"`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		line, err := parseStoreLine(raw)
		if err != nil {
			return
		}
		s := Store{index: map[storeKey]storePlace{}}
		s.take(line, int32(len(raw)))
		if bytes.ContainsRune(raw, '\n') {
			return // never one line of a file
		}
		path := filepath.Join(t.TempDir(), "answers.jsonl")
		if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		read := openStore(t, path)
		if len(read.index) != len(s.index) || read.spent != s.spent {
			t.Errorf("%+v, want %+v", read.index, s.index)
		}
		closeStore(t, read)
	})
}
