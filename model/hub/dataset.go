package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	hfhub "github.com/gomlx/go-huggingface/hub"
)

// DataPrefix begins the name of a data set on the hub:
//
//	hf://ORG/NAME[/CONFIG][/SPLIT][@REVISION]
const DataPrefix = "hf://"

// IsData tells whether ref names a data set on the hub.
func IsData(ref string) bool { return strings.HasPrefix(ref, DataPrefix) }

// dataName is a parsed name of a data set.
type dataName struct {
	id, revision string
	parts        []string // config and split, either alone, or none
}

func parseDataName(ref string) (dataName, error) {
	rest, revision, _ := strings.Cut(strings.TrimPrefix(ref, DataPrefix), "@")
	parts := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	n := dataName{revision: revision}
	if len(parts) < 2 || len(parts) > 4 || slices.Contains(parts, "") {
		return n, fmt.Errorf("want %sORG/NAME, and after it a split, or a configuration and a split", DataPrefix)
	}
	n.id, n.parts = parts[0]+"/"+parts[1], parts[2:]
	return n, checkRepoID(n.id)
}

// ResolveData finds the files of a split of a data set on the hub, in the cache
// shared with huggingface_hub, downloaded there once. Environment and offline
// rules are those of Resolve. opts.Revision is not read: the name has its own.
func ResolveData(ctx context.Context, ref string, opts Options) ([]string, error) {
	name, err := parseDataName(ref)
	if err != nil {
		return nil, fmt.Errorf("data %s: %w", ref, err)
	}
	opts.Revision = name.revision
	r, err := openRepo(name.id, opts)
	if err != nil {
		return nil, fmt.Errorf("data %s: %w", ref, err)
	}
	r.kind = hfhub.RepoTypeDataset
	files, err := r.dataFiles(ctx, name.parts)
	if err != nil {
		return nil, fmt.Errorf("data %s: %w", ref, err)
	}
	return files, nil
}

// dataFiles asks the hub what the revision points to now, as snapshot does; the
// cache serves a commit that it has whole, and where the hub does not answer.
func (r *repo) dataFiles(ctx context.Context, parts []string) ([]string, error) {
	cached, missing := r.cachedData(parts)
	if missing == nil && (r.offline != "" || isCommit(r.revision)) {
		return cached, nil
	}
	if r.offline != "" {
		return nil, r.errOffline(missing)
	}
	l, err := r.list(ctx, missing == nil)
	switch {
	case err == nil:
		return r.downloadData(ctx, l, parts)
	case ctx.Err() != nil || isMissing(err):
		return nil, err
	case missing != nil:
		return nil, fmt.Errorf("%w; and not in the cache: %w", err, missing)
	}
	r.opts.Notice(fmt.Sprintf("%v; taking revision %s of %s from the cache", err, r.revision, r.id))
	return cached, nil
}

// cachedData finds the split in the cache, or says what is missing.
func (r *repo) cachedData(parts []string) ([]string, error) {
	commit, err := r.cachedCommit()
	if err != nil {
		return nil, err
	}
	dir := r.in("snapshots", commit)
	var names []string
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && fileSize(path) >= 0 {
			name, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("revision %s of %s in %s: %w", r.revision, r.id, r.cache, err)
	}
	chosen, err := r.choose(commit, names, parts)
	if err == nil {
		err = wholeShards(chosen)
	}
	if err != nil {
		return nil, fmt.Errorf("revision %s of %s in %s: %w", r.revision, r.id, r.cache, err)
	}
	return r.paths(commit, chosen), nil
}

// downloadData fetches the README, which may say which files are which split,
// and the split. Its files come into the snapshot together, after the last of
// them is there.
func (r *repo) downloadData(ctx context.Context, l *listing, parts []string) ([]string, error) {
	var names []string
	for _, f := range l.Files {
		if f != nil && !filepath.IsLocal(f.Name) {
			return nil, fmt.Errorf("the hub lists a file %q, which lies outside the repository", f.Name)
		}
		if f != nil {
			names = append(names, f.Name)
		}
	}
	if l.file(readme) != nil {
		if err := r.fetchAll(ctx, l, []string{readme}); err != nil {
			return nil, err
		}
	}
	chosen, err := r.choose(l.Commit, names, parts)
	if err != nil {
		return nil, err
	}
	if err := r.fetchTogether(ctx, l, chosen); err != nil {
		return nil, err
	}
	return r.paths(l.Commit, chosen), r.writeRef(l.Commit)
}

// choose picks the split's files from those of the repository.
func (r *repo) choose(commit string, names, parts []string) ([]string, error) {
	text, err := os.ReadFile(r.snapshotFile(commit, readme))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	splits, err := configuredSplits(text, names)
	if err != nil {
		return nil, err
	}
	if splits == nil {
		splits = namedSplits(names)
	}
	s, err := chooseSplit(splits, parts)
	return s.files, err
}

func (r *repo) paths(commit string, names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = r.snapshotFile(commit, name)
	}
	return paths
}
