package plugins

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/gomlx/go-xla/installer"
)

// wheel is one file of the Python package index, pinned by its SHA-256.
type wheel struct {
	name, version, sha256 string
}

// fetch downloads the wheel into dir. The index is asked through go-xla's
// installer; where that does not do, pip is, which knows of mirrors. Either way
// the bytes are those of the pinned digest.
func (w wheel) fetch(dir string) (file string, err error) {
	file, err = w.fromIndex(dir)
	if err == nil {
		return file, nil
	}
	file, pipErr := w.fromPip(dir)
	if pipErr == nil {
		return file, nil
	}
	return "", fmt.Errorf("fetch %s %s: %w; with pip: %w", w.name, w.version, err, pipErr)
}

func (w wheel) fromIndex(dir string) (string, error) {
	info, err := installer.GetPipInfo(w.name)
	if err != nil {
		return "", err
	}
	for _, file := range info.Releases[w.version] {
		if file.Digests["sha256"] == w.sha256 {
			return Download(file.URL, w.sha256, dir)
		}
	}
	return "", fmt.Errorf("the index has no file with sha256 %s", w.sha256)
}

func (w wheel) fromPip(dir string) (string, error) {
	folder, err := os.MkdirTemp(dir, "pip-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	pip := exec.Command("python3", "-m", "pip", "download", "--quiet", "--retries", "1", "--timeout", "15", "--no-deps", "--only-binary", ":all:",
		"--dest", folder, w.name+"=="+w.version)
	pip.Dir = folder
	if said, err := pip.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.whl"))
	if err != nil || len(files) != 1 {
		return "", errors.Join(err, fmt.Errorf("%d wheels downloaded, want 1", len(files)))
	}
	digest, err := fileDigest(files[0])
	if err != nil {
		return "", err
	}
	if digest != w.sha256 {
		return "", fmt.Errorf("%s has sha256 %s, want %s", filepath.Base(files[0]), digest, w.sha256)
	}
	kept := filepath.Join(dir, filepath.Base(files[0]))
	return kept, os.Rename(files[0], kept)
}

// extract writes the members that place gives a path for, relative to dir; ""
// leaves a member out.
func extract(file, dir string, place func(member string) string) (count int, err error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", file, err)
	}
	defer archive.Close()
	for _, member := range archive.File {
		to := place(member.Name)
		if to == "" || strings.HasSuffix(member.Name, "/") {
			continue
		}
		if !filepath.IsLocal(to) {
			return count, fmt.Errorf("read %s: member %q lies outside", file, member.Name)
		}
		if err := extractMember(member, filepath.Join(dir, to)); err != nil {
			return count, fmt.Errorf("read %s: %s: %w", file, member.Name, err)
		}
		count++
	}
	return count, nil
}

func extractMember(member *zip.File, to string) error {
	from, err := member.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	mode := os.FileMode(0o644)
	if path.Base(path.Dir(member.Name)) == "bin" {
		mode = 0o755
	}
	return WriteFile(to, from, mode)
}
