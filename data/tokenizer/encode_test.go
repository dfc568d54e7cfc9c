package tokenizer

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"laurel/data"
)

type textCase struct {
	Text        string
	IDs         []int32
	NoSpecial   []int32 `json:"ids_no_special"`
	Left, Right map[string][]int32
}

type chatCase struct {
	Messages   []data.Message
	Text       string
	IDs        []int32
	Generation *string `json:"text_generation_prompt"`
}

// Expected ids: transformers 5.23.0 (testdata/make_tokenizer.py).
func TestEncodesAsTransformers(t *testing.T) {
	for _, name := range []string{"wordpiece", "bpe"} {
		t.Run(name, func(t *testing.T) {
			var expected struct {
				VocabSize int `json:"vocab_size"`
				Cases     []textCase
				Chats     []chatCase
			}
			readJSON(t, filepath.Join("testdata", name, "expected.json"), &expected)
			tok := open(t, "testdata", name)
			if tok.VocabSize() != expected.VocabSize {
				t.Errorf("vocabulary of %d, want %d", tok.VocabSize(), expected.VocabSize)
			}
			for _, c := range expected.Cases {
				c.check(t, tok)
			}
			for _, c := range expected.Chats {
				c.check(t, tok)
			}
		})
	}
}

func (c textCase) check(t *testing.T, tok *Tokenizer) {
	t.Helper()
	checkIDs(t, tok, c.Text, 0, Right, c.IDs)
	plain, err := tok.encode(c.Text)
	if err != nil || !slices.Equal(plain, c.NoSpecial) {
		t.Errorf("%.60q without specials: %v, %v; want %v", c.Text, plain, err, c.NoSpecial)
	}
	for length, ids := range c.Left {
		n, _ := strconv.Atoi(length)
		checkIDs(t, tok, c.Text, n, Left, ids)
		checkIDs(t, tok, c.Text, n, Right, c.Right[length])
	}
}

func checkIDs(t *testing.T, tok *Tokenizer, text string, maxLength int, side Side, want []int32) {
	t.Helper()
	got, err := tok.EncodeText(text, maxLength, side)
	if err != nil || !slices.Equal(got.IDs, want) {
		t.Errorf("%.60q, max_length %d, %v: %v, %v; want %v", text, maxLength, side, got.IDs, err, want)
	}
}

func (c chatCase) check(t *testing.T, tok *Tokenizer) {
	t.Helper()
	text, err := tok.Render(c.Messages, false)
	if err != nil || text != c.Text {
		t.Errorf("rendered %q, %v; want %q", text, err, c.Text)
	}
	got, err := tok.EncodeMessages(c.Messages, 0, Left)
	if err != nil || !slices.Equal(got.IDs, c.IDs) {
		t.Errorf("%q: %v, %v; want %v", c.Text, got.IDs, err, c.IDs)
	}
	if c.Generation != nil {
		asked := c.Messages[:len(c.Messages)-1]
		if c.Messages[len(c.Messages)-1].Role != "assistant" {
			asked = c.Messages
		}
		if text, err = tok.Render(asked, true); err != nil || text != *c.Generation {
			t.Errorf("with a generation prompt %q, %v; want %q", text, err, *c.Generation)
		}
	}
}

// For any text and limit: never longer than the limit, specials in place, Cut
// adds up, and the side says which tokens stay.
func TestTruncationProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"wordpiece", "bpe"} {
		tok := open(t, "testdata", name)
		prefix, suffix := tok.Specials()
		for range 300 {
			text := strings.Repeat("bake the bread, ", random.IntN(20))
			whole, err := tok.encode(text)
			if err != nil {
				t.Fatal(err)
			}
			limit := len(prefix) + len(suffix) + random.IntN(30)
			side := Side(random.IntN(2))
			got, err := tok.EncodeText(text, limit, side)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.IDs) > limit || len(got.IDs)+got.Cut != len(prefix)+len(whole)+len(suffix) {
				t.Fatalf("limit %d: %d ids and %d cut of %d", limit, len(got.IDs), got.Cut, len(whole))
			}
			kept := got.IDs[len(prefix) : len(got.IDs)-len(suffix)]
			want := whole[:len(kept)]
			if side == Left {
				want = whole[got.Cut:]
			}
			if !hasPrefix(got.IDs, prefix) || !hasSuffix(got.IDs, suffix) || !slices.Equal(kept, want) {
				t.Fatalf("limit %d, %v: %v", limit, side, got.IDs)
			}
		}
	}
}

func TestLimitBelowTheSpecials(t *testing.T) {
	tok := open(t, "testdata", "wordpiece")
	if got, err := tok.EncodeText("the bread", 2, Left); err != nil || !slices.Equal(got.IDs, []int32{2, 3}) {
		t.Errorf("max_length 2: %v, %v", got, err)
	}
	for _, limit := range []int{1, -1} {
		if _, err := tok.EncodeText("the bread", limit, Left); err == nil || !strings.Contains(err.Error(), "max_length") {
			t.Errorf("max_length %d: %v", limit, err)
		}
	}
}

