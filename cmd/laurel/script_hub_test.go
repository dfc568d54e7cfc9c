package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// hubServer is a stand-in for the Hugging Face hub: one repository, whose revision
// main is hubCommit, served from a folder.
type hubServer struct {
	*httptest.Server
	name, dir string

	mu        sync.Mutex
	downloads int // answers to GET that carry a file
}

const hubCommit = "0123456789abcdef0123456789abcdef01234567"

// hubCommand starts and stops the hub of a script and counts what it served.
//
//	hub start org/tiny dir
//	hub served 4
//	hub stop
func hubCommand(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case !neg && len(args) == 3 && args[0] == "start":
		h := &hubServer{name: args[1], dir: ts.MkAbs(args[2])}
		h.Server = httptest.NewServer(http.HandlerFunc(h.answer))
		ts.Defer(h.Close)
		ts.Setenv("HF_ENDPOINT", h.URL)
		ts.Value(hubKey{}).(*hubOf).hub = h
	case !neg && len(args) == 1 && args[0] == "stop":
		ts.Value(hubKey{}).(*hubOf).hub.Close()
	case !neg && len(args) == 2 && args[0] == "served":
		h := ts.Value(hubKey{}).(*hubOf).hub
		h.mu.Lock()
		defer h.mu.Unlock()
		if strconv.Itoa(h.downloads) != args[1] {
			ts.Fatalf("the hub served %d files, want %s", h.downloads, args[1])
		}
	default:
		ts.Fatalf("usage: hub start name dir | hub served n | hub stop")
	}
}

// hubOf is where a script keeps its hub between commands.
type hubOf struct{ hub *hubServer }

type hubKey struct{}

func (h *hubServer) answer(w http.ResponseWriter, r *http.Request) {
	for _, kind := range []string{"models", "datasets"} {
		if address := "/api/" + kind + "/" + h.name + "/revision/"; r.URL.Path == address+"main" || r.URL.Path == address+hubCommit {
			h.list(w)
			return
		}
	}
	path, ok := strings.CutPrefix(strings.TrimPrefix(r.URL.Path, "/datasets"), "/"+h.name+"/resolve/")
	_, file, _ := strings.Cut(path, "/")
	content, err := os.ReadFile(filepath.Join(h.dir, filepath.FromSlash(file)))
	if !ok || err != nil {
		w.Header().Set("X-Error-Code", "EntryNotFound")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.Method == http.MethodGet {
		h.mu.Lock()
		h.downloads++
		h.mu.Unlock()
	}
	w.Header().Set("X-Repo-Commit", hubCommit)
	w.Header().Set("ETag", `"`+etag(file, content)+`"`)
	http.ServeContent(w, r, file, time.Time{}, strings.NewReader(string(content)))
}

// list is the API's answer: the files with their sizes and hashes.
func (h *hubServer) list(w http.ResponseWriter) {
	siblings := []map[string]any{}
	err := filepath.WalkDir(h.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(h.dir, path)
		file := map[string]any{"rfilename": filepath.ToSlash(name), "size": len(content), "blobId": etag("", content)}
		if strings.HasSuffix(name, ".safetensors") {
			file["lfs"] = map[string]any{"sha256": etag(name, content), "size": len(content), "pointerSize": 130}
		}
		siblings = append(siblings, file)
		return err
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"sha": hubCommit, "id": h.name, "siblings": siblings, "gated": false})
}

// etag is SHA-256 for files in LFS, git's hash of the blob for others.
func etag(name string, content []byte) string {
	if strings.HasSuffix(name, ".safetensors") {
		return fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content)))
}
