package data

import (
	"reflect"
	"strings"
	"testing"
)

// TestTableSays: columns that are not scored are said to be kept, a known
// layout of which one column alone would be scored is refused, and places are
// counted as the file's are.
func TestTableSays(t *testing.T) {
	table := openTable(t, write(t, "a.jsonl", `{"prompt":"p","response":"r","id":"1"}`+"\n"))
	if notes := strings.Join(table.Notes(), "\n"); notes != "columns kept in the output, but not scored: id" {
		t.Errorf("%q", notes)
	}
	if rec := readTable(t, table)[0]; rec.Unit != "line" || rec.Row != 1 {
		t.Errorf("%+v", rec)
	}
	for row, from := range map[string]string{
		`{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected_response":"b"}`: "ms-swift",
		`{"message_id":"1","parent_id":null,"role":"prompter","text":"q","rank":null}`:                            "oasst",
		`{"prompt":"p","response_1":"a","response_2":"b","preference_strength":1}`:                                "helpsteer2",
	} {
		file := write(t, "a.jsonl", row+"\n")
		if _, err := OpenTable(file, nil); err == nil || !strings.Contains(err.Error(), "laurel convert --from "+from) {
			t.Errorf("%s: %v", from, err)
		}
		if err := CheckComparisons([]string{file}, ReadConfig{}); err == nil || !strings.Contains(err.Error(), "laurel convert --from "+from) {
			t.Errorf("compared, %s: %v", from, err)
		}
	}
}

// TestSystemOfOthers: what --columns names as the system message, and what
// else belongs to a prompt, is read in texts to score and in comparisons too.
func TestSystemOfOthers(t *testing.T) {
	columns := map[string]string{"system": "sys", "input": "context"}
	want := []Message{{Role: "system", Content: "s"}, {Role: "user", Content: "p\nc"}}
	table, err := OpenTable(write(t, "a.jsonl", `{"sys":"s","prompt":"p","context":"c","response":"r"}`+"\n"), columns)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if c := readTable(t, table)[0].Completions[0]; !reflect.DeepEqual(c.Prompt.Messages, want) || c.Response.Messages[0].Content != "r" {
		t.Errorf("%+v", c)
	}
	file := write(t, "b.jsonl", `{"sys":"s","prompt":"p","context":"c","response_a":"r","response_b":"x"}`+"\n")
	for c, err := range ReadComparisons([]string{file}, ReadConfig{Columns: columns}, nil) {
		if err != nil || !reflect.DeepEqual(c.Prompt.Messages, want) || c.A.Messages[0].Content != "r" {
			t.Errorf("%v %+v", err, c)
		}
	}
}
