package model

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Compiled programs are kept on disk from one process to the next, where the
// binary has our changes to go-xla (docs/upstream.md): compiling is most of a
// short run's time.
const (
	cacheVariable   = "LAUREL_COMPILE_CACHE"     // for users: a folder, or off
	programVariable = "LAUREL_COMPILED_PROGRAMS" // for go-xla: the folder of this plugin and machine
	cacheBytes      = 4 << 30                    // of all folders together
	halfWritten     = "new-"                     // how names of files under way begin
	halfWrittenAge  = time.Hour                  // after which nobody writes them any more
)

// CompileCache says where compiled programs are kept, and how many there are.
type CompileCache struct {
	Dir      string `json:"dir"` // "": they are not kept
	Why      string `json:"why"` // not, or how they would not be
	Programs int    `json:"programs"`
	Bytes    int64  `json:"bytes"`
}

// String is what commands print.
func (c CompileCache) String() string {
	if c.Dir == "" {
		return "programs are not kept: " + c.Why
	}
	return fmt.Sprintf("%d programs kept, %.1f MB in %s; %s", c.Programs, float64(c.Bytes)/1e6, c.Dir, c.Why)
}

// FindCompileCache finds the cache of all plugins, and counts what it holds.
func FindCompileCache() CompileCache {
	dir, why := cacheDir()
	c := CompileCache{Dir: dir, Why: why}
	for _, p := range programsIn(dir) {
		c.Programs++
		c.Bytes += p.size
	}
	return c
}

// cacheDir is where compiled programs of all plugins lie, "" where none are kept.
func cacheDir() (dir, why string) {
	if !ChangedXLA {
		return "", "this binary was built without laurel's changes to go-xla (make build has them)"
	}
	switch dir = os.Getenv(cacheVariable); dir {
	case "off":
		return "", cacheVariable + " is off"
	case "":
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err.Error()
		}
		dir = filepath.Join(cache, "laurel", "programs")
	}
	return dir, cacheVariable + "=off keeps none"
}

// useCompileCache readies the cache for a plugin on this machine. A cache that
// cannot be used costs time and nothing else.
func (c *BackendChoice) useCompileCache() error {
	root, _ := cacheDir()
	if root == "" {
		return os.Unsetenv(programVariable)
	}
	dir := filepath.Join(root, c.programKey())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return os.Unsetenv(programVariable)
	}
	prune(root)
	return os.Setenv(programVariable, dir)
}

// programKey differs where compiled code does: by the plugin, XLA's flags, and
// what the machine computes with.
func (c *BackendChoice) programKey() string {
	sum := sha256.New()
	if info, err := os.Stat(c.Plugin); err == nil {
		fmt.Fprintln(sum, c.PluginVersion(), info.Size(), info.ModTime().UnixNano())
	}
	fmt.Fprintln(sum, c.Plugin, os.Getenv("XLA_FLAGS"))
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(cpu)) {
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); name == "model name" || name == "flags" || name == "Features" {
			fmt.Fprintln(sum, value)
		}
		if strings.TrimSpace(line) == "" {
			break // one CPU stands for all
		}
	}
	gpus, _ := filepath.Glob("/proc/driver/nvidia/gpus/*/information")
	for _, file := range append(gpus, "/proc/driver/nvidia/version") {
		raw, _ := os.ReadFile(file)
		sum.Write(raw)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}

// program is one file of the cache.
type program struct {
	path string
	size int64
	used time.Time
}

func programsIn(root string) (programs []program) {
	if root == "" {
		return nil
	}
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // what another process removes meanwhile is gone
		}
		if info, err := entry.Info(); err == nil {
			programs = append(programs, program{path, info.Size(), info.ModTime()})
		}
		return nil
	})
	return programs
}

// prune removes the programs not used for longest, beyond the cache's size, and
// what killed processes left half written.
func prune(root string) {
	programs := programsIn(root)
	slices.SortFunc(programs, func(a, b program) int { return cmp.Compare(b.used.UnixNano(), a.used.UnixNano()) })
	var kept int64
	for _, p := range programs {
		stale := strings.HasPrefix(filepath.Base(p.path), halfWritten) && time.Since(p.used) > halfWrittenAge
		if kept += p.size; kept > cacheBytes || stale {
			if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return // another user's cache: it stays as it is
			}
			kept -= p.size
		}
	}
}
