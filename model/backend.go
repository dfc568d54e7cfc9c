package model

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure-Go backend, "go"
	"github.com/gomlx/go-xla/compute/xla"  // the XLA backend, "xla"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"laurel/model/plugins"
)

// Backend computes; others pass it along without knowing GoMLX.
type Backend = compute.Backend

// BackendChoice is one way to compute, and why it was taken or passed over.
type BackendChoice struct {
	Name   string   `json:"name"`             // cuda, cpu, go or xla
	Plugin string   `json:"plugin,omitempty"` // absolute path of the PJRT plugin
	Why    string   `json:"why"`
	Passed []string `json:"passed,omitempty"` // better choices that were not to be had, and why

	// OnDemand takes GPU memory as it is needed instead of most of it at the
	// start: for measuring, and beside other programs.
	OnDemand bool `json:"-"`
	// CPUDevices is how many devices XLA's CPU is shown as; 0: one for each CPU, but two at
	// least and four at most. Each takes a thread at least.
	CPUDevices int `json:"-"`
}

// ChooseBackend finds what the backend key of a run asks for: auto (cuda,
// then cpu, then go), cuda, cpu, go, or xla: with the path of a plugin.
func ChooseBackend(want string) (*BackendChoice, error) {
	switch {
	case want == "go":
		return &BackendChoice{Name: "go", Why: "asked for"}, nil
	case strings.HasPrefix(want, "xla:"):
		return pluginChoice("xla", strings.TrimPrefix(want, "xla:"), "asked for")
	case want == "cpu" || want == "cuda":
		path, err := plugins.Find(want)
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
		path, err := plugins.Find(name)
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
		return nil, fmt.Errorf("XLA plugin: %w: name a plugin that is there, or let laurel doctor --fix fetch one for backend: auto", err)
	}
	return &BackendChoice{Name: name, Plugin: absolute, Why: why}, nil
}

// goBackend runs one operation at a time, each on every CPU. Several at a time,
// its default, can hang for ever: large matrix products wait for workers while
// they hold the last ones (compute v0.1.2, workerspool.Saturate).
const goBackend = "go:ops_sequential"

// Open starts the backend. It never downloads anything.
func (c *BackendChoice) Open() (compute.Backend, error) {
	if c.Name == "go" {
		return compute.NewWithConfig(goBackend)
	}
	xla.EnableAutoInstall(false)
	path, err := c.plainPath()
	if err != nil {
		return nil, err
	}
	options := ""
	if c.isCUDA() {
		options = fmt.Sprintf(",preallocate=%v,memory_fraction=0.9,tf32=false", !c.OnDemand)
	} else if ChangedXLA && c.Name == "cpu" {
		options = fmt.Sprintf(",cpu_devices=%d", cmp.Or(c.CPUDevices, max(2, min(runtime.GOMAXPROCS(0), 4))))
	}
	if err := c.useCompileCache(); err != nil {
		return nil, err
	}
	backend, err := compute.NewWithConfig("xla:" + path + options)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w (backend: go needs no plugin)", c, err)
	}
	return backend, nil
}

// CheckPrecision refuses products in bfloat16 on the Go backend: its kernels for
// CPUs with AVX2 leave out half of each sum (docs/upstream.md), and where they do
// not, they are slower than those of float32.
func (c *BackendChoice) CheckPrecision(dtype string) error {
	if c.Name != "go" || dtype == "float32" {
		return nil
	}
	return fmt.Errorf("dtype is %q, and backend go computes such products wrongly on many CPUs: take float32, or backend cpu or cuda (laurel doctor --fix fetches their plugins)", dtype)
}

// String is what commands print.
func (c *BackendChoice) String() string {
	if c.Name == "go" {
		return fmt.Sprintf("go (pure Go, %d CPUs)", runtime.NumCPU())
	}
	return fmt.Sprintf("%s (XLA, %s)", c.Name, c.Plugin)
}

// OpenBackend chooses and starts a backend.
func OpenBackend(want string) (Backend, *BackendChoice, error) {
	choice, err := ChooseBackend(want)
	if err != nil {
		return nil, nil, err
	}
	backend, err := choice.Open()
	return backend, choice, err
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

// TrySum adds numbers up on the backend: the smallest computation that shows
// that it works.
func TrySum(backend compute.Backend, values *tensors.Tensor) (float32, error) {
	sum, err := graph.CallOnce(backend, func(x *graph.Node) *graph.Node { return graph.ReduceAllSum(x) }, values)
	if err != nil {
		return 0, err
	}
	return tensors.ToScalar[float32](sum), nil
}
