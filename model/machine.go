package model

import (
	"fmt"
	"os"
	"strings"
)

// ProcessPeak is the most bytes that this process has held, as the kernel
// counts them; ok is false where it does not.
func ProcessPeak() (bytes float64, ok bool) { return kernelSize("/proc/self/status", "VmHWM:") }

// MachineMemory is what the machine has and what of it is free, in bytes.
func MachineMemory() (total, free float64, ok bool) {
	total, ok = kernelSize("/proc/meminfo", "MemTotal:")
	free, _ = kernelSize("/proc/meminfo", "MemAvailable:")
	return total, free, ok
}

// kernelSize reads one size in bytes from a file such as /proc/meminfo.
func kernelSize(path, name string) (float64, bool) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(raw)) {
		var kilobytes float64
		if n, _ := fmt.Sscanf(line, name+" %f kB", &kilobytes); n == 1 {
			return kilobytes * 1024, true
		}
	}
	return 0, false
}
