package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// What messages hold goes from JSON lines to Parquet and back unchanged.
func TestWholeMessagesRoundTrip(t *testing.T) {
	const row = `{"prompt":[{"role":"developer","content":"d"},{"role":"user","content":[{"type":"text","text":"a <b>"},{"type":"text","text":"c"}]}],` +
		`"chosen":[{"role":"assistant","reasoning_content":"r","tool_calls":[{"function":{"name":"f","arguments":{"z":1.50,"a":null,"n":12345678901234567890}}}]},` +
		`{"role":"tool","tool_call_id":"1","name":"f","content":"é"},{"role":"assistant","content":"x"}],"rejected":[{"role":"assistant","content":"y"}],` +
		`"confidence":1,"margin":0,"tools":[{"type":"function","function":{"name":"f","parameters":{"b":1,"a":2}}}],"chat_template_kwargs":{"enable_thinking":false}}` + "\n"
	in := write(t, "in.jsonl", row)
	dir := t.TempDir()
	columns, back := filepath.Join(dir, "a.parquet"), filepath.Join(dir, "b.jsonl")
	for _, step := range [][2]string{{in, columns}, {columns, back}} {
		if _, err := Convert(t.Context(), []string{step[0]}, step[1], ReadConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	if raw, err := os.ReadFile(back); err != nil || string(raw) != row {
		t.Errorf("%v\n got %s\nwant %s", err, raw, row)
	}
}

// Structs have a null for every key that another row has: it is no key here.
func TestNestedMessagesOfParquet(t *testing.T) {
	type function struct {
		Name      string  `parquet:"name"`
		Arguments *string `parquet:"arguments,optional"`
	}
	type call struct {
		Function function `parquet:"function"`
		ID       *string  `parquet:"id,optional"`
	}
	type turn struct {
		Role    string  `parquet:"role"`
		Content *string `parquet:"content,optional"`
		Calls   []call  `parquet:"tool_calls,optional,list"`
	}
	type pair struct {
		Prompt   []turn `parquet:"prompt,list"`
		Chosen   []turn `parquet:"chosen,list"`
		Rejected []turn `parquet:"rejected,list"`
		Tools    string `parquet:"tools"`
	}
	text := func(s string) *string { return &s }
	file := filepath.Join(t.TempDir(), "x.parquet")
	rows := []pair{{[]turn{{"user", text("q"), nil}}, []turn{{"assistant", nil, []call{{function{"f", text("{}")}, nil}}}}, []turn{{"assistant", text("no"), nil}}, `[{"name":"f"}]`}}
	if err := parquet.WriteFile(file, rows); err != nil {
		t.Fatal(err)
	}
	p := mustRead(t, file, ReadConfig{})[0]
	if got := p.Chosen.Messages[0].Field("tool_calls"); got != `[{"function":{"arguments":"{}","name":"f"}}]` && got != `[{"function":{"name":"f","arguments":"{}"}}]` {
		t.Errorf("tool calls %s", got)
	}
	if p.Rejected.Messages[0] != (Message{Role: "assistant", Content: "no"}) || p.Prompt.Messages[0].Whole != "" || p.Prompt.Context.Tools != `[{"name":"f"}]` {
		t.Errorf("%+v", p)
	}
}

// An empty list of tools is a list to the chat template, and no tools to all else.
func TestEmptyToolsAreAList(t *testing.T) {
	for cell, want := range map[string]string{`[]`: "[]", `"[]"`: "[]", `null`: "", `"null"`: "", `[ ]`: "[]"} {
		file := write(t, "x.jsonl", `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}],`+
			`"tools":`+cell+`,"chat_template_kwargs":{}}`+"\n")
		p := mustRead(t, file, ReadConfig{})[0]
		if got := p.Prompt.Context; got != (Context{Tools: want}) || got.Offered() != "" {
			t.Errorf("%s: %+v, want %q", cell, got, want)
		}
		without := p.Prompt
		without.Context = Context{}
		if PromptKey(p.Prompt) != PromptKey(without) {
			t.Errorf("%s: another prompt than without the column", cell)
		}
	}
}

// What a message cannot be is said by its name.
func TestMessagesThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}`: "a part of type image_url",
		`{"role":"user","content":null}`:                                           "content is null or missing",
		`{"role":"user","content":[{"type":"text"}]}`:                              "a part without text",
		`{"role":"critic","content":"x"}`:                                          `unknown role "critic"`,
		`{"role":"user","content":5}`:                                              "not text or parts",
		`{"role":"assistant","tool_calls":[{"x":"a\u0000"}]}`:                      "NUL",
		`{"role":"user","content":"x","message_json":"[]"}`:                        "message_json is no JSON object",
	} {
		var m Message
		if err := m.UnmarshalJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// FuzzMessage: what is read is written and read again as the same message.
func FuzzMessage(f *testing.F) {
	f.Add(`{"role":"assistant","content":null,"tool_calls":[{"a":[1e5,{"b":null}]}]}`)
	f.Add(`{"from":"gpt","value":"x","weight":1}`)
	f.Add(`{"role":"user","content":[{"type":"text","text":"\ud83d\ude00"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m, again Message
		if m.UnmarshalJSON([]byte(text)) != nil {
			return
		}
		raw, err := m.MarshalJSON()
		if err != nil || again.UnmarshalJSON(raw) != nil || again != m {
			t.Errorf("%q: %+v, then %+v by %s", text, m, again, raw)
		}
	})
}
