package tokenizer

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// awkward are parts of texts that a cut between words could go wrong at.
var awkward = []string{" ", "  ", "\n", "\t", " \n", "\u00a0", "\u3000", "\u200b", "é", "e\u0301", "\u0301", "'s", "'", "’ll", ".", ",", "...", "!?", "▁", "▁▁",
	"a", "B", "the", "The", "hello", "worlds", "İ", "ß", "ﬁ", "１２", "12", "3456", "0", "日本", "한국", "ا", "😀", "👩‍👩‍👧", "Ω", "\x7f", "\x01", "-", "_", "(", ")",
	"<", ">", "<s>", "</s>", "[CLS]", "[mask]", "<mask>", "<|im_start|>", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}

// randomText strings parts together, mostly with a space between, and the
// tokenizer's own added tokens among them.
func randomText(rng *rand.Rand, parts []string) string {
	var b strings.Builder
	for range 1 + rng.IntN(25) {
		b.WriteString(parts[rng.IntN(len(parts))])
		if rng.IntN(4) > 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// sameApart compares words with whole texts, each text twice, so that what is
// remembered is compared too; half of the texts begin as the one before.
func sameApart(t *testing.T, tok *Tokenizer, texts int, seed uint64) {
	t.Helper()
	parts := slices.Concat(awkward, awkward[14:], slices.Sorted(maps.Keys(tok.added)))
	rng := rand.New(rand.NewPCG(seed, 1))
	text := ""
	for range texts {
		beginning := ""
		if rng.IntN(2) == 0 {
			beginning = strings.ToValidUTF8(text[:min(rng.IntN(len(text)+1), 300)], "")
		}
		text = beginning + randomText(rng, parts)
		want, err := tok.encodeWhole(text, false)
		if err != nil {
			t.Error(err)
			return
		}
		for range 2 {
			if got, err := tok.encode(text); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q: %v, %v; whole: %v", text, got, err, want)
				return
			}
		}
	}
}

// Words apart have the ids of the whole text, for every pipeline that is
// known to allow it, under every setting.
func TestWordsApart(t *testing.T) {
	for _, name := range []string{"bpe", "wordpiece"} {
		tok := open(t, "testdata", name)
		if tok.words == nil {
			t.Errorf("%s: texts are encoded whole", name)
		}
		sameApart(t, tok, 2000, 7)
	}
	var cases classCases
	readJSON(t, filepath.Join("testdata", "classes", "expected.json"), &cases)
	for name, list := range cases.Tokenizers {
		t.Run(name, func(t *testing.T) {
			apart := 0
			for i, c := range list {
				tok, err := Open(c.write(t, filepath.Join("testdata", "classes", name+".json")))
				if err != nil {
					continue
				}
				if tok.words != nil {
					apart++
				}
				sameApart(t, tok, 60, uint64(i))
				tok.Close()
			}
			t.Logf("%d of %d encode words apart", apart, len(list))
			if across := name == "metaspace"; across != (apart == 0) {
				t.Errorf("%d encode words apart", apart)
			}
		})
	}
}

// A pipeline that does not split at spaces, and whose vocabulary does not
// reach across them, does so too; metaspace.json has such tokens as "e▁".
func TestWordsApartWithoutSplitting(t *testing.T) {
	var d map[string]any
	readJSON(t, filepath.Join("testdata", "classes", "metaspace.json"), &d)
	model := d["model"].(map[string]any)
	across := func(text string) bool { return strings.Contains(strings.TrimLeft(text, "▁"), "▁") }
	vocab := map[string]any{}
	for text := range model["vocab"].(map[string]any) {
		if !across(text) {
			vocab[text] = len(vocab)
		}
	}
	model["vocab"] = vocab
	model["merges"] = slices.DeleteFunc(model["merges"].([]any), func(merge any) bool {
		pair, ok := merge.([]any)
		if !ok {
			left, right, _ := strings.Cut(merge.(string), " ")
			pair = []any{left, right}
		}
		return across(pair[0].(string) + pair[1].(string))
	})
	d["added_tokens"] = []any{}
	for _, prepend := range []bool{true, false} {
		if !prepend {
			d["normalizer"] = d["normalizer"].(map[string]any)["normalizers"].([]any)[1]
		}
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, dir, "tokenizer.json", string(raw))
		tok := open(t, dir)
		if tok.words == nil || tok.words.bare != prepend {
			t.Fatalf("prepend %v: %+v", prepend, tok.words)
		}
		sameApart(t, tok, 2000, 11)
	}
}

func TestGoldenWordsApart(t *testing.T) {
	for _, path := range models(t, "tokenizer.json") {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			tok := open(t, filepath.Dir(path))
			t.Logf("words apart: %v", tok.words != nil)
			sameApart(t, tok, 3000, 3)
		})
	}
}

// Several goroutines share what is remembered.
func TestWordsTogether(t *testing.T) {
	tok := open(t, "testdata", "wordpiece")
	var group sync.WaitGroup
	for seed := range uint64(4) {
		group.Go(func() { sameApart(t, tok, 300, seed) })
	}
	group.Wait()
}

// A word of any kind is remembered within bounds.
func TestWordsAreBounded(t *testing.T) {
	w := &words{fresh: map[string][]int32{}}
	w.take(nil, " ", false)
	w.known.Store(&map[string][]int32{})
	asked, last := 0, begun{}
	encode := func(s string) ([]int32, error) { asked++; return []int32{int32(len(s))}, nil }
	text := make([]byte, 0, 32)
	for i := range 2 * maxWords {
		text = append(text[:0], "number "...)
		for n := i; n > 0; n /= 26 {
			text = append(text, byte('a'+n%26))
		}
		w.encode(string(text), &last, encode)
	}
	if n := len(*w.known.Load()) + len(w.fresh); n > maxWords || n < maxWords/8 {
		t.Errorf("%d words remembered", n)
	}
	before := asked
	if w.encode(string(text), &last, encode); asked != before {
		t.Error("a word seen before was asked for again")
	}
	if ids, _, _ := w.encode(strings.Repeat("x", 3000)+" y", &last, encode); !slices.Equal(ids, []int32{3000, 2}) {
		t.Error(ids)
	}
}

func FuzzWordsApart(f *testing.F) {
	tokenizers := []*Tokenizer{open(f, "testdata", "bpe"), open(f, "testdata", "wordpiece")}
	for _, s := range []string{"", " a", "a b", "e\u0301 b c", "<s> a", "a  b\tc d", "it's a (b) c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tok := range tokenizers {
			want, wantErr := tok.encodeWhole(text, false)
			got, err := tok.encode(text)
			if !slices.Equal(got, want) || (err == nil) != (wantErr == nil) {
				t.Errorf("%q: %v, %v; whole: %v, %v", text, got, err, want, wantErr)
			}
		}
	})
}
