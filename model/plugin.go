package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/go-xla/pjrt"

	"laurel/model/plugins"
)

// PluginVersion is what the set-up recorded of the plugin's origin, "" for a
// plugin from elsewhere.
func (c *BackendChoice) PluginVersion() string {
	if c.Plugin == "" {
		return ""
	}
	return plugins.Version(c.Plugin)
}

// isCUDA tells whether the plugin is for NVIDIA GPUs: by our own choice, or
// by its file's name where the user gave a path.
func (c *BackendChoice) isCUDA() bool {
	return c.Name == "cuda" || c.Name == "xla" && pjrt.IsCUDAName(filepath.Base(c.Plugin))
}

// plainPath is the plugin's path, or a link to it where the path would
// mislead: go-xla takes any path with "cuda" or "nvidia" in it for a CUDA
// plugin and any with "cpu" for a CPU one, and splits options at commas. The
// link is to the folder that the CUDA plugin finds its libraries from.
func (c *BackendChoice) plainPath() (string, error) {
	if !c.misleads() {
		return c.Plugin, nil
	}
	dir, err := os.MkdirTemp("", "laurel")
	if err != nil {
		return "", fmt.Errorf("link to plugin %s: %w", c.Plugin, err)
	}
	target, link, rest := c.Plugin, filepath.Join(dir, "cpu.so"), ""
	if c.isCUDA() {
		target = filepath.Dir(filepath.Dir(c.Plugin))
		link = filepath.Join(dir, "cuda")
		rest = strings.TrimPrefix(c.Plugin, target)
	}
	if err := os.Symlink(target, link); err != nil {
		return "", fmt.Errorf("link to plugin %s: %w", c.Plugin, err)
	}
	return link + rest, nil
}

func (c *BackendChoice) misleads() bool {
	if strings.Contains(c.Plugin, ",") {
		return true
	}
	if c.isCUDA() {
		return strings.Contains(strings.ToLower(c.Plugin), "cpu")
	}
	return pjrt.IsCUDAName(c.Plugin)
}

// mallocTunables keep glibc from giving memory back to the kernel and taking
// it again at every step: XLA's CPU client allocates each program's scratch
// memory, gigabytes of it, anew. They took a fifth off a step of MiniLM at 256
// tokens (docs/experiments.md).
const mallocTunables = "GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.mmap_max=0:" +
	"glibc.malloc.trim_threshold=1099511627776"

// Environment lists the variables, as NAME=value, that the process should have
// had from its start and has not: the loader and the allocator read theirs
// once. For CUDA the set-up wrote them beside the plugin; the CPU client wants
// an allocator that keeps its memory.
func (c *BackendChoice) Environment(present []string) ([]string, error) {
	switch c.Name {
	case "cuda":
		return c.cudaEnvironment(present)
	case "cpu":
		if _, ok := valueOf("GLIBC_TUNABLES", present); !ok {
			return []string{mallocTunables}, nil
		}
	}
	return nil, nil
}

func (c *BackendChoice) cudaEnvironment(present []string) ([]string, error) {
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(c.Plugin)), "env"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // not laid out by our set-up: the system's libraries serve
	}
	if err != nil {
		return nil, err
	}
	var missing []string
	for line := range strings.Lines(string(raw)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		have, _ := valueOf(name, present)
		switch {
		case !ok || strings.Contains(have, value):
		case have == "":
			missing = append(missing, name+"="+value)
		case name == "LD_LIBRARY_PATH":
			missing = append(missing, name+"="+value+":"+have)
		default:
			missing = append(missing, name+"="+have+" "+value)
		}
	}
	return missing, nil
}

// valueOf finds a variable among NAME=value.
func valueOf(name string, environment []string) (string, bool) {
	at := slices.IndexFunc(environment, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if at < 0 {
		return "", false
	}
	return environment[at][len(name)+1:], true
}
