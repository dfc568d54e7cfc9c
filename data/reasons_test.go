package data

import (
	"errors"
	"strings"
	"testing"
)

// Every reason, by the one line of JSON that has it; it stands between good
// lines, which skip must keep.
func TestReasons(t *testing.T) {
	text := `{"prompt":"p","chosen":"a","rejected":"b"}`
	chat := `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`
	for _, c := range []struct {
		reason     Reason
		good, line string
		says       []string
	}{
		{ReasonNullText, text, `{"prompt":null,"chosen":"a","rejected":"b"}`, []string{"column prompt", "null"}},
		{ReasonEmptyResponse, text, `{"prompt":"p","chosen":"a","rejected":" \n\t\u00a0"}`, []string{"column rejected", "white space"}},
		{ReasonEmptyResponse, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":" "}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"column chosen", "empty"}},
		{ReasonIdentical, text, `{"prompt":"p","chosen":"a","rejected":"a"}`, []string{"column rejected", "equals chosen"}},
		{ReasonIdentical, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}`, []string{"equals chosen"}},
		{ReasonConfidenceNaN, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":1e999}`, []string{"column confidence", "Inf"}},
		{ReasonConfidenceBelow, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":-1e-9}`, []string{"negative"}},
		{ReasonConfidenceOver, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":85}`, []string{"85", "divide the column by 100"}},
		{ReasonConfidenceOver, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":1.01}`, []string{"1.01", "over 1"}},
		{ReasonMargin, text, `{"prompt":"p","chosen":"a","rejected":"b","margin":-1e999}`, []string{"column margin", "finite"}},
		{ReasonVoteShare, text, `{"prompt":"p","chosen":"a","rejected":"b","vote_share":1.5}`, []string{"column vote_share", "1.5"}},
		{ReasonUTF8, text, "{\"prompt\":\"p\",\"chosen\":\"a\xff\",\"rejected\":\"b\"}", []string{"column chosen", "byte 1"}},
		{ReasonUTF8, text, `{"prompt":"half \ud800 a pair","chosen":"a","rejected":"b"}`, []string{"column prompt", "UTF-8", "byte 5"}},
		{ReasonUTF8, text, "{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\",\"id\":\"\xff\"}", []string{"column id"}},
		{ReasonNUL, text, `{"prompt":"p\u0000","chosen":"a","rejected":"b"}`, []string{"column prompt", "NUL", "byte 1"}},
		{ReasonRole, chat, `{"chosen":[{"role":"usr","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"message 0", `"usr"`, `"user"`}},
		{ReasonNullMessage, chat, `{"chosen":[{"role":null,"content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"message 0", "role is null"}},
		{ReasonNullMessage, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"message 1", "content is null or missing"}},
		{ReasonNoMessages, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[]}`, []string{"column rejected", "empty list"}},
		{ReasonLastTurn, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"z"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"column chosen", "ends with a user turn"}},
		{ReasonPromptsDiffer, chat, `{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"Q"},{"role":"assistant","content":"b"}]}`, []string{"does not share a prompt"}},
		{ReasonWrongType, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":"0.9"}`, []string{"column confidence", `"0.9"`, "number"}},
		{ReasonWrongType, text, `{"prompt":"p","chosen":3,"rejected":"b"}`, []string{"column chosen", "a number where text"}},
		{ReasonWrongType, text, `{"prompt":"p","chosen":["a"],"rejected":"b"}`, []string{"column chosen", "a list"}},
		{ReasonWrongType, text, `{"prompt":"p","chosen":"a","rejected":"b","subset":{"x":1}}`, []string{"column subset", "an object"}},
		{ReasonWrongType, text, chat, nil},
		{ReasonWrongType, chat, `{"chosen":[{"role":"user","content":["q"]},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"message 0", "content is a list"}},
		{ReasonBrokenLine, text, `{"prompt":"p","chosen":"a`, []string{"broken JSON", "cut short"}},
		{ReasonBrokenLine, text, `{"prompt":"p","chosen":"a","rejected":"b"} x`, []string{"broken JSON", "follows"}},
		{ReasonNotObject, text, `"prompt"`, []string{"not a JSON object"}},
		{ReasonNaNLiteral, text, `{"prompt":"p","chosen":"a","rejected":"b","confidence":-Infinity}`, []string{"column confidence", "-Infinity"}},
		{ReasonDuplicateKey, text, `{"prompt":"p","chosen":"a","rejected":"b","chosen":"c"}`, []string{"column chosen", `the key "chosen" is given a second time`}},
		{ReasonDuplicateKey, text, `{"prompt":"p","chosen":"a","rejected":"b","x":1,"\u0078":2}`, []string{`the key "x" is given a second time`}},
		{ReasonDuplicateKey, text, `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,"r":1,"prompt":"p","chosen":"a","rejected":"b","r":2}`, []string{`the key "r"`}},
		{ReasonDuplicateKey, chat, `{"chosen":[{"role":"user","content":"q","role":"system"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}`, []string{"chosen.role"}},
		{ReasonMissingField, text, `{"prompt":"p","chosen":"a"}`, []string{"column rejected", "missing"}},
		{ReasonMissingField, text, `{"chosen":"a","rejected":"b"}`, []string{"column prompt", "missing"}},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			if c.reason == ReasonWrongType && c.says == nil {
				c.says = []string{"line 3"}
				if strings.Contains(c.line, `"prompt"`) {
					t.Fatal("the case lost its meaning")
				}
				c.line = strings.Replace(c.line, "{", `{"prompt":"p",`, 1)
			}
			file := write(t, "x.jsonl", c.good+"\n\n"+c.line+"\n"+c.good+"\n")
			_, counts, err := readAll(t, file, ReadConfig{OnBadRow: "fail"})
			var bad *RowError
			if !errors.As(err, &bad) {
				t.Fatalf("no RowError but %v", err)
			}
			if bad.Reason != c.reason || bad.Row != 3 || bad.Unit != "line" || counts.Read != 2 || counts.Kept != 1 {
				t.Errorf("%+v, %v", bad, counts)
			}
			for _, s := range append(c.says, file, "line 3", "--on-bad-row skip") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%v\nlacks %q", err, s)
				}
			}
			pairs, counts, err := readAll(t, file, ReadConfig{OnBadRow: "skip"})
			if err != nil || len(pairs) != 2 || counts.Skipped[c.reason] != 1 || counts.Read != 3 {
				t.Errorf("skip: %d pairs, %v, %v", len(pairs), counts, err)
			}
		})
	}
}
