package model

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
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
	keyBytes        = 8                          // of programKey, which names a folder of the cache
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
	if err := writable(dir); err != nil {
		dir, why = "", fmt.Sprintf("%v (%s names another folder)", err, cacheVariable)
	}
	c := CompileCache{Dir: dir, Why: why}
	for _, p := range programsIn(dir) {
		c.Programs++
		c.Bytes += p.size
	}
	return c
}

// writable fails where a cache cannot be written; "" is none.
func writable(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, halfWritten+"*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
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
	return fmt.Sprintf("%x", sum.Sum(nil)[:keyBytes])
}

// program is one file of the cache.
type program struct {
	path string
	size int64
	used time.Time
}

// programsIn lists what laurel wrote into a cache, folders of programKey with
// go-xla's files, and nothing else: the folder is the user's, and may hold more.
func programsIn(root string) (programs []program) {
	if root == "" {
		return nil
	}
	keys, _ := os.ReadDir(root)
	for _, key := range keys {
		if !key.IsDir() || !isHex(key.Name(), 2*keyBytes) {
			continue
		}
		dir := filepath.Join(root, key.Name())
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			name := entry.Name()
			if !entry.Type().IsRegular() || !isHex(name, 2*sha256.Size) && !strings.HasPrefix(name, halfWritten) {
				continue
			}
			if info, err := entry.Info(); err == nil { // what another process removes meanwhile is gone
				programs = append(programs, program{filepath.Join(dir, name), info.Size(), info.ModTime()})
			}
		}
	}
	return programs
}

func isHex(name string, digits int) bool {
	_, err := hex.DecodeString(name)
	return err == nil && len(name) == digits
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
