package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"laurel/model/safetensors"

	hfhub "github.com/gomlx/go-huggingface/hub"
	"golang.org/x/sync/errgroup"
)

// go-huggingface's hub (v0.4.1) gives the API's file records and header names.
// Its own downloads do not serve here, tried against the tests' hub:
// DownloadFiles reads the ETag after following redirects, so a file in LFS
// storage is cached under its storage's ETag and not its SHA-256, where
// huggingface_hub looks; it writes no refs/, so huggingface_hub finds no branch
// offline; it cannot resume, checks neither size nor hash, asks the hub even for
// what is cached, and counts files in a data race.

// listing is what the hub answers about a revision.
type listing struct {
	Commit string            `json:"sha"`
	Files  []*hfhub.FileInfo `json:"siblings"`
}

func (l *listing) file(name string) *hfhub.FileInfo {
	i := slices.IndexFunc(l.Files, func(f *hfhub.FileInfo) bool { return f != nil && f.Name == name })
	if i < 0 {
		return nil
	}
	return l.Files[i]
}

// sizeOf is a file's length in bytes, -1 where the hub did not say.
func sizeOf(f *hfhub.FileInfo) int64 {
	switch {
	case f.LFS != nil && f.LFS.Size > 0:
		return f.LFS.Size
	case f.Size > 0:
		return f.Size
	}
	return -1
}

// list asks the hub for the revision's commit and files: once where a cached
// model can stand in, else with patience.
func (r *repo) list(ctx context.Context, once bool) (l *listing, err error) {
	address := r.endpoint.JoinPath("api", string(r.kind), r.id, "revision", url.PathEscape(r.revision))
	address.RawQuery = "blobs=true"
	ask := func() error {
		l, err = r.askListing(ctx, address)
		return err
	}
	if once {
		return l, ask()
	}
	return l, r.retry(ctx, ask)
}

func (r *repo) askListing(ctx context.Context, address *url.URL) (*listing, error) {
	ctx, stop := context.WithTimeout(ctx, r.opts.stallAfter)
	defer stop()
	response, err := r.ask(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, r.explain(response, "")
	}
	const most = 64 << 20
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return nil, transient{fmt.Errorf("%s: list files: %w", r.endpoint.Host, err)}
	}
	var l listing
	if err := json.Unmarshal(body, &l); err != nil {
		return nil, fmt.Errorf("%s: list of files: %w (is HF_ENDPOINT a Hugging Face hub?)", r.endpoint.Host, err)
	}
	if !isCommit(l.Commit) {
		return nil, fmt.Errorf("%s: list of files names commit %q", r.endpoint.Host, l.Commit)
	}
	return &l, nil
}

// tokenizerFiles are fetched where the repository has them.
func tokenizerFiles() []string {
	return []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
		"vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model", "spm.model",
		"sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json"}
}

// download fetches what a reward model needs of the listing and returns the snapshot folder.
func (r *repo) download(ctx context.Context, l *listing) (string, error) {
	names, err := r.firstFiles(l)
	if err != nil {
		return "", err
	}
	if err := r.fetchAll(ctx, l, names); err != nil {
		return "", err
	}
	if slices.Contains(names, safetensors.IndexFile) {
		shards, err := safetensors.Shards(r.snapshotFile(l.Commit, safetensors.IndexFile))
		if err != nil {
			return "", err
		}
		if err := r.fetchAll(ctx, l, shards); err != nil {
			return "", err
		}
	}
	if l.file("tokenizer.json") == nil {
		if err := r.markAbsent(l.Commit, "tokenizer.json"); err != nil {
			return "", err
		}
	}
	return r.in("snapshots", l.Commit), r.writeRef(l.Commit)
}

// firstFiles chooses from the listing: all but the shards, which the index names.
func (r *repo) firstFiles(l *listing) ([]string, error) {
	if l.file("config.json") == nil {
		return nil, errors.New("the repository has no config.json: not a transformers model")
	}
	names := []string{"config.json"}
	for _, name := range append(tokenizerFiles(), r.opts.Beside...) {
		if l.file(name) != nil {
			names = append(names, name)
		}
	}
	for _, f := range l.Files {
		if f != nil && strings.HasSuffix(f.Name, ".jinja") && path.Dir(f.Name) == "additional_chat_templates" {
			names = append(names, f.Name)
		}
	}
	for _, name := range []string{safetensors.WeightsFile, safetensors.IndexFile} {
		if l.file(name) != nil {
			return append(names, name), nil
		}
	}
	for _, name := range []string{"pytorch_model.bin", "pytorch_model.bin.index.json"} {
		if l.file(name) != nil {
			return nil, safetensors.OnlyPickle(r.id, name)
		}
	}
	return nil, fmt.Errorf("the repository has neither %s nor %s", safetensors.WeightsFile, safetensors.IndexFile)
}

