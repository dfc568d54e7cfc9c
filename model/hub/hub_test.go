package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"laurel/data/errortest"
	"laurel/model/safetensors"
)

func quick(revision string) Options {
	return Options{Revision: revision, retryPause: time.Millisecond, stallAfter: 5 * time.Second}
}

func resolve(t *testing.T, opts Options) string {
	t.Helper()
	dir, err := Resolve(context.Background(), "org/name", opts)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func wantRequests(t *testing.T, f *fakeHub, want ...string) {
	t.Helper()
	if got := f.took(); !slices.Equal(got, want) {
		t.Errorf("requests:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func wantContent(t *testing.T, want string, path ...string) {
	t.Helper()
	if got, err := os.ReadFile(filepath.Join(path...)); err != nil || string(got) != want {
		t.Errorf("%s: %.40q, %v; want %.40q", filepath.Join(path...), got, err, want)
	}
}

const listMain = "GET /api/models/org/name/revision/main"

func TestDownloadOnceThenCached(t *testing.T) {
	f := startHub(t)
	dir := resolve(t, quick(""))
	weights := strings.Repeat("one", 1000)
	wantContent(t, weights, dir, "model.safetensors")
	wantRequests(t, f, "GET /"+commitOne+"/model.safetensors", listMain,
		"GET /org/name/resolve/"+commitOne+"/config.json", "GET /org/name/resolve/"+commitOne+"/model.safetensors",
		"GET /org/name/resolve/"+commitOne+"/tokenizer.json", "GET /org/name/resolve/"+commitOne+"/vocab.txt")

	// The layout of huggingface_hub.
	root := filepath.Join(os.Getenv("HF_HOME"), "hub", "models--org--name")
	if dir != filepath.Join(root, "snapshots", commitOne) {
		t.Errorf("folder %s", dir)
	}
	wantContent(t, commitOne, root, "refs", "main")
	for name, content := range map[string]string{"model.safetensors": weights, "config.json": `{"model_type":"bert"}`} {
		link, err := os.Readlink(filepath.Join(dir, name))
		if want := "../../blobs/" + etag(name, content); link != want || err != nil {
			t.Errorf("%s links to %s, %v; want %s", name, link, err, want)
		}
	}
	blobs, _ := os.ReadDir(filepath.Join(root, "blobs"))
	if files, _ := os.ReadDir(dir); len(files) != 4 || len(blobs) != 4 {
		t.Errorf("snapshot %v, blobs %v", files, blobs)
	}

	if again := resolve(t, quick("main")); again != dir {
		t.Errorf("again: %s", again)
	}
	wantRequests(t, f, listMain)
	resolve(t, quick(commitOne))
	wantRequests(t, f)
	f.hub.Close()
	for _, key := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(key, "1")
		if again := resolve(t, quick("")); again != dir {
			t.Errorf("%s: %s", key, again)
		}
		t.Setenv(key, "")
	}
}

// Templates by name are fetched, and nothing else of their folder or below it.
func TestNamedTemplatesAreFetched(t *testing.T) {
	f := startHub(t)
	for name, content := range map[string]string{"tool_use.jinja": "tools", "README.md": "not fetched", "old/rag.jinja": "not fetched", "../../../../../out.jinja": "not fetched"} {
		f.files[commitOne]["additional_chat_templates/"+name] = content
	}
	dir := resolve(t, quick(""))
	wantContent(t, "tools", dir, "additional_chat_templates", "tool_use.jinja")
	if entries, err := os.ReadDir(filepath.Join(dir, "additional_chat_templates")); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestShardsByTheIndex(t *testing.T) {
	f := startHub(t)
	f.files[commitOne] = sharded()
	f.files[commitOne]["special tokens #1.txt"] = "not fetched"
	dir := resolve(t, quick(""))
	wantContent(t, "first", dir, "model-1.safetensors")
	wantContent(t, "second", dir, "model-2.safetensors")
	if files, _ := os.ReadDir(dir); len(files) != 6 {
		t.Errorf("snapshot %v", files)
	}
	if err := os.Remove(filepath.Join(dir, "model-2.safetensors")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	_, err := Resolve(context.Background(), "org/name", quick(""))
	errortest.Want(t, err, "lacks model-2.safetensors")
	t.Setenv("HF_HUB_OFFLINE", "")
	f.took()
	resolve(t, quick("")) // the blob is still there: no second download
	wantRequests(t, f, listMain)

	delete(f.files[commitOne], "model-1.safetensors")
	t.Setenv("HF_HOME", t.TempDir())
	_, err = Resolve(context.Background(), "org/name", quick(""))
	errortest.Want(t, err, "index.json names model-1.safetensors, which the repository does not have")
}

func TestRevisions(t *testing.T) {
	f := startHub(t)
	one := resolve(t, quick("main"))
	f.files[commitTwo], f.refs["main"], f.refs["v2"] = modelFiles("two"), commitTwo, commitTwo
	two := resolve(t, quick("main"))
	wantContent(t, "one", one, "vocab.txt")
	wantContent(t, "two", two, "vocab.txt")
	f.took()
	if dir := resolve(t, quick("v2")); dir != two {
		t.Errorf("v2: %s", dir)
	}
	wantRequests(t, f, "GET /api/models/org/name/revision/v2")
	if dir := resolve(t, quick("refs/pr/1")); dir != one {
		t.Errorf("refs/pr/1: %s", dir)
	}
	wantRequests(t, f, "GET /api/models/org/name/revision/refs%2Fpr%2F1")
	wantContent(t, commitOne, one, "..", "..", "refs", "refs", "pr", "1")
	t.Setenv("HF_HUB_OFFLINE", "1")
	for revision, want := range map[string]string{"": two, "main": two, "v2": two, "refs/pr/1": one, commitOne: one, commitTwo: two} {
		if dir := resolve(t, quick(revision)); dir != want {
			t.Errorf("offline %s: %s, want %s", revision, dir, want)
		}
	}
	for _, revision := range []string{"v3", strings.Repeat("3", 40)} {
		_, err := Resolve(context.Background(), "org/name", quick(revision))
		errortest.Want(t, err, "org/name", revision, "offline (HF_HUB_OFFLINE is set)", "unset HF_HUB_OFFLINE once to fetch it")
	}
	for _, revision := range []string{"../main", "/main", "a b", "a\\b", "a..b/../../.."} {
		_, err := Resolve(context.Background(), "org/name", quick(revision))
		errortest.Want(t, err, "is no branch, tag or commit")
	}
	wantRequests(t, f)
}

// A snapshot that transformers left with a config alone is not taken as whole.
func TestPartialSnapshot(t *testing.T) {
	f := startHub(t)
	dir := resolve(t, quick(""))
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		t.Setenv("HF_HUB_OFFLINE", "1")
		_, err := Resolve(context.Background(), "org/name", quick(commitOne))
		errortest.Want(t, err, "offline", "lacks "+name)
		t.Setenv("HF_HUB_OFFLINE", "")
		resolve(t, quick(commitOne))
		wantContent(t, f.files[commitOne][name], dir, name)
	}
	// A blob cut short by other hands is fetched anew.
	if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 10); err != nil {
		t.Fatal(err)
	}
	resolve(t, quick("main"))
	wantContent(t, f.files[commitOne]["model.safetensors"], dir, "model.safetensors")
}

func TestNoTokenizerIsRemembered(t *testing.T) {
	f := startHub(t)
	delete(f.files[commitOne], "tokenizer.json")
	dir := resolve(t, quick(""))
	if fileSize(filepath.Join(dir, "..", "..", ".no_exist", commitOne, "tokenizer.json")) != 0 {
		t.Error("no .no_exist entry")
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	resolve(t, quick(""))
}

func TestUnfitRepositories(t *testing.T) {
	f := startHub(t)
	for without, want := range map[string]string{"config.json": "no config.json", "model.safetensors": "only pytorch_model.bin"} {
		f.files[commitOne] = modelFiles("one")
		delete(f.files[commitOne], without)
		_, err := Resolve(context.Background(), "org/name", quick(""))
		errortest.Want(t, err, "org/name", want)
	}
	f.files[commitOne] = map[string]string{"config.json": "{}"}
	_, err := Resolve(context.Background(), "org/name", quick(""))
	errortest.Want(t, err, "has neither model.safetensors nor")
}

func TestFoldersAndNames(t *testing.T) {
	f := startHub(t)
	dir := t.TempDir()
	if got, err := Resolve(context.Background(), dir, Options{Revision: "any"}); got != dir || err != nil {
		t.Errorf("folder: %s, %v", got, err)
	}
	file := writeFile(t, nil, dir, "config.json")
	_, err := Resolve(context.Background(), file, Options{})
	errortest.Want(t, err, file, "is a file")
	for _, ref := range []string{"", "./runs/a", "../a", "/no/such", "runs/a/b", "org/name/", "a--b", "a..b", "x.git", "org/.a", "-a", "ä", "C:\\a", strings.Repeat("a", 97)} {
		_, err := Resolve(context.Background(), ref, Options{})
		errortest.Want(t, err, fmt.Sprintf("model %q is neither a folder nor a hub name", ref))
	}
	for _, ref := range []string{"a", "gpt2", "Foo-BAR_foo.bar123", "_x/y_"} {
		if err := checkRepoID(ref); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	wantRequests(t, f)
}

func TestTokenGoesToTheHubAlone(t *testing.T) {
	f := startHub(t)
	check := func(want bool) {
		t.Helper()
		t.Setenv("HF_HUB_CACHE", t.TempDir())
		resolve(t, quick(""))
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, line := range f.requests {
			toStorage := strings.HasPrefix(line, "GET /"+commitOne)
			if got := strings.HasSuffix(line, " token"); got != (want && !toStorage) {
				t.Errorf("%s", line)
			}
		}
		f.requests = nil
	}
	check(false)
	t.Setenv("HF_TOKEN", " hf_secret\n")
	check(true)
	t.Setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
	check(false)
	t.Setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "")
	t.Setenv("HF_TOKEN", "")
	path := writeFile(t, []byte("hf_other\n"), os.Getenv("HF_HOME"), "token")
	check(true)
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	check(false)
	t.Setenv("HF_TOKEN_PATH", path+"2")
	check(true)
}

func TestRefusals(t *testing.T) {
	f := startHub(t)
	refuse := func(status int, code string) {
		f.refuse = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Error-Code", code)
			w.Header().Set("X-Error-Message", "hub's own words")
			w.WriteHeader(status)
		}
	}
	for _, c := range []struct {
		status      int
		code, token string
		want        []string
	}{
		{401, "RepoNotFound", "", []string{"no model org/name, or it is private or gated", "set HF_TOKEN", "/settings/tokens"}},
		{401, "", "hf_secret", []string{"no model org/name, or the token in use has no access"}},
		{401, "GatedRepo", "", []string{"gated", "accept its licence at " + f.hub.URL + "/org/name", "set HF_TOKEN"}},
		{403, "GatedRepo", "hf_secret", []string{"gated", "accept its licence"}},
		{404, "RepoNotFound", "", []string{"404", "no model org/name"}},
		{404, "RevisionNotFound", "", []string{"org/name has no revision v9"}},
		{500, "", "", []string{"500", "hub's own words", "not in the cache", "no revision v9 of org/name"}},
		{429, "", "", []string{"429"}},
	} {
		refuse(c.status, c.code)
		t.Setenv("HF_TOKEN", c.token)
		_, err := Resolve(context.Background(), "org/name", quick("v9"))
		errortest.Want(t, err, append(c.want, "model org/name (no folder of that name", strings.TrimPrefix(f.hub.URL, "http://"))...)
		if err != nil && strings.Contains(err.Error(), "hf_secret") {
			t.Errorf("the token is in the error: %v", err)
		}
		if tries := len(f.took()); tries != map[bool]int{true: 3, false: 1}[c.status >= 429] {
			t.Errorf("%d: %d tries", c.status, tries)
		}
	}
}

// Without the network, or with a hub that errs, a cached model serves and the
// user is told; a missing one names what is missing.
func TestHubDown(t *testing.T) {
	f := startHub(t)
	dir := resolve(t, quick(""))
	var notices []string
	opts := quick("")
	opts.Notice = func(line string) { notices = append(notices, line) }
	f.refuse = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }
	if got := resolve(t, opts); got != dir {
		t.Errorf("503: %s", got)
	}
	f.hub.Close()
	if got := resolve(t, opts); got != dir {
		t.Errorf("down: %s", got)
	}
	if len(notices) != 2 || !strings.Contains(notices[0], "503") || !strings.Contains(notices[1], "does not answer") || !strings.Contains(notices[1], "from the cache") {
		t.Errorf("notices %q", notices)
	}
	_, err := Resolve(context.Background(), "org/name", quick("v2"))
	errortest.Want(t, err, "does not answer", "no revision v2 of org/name")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Resolve(ctx, "org/name", quick("")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, bad := range []string{"huggingface.co", "ftp://x", "http://", "http://[::1"} {
		t.Setenv("HF_ENDPOINT", bad)
		_, err := Resolve(context.Background(), "org/name", quick(""))
		errortest.Want(t, err, "HF_ENDPOINT")
	}
}

func TestNotAHub(t *testing.T) {
	f := startHub(t)
	for body, want := range map[string]string{
		"<html>": "is HF_ENDPOINT a Hugging Face hub?", "{}": `commit ""`, `{"sha":"../../x"}`: `commit "../../x"`,
		`{"sha":"` + commitOne + `","siblings":[null]}`: "no config.json",
	} {
		f.refuse = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
		_, err := Resolve(context.Background(), "org/name", quick(""))
		errortest.Want(t, err, want)
	}
	f.refuse = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			f.list(w, "main")
			return
		}
		w.Header().Set("ETag", `"../../../evil"`)
	}
	_, err := Resolve(context.Background(), "org/name", quick(""))
	errortest.Want(t, err, "cannot name the file")
}

