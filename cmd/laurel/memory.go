package main

import (
	"fmt"
	"os"
	"strings"
)

// peakMemory is the most that this process has held, as the kernel counts it.
func peakMemory() string {
	bytes, ok := kernelSize("/proc/self/status", "VmHWM:")
	if !ok {
		return "not known on this system"
	}
	return fmt.Sprintf("%.2f GB", bytes/1e9)
}

// machineMemory is what the machine has and what of it is free.
func machineMemory() string {
	total, ok := kernelSize("/proc/meminfo", "MemTotal:")
	free, _ := kernelSize("/proc/meminfo", "MemAvailable:")
	if !ok {
		return "memory not known on this system"
	}
	return fmt.Sprintf("%.1f GB memory, %.1f GB free", total/1e9, free/1e9)
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
