package data

import (
	"reflect"
	"strings"
	"testing"
)

func readPrompts(t testing.TB, files []string, cfg ReadConfig) ([]Prompt, Counts, error) {
	t.Helper()
	var out []Prompt
	var counts Counts
	for p, err := range ReadPrompts(files, cfg, &counts) {
		if err != nil {
			return out, counts, err
		}
		out = append(out, p)
	}
	return out, counts, nil
}

func TestReadPrompts(t *testing.T) {
	text := write(t, "text.jsonl", strings.Join([]string{
		`{"prompt":"Why is the sky blue?","source":"s"}`,
		`{"id":"t","prompt":"\n\nHuman: Hi\n\nAssistant: Hello.\nYou?\n\nHuman: Tell me a secret\n\nAssistant:","response":" No.\n"}`,
		`{"prompt":"Human: is no transcript\n\nAssistant:","response":"  "}`,
	}, "\n")+"\n")
	chat := write(t, "chat.jsonl", strings.Join([]string{
		`{"prompt":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],"response":null}`,
		`{"prompt":[{"role":"user","content":"Hi"}],"response":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}`,
	}, "\n")+"\n")
	got, counts, err := readPrompts(t, []string{text, chat}, ReadConfig{})
	if err != nil || counts.Kept != 5 {
		t.Fatal(counts, err)
	}
	want := []Prompt{
		{ID: text + ":row:1", Messages: []Message{{Role: "user", Content: "Why is the sky blue?"}}, Subset: "s", File: text, Row: 1},
		{ID: "t", Messages: []Message{{Role: "user", Content: "Hi"}, {Role: "assistant", Content: "Hello.\nYou?"}, {Role: "user", Content: "Tell me a secret"}}, Response: "No.", File: text, Row: 2},
		{ID: text + ":row:3", Messages: []Message{{Role: "user", Content: "Human: is no transcript\n\nAssistant:"}}, File: text, Row: 3},
		{ID: chat + ":row:1", Messages: []Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Hi"}}, File: chat, Row: 1},
		{ID: chat + ":row:2", Messages: []Message{{Role: "user", Content: "Hi"}}, Response: "Hello", File: chat, Row: 2},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%+v\nwant\n%+v", got, want)
	}
}

func TestReadPromptsRefuses(t *testing.T) {
	for row, want := range map[string]string{
		`{"prompt":" \n"}`: "column prompt: the prompt, or its last turn, is empty or only white space",
		`{"prompt":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`:                               "column prompt: ends with the assistant's turn",
		`{"prompt":"a","response":[{"role":"user","content":"b"}]}`:                                                   "column response: 1 messages where the assistant's answer alone should be",
		`{"prompt":"a","response":[{"role":"assistant","content":"b"},{"role":"assistant","content":"c"}],"x":"row"}`: "column response: 2 messages",
		`{"prompt":null}`: "null where text should be",
		`{"prompts":"a"}`: `did you mean "prompts"`,
	} {
		file := write(t, "x.jsonl", row+"\n")
		if _, _, err := readPrompts(t, []string{file}, ReadConfig{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", row, err, want)
		}
	}
	twice := write(t, "x.csv", "id,prompt\n1,a\n1,b\n")
	if _, _, err := readPrompts(t, []string{twice}, ReadConfig{}); err == nil || !strings.Contains(err.Error(), `row 1: column id: the id "1" was given before`) {
		t.Error(err)
	}
	if _, counts, err := readPrompts(t, []string{twice}, ReadConfig{OnBadRow: "skip"}); err != nil || counts.Skipped[ReasonDuplicateID] != 1 || counts.Kept != 1 {
		t.Error(counts, err)
	}
	if _, _, err := readPrompts(t, nil, ReadConfig{}); err == nil {
		t.Error("no files are no error")
	}
}

// FuzzPlainTurns: every text is turns that wait for an answer, and the words of
// none are lost.
func FuzzPlainTurns(f *testing.F) {
	f.Add("\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:")
	f.Add("\n\nHuman:\n\nAssistant:\n\nAssistant:")
	f.Add("\n\nAssistant: x\n\nAssistant:")
	f.Fuzz(func(t *testing.T, text string) {
		turns := plainTurns(text)
		words := strings.NewReplacer("Human:", "", "Assistant:", "")
		var said strings.Builder
		for _, turn := range turns {
			said.WriteString(turn.Content + " ")
		}
		if got, want := strings.Fields(words.Replace(said.String())), strings.Fields(words.Replace(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %q", text, turns)
		}
	})
}
