package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	archive, err := download(file.URL, digest, filepath.Dir(path))
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
	body, err := get(ctx, api)
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

// get opens a URL and refuses all but 200.
func get(ctx context.Context, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client().Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("get %s: %s", url, response.Status)
	}
	return response.Body, nil
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
			return writeFile(path, members, 0o644)
		}
	}
}

// writeFile writes aside and renames, so that a broken run leaves no half file.
func writeFile(path string, from io.Reader, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	aside := path + ".part"
	file, err := os.OpenFile(aside, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(aside))
	}
	return os.Rename(aside, path)
}
