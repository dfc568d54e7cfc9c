package feedback

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
	"laurel/feedback/chat"
)

// TestOfShard: every comparison is in one shard, with all of equal texts, in
// whatever order.
func TestOfShard(t *testing.T) {
	text := func(s string) data.Text { return data.Text{Plain: s} }
	all := func(counts *data.Counts) iter.Seq2[data.Comparison, error] {
		return func(yield func(data.Comparison, error) bool) {
			for i := range 90 {
				counts.Read++
				counts.Kept++
				a, b := text("a"), text(fmt.Sprint(i/2))
				if i%2 == 1 {
					a, b = b, a
				}
				if !yield(data.Comparison{ID: fmt.Sprint(i), Prompt: text("p"), A: a, B: b}, nil) {
					return
				}
			}
			yield(data.Comparison{}, errors.New("bad row"))
		}
	}
	in, total := map[string]int{}, 0
	for i := range 3 {
		var counts data.Counts
		n, failed := 0, false
		for c, err := range OfShard(all, data.Shard{Index: i, Of: 3})(&counts) {
			if failed = err != nil; failed {
				break
			}
			in[c.ID] = i
			n++
		}
		if counts.Kept != n || counts.Read != n || n < 12 || !failed {
			t.Errorf("shard %d has %d, counts %s, failed %v", i, n, &counts, failed)
		}
		total += n
	}
	if total != 90 || len(in) != 90 {
		t.Errorf("%d comparisons in all shards, %d different", total, len(in))
	}
	for i := 0; i < 90; i += 2 {
		if in[fmt.Sprint(i)] != in[fmt.Sprint(i+1)] {
			t.Errorf("%d and %d have equal texts and are in shards %d and %d", i, i+1, in[fmt.Sprint(i)], in[fmt.Sprint(i+1)])
		}
	}
}

// TestJoinStores: the answers, the spending and what is to be asked again of all
// stores, as of one run that is finished.
func TestJoinStores(t *testing.T) {
	dir := t.TempDir()
	var stores []string
	for i := range 2 {
		path := filepath.Join(dir, fmt.Sprint(i))
		s, err := OpenStore(path)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(s.Put(Key("good", fmt.Sprint(i)), i, chat.Spent{Requests: 1}), s.PutUntilFinished(Key("again", fmt.Sprint(i)), i, chat.Spent{Requests: 2}),
			s.Spend(chat.Spent{Requests: 4}), s.Finish(), s.Close())
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, path)
	}
	joined := filepath.Join(dir, "joined")
	for range 2 { // the second time it is there
		if err := JoinStores(joined, stores); err != nil {
			t.Fatal(err)
		}
	}
	s, err := OpenStore(joined)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		good, again := Key("good", fmt.Sprint(i)), Key("again", fmt.Sprint(i))
		if !s.Has(good, false) || s.Has(again, false) || !s.Has(again, true) {
			t.Errorf("store %d: %v %v %v", i, s.Has(good, false), s.Has(again, false), s.Has(again, true))
		}
	}
	if spent := s.Spent(); spent.Requests != 14 {
		t.Errorf("%+v", spent)
	}
	if err := errors.Join(s.Put(Key("new"), 1, chat.Spent{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := JoinStores(joined, stores); err == nil || !strings.Contains(err.Error(), "holds other answers") {
		t.Error(err)
	}
	if err := os.WriteFile(stores[1], []byte(`{"key":"`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := JoinStores(filepath.Join(dir, "other"), stores); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Error(err)
	}
}
