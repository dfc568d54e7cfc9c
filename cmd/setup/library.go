package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

const tokenizersModule = "github.com/daulet/tokenizers"

// module is the Go module whose library is built, as go.mod pins it.
type module struct {
	version string // v1.27.0
	dir     string // its source in the module cache
	symbol  string // the function by which its linker check knows the library
}

// tokenizerLibrary leaves libtokenizers.a in build/lib: as it is there, from
// the module's release, or built from the module's source.
func tokenizerLibrary(root string, out io.Writer) error {
	m, err := findModule(root)
	if err != nil {
		return err
	}
	path := filepath.Join(root, "build", "lib", "libtokenizers.a")
	if stamp, ok := libraryPresent(path, m); ok {
		fmt.Fprintf(out, "tokenizer library: already there: %s (%s)\n", path, stamp)
		return nil
	}
	releaseErr := libraryFromRelease(releaseAPI(m), m, path)
	if releaseErr == nil {
		if releaseErr = linksHere(root); releaseErr == nil {
			return stampLibrary(path, m, "prebuilt release", out)
		}
	}
	fmt.Fprintf(out, "tokenizer library: no prebuilt %s: %v; building it with cargo (a minute or three)\n", m.version, releaseErr)
	if err := libraryFromCargo(root, m, path); err != nil {
		return fmt.Errorf("tokenizer library: %w\n  To fix it, either install cargo 1.75 or newer (rustup, or your distribution's package) and gcc and run this again,\n"+
			"  or unpack libtokenizers.%s-%s.tar.gz of the release %s of %s into %s by hand",
			err, runtime.GOOS, runtime.GOARCH, m.version, tokenizersModule, filepath.Dir(path))
	}
	return stampLibrary(path, m, "built with cargo", out)
}

var versionSymbol = regexp.MustCompile(`tokenizers_version_\d+_\d+_\d+`)

// findModule asks go for the module and downloads its source where needed.
func findModule(root string) (module, error) {
	if _, err := output(root, "go", "mod", "download", tokenizersModule); err != nil {
		return module{}, fmt.Errorf("tokenizer library: %w", err)
	}
	line, err := output(root, "go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", tokenizersModule)
	if err != nil {
		return module{}, fmt.Errorf("tokenizer library: %w", err)
	}
	version, dir, _ := strings.Cut(line, " ")
	source, err := os.ReadFile(filepath.Join(dir, "tokenizer.go"))
	if err != nil {
		return module{}, fmt.Errorf("tokenizer library: %w", err)
	}
	symbol := versionSymbol.Find(source)
	if symbol == nil {
		return module{}, fmt.Errorf("tokenizer library: %s %s names no version symbol", tokenizersModule, version)
	}
	return module{version: version, dir: dir, symbol: string(symbol)}, nil
}

// libraryPresent trusts the stamp of an earlier run for the version, and the
// symbol in a library that was put there by hand.
func libraryPresent(path string, m module) (stamp string, ok bool) {
	if err := checkLibrary(path, m); err != nil {
		return "", false
	}
	raw, err := os.ReadFile(stampPath(path))
	if errors.Is(err, os.ErrNotExist) {
		return "put there by hand", true
	}
	stamp = strings.TrimSpace(string(raw))
	return stamp, strings.HasPrefix(stamp, m.version+" ")
}

func stampPath(library string) string {
	return strings.TrimSuffix(library, ".a") + ".version"
}

// checkLibrary looks for the symbol that the module links against.
func checkLibrary(path string, m module) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(raw, []byte("!<arch>\n")) {
		return fmt.Errorf("%s is not a static library", path)
	}
	if !bytes.Contains(raw, []byte(m.symbol)) {
		return fmt.Errorf("%s is of another version: it has no %s, which %s wants", path, m.symbol, m.version)
	}
	return nil
}

func stampLibrary(path string, m module, how string, out io.Writer) error {
	if err := os.WriteFile(stampPath(path), []byte(m.version+" "+how+"\n"), 0o644); err != nil {
		return fmt.Errorf("tokenizer library: %w", err)
	}
	fmt.Fprintf(out, "tokenizer library: %s %s: %s\n", m.version, how, path)
	return nil
}

// linksHere tries the library: a prebuilt one may want a newer C library.
func linksHere(root string) error {
	_, err := output(root, "go", "test", "-c", "-o", os.DevNull, "./data/tokenizer")
	return err
}

// output runs a command and gives what it prints, or what it complains about.
func output(dir, name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	command.Dir = dir
	raw, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, lastLines(exit.Stderr, 8))
		}
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(raw)), nil
}

func lastLines(raw []byte, count int) string {
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
