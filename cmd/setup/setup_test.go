package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"laurel/model/plugins"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var testModule = module{version: "v9.9.9", symbol: "tokenizers_version_9_8_7"}

const goodLibrary = "!<arch>\nsome object with tokenizers_version_9_8_7 in it"

func tarball(t *testing.T, name, content string) []byte {
	t.Helper()
	var raw bytes.Buffer
	zipped := gzip.NewWriter(&raw)
	members := tar.NewWriter(zipped)
	header := &tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644, Typeflag: tar.TypeReg}
	if err := members.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	_, err := members.Write([]byte(content))
	if err := errors.Join(err, members.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return raw.Bytes()
}

// releaseServer answers as GitHub does: /release describes the assets.
func releaseServer(t *testing.T, digest string, archive []byte) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	name := fmt.Sprintf("libtokenizers.%s-%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	mux.HandleFunc("/release", func(w http.ResponseWriter, _ *http.Request) {
		other := asset{Name: "libtokenizers.plan9-mips.tar.gz"}
		release := map[string]any{"assets": []asset{other, {Name: name, URL: server.URL + "/file", Digest: digest}}}
		if err := json.NewEncoder(w).Encode(release); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) { w.Write(archive) })
	return server
}

func TestLibraryFromRelease(t *testing.T) {
	good := tarball(t, "./libtokenizers.a", goodLibrary)
	older := tarball(t, "libtokenizers.a", "!<arch>\ntokenizers_version_1_0_0")
	digest := func(raw []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(raw)) }
	cases := []struct {
		name, digest string
		archive      []byte
		want         string // in the error; "" for none
	}{
		{"good", digest(good), good, ""},
		{"changed on the way", digest(older), good, "sha256"},
		{"no digest", "", good, "without a sha256 digest"},
		{"another version", digest(older), older, "another version"},
		{"not an archive", digest([]byte("this is no archive")), []byte("this is no archive"), "gzip"},
		{"another file", digest(tarball(t, "README", "x")), tarball(t, "README", "x"), "holds no libtokenizers.a"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := releaseServer(t, c.digest, c.archive)
			path := filepath.Join(t.TempDir(), "lib", "libtokenizers.a")
			err := libraryFromRelease(server.URL+"/release", testModule, path)
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("%v, want %q and no library", err, c.want)
			}
			if c.want == "" && err != nil {
				t.Fatal(err)
			}
			left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
			if c.want == "" && (len(left) != 1 || left[0] != path) || c.want != "" && len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestReleaseThatCannotBeReached(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if err := libraryFromRelease(server.URL, testModule, filepath.Join(t.TempDir(), "x.a")); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("missing release: %v", err)
	}
	server.Close()
	if err := libraryFromRelease(server.URL, testModule, filepath.Join(t.TempDir(), "x.a")); err == nil {
		t.Error("no server, no error")
	}
}

func TestLibraryPresent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libtokenizers.a")
	put := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := libraryPresent(path, testModule); ok {
		t.Error("no file is taken for a library")
	}
	put(path, "tokenizers_version_9_8_7")
	if _, ok := libraryPresent(path, testModule); ok {
		t.Error("a text is taken for a library")
	}
	put(path, goodLibrary)
	if stamp, ok := libraryPresent(path, testModule); !ok || stamp != "put there by hand" {
		t.Errorf("%q, %v", stamp, ok)
	}
	put(stampPath(path), "v9.9.8 built with cargo\n")
	if _, ok := libraryPresent(path, testModule); ok {
		t.Error("an older build is taken for this one")
	}
	put(stampPath(path), "v9.9.9 built with cargo\n")
	if stamp, ok := libraryPresent(path, testModule); !ok || stamp != "v9.9.9 built with cargo" {
		t.Errorf("%q, %v", stamp, ok)
	}
}

// The pinned module must go with the committed Cargo.lock, or cargo --locked
// fails on the machines that need it.
func TestCargoSourceGoesWithTheLock(t *testing.T) {
	root := filepath.Join("..", "..")
	m, err := findModule(root)
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(t.TempDir(), "source")
	if err := copySource(m.dir, source); err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(source, "crates", "tokenizers", "Cargo.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(manifest), "git =") || !strings.Contains(string(manifest), tiktokenRelease) {
		t.Errorf("manifest:\n%s", manifest)
	}
	lock, err := os.ReadFile(filepath.Join(root, "data", "tokenizer", "Cargo.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), "git+") {
		t.Error("Cargo.lock has a git dependency")
	}
	// The crate's version is in the symbol: 1.26.0 as tokenizers_version_1_26_0.
	crate := strings.ReplaceAll(strings.TrimPrefix(m.symbol, "tokenizers_version_"), "_", ".")
	for _, want := range []string{"name = \"tokenizers-ffi\"\nversion = \"" + crate + "\"", "name = \"tiktoken-rs\"\nversion = \"0.9.1\""} {
		if !strings.Contains(string(lock), want) {
			t.Errorf("Cargo.lock does not hold %q", want)
		}
	}
}

func TestNoPluginIsNoFailure(t *testing.T) {
	var out bytes.Buffer
	missing := fmt.Errorf("XLA CPU plugin: %w: no index", plugins.ErrNone)
	if err := settle(missing, false, &out); err != nil || !strings.Contains(out.String(), "Go backend") {
		t.Errorf("%q, %v", out.String(), err)
	}
	if err := settle(missing, true, &out); err == nil {
		t.Error("required, and no error")
	}
	if err := settle(errors.New("disk full"), false, &out); err == nil {
		t.Error("another error is swallowed")
	}
}

func TestUsage(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := run([]string{"--nonesuch"}, &out, &errOut); code != 2 || !strings.Contains(errOut.String(), "nonesuch") {
		t.Errorf("exit %d: %s", code, &errOut)
	}
	errOut.Reset()
	if code := run([]string{"--root", t.TempDir()}, &out, &errOut); code != 1 || !strings.Contains(errOut.String(), "root") {
		t.Errorf("exit %d: %s", code, &errOut)
	}
}