func TestRefusesWhatWouldChangeUnseen(t *testing.T) {
	tok := open(t, "testdata", "bpe")
	for text, want := range map[string]string{
		"ab\x00cd": "NUL at byte 2", "é\xff": "invalid UTF-8 at byte 2", "\xed\xa0\x80": "invalid UTF-8 at byte 0",
	} {
		_, err := tok.EncodeText(text, 0, Left)
		if !errors.Is(err, ErrText) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := tok.EncodeText("a real \ufffd is text", 0, Left); err != nil {
		t.Error(err)
	}
}

func TestPlainPairIsOneSequence(t *testing.T) {
	tok := open(t, "testdata", "wordpiece")
	pair := data.Pair{
		Prompt: data.Text{Plain: "Human: bake"}, Chosen: data.Text{Plain: " the bread"}, Rejected: data.Text{Plain: " no"},
	}
	chosen, rejected, err := tok.EncodePair(pair, 0, Left)
	if err != nil {
		t.Fatal(err)
	}
	checkIDs(t, tok, "Human: bake the bread", 0, Left, chosen.IDs)
	checkIDs(t, tok, "Human: bake no", 0, Left, rejected.IDs)

	pair.Rejected.Plain = "\x00"
	if _, _, err = tok.EncodePair(pair, 0, Left); !errors.Is(err, ErrText) || !strings.Contains(err.Error(), "rejected") {
		t.Errorf("NUL in rejected: %v", err)
	}
}

// TestWholeTextHasASideOfItsOwn: a whole text is cut at one side, a prompt with a
// response at the other.
func TestWholeTextHasASideOfItsOwn(t *testing.T) {
	tok := open(t, "testdata", "wordpiece")
	text := "bake the bread that is late"
	whole := data.Completion{Response: data.Text{Plain: text}, IsText: true}
	got, err := tok.EncodeCompletion(whole, 5, Left, Right)
	if err != nil {
		t.Fatal(err)
	}
	checkIDs(t, tok, text, 5, Right, got.IDs)
	response := data.Completion{Prompt: data.Text{Plain: "bake the bread"}, Response: data.Text{Plain: " that is late"}}
	if got, err = tok.EncodeCompletion(response, 5, Left, Right); err != nil {
		t.Fatal(err)
	}
	checkIDs(t, tok, text, 5, Left, got.IDs)
}

// The BOS that the template writes is the post-processor's: one, and it stays
// where the front is cut.
func TestMessagesHaveSpecialsOnce(t *testing.T) {
	messages := []data.Message{{Role: "user", Content: "bake the bread"}, {Role: "assistant", Content: "no, that is late"}}
	tok := open(t, "testdata", "bpe")
	bos, _ := tok.BOSID()
	for _, limit := range []int{0, 6} {
		got, err := tok.EncodeMessages(messages, limit, Left)
		if err != nil {
			t.Fatal(err)
		}
		if count := strings.Count(string(asRunes(got.IDs)), string(bos)); got.IDs[0] != bos || count != 1 {
			t.Errorf("max_length %d: %d BOS in %v", limit, count, got.IDs)
		}
		if limit > 0 && (len(got.IDs) != limit || got.Cut == 0) {
			t.Errorf("max_length %d: %v", limit, got)
		}
	}
	dir := copyModel(t, "bpe")
	write(t, dir, "chat_template.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}")
	bare := open(t, dir)
	got, err := bare.EncodeMessages(messages, 0, Left)
	if err != nil {
		t.Fatal(err)
	}
	checkIDs(t, bare, "bake the breadno, that is late", 0, Left, got.IDs)
}

func asRunes(ids []int32) []rune { return ids }

// Without a template the text is an HH transcript, specials around it.
func TestTranscriptWithoutTemplate(t *testing.T) {
	tok := open(t, "testdata", "wordpiece")
	if tok.HasTemplate() {
		t.Fatal("wordpiece has no template")
	}
	messages := []data.Message{
		{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Hi"}, {Role: "assistant", Content: "Yes?"}, {Role: "tool", Content: "4"},
	}
	const want = "\n\nSystem: Be brief.\n\nHuman: Hi\n\nAssistant: Yes?\n\nTool: 4"
	text, err := tok.Render(messages, false)
	if err != nil || text != want {
		t.Errorf("%q, %v", text, err)
	}
	if text, err = tok.Render(messages, true); err != nil || text != want+"\n\nAssistant:" {
		t.Errorf("%q, %v", text, err)
	}
	pair := data.Pair{Prompt: data.Text{Messages: messages[:2]}, Chosen: data.Text{Messages: messages[2:3]}, Rejected: data.Text{Plain: "Hm"}}
	chosen, rejected, err := tok.EncodePair(pair, 0, Left)
	if err != nil {
		t.Fatal(err)
	}
	checkIDs(t, tok, "\n\nSystem: Be brief.\n\nHuman: Hi\n\nAssistant: Yes?", 0, Left, chosen.IDs)
	checkIDs(t, tok, "\n\nSystem: Be brief.\n\nHuman: Hi\n\nAssistant: Hm", 0, Left, rejected.IDs)

	for _, wrong := range [][]data.Message{nil, {{Role: "judge", Content: "x"}}} {
		if _, err := tok.Render(wrong, false); !errors.Is(err, ErrText) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

func TestParseSide(t *testing.T) {
	for name, side := range map[string]Side{"left": Left, "right": Right} {
		if got, err := ParseSide(name); err != nil || got != side || got.String() != name {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := ParseSide("middle"); err == nil || !strings.Contains(err.Error(), "middle") {
		t.Errorf("middle: %v", err)
	}
}

// One tokenizer serves many goroutines; Close waits for them.
func TestConcurrentUseAndClose(t *testing.T) {
	tok, err := Open(filepath.Join("testdata", "bpe"))
	if err != nil {
		t.Fatal(err)
	}
	messages := []data.Message{{Role: "user", Content: "bake"}, {Role: "assistant", Content: "bread " + strings.Repeat("late ", 50)}}
	want, err := tok.EncodeMessages(messages, 40, Left)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	halfway := make(chan struct{}, 4)
	for range cap(halfway) {
		group.Go(func() {
			for i := range 100 {
				got, err := tok.EncodeMessages(messages, 40, Left)
				if errors.Is(err, ErrClosed) && i >= 50 {
					return
				}
				if err != nil || !slices.Equal(got.IDs, want.IDs) || got.Cut != want.Cut {
					t.Errorf("encoding %d: %v, %v", i, got, err)
				}
				if i == 49 {
					halfway <- struct{}{}
				}
			}
		})
	}
	for range cap(halfway) {
		<-halfway
	}
	if err := tok.Close(); err != nil {
		t.Error(err)
	}
	group.Wait()
	if _, err := tok.EncodeText("late", 0, Left); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := tok.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// No text makes it panic; what it refuses is what it says; the limit holds; the
// post-processor's own result is the one without a limit.
func FuzzEncodeText(f *testing.F) {
	for _, seed := range []string{"", "Hello world", "\x00", "\xff", "é 你好 👩‍👩‍👧", "[CLS] <s> </s>", "a\u0301\u200b\ufeff", strings.Repeat("x", 300)} {
		f.Add(seed, 9, true)
	}
	toks := []*Tokenizer{open(f, "testdata", "wordpiece"), open(f, "testdata", "bpe")}
	f.Fuzz(func(t *testing.T, text string, limit int, left bool) {
		side := Right
		if left {
			side = Left
		}
		limit = 2 + (limit&0xff)%64
		for _, tok := range toks {
			got, err := tok.EncodeText(text, limit, side)
			clean := utf8.ValidString(text) && !strings.Contains(text, "\x00")
			if (err == nil) != clean {
				t.Fatalf("%q: %v", text, err)
			}
			if !clean {
				continue
			}
			full, err := tok.encodeWhole(text, true)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.IDs) > limit || len(got.IDs)+got.Cut != len(full) {
				t.Fatalf("%q: %d ids, %d cut, %d whole", text, len(got.IDs), got.Cut, len(full))
			}
			if whole, err := tok.EncodeText(text, 0, side); err != nil || !slices.Equal(whole.IDs, full) {
				t.Fatalf("%q: %v, %v; the post-processor gives %v", text, whole.IDs, err, full)
			}
		}
	})
}

// No template makes it panic, and none that compiles goes on for ever.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"{{ bos_token }}", "{% for m in messages %}{{ m.content }}{% endfor %}", "{% raw %}{{{% endraw -%} x", "{#- c +#}\n {%+ if true %}\n", "{{ {'a': {}} }}", "{{ messages[-1]['content'][::-1] }}",
		"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{% for i in range(9**9) %}{{ 'x' * 9**9 }}{% endfor %}"} {
		f.Add(seed)
	}
	messages := []data.Message{{Role: "user", Content: "a"}, {Role: "assistant", Content: "b"}}
	f.Fuzz(func(t *testing.T, source string) {
		template, err := compileTemplate("fuzz", source, nil)
		if err == nil {
			_, _ = template.render(nil, messages, true)
		}
	})
}

func BenchmarkEncodeText(b *testing.B) {
	tok := open(b, "testdata", "wordpiece")
	text := strings.Repeat("Human: Could you tell me how to bake a loaf of bread? ", 12)
	tokens := 0
	b.ReportAllocs()
	for b.Loop() {
		got, err := tok.EncodeText(text, 512, Left)
		if err != nil {
			b.Fatal(err)
		}
		tokens += len(got.IDs) + got.Cut
	}
	b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
}
