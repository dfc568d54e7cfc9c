package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// The registry's release of tiktoken-rs that stands in for the module's git
// dependency, which cannot be fetched where GitHub is out of reach. laurel reads
// tokenizer.json only, so its code is linked out.
const tiktokenRelease = `tiktoken-rs = "=0.9.1"`

var tiktokenLine = regexp.MustCompile(`(?m)^tiktoken-rs\s*=.*$`)

// libraryFromCargo builds a copy of the module's source with the Cargo.lock of
// data/tokenizer.
func libraryFromCargo(root string, m module, path string) error {
	if err := checkCargo(root); err != nil {
		return err
	}
	work := filepath.Join(root, "build", "tokenizers")
	if err := os.RemoveAll(work); err != nil {
		return err
	}
	source := filepath.Join(work, "source")
	if err := copySource(m.dir, source); err != nil {
		return err
	}
	lock, err := os.ReadFile(filepath.Join(root, "data", "tokenizer", "Cargo.lock"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(source, "Cargo.lock"), lock, 0o644); err != nil {
		return err
	}
	target := filepath.Join(work, "target")
	if _, err := output(source, "cargo", "build", "--release", "--locked", "--package", "tokenizers-ffi", "--target-dir", target); err != nil {
		return err
	}
	if err := moveLibrary(filepath.Join(target, "release", "libtokenizers_ffi.a"), path, m); err != nil {
		return err
	}
	return os.RemoveAll(work) // 270 MB of intermediate files
}

// copySource takes what cargo needs and swaps the git dependency.
func copySource(from, to string) error {
	if err := os.CopyFS(filepath.Join(to, "crates"), os.DirFS(filepath.Join(from, "crates"))); err != nil {
		return err
	}
	for _, name := range []string{"Cargo.toml", "LICENSE"} {
		raw, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), raw, 0o644); err != nil {
			return err
		}
	}
	manifest := filepath.Join(to, "crates", "tokenizers", "Cargo.toml")
	raw, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	if !tiktokenLine.Match(raw) {
		return fmt.Errorf("%s names no tiktoken-rs: the module has changed, look at cmd/setup/cargo.go", manifest)
	}
	return os.WriteFile(manifest, tiktokenLine.ReplaceAll(raw, []byte(tiktokenRelease)), 0o644)
}

func moveLibrary(built, path string, m module) error {
	if err := checkLibrary(built, m); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Rename(built, path)
}

var cargoVersion = regexp.MustCompile(`^cargo (\d+)\.(\d+)`)

// checkCargo wants 1.75: the oldest that reads the committed lock file and
// compiles the locked crates.
func checkCargo(root string) error {
	line, err := output(root, "cargo", "--version")
	if err != nil {
		return fmt.Errorf("cargo is not installed: %w", err)
	}
	match := cargoVersion.FindStringSubmatch(line)
	if match == nil {
		return fmt.Errorf("cargo --version says %q", line)
	}
	major, majorErr := strconv.Atoi(match[1])
	minor, minorErr := strconv.Atoi(match[2])
	if err := errors.Join(majorErr, minorErr); err != nil {
		return fmt.Errorf("cargo --version says %q: %w", line, err)
	}
	if major == 1 && minor < 75 {
		return fmt.Errorf("%s is too old: 1.75 or newer is needed", line)
	}
	return nil
}
