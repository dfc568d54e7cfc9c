// Package hub finds models by what users call them: a folder, or a name on the
// Hugging Face hub, downloaded once into the cache that huggingface_hub keeps.
package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	hfhub "github.com/gomlx/go-huggingface/hub"

	"laurel/model/safetensors"
)

// Options steer Resolve; the zero value fetches main in silence.
type Options struct {
	// Revision is a branch, a tag or a 40-digit commit; empty means main.
	Revision string
	// Beside names files that are fetched with the model where the repository has
	// them.
	Beside []string
	// Progress hears of each file's bytes so far; total is -1 where the hub does
	// not say. Calls come one at a time.
	Progress func(file string, done, total int64)
	// Notice hears of what the user should know though it is no error, such as a
	// cached model standing in for a hub that does not answer.
	Notice func(line string)

	retryPause, stallAfter time.Duration // 1 s and 60 s; tests wait less
}

// Resolve turns what a user calls a model into a folder: an existing folder
// is itself; a Hugging Face name ("org/name", "name") is its snapshot in the
// cache shared with huggingface_hub, downloaded there once. The environment is
// read as huggingface_hub reads it: HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME,
// HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE.
func Resolve(ctx context.Context, ref string, opts Options) (dir string, err error) {
	info, statErr := os.Stat(ref)
	switch {
	case statErr == nil && info.IsDir():
		return ref, nil
	case statErr == nil:
		return "", fmt.Errorf("model %s is a file: give the folder that holds config.json and %s", ref, safetensors.WeightsFile)
	case errors.Is(statErr, fs.ErrPermission):
		return "", fmt.Errorf("model: %w", statErr)
	}
	if err := checkRepoID(ref); err != nil {
		return "", fmt.Errorf("model %q is neither a folder nor a hub name: %w", ref, err)
	}
	repo, err := openRepo(ref, opts)
	if err != nil {
		return "", fmt.Errorf("model %s: %w", ref, err)
	}
	if dir, err = repo.snapshot(ctx); err != nil {
		return "", fmt.Errorf("model %s (no folder of that name; taken for a hub name): %w", ref, err)
	}
	return dir, nil
}

// checkRepoID holds a name to the hub's own rules.
func checkRepoID(id string) error {
	const word = `[0-9A-Za-z_]([0-9A-Za-z_.-]*[0-9A-Za-z_])?`
	valid := regexp.MustCompile(`^(` + word + `/)?` + word + `$`)
	switch {
	case filepath.IsAbs(id), strings.HasPrefix(id, "./"), strings.HasPrefix(id, "../"):
		return errors.New("there is no such folder")
	case strings.Count(id, "/") > 1:
		return errors.New(`a hub name has at most one "/"`)
	case len(id) > 96:
		return errors.New("a hub name has at most 96 characters")
	case !valid.MatchString(id):
		return errors.New(`a hub name has letters, digits, "-", "_" and ".", and neither begins nor ends with "-" or "."`)
	case strings.Contains(id, "--") || strings.Contains(id, "..") || strings.HasSuffix(id, ".git"):
		return errors.New(`a hub name has no "--" or "..", and does not end in ".git"`)
	}
	return nil
}

// repo is one repository of the hub at one revision, and its place in the cache.
type repo struct {
	kind         hfhub.RepoType // of models or of data sets
	id, revision string
	endpoint     *url.URL
	token        string
	offline      string // the variable that forbids the network; empty where none does
	cache        string // the folder all repositories share
	opts         Options
	progress     sync.Mutex
}

func openRepo(id string, opts Options) (*repo, error) {
	if opts.Revision == "" {
		opts.Revision = "main"
	}
	if opts.Notice == nil {
		opts.Notice = func(string) {}
	}
	if opts.Progress == nil {
		opts.Progress = func(string, int64, int64) {}
	}
	if opts.retryPause == 0 {
		opts.retryPause, opts.stallAfter = time.Second, time.Minute
	}
	if !filepath.IsLocal(opts.Revision) || strings.ContainsAny(opts.Revision, "\\ \t\r\n?*[~^:") {
		return nil, fmt.Errorf("revision %q is no branch, tag or commit", opts.Revision)
	}
	endpoint, err := hubEndpoint()
	if err != nil {
		return nil, err
	}
	cache, home, err := hubFolders()
	if err != nil {
		return nil, err
	}
	token, err := hubToken(home)
	if err != nil {
		return nil, err
	}
	return &repo{kind: hfhub.RepoTypeModel, id: id, revision: opts.Revision, endpoint: endpoint, token: token, offline: offlineBy(), cache: cache, opts: opts}, nil
}

