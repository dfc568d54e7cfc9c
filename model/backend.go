package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure-Go backend, "go"
	"github.com/gomlx/go-xla/compute/xla"  // the XLA backend, "xla"
	"github.com/gomlx/go-xla/pjrt"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// BackendChoice is one way to compute, and why it was taken or passed over.
type BackendChoice struct {
	Name   string   `json:"name"`             // cuda, cpu, go or xla
	Plugin string   `json:"plugin,omitempty"` // absolute path of the PJRT plugin
	Why    string   `json:"why"`
	Passed []string `json:"passed,omitempty"` // better choices that were not to be had, and why
}

// Where the set-up leaves the plugins, relative to a plugin folder.
const (
	cudaPlugin = "cuda/plugin/pjrt_c_api_cuda_plugin.so"
	cpuPlugin  = "cpu/pjrt_c_api_cpu_plugin.so"
)

// ChooseBackend finds what the backend key of a run asks for: auto (cuda,
// then cpu, then go), cuda, cpu, go, or xla: with the path of a plugin.
func ChooseBackend(want string) (*BackendChoice, error) {
	switch {
	case want == "go":
		return &BackendChoice{Name: "go", Why: "asked for"}, nil
	case strings.HasPrefix(want, "xla:"):
		return pluginChoice("xla", strings.TrimPrefix(want, "xla:"), "asked for")
	case want == "cpu" || want == "cuda":
		path, err := findPlugin(want)
		if err != nil {
			return nil, err
		}
		return pluginChoice(want, path, "asked for")
	case want == "auto" || want == "":
		return automaticChoice()
	}
	return nil, fmt.Errorf("backend is %q, want auto, cuda, cpu, go or xla:/path/plugin.so", want)
}

func automaticChoice() (*BackendChoice, error) {
	var passed []string
	for _, name := range []string{"cuda", "cpu"} {
		path, err := findPlugin(name)
		if err == nil {
			c, err := pluginChoice(name, path, "best of what is here")
			if err == nil {
				c.Passed = passed
			}
			return c, err
		}
		passed = append(passed, err.Error())
	}
	return &BackendChoice{Name: "go", Why: "no XLA plugin is here", Passed: passed}, nil
}

func pluginChoice(name, path, why string) (*BackendChoice, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(absolute); err != nil {
		return nil, fmt.Errorf("XLA plugin: %w: name a plugin that is there, or run make setup, which fetches one for backend: auto", err)
	}
	return &BackendChoice{Name: name, Plugin: absolute, Why: why}, nil
}

// findPlugin looks in $LAUREL_PJRT, beside the binary and in the working
// directory.
func findPlugin(name string) (string, error) {
	if name == "cuda" && !HasGPU() {
		return "", errors.New("cuda: no NVIDIA GPU on this machine")
	}
	file := cpuPlugin
	if name == "cuda" {
		file = cudaPlugin
	}
	for _, dir := range pluginDirs() {
		path := filepath.Join(dir, file)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: no plugin %s in %s: run make setup", name, file, strings.Join(pluginDirs(), ", "))
}

func pluginDirs() []string {
	var dirs []string
	if dir := os.Getenv("LAUREL_PJRT"); dir != "" {
		dirs = append(dirs, dir)
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dirs = append(dirs, filepath.Join(filepath.Dir(exe), "..", "build", "pjrt"))
	}
	return append(dirs, filepath.Join("build", "pjrt"))
}

// HasGPU tells whether an NVIDIA driver shows a GPU.
func HasGPU() bool {
	_, err := os.Stat("/dev/nvidia0")
	return err == nil
}

// Open starts the backend. It never downloads anything.
func (c *BackendChoice) Open() (compute.Backend, error) {
	if c.Name == "go" {
		return compute.NewWithConfig("go")
	}
	xla.EnableAutoInstall(false)
	options := ""
	if pjrt.IsCUDAName(c.Plugin) {
		options = ",preallocate=true,memory_fraction=0.9,tf32=false"
	}
	backend, err := compute.NewWithConfig("xla:" + c.Plugin + options)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w (backend: go needs no plugin)", c, err)
	}
	return backend, nil
}

// String is what commands print.
func (c *BackendChoice) String() string {
	if c.Name == "go" {
		return fmt.Sprintf("go (pure Go, %d CPUs)", runtime.NumCPU())
	}
	return fmt.Sprintf("%s (XLA, %s)", c.Name, c.Plugin)
}

// Device is one device of a backend.
type Device struct {
	Number      int    `json:"number"`
	Description string `json:"description"`
}

// Devices lists the devices of an open backend.
func Devices(backend compute.Backend) []Device {
	var devices []Device
	for i := range backend.NumDevices() {
		devices = append(devices, Device{i, backend.DeviceDescription(compute.DeviceNum(i))})
	}
	return devices
}

// PluginVersion is what the set-up recorded of the plugin's origin, "" for a
// plugin from elsewhere.
func (c *BackendChoice) PluginVersion() string {
	for dir := filepath.Dir(c.Plugin); c.Plugin != "" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if raw, err := os.ReadFile(filepath.Join(dir, "version")); err == nil {
			return strings.TrimSpace(string(raw))
		}
		if filepath.Base(dir) == "pjrt" {
			break
		}
	}
	return ""
}

// TrySum adds numbers up on the backend: the smallest computation that shows
// that it works.
func TrySum(backend compute.Backend, values *tensors.Tensor) (float32, error) {
	sum, err := graph.CallOnce(backend, func(x *graph.Node) *graph.Node { return graph.ReduceAllSum(x) }, values)
	if err != nil {
		return 0, err
	}
	return tensors.ToScalar[float32](sum), nil
}