// A renamed repository and the hub's own cache answer by redirects within the
// hub, which keep the token; hashes are read after those.
func TestRedirectsWithinTheHub(t *testing.T) {
	f := startHub(t)
	t.Setenv("HF_TOKEN", "hf_secret")
	real := f.hub.Config.Handler
	f.hub.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/api/models/old/"); ok {
			http.Redirect(w, r, "/api/models/org/"+rest, http.StatusTemporaryRedirect)
		} else if rest, ok := strings.CutPrefix(r.URL.Path, "/old/"); ok {
			http.Redirect(w, r, "/org/"+rest, http.StatusTemporaryRedirect)
		} else {
			real.ServeHTTP(w, r)
		}
	})
	dir, err := Resolve(context.Background(), "old/name", quick(""))
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, f.files[commitOne][safetensors.WeightsFile], dir, safetensors.WeightsFile)
	link, _ := os.Readlink(filepath.Join(dir, safetensors.WeightsFile))
	if filepath.Base(link) != etag(safetensors.WeightsFile, f.files[commitOne][safetensors.WeightsFile]) {
		t.Errorf("blob %s", link)
	}
	for _, line := range f.took() {
		if !strings.HasPrefix(line, "GET /"+commitOne) && !strings.HasSuffix(line, " token") {
			t.Errorf("%s", line)
		}
	}
}

func TestConcurrentDownloads(t *testing.T) {
	f := startHub(t)
	f.files[commitOne] = sharded()
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			dir, err := Resolve(context.Background(), "org/name", quick(""))
			if err != nil {
				t.Error(err)
				return
			}
			wantContent(t, "second", dir, "model-2.safetensors")
		})
	}
	group.Wait()
	got := f.took()
	for i := 1; i < len(got); i++ {
		if got[i] == got[i-1] && got[i] != listMain {
			t.Errorf("fetched twice: %s", got[i])
		}
	}
	entries, _ := filepath.Glob(filepath.Join(os.Getenv("HF_HOME"), "hub", "models--org--name", "blobs", "*.incomplete"))
	if len(entries) > 0 {
		t.Errorf("left %v", entries)
	}
}