func hubEndpoint() (*url.URL, error) {
	text := "https://huggingface.co"
	if set := os.Getenv("HF_ENDPOINT"); set != "" {
		text = strings.TrimRight(set, "/")
	}
	endpoint, err := url.Parse(text)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		return nil, fmt.Errorf("HF_ENDPOINT=%q is not an http(s) address", text)
	}
	return endpoint, nil
}

// hubFolders gives the cache of repositories and HF_HOME.
func hubFolders() (cache, home string, err error) {
	if home, err = folderFromEnv("HF_HOME"); err != nil {
		return "", "", err
	}
	if home == "" {
		base := os.Getenv("XDG_CACHE_HOME")
		if base == "" {
			user, err := os.UserHomeDir()
			if err != nil {
				return "", "", fmt.Errorf("no place for the model cache, set HF_HOME: %w", err)
			}
			base = filepath.Join(user, ".cache")
		}
		home = filepath.Join(base, "huggingface")
	}
	for _, key := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} {
		if cache, err = folderFromEnv(key); cache != "" || err != nil {
			return cache, home, err
		}
	}
	return filepath.Join(home, "hub"), home, nil
}

// folderFromEnv expands ~ and $VARIABLES as huggingface_hub does.
func folderFromEnv(key string) (string, error) {
	path := os.Getenv(key)
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == '/') {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("%s=%s: %w", key, path, err)
		}
		path = user + rest
	}
	return os.ExpandEnv(path), nil
}

// hubToken is the user's access token: HF_TOKEN or the file that `hf auth login` writes.
func hubToken(home string) (string, error) {
	if isTrue(os.Getenv("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
		return "", nil
	}
	for _, key := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if token := cleanToken(os.Getenv(key)); token != "" {
			return token, nil
		}
	}
	path, err := folderFromEnv("HF_TOKEN_PATH")
	if err != nil {
		return "", err
	}
	if path == "" {
		path = filepath.Join(home, "token")
	}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the hub token: %w", err)
	}
	return cleanToken(string(data)), nil
}

func cleanToken(s string) string {
	return strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(s))
}

func offlineBy() string {
	for _, key := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		if value := os.Getenv(key); isTrue(value) {
			return key
		} else if value != "" { // HF_HUB_OFFLINE=0 overrules the other
			break
		}
	}
	return ""
}

func isTrue(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

func isCommit(revision string) bool {
	return regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(revision)
}

// snapshot finds the model in the cache or downloads it. The hub is asked what a
// branch or tag points to now; a commit never changes, so a cached one asks nothing.
func (r *repo) snapshot(ctx context.Context) (string, error) {
	cached, missing := r.cached()
	if missing == nil && (r.offline != "" || isCommit(r.revision)) {
		return cached, nil
	}
	if r.offline != "" {
		return "", r.errOffline(missing)
	}
	listing, err := r.list(ctx, missing == nil)
	switch {
	case err == nil:
		return r.download(ctx, listing)
	case ctx.Err() != nil || isMissing(err):
		return "", err
	case missing != nil:
		return "", fmt.Errorf("%w; and not in the cache: %w", err, missing)
	}
	r.opts.Notice(fmt.Sprintf("%v; taking revision %s of %s from the cache, %s", err, r.revision, r.id, cached))
	return cached, nil
}

// isMissing tells that the hub answered and has no such thing.
func isMissing(err error) bool {
	var answer *hubAnswer
	return errors.As(err, &answer) && answer.status == http.StatusNotFound
}

func (r *repo) errOffline(missing error) error {
	return fmt.Errorf("offline (%s is set): %w; unset %s once to fetch it, or copy the %s into the cache", r.offline, missing, r.offline, r.what())
}

// what the repository holds.
func (r *repo) what() string {
	if r.kind == hfhub.RepoTypeDataset {
		return "data set"
	}
	return "model"
}
