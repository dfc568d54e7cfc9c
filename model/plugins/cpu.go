package plugins

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// The wheels that hold XLA's PJRT plugin for the CPU, the best one first.
// lammps-jax-pjrt-cpu is built from jaxlib 0.11.2's XLA, as new as the CUDA
// plugin; xla-cpu-pjrt is older and as fast.
var cpuWheels = [...]wheel{
	{"lammps-jax-pjrt-cpu", "0.11.2", "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1"},
	{"xla-cpu-pjrt", "0.0.1", "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc"},
}

// FetchCPU leaves cpu/pjrt_c_api_cpu_plugin.so in the plugin folder, and says
// so. go-xla takes a plugin for CPU or CUDA by its path, so the name says cpu
// and nothing else.
func FetchCPU(folder string, out io.Writer) error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("XLA CPU plugin: %w: none is pinned for %s/%s", ErrNone, runtime.GOOS, runtime.GOARCH)
	}
	plugin := filepath.Join(folder, cpuFile)
	dir := filepath.Dir(plugin)
	for _, w := range cpuWheels {
		if stamped(dir, w.stamp()) && exists(plugin) {
			fmt.Fprintf(out, "XLA CPU plugin: already there: %s (%s)\n", plugin, w.stamp())
			return nil
		}
	}
	var problems error
	for _, w := range cpuWheels {
		err := pluginFromWheel(w, dir, plugin)
		if err == nil {
			fmt.Fprintf(out, "XLA CPU plugin: %s: %s\n", w.stamp(), plugin)
			return nil
		}
		problems = errors.Join(problems, err)
	}
	return fmt.Errorf("XLA CPU plugin: %w: %w", ErrNone, problems)
}

func pluginFromWheel(w wheel, dir, plugin string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file, err := w.fetch(dir)
	if err != nil {
		return err
	}
	defer os.Remove(file)
	if err := unpackPlugin(file, dir, plugin); err != nil {
		return fmt.Errorf("%s %s: %w", w.name, w.version, err)
	}
	return writeStamp(dir, w.stamp())
}

// unpackPlugin takes the one shared library out of a wheel.
func unpackPlugin(file, dir, plugin string) error {
	count, err := extract(file, dir, func(member string) string {
		if path.Ext(member) == ".so" {
			return filepath.Base(plugin)
		}
		return ""
	})
	if err != nil {
		return err
	}
	if count != 1 {
		return fmt.Errorf("%s holds %d shared libraries, want 1", file, count)
	}
	return nil
}

func (w wheel) stamp() string { return w.name + " " + w.version + " sha256:" + w.sha256 }

// A folder's version file is written last: it says that the rest is whole.
func stamped(dir, stamp string) bool {
	raw, err := os.ReadFile(filepath.Join(dir, "version"))
	return err == nil && strings.TrimSpace(string(raw)) == stamp
}

func writeStamp(dir, stamp string) error {
	return WriteFile(filepath.Join(dir, "version"), strings.NewReader(stamp+"\n"), 0o644)
}
