package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
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
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || exists(path)) {
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

func wheelFile(t *testing.T, members ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.whl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	for _, name := range members {
		member, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := member.Write([]byte("content of " + name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnpackPlugin(t *testing.T) {
	dir := t.TempDir()
	plugin := filepath.Join(dir, "pjrt_c_api_cpu_plugin.so")
	wheel := wheelFile(t, "p/__init__.py", "p/include/pjrt_c_api.h", "p/xla_cpu_pjrt.so", "p.dist-info/METADATA")
	if err := unpackPlugin(wheel, dir, plugin); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(plugin)
	if err != nil || string(raw) != "content of p/xla_cpu_pjrt.so" {
		t.Errorf("%q, %v", raw, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("files: %q", left)
	}
	for _, members := range [][]string{{"p/__init__.py"}, {"p/a.so", "p/b.so"}} {
		if err := unpackPlugin(wheelFile(t, members...), dir, plugin); err == nil {
			t.Errorf("%q is taken for a plugin", members)
		}
	}
}

// The plugin's RPATH is $ORIGIN/../nvidia/cu13/lib and so on.
func TestCUDALayout(t *testing.T) {
	places := map[string]string{
		"jax_plugins/xla_cuda13/xla_cuda_plugin.so":       "plugin/pjrt_c_api_cuda_plugin.so",
		"nvidia/cu13/lib/libcublas.so.13":                 "nvidia/cu13/lib/libcublas.so.13",
		"nvidia/cu13/bin/ptxas":                           "nvidia/cu13/bin/ptxas",
		"nvidia/cu13/nvvm/libdevice/libdevice.10.bc":      "nvidia/cu13/nvvm/libdevice/libdevice.10.bc",
		"nvidia/cudnn/lib/libcudnn.so.9":                  "nvidia/cudnn/lib/libcudnn.so.9",
		"nvidia/cu13/include/cublas.h":                    "",
		"nvidia/cu13/lib/libcudart_static.a":              "",
		"jax_plugins/xla_cuda13/__init__.py":              "",
		"nvidia_cublas-13.4.1.3.dist-info/METADATA":       "",
		"jax_cuda13_pjrt-0.11.2.dist-info/top_level.txt":  "",
		"nvidia_cudnn_cu13-9.26.0.51.dist-info/RECORD.so": "",
	}
	for member, want := range places {
		if got := placeCUDA(member); got != filepath.FromSlash(want) {
			t.Errorf("%s goes to %q, want %q", member, got, want)
		}
	}
	env := cudaEnv("/x/cuda")
	for _, want := range []string{"LD_LIBRARY_PATH=/x/cuda/nvidia/cu13/lib:/x/cuda/nvidia/cudnn/lib:", "XLA_FLAGS=--xla_gpu_cuda_data_dir=/x/cuda/nvidia/cu13\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("%q lacks %q", env, want)
		}
	}
}

func TestExtractStaysInside(t *testing.T) {
	dir := t.TempDir()
	_, err := extract(wheelFile(t, "nvidia/../../../escape.so"), filepath.Join(dir, "in"), placeCUDA)
	if err == nil || !strings.Contains(err.Error(), "outside") || exists(filepath.Join(dir, "escape.so")) {
		t.Errorf("%v", err)
	}
}

// go-xla takes a plugin for CUDA by these words in its path.
func TestCPUPluginIsNotTakenForCUDA(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	plugin := filepath.Join(dir, "build", "pjrt", "cpu", "pjrt_c_api_cpu_plugin.so")
	for path, text := range map[string]string{plugin: "x", filepath.Join(filepath.Dir(plugin), "version"): cpuWheels[1].stamp() + "\n"} {
		if err := writeFile(path, strings.NewReader(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := cpuPlugin(dir, &out)
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		if !errors.Is(err, errNoPlugin) {
			t.Error(err)
		}
		return
	}
	if err != nil || !strings.Contains(out.String(), "already there: "+plugin) {
		t.Errorf("%q, %v", out.String(), err)
	}
	inside := strings.ToLower(strings.TrimPrefix(plugin, dir))
	if strings.Contains(inside, "cuda") || strings.Contains(inside, "nvidia") {
		t.Errorf("%s reads as CUDA", inside)
	}
}

func TestNoPluginIsNoFailure(t *testing.T) {
	var out bytes.Buffer
	missing := fmt.Errorf("XLA CPU plugin: %w: no index", errNoPlugin)
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
