package labels

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/data"
)

func goldFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gold.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadGold(t *testing.T) {
	rows, counts, err := ReadGold(goldFile(t,
		`{"id":"1","gold":"a","vote_share_a":0.75,"gold_kind":"human"}`,
		`{"id":"2","gold":" TIE ","ai_label":"b"}`,
		`{"id":"3","gold":"b","ai_label":null,"votes_a":1,"votes_b":2,"votes_tie":1}`,
	), data.ReadConfig{})
	if err != nil || counts.Kept != 3 {
		t.Fatal(err, &counts)
	}
	if g := rows[0]; g.Side != SideA || g.VoteShareA != 0.75 || g.Kind != "human" || g.HasAI || g.Text != (data.TextKey{}) {
		t.Errorf("%+v", g)
	}
	if g := rows[1]; g.Side != Neither || g.AI != SideB || !g.HasAI || !math.IsNaN(g.VoteShareA) {
		t.Errorf("%+v", g)
	}
	if g := rows[2]; g.Side != SideB || g.HasAI || g.VoteShareA != 1.5/4 || g.Votes != [3]int{1, 2, 1} {
		t.Errorf("%+v", g)
	}
}

// TestGoldTexts: labelled comparisons are gold by their texts, whichever way
// round they are.
func TestGoldTexts(t *testing.T) {
	rows, _, err := ReadGold(goldFile(t, `{"prompt":"p","response_a":"x","response_b":"y","label":"b"}`), data.ReadConfig{})
	if err != nil {
		t.Fatal(err)
	}
	p, x, y := data.Text{Plain: "p"}, data.Text{Plain: "x"}, data.Text{Plain: "y"}
	if g := rows[0]; g.Text != data.KeyOf(p, x, y) || g.Swapped != data.KeyOf(p, y, x) || g.Text == g.Swapped || g.Side != SideB {
		t.Errorf("%+v", g)
	}
	if data.KeyOf(data.Text{Plain: "ab"}, data.Text{Plain: "c"}, y) == data.KeyOf(data.Text{Plain: "a"}, data.Text{Plain: "bc"}, y) {
		t.Error("texts run into one another")
	}
}

func TestBadGold(t *testing.T) {
	for want, line := range map[string]string{
		`line 2: column gold: "c" where a, b or tie`:  `{"id":"2","gold":"c"}`,
		`no label where a, b or tie`:                  `{"id":"2","gold":null}`,
		`the id "1" was given before, to line 1`:      `{"id":"1","gold":"b"}`,
		`column id: no id`:                            `{"gold":"b"}`,
		`column votes_a: 0.5 is no number of votes`:   `{"id":"2","gold":"b","votes_a":0.5}`,
		`column ai_label: true where a, b or tie`:     `{"id":"2","gold":"b","ai_label":true}`,
		`column vote_share_a: 2 is no share of votes`: `{"id":"2","gold":"b","vote_share_a":2}`,
	} {
		file := goldFile(t, `{"id":"1","gold":"a"}`, line)
		if _, _, err := ReadGold(file, data.ReadConfig{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
		if rows, counts, err := ReadGold(file, data.ReadConfig{OnBadRow: "skip"}); err != nil || len(rows) != 1 || counts.SkippedRows() != 1 {
			t.Errorf("%s: skipped %v, %v", line, counts, err)
		}
	}
	if _, _, err := ReadGold(goldFile(t, `{"gold":"a"}`), data.ReadConfig{}); err == nil || !strings.Contains(err.Error(), "no column id") {
		t.Errorf("without id and texts: %v", err)
	}
}

// TestSharedGold reads the shared gold files.
func TestSharedGold(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: no shared data beside the checkout: %v", err)
	}
	for file, want := range map[string]int{"unlabelled_gold.parquet": 1800, "human/pandalm.parquet": 816, "human/llmbar.parquet": 606} {
		rows, _, err := ReadGold(filepath.Join(dir, file), data.ReadConfig{})
		if err != nil || len(rows) != want {
			t.Errorf("%s: %d rows, %v", file, len(rows), err)
		}
	}
}
