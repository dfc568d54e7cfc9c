package hub

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSplits: what a name means in the layouts that data sets have on the hub.
func TestSplits(t *testing.T) {
	binarised := []string{"README.md", "data/train_prefs-00000-of-00002.parquet", "data/train_prefs-00001-of-00002.parquet", "data/test_prefs-00000-of-00001-0a1b2c.parquet"}
	harmless := []string{".gitattributes", "harmless-base/train.jsonl.gz", "harmless-base/test.jsonl.gz", "helpful-base/train.jsonl.gz", "helpful-base/test.jsonl.gz"}
	flat := []string{"train.jsonl", "test.jsonl", "script.py", "dataset_infos.json"}
	folders := []string{"data/train/a.parquet", "data/train/b.parquet", "data/test/a.parquet"}
	const configs = "---\nlicense: mit\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train*\n  - split: test\n    path: [\"data/test-1.jsonl\", \"data/test-2.jsonl\"]\n" +
		"- config_name: extra\n  data_dir: more\n  data_files: \"**/*.jsonl\"\n---\n# A data set\n"
	configured := []string{"data/train-a.jsonl", "data/train-b.jsonl", "data/test-1.jsonl", "data/test-2.jsonl", "more/x/y.jsonl", "more/z.jsonl", "stray.jsonl"}
	for _, c := range []struct {
		readme string
		files  []string
		parts  string // after ORG/NAME
		want   string // files, or a part of the error
	}{
		{"", binarised, "train_prefs", "data/train_prefs-00000-of-00002.parquet data/train_prefs-00001-of-00002.parquet"},
		{"", binarised, "test_prefs", "data/test_prefs-00000-of-00001-0a1b2c.parquet"},
		{"", binarised, "", "which split is meant? There are test_prefs, train_prefs"},
		{"", binarised, "train", "no train in the data set, which has test_prefs, train_prefs"},
		{"", harmless, "harmless-base/train", "harmless-base/train.jsonl.gz"},
		{"", harmless, "train", "There are harmless-base/train, helpful-base/train"},
		{"", harmless, "helpful-base", "There are helpful-base/test, helpful-base/train"},
		{"", harmless, "helpful-base/validation", "no helpful-base/validation"},
		{"", flat, "train", "train.jsonl"},
		{"", []string{"pairs.csv", "notes.txt"}, "", "pairs.csv"},
		{"", []string{"a.py"}, "", "no file that ends in .parquet"},
		{"", folders, "train", "data/train/a.parquet data/train/b.parquet"},
		{"", folders, "test", "data/test/a.parquet"},
		{configs, configured, "train", "data/train-a.jsonl data/train-b.jsonl"},
		{configs, configured, "test", "data/test-1.jsonl data/test-2.jsonl"},
		{configs, configured, "extra", "more/x/y.jsonl more/z.jsonl"},
		{configs, configured, "extra/train", "more/x/y.jsonl more/z.jsonl"},
		{configs, configured, "stray", "no stray"},
		{"---\nconfigs: 7\n---\n", flat, "train", "README.md"},
		{"---\npretty_name: x\n---\n", flat, "test", "test.jsonl"},
	} {
		var got string
		splits, err := configuredSplits([]byte(c.readme), c.files)
		if err == nil && splits == nil {
			splits = namedSplits(c.files)
		}
		if err == nil {
			var s split
			s, err = chooseSplit(splits, strings.FieldsFunc(c.parts, func(r rune) bool { return r == '/' }))
			got = strings.Join(s.files, " ")
		}
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != c.want || err != nil && !strings.Contains(got, c.want) {
			t.Errorf("%q of %v: %s; want %s", c.parts, c.files, got, c.want)
		}
	}
}

// startData is a hub whose repository is a data set.
func startData(t *testing.T) *fakeHub {
	t.Helper()
	f := startHub(t)
	f.files[commitOne] = map[string]string{"README.md": "# pairs", "data/train-00000-of-00002.parquet": "first", "data/train-00001-of-00002.parquet": "second",
		"data/test-00000-of-00001.parquet": "third"}
	f.files[commitTwo] = map[string]string{"train.jsonl": "newer"}
	return f
}