// fetchAll fetches files, four at a time, into the commit's snapshot.
func (r *repo) fetchAll(ctx context.Context, l *listing, names []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, name := range names {
		group.Go(func() error {
			info := l.file(name)
			if info == nil {
				return fmt.Errorf("%s names %s, which the repository does not have", safetensors.IndexFile, name)
			}
			if err := r.fetch(ctx, l.Commit, info); err != nil {
				return fmt.Errorf("fetch %s at %s: %w", name, r.revision, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// fetch makes the snapshot hold one file, whole.
func (r *repo) fetch(ctx context.Context, commit string, info *hfhub.FileInfo) error {
	etag, err := r.fetchContent(ctx, commit, info)
	if err != nil || etag == "" {
		return err
	}
	return r.link(commit, info.Name, etag)
}

// fetchTogether makes the snapshot hold files, none before all have come.
func (r *repo) fetchTogether(ctx context.Context, l *listing, names []string) error {
	group, fetching := errgroup.WithContext(ctx)
	group.SetLimit(4)
	etags := make([]string, len(names))
	for i, name := range names {
		group.Go(func() (err error) {
			if etags[i], err = r.fetchContent(fetching, l.Commit, l.file(name)); err != nil {
				return fmt.Errorf("fetch %s at %s: %w", name, r.revision, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, name := range names {
		if etags[i] == "" {
			continue
		}
		if err := r.link(l.Commit, name, etags[i]); err != nil {
			return err
		}
	}
	return nil
}

// fetchContent makes the cache hold a file's content and gives its name there,
// "" where the snapshot has the file.
func (r *repo) fetchContent(ctx context.Context, commit string, info *hfhub.FileInfo) (etag string, err error) {
	if size := fileSize(r.snapshotFile(commit, info.Name)); size >= 0 && (sizeOf(info) < 0 || size == sizeOf(info)) {
		return "", nil
	}
	b, err := r.describe(ctx, commit, info)
	if err != nil {
		return "", err
	}
	lock, err := r.lockBlob(ctx, b.etag)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	// Another process may have fetched it meanwhile. A blob of another size than
	// the hub says is damage, and is fetched again.
	if have := fileSize(r.in("blobs", b.etag)); have < 0 || b.size >= 0 && have != b.size {
		if err := r.fetchBlob(ctx, b); err != nil {
			return "", err
		}
	}
	return b.etag, nil
}

// home is the repository's page, below which its files are.
func (r *repo) home() *url.URL {
	if r.kind == hfhub.RepoTypeDataset {
		return r.endpoint.JoinPath("datasets", r.id)
	}
	return r.endpoint.JoinPath(r.id)
}

// blob is one file's content as the hub describes it.
type blob struct {
	name    string
	address *url.URL
	etag    string // its name in the cache
	size    int64  // -1: not said
	sha256  string // of an LFS file, else empty
	gitID   string // of a file in git itself, else empty: SHA-1 of "blob SIZE\0" and the content
}

// describe asks for the headers of a file. Those of the hub itself count, not
// those of the storage it redirects to: only they hold the content's hash.
func (r *repo) describe(ctx context.Context, commit string, info *hfhub.FileInfo) (blob, error) {
	address := r.home().JoinPath("resolve", commit)
	for part := range strings.SplitSeq(info.Name, "/") {
		address = address.JoinPath(url.PathEscape(part))
	}
	b := blob{name: info.Name, address: address, size: sizeOf(info)}
	err := r.retry(ctx, func() error {
		response, err := r.askHead(ctx, address, info.Name)
		if err != nil {
			return err
		}
		return b.fill(response, info)
	})
	return b, err
}

func (r *repo) askHead(ctx context.Context, address *url.URL, file string) (*http.Response, error) {
	ctx, stop := context.WithTimeout(ctx, r.opts.stallAfter)
	defer stop()
	response, err := r.ask(ctx, http.MethodHead, address, nil)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	if response.StatusCode >= 400 {
		return nil, r.explain(response, file)
	}
	return response, nil
}

// fill takes over what the headers say.
func (b *blob) fill(response *http.Response, info *hfhub.FileInfo) error {
	linked := response.Header.Get(hfhub.HeaderXLinkedETag)
	b.etag = strings.Trim(strings.TrimPrefix(cmp.Or(linked, response.Header.Get("ETag")), "W/"), `"`)
	if !regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_.-]*$`).MatchString(b.etag) {
		return fmt.Errorf("ETag %q cannot name the file in the cache (is HF_ENDPOINT a Hugging Face hub?)", b.etag)
	}
	if size, err := strconv.ParseInt(response.Header.Get(hfhub.HeaderXLinkedSize), 10, 64); err == nil {
		b.size = size
	} else if b.size < 0 && response.StatusCode == http.StatusOK {
		b.size = response.ContentLength
	}
	switch {
	case info.LFS != nil && info.LFS.SHA256 != "":
		b.sha256 = info.LFS.SHA256
	case linked != "" && len(b.etag) == 64:
		b.sha256 = b.etag
	case info.LFS == nil && info.BlobID == b.etag:
		b.gitID = info.BlobID
	}
	return nil
}
