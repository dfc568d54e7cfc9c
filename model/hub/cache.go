package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"laurel/data"
	"laurel/model/safetensors"

	"github.com/gofrs/flock"
)

// The cache as huggingface_hub lays it out, so that either finds what the other
// downloaded:
//
//	models--ORG--NAME/blobs/ETAG              contents, by git or LFS hash
//	models--ORG--NAME/snapshots/COMMIT/FILE   relative links to blobs
//	models--ORG--NAME/refs/REVISION           the commit a branch or tag was at
//	models--ORG--NAME/.no_exist/COMMIT/FILE   empty: the repository has no such file
//	.locks/models--ORG--NAME/ETAG.lock        held while a blob is written

func (r *repo) repoFolder() string {
	return string(r.kind) + "--" + strings.ReplaceAll(r.id, "/", "--")
}

// in joins a place within the repository's folder of the cache.
func (r *repo) in(elements ...string) string {
	return filepath.Join(append([]string{r.cache, r.repoFolder()}, elements...)...)
}

func (r *repo) snapshotFile(commit, file string) string {
	return r.in("snapshots", commit, filepath.FromSlash(file))
}

// cached returns the snapshot folder that the revision has in the cache, or what it lacks.
func (r *repo) cached() (dir string, missing error) {
	commit, err := r.cachedCommit()
	if err != nil {
		return "", err
	}
	file, err := r.firstMissing(commit)
	if err != nil {
		return "", err
	}
	if file != "" {
		return "", fmt.Errorf("revision %s of %s in %s lacks %s", r.revision, r.id, r.cache, file)
	}
	return r.in("snapshots", commit), nil
}

// cachedCommit is what the revision was at when the cache last heard of it.
func (r *repo) cachedCommit() (commit string, missing error) {
	commit = r.revision
	if !isCommit(commit) {
		ref, err := os.ReadFile(r.in("refs", filepath.FromSlash(r.revision)))
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("no revision %s of %s in %s", r.revision, r.id, r.cache)
		}
		if err != nil {
			return "", err
		}
		if commit = strings.TrimSpace(string(ref)); !isCommit(commit) {
			return "", fmt.Errorf("%s holds no commit", r.in("refs", r.revision))
		}
	}
	return commit, nil
}

// firstMissing names the first file without which a snapshot is not whole: a
// folder that transformers or an interrupted download left may hold only some.
func (r *repo) firstMissing(commit string) (string, error) {
	has := func(name string) bool { return fileSize(r.snapshotFile(commit, name)) >= 0 }
	absent := func(name string) bool { return fileSize(r.in(".no_exist", commit, name)) >= 0 }
	switch {
	case !has("config.json"):
		return "config.json", nil
	case !has("tokenizer.json") && !absent("tokenizer.json"):
		return "tokenizer.json", nil
	case has(safetensors.WeightsFile):
		return "", nil
	case !has(safetensors.IndexFile):
		return safetensors.WeightsFile, nil
	}
	shards, err := safetensors.Shards(r.snapshotFile(commit, safetensors.IndexFile))
	if err != nil {
		return "", err
	}
	for _, shard := range shards {
		if !has(shard) {
			return shard, nil
		}
	}
	return "", nil
}

// fileSize follows links; -1 where there is no file.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return -1
	}
	return info.Size()
}

// lockBlob takes the lock that huggingface_hub takes for the same blob.
func (r *repo) lockBlob(ctx context.Context, etag string) (*flock.Flock, error) {
	path := filepath.Join(r.cache, ".locks", r.repoFolder(), etag+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	lock := flock.New(path, flock.SetPermissions(0o664))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return lock, nil
}

// link points the snapshot's file to the blob. It replaces what is there in one
// step, so that another process never sees it gone. Where the file system has no
// links the content is copied, as huggingface_hub does.
func (r *repo) link(commit, file, etag string) error {
	target := r.snapshotFile(commit, file)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	up := strings.Repeat("../", 2+strings.Count(file, "/"))
	aside := target + "." + rand.Text() + ".tmp"
	if err := os.Symlink(filepath.FromSlash(up+path.Join("blobs", etag)), aside); err != nil {
		return r.copyBlob(target, etag)
	}
	if err := os.Rename(aside, target); err != nil {
		return errors.Join(err, os.Remove(aside))
	}
	return nil
}

func (r *repo) copyBlob(target, etag string) error {
	blob, err := os.Open(r.in("blobs", etag))
	if err != nil {
		return err
	}
	defer blob.Close()
	return data.WriteAside(target, func(w io.Writer) error { _, err := io.Copy(w, blob); return err })
}

// writeRef records what the revision points to. It comes last, so a ref never
// names a snapshot that an interrupted download left half done.
func (r *repo) writeRef(commit string) error {
	path := r.in("refs", filepath.FromSlash(r.revision))
	if before, err := os.ReadFile(path); isCommit(r.revision) || err == nil && string(before) == commit {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return data.WriteAside(path, func(w io.Writer) error { _, err := io.WriteString(w, commit); return err })
}

// markAbsent records that the repository has no such file at this commit.
func (r *repo) markAbsent(commit, file string) error {
	path := r.in(".no_exist", commit, file)
	if fileSize(path) >= 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return data.WriteAside(path, func(io.Writer) error { return nil })
}
