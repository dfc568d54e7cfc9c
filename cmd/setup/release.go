package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"laurel/model/plugins"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// releaseAPI is where GitHub describes the module's release.
func releaseAPI(m module) string {
	return "https://api.github.com/repos/daulet/tokenizers/releases/tags/" + m.version
}

// asset is one file of a release.
type asset struct {
	Name   string `json:"name"`
	URL    string `json:"browser_download_url"`
	Digest string `json:"digest"` // "sha256:…"
}

// libraryFromRelease fetches the release's static library for this platform.
//
// Its digest is the one that GitHub publishes beside the file. None is pinned
// here: GitHub gives digests to whoever can reach it only, and this was written
// where it cannot be reached; whoever wants pinned sources builds with cargo
// (CI does), whose Cargo.lock is committed.
func libraryFromRelease(api string, m module, path string) error {
	file, err := findAsset(api, fmt.Sprintf("libtokenizers.%s-%s.tar.gz", runtime.GOOS, runtime.GOARCH))
	if err != nil {
		return err
	}
	digest, ok := strings.CutPrefix(file.Digest, "sha256:")
	if !ok {
		return fmt.Errorf("%s is published without a sha256 digest", file.Name)
	}
	archive, err := plugins.Download(file.URL, digest, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer os.Remove(archive)
	fresh := path + ".new"
	defer os.Remove(fresh)
	if err := extractTar(archive, filepath.Base(path), fresh); err != nil {
		return err
	}
	if err := checkLibrary(fresh, m); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

func findAsset(api, name string) (asset, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	body, err := plugins.Get(ctx, api)
	if err != nil {
		return asset{}, err
	}
	defer body.Close()
	var release struct {
		Assets []asset `json:"assets"`
	}
	if err := json.NewDecoder(body).Decode(&release); err != nil {
		return asset{}, fmt.Errorf("read %s: %w", api, err)
	}
	for _, file := range release.Assets {
		if file.Name == name {
			return file, nil
		}
	}
	return asset{}, fmt.Errorf("the release has no %s", name)
}

// extractTar writes the member of a .tar.gz that has the given base name.
func extractTar(archive, name, path string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", archive, err)
	}
	for members := tar.NewReader(unzipped); ; {
		header, err := members.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the archive holds no %s", name)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", archive, err)
		}
		if filepath.Base(header.Name) == name && header.Typeflag == tar.TypeReg {
			return plugins.WriteFile(path, members, 0o644)
		}
	}
}
