package plugins

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

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
	plugin := filepath.Join(dir, "pjrt", "cpu", "pjrt_c_api_cpu_plugin.so")
	for path, text := range map[string]string{plugin: "x", filepath.Join(filepath.Dir(plugin), "version"): cpuWheels[1].stamp() + "\n"} {
		if err := WriteFile(path, strings.NewReader(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := FetchCPU(filepath.Join(dir, "pjrt"), &out)
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		if !errors.Is(err, ErrNone) {
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

// TestNamedFolderMustBeThere: LAUREL_PJRT that names no folder is an error, and not
// another folder's plugin.
func TestNamedFolderMustBeThere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, named := range []string{file, file + "-not-there"} {
		t.Setenv("LAUREL_PJRT", named)
		if path, err := Find("cpu"); err == nil || !strings.Contains(err.Error(), named) {
			t.Errorf("%s: %q, %v", named, path, err)
		}
	}
}
