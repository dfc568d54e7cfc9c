package model

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMisleadingPluginPaths(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, path string
		link       bool
	}{
		{"cpu", "x/pjrt/cpu/pjrt_c_api_cpu_plugin.so", false},
		{"cpu", "cuda-box/pjrt/cpu/pjrt_c_api_cpu_plugin.so", true},
		{"cpu", "NVIDIA/pjrt/cpu/pjrt_c_api_cpu_plugin.so", true},
		{"cpu", "a,b/pjrt/cpu/pjrt_c_api_cpu_plugin.so", true},
		{"cuda", "x/pjrt/cuda/plugin/pjrt_c_api_cuda_plugin.so", false},
		{"cuda", "cpu-box/pjrt/cuda/plugin/pjrt_c_api_cuda_plugin.so", true},
		{"xla", "cuda-box/my_cpu_plugin.so", true},
	} {
		path := filepath.Join(dir, c.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		plain, err := (&BackendChoice{Name: c.name, Plugin: path}).plainPath()
		if err != nil {
			t.Fatal(err)
		}
		if (plain != path) != c.link {
			t.Errorf("%s %s: opened as %s", c.name, c.path, plain)
		}
		again := &BackendChoice{Name: c.name, Plugin: plain}
		if c.link && again.misleads() {
			t.Errorf("the link %s misleads as well", plain)
		}
		if info, err := os.Stat(plain); err != nil || info.IsDir() {
			t.Errorf("%s does not lead to the plugin: %v", plain, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "env"), []byte("LD_LIBRARY_PATH=/n/lib\nXLA_FLAGS=--dir=/n\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &BackendChoice{Name: "cuda", Plugin: filepath.Join(dir, "plugin", "p.so")}
	for _, e := range []struct{ present, want []string }{
		{nil, []string{"LD_LIBRARY_PATH=/n/lib", "XLA_FLAGS=--dir=/n"}},
		{[]string{"LD_LIBRARY_PATH=/mine", "XLA_FLAGS=--dir=/n"}, []string{"LD_LIBRARY_PATH=/n/lib:/mine"}},
		{[]string{"LD_LIBRARY_PATH=/n/lib:/mine", "XLA_FLAGS=--a --dir=/n"}, nil},
	} {
		got, err := c.Environment(e.present)
		if err != nil || !slices.Equal(got, e.want) {
			t.Errorf("with %v: %v, %v, want %v", e.present, got, err, e.want)
		}
	}
	cpu := &BackendChoice{Name: "cpu", Plugin: c.Plugin}
	if got, _ := cpu.Environment(nil); !slices.Equal(got, []string{mallocTunables}) {
		t.Errorf("the CPU plugin asks for %v", got)
	}
	if got, _ := cpu.Environment([]string{"GLIBC_TUNABLES=mine"}); got != nil {
		t.Errorf("the user's tunables give way to %v", got)
	}
}

func TestChooseBackend(t *testing.T) {
	t.Setenv("LAUREL_PJRT", t.TempDir())
	t.Chdir(t.TempDir())
	if c, err := ChooseBackend("auto"); err != nil || c.Name != "go" || len(c.Passed) != 2 {
		t.Errorf("without a plugin: %+v, %v", c, err)
	}
	for want, wrong := range map[string]string{"cpu": "make setup", "tpu": "want auto", "xla:/no/such.so": "no such file"} {
		if _, err := ChooseBackend(want); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: error %v, want one with %q", want, err, wrong)
		}
	}
}
