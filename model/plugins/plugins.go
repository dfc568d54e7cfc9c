// Package plugins finds and fetches XLA's PJRT plugins, the shared libraries
// that laurel computes with. A plugin folder holds
//
//	cpu/pjrt_c_api_cpu_plugin.so
//	cuda/plugin/pjrt_c_api_cuda_plugin.so, with NVIDIA's libraries beside it
//
// each with a file "version" that says which pinned wheels it came from.
package plugins

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Where the plugins lie in a plugin folder.
const (
	cudaFile = "cuda/plugin/pjrt_c_api_cuda_plugin.so"
	cpuFile  = "cpu/pjrt_c_api_cpu_plugin.so"
)

// ErrNone marks what laurel can do without: the Go backend remains.
var ErrNone = errors.New("no plugin")

// Find looks for the plugin of a backend, "cpu" or "cuda", in Folders.
func Find(backend string) (string, error) {
	if backend == "cuda" && !HasGPU() {
		return "", errors.New("cuda: no NVIDIA GPU on this machine (backend auto, cpu or go need none)")
	}
	file := cpuFile
	if backend == "cuda" {
		file = cudaFile
	}
	if named := os.Getenv("LAUREL_PJRT"); named != "" {
		if info, err := os.Stat(named); err != nil || !info.IsDir() {
			return "", fmt.Errorf("%s: LAUREL_PJRT is %s, which is no folder: name a plugin folder, or unset it", backend, named)
		}
	}
	folders := Folders()
	for _, folder := range folders {
		path := filepath.Join(folder, file)
		if exists(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: no plugin %s in %s: laurel doctor --fix fetches it (make setup in a checkout)", backend, file, strings.Join(folders, ", "))
}

// Folders are the plugin folders, in the order in which they are searched:
// $LAUREL_PJRT, build/pjrt beside the binary's folder and in the working
// directory, and the user's cache.
func Folders() []string {
	var folders []string
	if folder := os.Getenv("LAUREL_PJRT"); folder != "" {
		folders = append(folders, folder)
	}
	if folder, ok := besideBinary(); ok {
		folders = append(folders, folder)
	}
	folders = append(folders, filepath.Join("build", "pjrt"))
	if cache, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(cache, "laurel", "pjrt"))
	}
	return folders
}

// besideBinary is the plugin folder of a checkout or of an unpacked release.
func besideBinary() (string, bool) {
	exe, err := os.Executable()
	if err != nil {
		return "", false
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return filepath.Join(filepath.Dir(exe), "..", "build", "pjrt"), true
}

// Home is the folder that a plugin is fetched into: $LAUREL_PJRT, else the one
// beside the binary where that is there, else the user's cache.
func Home() (string, error) {
	if folder := os.Getenv("LAUREL_PJRT"); folder != "" {
		return filepath.Abs(folder)
	}
	if folder, ok := besideBinary(); ok && exists(folder) {
		return filepath.Clean(folder), nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for a plugin: %w; set LAUREL_PJRT to a folder", err)
	}
	return filepath.Join(cache, "laurel", "pjrt"), nil
}

// HasGPU tells whether NVIDIA's driver shows a GPU.
func HasGPU() bool {
	if exists("/dev/nvidia0") {
		return true
	}
	listed, err := exec.Command("nvidia-smi", "-L").Output()
	return err == nil && strings.HasPrefix(string(listed), "GPU ")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Version is what Fetch recorded of a plugin's origin, "" for a plugin from
// elsewhere.
func Version(plugin string) string {
	for dir := filepath.Dir(plugin); dir != filepath.Dir(dir) && filepath.Base(dir) != "pjrt"; dir = filepath.Dir(dir) {
		if raw, err := os.ReadFile(filepath.Join(dir, "version")); err == nil {
			return strings.TrimSpace(string(raw))
		}
	}
	return ""
}
