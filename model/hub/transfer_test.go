package hub

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"laurel/data/errortest"
	"laurel/model/safetensors"
)

// weightsBlob is where the test model's weights come to lie in the cache.
func weightsBlob(f *fakeHub) (path, content string) {
	content = f.files[commitOne][safetensors.WeightsFile]
	return filepath.Join(os.Getenv("HF_HOME"), "hub", "models--org--name", "blobs", etag(safetensors.WeightsFile, content)), content
}

func storageRequests(f *fakeHub) []string {
	return slices.DeleteFunc(f.took(), func(line string) bool { return !strings.HasPrefix(line, "GET /"+commitOne) })
}

func TestTruncatedBodyIsResumed(t *testing.T) {
	f := startHub(t)
	f.cut[safetensors.WeightsFile] = 700
	dir := resolve(t, quick(""))
	wantContent(t, f.files[commitOne][safetensors.WeightsFile], dir, safetensors.WeightsFile)
	plain := "GET /" + commitOne + "/" + safetensors.WeightsFile
	if got, want := storageRequests(f), []string{plain, plain + " Range=bytes=700-"}; !slices.Equal(got, want) {
		t.Errorf("requests %q, want %q", got, want)
	}
}

func TestServerWithoutRanges(t *testing.T) {
	f := startHub(t)
	f.cut[safetensors.WeightsFile], f.noRange = 700, true
	dir := resolve(t, quick(""))
	wantContent(t, f.files[commitOne][safetensors.WeightsFile], dir, safetensors.WeightsFile)
}

// A run that was killed left a part; the next one goes on from it, unless its
// bytes are wrong or too many.
func TestNextRunResumes(t *testing.T) {
	for name, part := range map[string]func(content string) string{
		"the beginning": func(c string) string { return c[:1234] },
		"all of it":     func(c string) string { return c },
		"other bytes":   func(c string) string { return strings.Repeat("x", 500) },
		"too many":      func(c string) string { return c + "x" },
		"nothing":       func(c string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			f := startHub(t)
			path, content := weightsBlob(f)
			writeFile(t, []byte(part(content)), path+".incomplete")
			dir := resolve(t, quick(""))
			wantContent(t, content, dir, safetensors.WeightsFile)
			if got := storageRequests(f); name == "the beginning" && !strings.HasSuffix(got[0], "Range=bytes=1234-") || name == "all of it" && len(got) > 0 {
				t.Errorf("requests %q", got)
			}
			if fileSize(path+".incomplete") >= 0 {
				t.Error("the part was left")
			}
		})
	}
}

// What is not whole, or not what the hub names, never gets a place in the cache.
func TestDamagedContentIsRefused(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"other bytes": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("xyz", 1000)) },
		"too short":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "one") },
		"too long":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("one", 1001)) },
		"gone":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) },
		"failing":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
	} {
		t.Run(name, func(t *testing.T) {
			f := startHub(t)
			f.storage.Config.Handler = serve
			path, _ := weightsBlob(f)
			_, err := Resolve(context.Background(), "org/name", quick(""))
			errortest.Want(t, err, "fetch model.safetensors at main", map[string]string{
				"other bytes": "damaged on the way", "too short": "3 bytes came of 3000", "too long": "more than the 3000 bytes",
				"gone": "410", "failing": "502"}[name])
			if fileSize(path) >= 0 {
				t.Error("the blob is in the cache")
			}
			t.Setenv("HF_HUB_OFFLINE", "1")
			_, err = Resolve(context.Background(), "org/name", quick(""))
			errortest.Want(t, err, "no revision main") // the ref is written last
		})
	}
}

// The same for a small file, which lies in git: its blob's SHA-1 is checked.
func TestDamagedGitFileIsRefused(t *testing.T) {
	f := startHub(t)
	f.refuse = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			f.list(w, "main")
			return
		}
		name := filepath.Base(r.URL.Path)
		content := f.files[commitOne][name]
		w.Header().Set("ETag", `W/"`+etag(name, content)+`"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		if name == "vocab.txt" {
			content = strings.Repeat("!", len(content))
		}
		if r.Method == http.MethodGet {
			fmt.Fprint(w, content)
		}
	}
	_, err := Resolve(context.Background(), "org/name", quick(""))
	errortest.Want(t, err, "fetch vocab.txt", "damaged on the way", "the hub says")
}

func TestStalledTransfer(t *testing.T) {
	f := startHub(t)
	release := make(chan struct{})
	f.storage.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3000")
		fmt.Fprint(w, "one")
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	opts := quick("")
	opts.stallAfter = 50 * time.Millisecond
	_, err := Resolve(context.Background(), "org/name", opts)
	errortest.Want(t, err, "fetch model.safetensors", "no byte came for 50ms")
}

func TestFailedRedirectHidesTheSignature(t *testing.T) {
	f := startHub(t)
	f.storage.Close()
	_, err := Resolve(context.Background(), "org/name", quick(""))
	errortest.Want(t, err, "fetch model.safetensors", "does not answer")
	if strings.Contains(err.Error(), "Signature") {
		t.Errorf("%v", err)
	}
}

func TestProgress(t *testing.T) {
	f := startHub(t)
	f.cut[safetensors.WeightsFile] = 700
	last := map[string]int64{}
	opts := quick("")
	opts.Progress = func(file string, done, total int64) {
		if done < last[file] || total != int64(len(f.files[commitOne][file])) {
			t.Errorf("%s: %d of %d after %d", file, done, total, last[file])
		}
		last[file] = done
	}
	resolve(t, opts)
	for _, name := range []string{"config.json", "tokenizer.json", "vocab.txt", safetensors.WeightsFile} {
		if last[name] != int64(len(f.files[commitOne][name])) {
			t.Errorf("%s: %d", name, last[name])
		}
	}
}

// The folders of huggingface_hub's documentation, first one set wins.
func TestHubFolders(t *testing.T) {
	startHub(t)
	t.Setenv("HOME", "/home/a")
	t.Setenv("HF_HOME", "")
	for _, c := range []struct{ key, value, want string }{
		{"HOME", "/home/a", "/home/a/.cache/huggingface/hub"},
		{"XDG_CACHE_HOME", "/x", "/x/huggingface/hub"},
		{"HF_HOME", "~/hf", "/home/a/hf/hub"},
		{"HUGGINGFACE_HUB_CACHE", "/old", "/old"},
		{"HF_HUB_CACHE", "$HOME/new", "/home/a/new"},
	} {
		t.Setenv(c.key, c.value)
		if cache, _, err := hubFolders(); cache != c.want || err != nil {
			t.Errorf("%s=%s: %s, %v; want %s", c.key, c.value, cache, err, c.want)
		}
	}
}

// On a file system without links a snapshot holds copies.
func TestCopyInPlaceOfALink(t *testing.T) {
	f := startHub(t)
	dir := resolve(t, quick(""))
	r, err := openRepo("org/name", quick(""))
	if err != nil {
		t.Fatal(err)
	}
	content := f.files[commitOne][safetensors.WeightsFile]
	if err := r.copyBlob(filepath.Join(dir, "copy"), etag(safetensors.WeightsFile, content)); err != nil {
		t.Fatal(err)
	}
	wantContent(t, content, dir, "copy")
	if info, _ := os.Lstat(filepath.Join(dir, "copy")); !info.Mode().IsRegular() {
		t.Errorf("mode %v", info.Mode())
	}
}
