package hub

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	commitOne = "1111111111111111111111111111111111111111"
	commitTwo = "2222222222222222222222222222222222222222"
)

// fakeHub answers as huggingface.co does: the API's list of files, small files
// from the hub itself, LFS files by a redirect to a storage on another host.
type fakeHub struct {
	hub, storage *httptest.Server

	mu       sync.Mutex
	files    map[string]map[string]string // commit, file, content; *.safetensors is in LFS
	refs     map[string]string            // branch or tag to commit
	refuse   http.HandlerFunc             // in place of any answer of the hub
	cut      map[string]int               // bytes of a file after which the storage hangs up, once
	noRange  bool
	requests []string // "METHOD path" and, where sent, "Range=…", "token"
}

func startHub(t *testing.T) *fakeHub {
	t.Helper()
	f := &fakeHub{
		files: map[string]map[string]string{commitOne: modelFiles("one")},
		refs:  map[string]string{"main": commitOne, "refs/pr/1": commitOne},
		cut:   map[string]int{},
	}
	f.hub = httptest.NewServer(http.HandlerFunc(f.answer))
	f.storage = httptest.NewServer(http.HandlerFunc(f.store))
	t.Cleanup(f.hub.Close)
	t.Cleanup(f.storage.Close)
	home := t.TempDir()
	for _, key := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
		"HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN"} {
		t.Setenv(key, "")
	}
	t.Setenv("HF_HOME", home)
	t.Setenv("HF_ENDPOINT", f.hub.URL+"/")
	return f
}

func modelFiles(word string) map[string]string {
	return map[string]string{
		"config.json": `{"model_type":"bert"}`, "tokenizer.json": "{}", "vocab.txt": word, "README.md": "not fetched",
		"model.safetensors": strings.Repeat(word, 1000), "onnx/model.onnx": "not fetched", "pytorch_model.bin": "not fetched",
	}
}

func sharded() map[string]string {
	files := modelFiles("one")
	delete(files, "model.safetensors")
	files["model.safetensors.index.json"] = `{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-1.safetensors"}}`
	files["model-1.safetensors"], files["model-2.safetensors"], files["model-3.safetensors"] = "first", "second", "not fetched"
	return files
}

func lfs(name string) bool {
	return strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".parquet")
}

func etag(name, content string) string {
	if lfs(name) {
		return fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
	}
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content)))
}

func (f *fakeHub) note(r *http.Request) {
	line := r.Method + " " + r.URL.EscapedPath()
	if span := r.Header.Get("Range"); span != "" {
		line += " Range=" + span
	}
	if r.Header.Get("Authorization") != "" {
		line += " token"
	}
	f.requests = append(f.requests, line)
}

func (f *fakeHub) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(r)
	if f.refuse != nil {
		f.refuse(w, r)
		return
	}
	path := r.URL.EscapedPath()
	for _, kind := range []string{"models", "datasets"} {
		if rest, ok := strings.CutPrefix(path, "/api/"+kind+"/org/name/revision/"); ok {
			revision, _ := url.PathUnescape(rest)
			f.list(w, revision)
			return
		}
	}
	commit, name, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(path, "/datasets"), "/org/name/resolve/"), "/")
	if at, ok := f.refs[commit]; ok {
		commit = at
	}
	content, ok := f.files[commit][name]
	if !ok {
		w.Header().Set("X-Error-Code", "EntryNotFound")
		w.WriteHeader(404)
		return
	}
	w.Header().Set("X-Repo-Commit", commit)
	if lfs(name) {
		w.Header().Set("X-Linked-Etag", `"`+etag(name, content)+`"`)
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
		w.Header().Set("ETag", `"of-the-pointer"`)
		http.Redirect(w, r, f.storage.URL+"/"+commit+"/"+name+"?Signature=secret", http.StatusFound)
		return
	}
	w.Header().Set("ETag", `"`+etag(name, content)+`"`)
	http.ServeContent(w, r, name, time.Time{}, strings.NewReader(content))
}

func (f *fakeHub) list(w http.ResponseWriter, revision string) {
	commit := f.refs[revision]
	if f.files[revision] != nil {
		commit = revision
	}
	if commit == "" {
		w.Header().Set("X-Error-Code", "RevisionNotFound")
		w.WriteHeader(404)
		return
	}
	siblings := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(f.files[commit])) {
		content := f.files[commit][name]
		file := map[string]any{"rfilename": name, "size": len(content), "blobId": etag("", content)}
		if lfs(name) {
			file["lfs"] = map[string]any{"sha256": etag(name, content), "size": len(content), "pointerSize": 130}
		}
		siblings = append(siblings, file)
	}
	json.NewEncoder(w).Encode(map[string]any{"sha": commit, "id": "org/name", "siblings": siblings, "gated": false})
}

// store is the storage behind the hub; it knows nothing of hashes of its own.
func (f *fakeHub) store(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.note(r)
	commit, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	content, cut := f.files[commit][name], f.cut[name]
	delete(f.cut, name)
	if f.noRange {
		r.Header.Del("Range")
	}
	f.mu.Unlock()
	w.Header().Set("ETag", `"of-the-storage"`)
	if cut == 0 {
		http.ServeContent(w, r, name, time.Time{}, strings.NewReader(content))
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write([]byte(content[:cut]))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// took returns the requests since the last call, without those for headers.
func (f *fakeHub) took() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	took := slices.DeleteFunc(f.requests, func(line string) bool { return strings.HasPrefix(line, "HEAD") })
	f.requests = nil
	slices.Sort(took)
	return took
}

func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

func writeFile(t testing.TB, data []byte, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