func resolveData(t *testing.T, ref string) []string {
	t.Helper()
	files, err := ResolveData(context.Background(), ref, quick(""))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestDataSetsAreCached: a split is fetched once, into the layout that
// huggingface_hub has for data sets, and served offline from there.
func TestDataSetsAreCached(t *testing.T) {
	f := startData(t)
	files := resolveData(t, "hf://org/name/train")
	root := filepath.Join(os.Getenv("HF_HOME"), "hub", "datasets--org--name")
	dir := filepath.Join(root, "snapshots", commitOne, "data")
	if want := []string{filepath.Join(dir, "train-00000-of-00002.parquet"), filepath.Join(dir, "train-00001-of-00002.parquet")}; !slices.Equal(files, want) {
		t.Fatalf("files %v, want %v", files, want)
	}
	wantContent(t, "first", files[0])
	wantContent(t, "second", files[1])
	wantContent(t, commitOne, root, "refs", "main")
	const list = "GET /api/datasets/org/name/revision/main"
	if got := f.took(); !slices.Contains(got, list) || slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, "test-") }) {
		t.Errorf("requests %v", got)
	}
	resolveData(t, "hf://org/name/train")
	wantRequests(t, f, list)
	resolveData(t, "hf://org/name/train@"+commitOne)
	wantRequests(t, f)

	t.Setenv("HF_HUB_OFFLINE", "1")
	if again := resolveData(t, "hf://org/name/train"); !slices.Equal(again, files) {
		t.Errorf("offline: %v", again)
	}
	_, err := ResolveData(context.Background(), "hf://org/name/test", quick(""))
	wantError(t, err, "data hf://org/name/test", "offline (HF_HUB_OFFLINE is set)", "no test in the data set", "copy the data set into the cache")
	if err := os.Remove(files[1]); err != nil {
		t.Fatal(err)
	}
	_, err = ResolveData(context.Background(), "hf://org/name/train", quick(""))
	wantError(t, err, "1 of the 2 files data/train-")
	wantRequests(t, f)
}

// TestDataRevisions: a revision after @, a token, and what the hub refuses.
func TestDataRevisions(t *testing.T) {
	f := startData(t)
	f.refs["v2"] = commitTwo
	t.Setenv("HF_TOKEN", "hf_secret")
	files := resolveData(t, "hf://org/name@v2")
	wantContent(t, "newer", files[0])
	if got := f.took(); !slices.Contains(got, "GET /api/datasets/org/name/revision/v2 token") {
		t.Errorf("requests %v", got)
	}
	for ref, want := range map[string]string{
		"hf://org/name@v9":           "org/name has no revision v9",
		"hf://org/name/validation":   "no validation in the data set, which has test, train",
		"hf://org/name":              "which split is meant? There are test, train",
		"hf://name":                  "want hf://ORG/NAME",
		"hf://org/name/a/b/c":        "want hf://ORG/NAME",
		"hf://org/na me":             "a hub name has letters",
		"hf://org/name/../../../etc": "want hf://ORG/NAME",
	} {
		_, err := ResolveData(context.Background(), ref, quick(""))
		wantError(t, err, "data "+ref, want)
	}
	f.files[commitTwo]["../../../../outside.jsonl"] = "x"
	_, outside := ResolveData(context.Background(), "hf://org/name/outside@v2", quick(""))
	wantError(t, outside, "lies outside the repository")
	f.refuse = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	_, err := ResolveData(context.Background(), "hf://org/name/test@"+commitTwo, quick(""))
	wantError(t, err, "no data set org/name, or the token in use has no access")
}

// TestRefusedConnectionFailsAtOnce: where nothing listens, nothing is waited
// for.
func TestRefusedConnectionFailsAtOnce(t *testing.T) {
	f := startHub(t)
	f.hub.Close()
	began := time.Now()
	slow := Options{retryPause: 20 * time.Second, stallAfter: 20 * time.Second}
	_, err := Resolve(context.Background(), "org/name", slow)
	wantError(t, err, "does not answer", "refused")
	_, err = ResolveData(context.Background(), "hf://org/name", slow)
	wantError(t, err, "does not answer", "refused")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}
