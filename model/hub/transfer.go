package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"laurel/data"
)

// transient marks an error that another try may get past: a broken connection,
// a server error, a rate limit.
type transient struct{ error }

func (t transient) Unwrap() error { return t.error }

// fetchBlob downloads into ETAG.incomplete and renames it once size and hash
// are right. A broken transfer goes on from the bytes it has, within this call
// or in the next run; five tries in a row without a new byte end it.
func (r *repo) fetchBlob(ctx context.Context, b blob) error {
	path := r.in("blobs", b.etag)
	if err := os.MkdirAll(r.in("blobs"), 0o755); err != nil {
		return err
	}
	part := path + ".incomplete"
	waits, tries, damaged := r.waits(), 0, false
	fetch := func() (struct{}, error) {
		before := fileSize(part)
		err := r.transfer(ctx, b, part)
		if tries++; fileSize(part) > max(before, 0) {
			tries = 1
			waits.Reset()
		}
		if err != nil && tries == 5 {
			return struct{}{}, backoff.Permanent(err)
		}
		if err != nil {
			return struct{}{}, orPermanent(err)
		}
		if err = b.verify(part); err == nil {
			return struct{}{}, nil
		}
		// Bytes kept from an earlier run may be at fault: once, from the start.
		if left := os.Remove(part); left != nil || damaged {
			return struct{}{}, backoff.Permanent(errors.Join(err, left))
		}
		damaged = true
		return struct{}{}, err
	}
	if _, err := backoff.Retry(ctx, fetch, backoff.WithBackOff(waits), backoff.WithMaxElapsedTime(0)); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return data.SyncFolder(r.in("blobs"))
}

// waits double from retryPause on.
func (r *repo) waits() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: r.opts.retryPause, MaxInterval: time.Minute, Multiplier: 2}
}

// orPermanent leaves errors that another try may get past.
func orPermanent(err error) error {
	if errors.As(err, new(transient)) {
		return err
	}
	return backoff.Permanent(err)
}

// retry does it up to three times while the error is transient.
func (r *repo) retry(ctx context.Context, do func() error) error {
	try := func() (struct{}, error) {
		if err := do(); err != nil {
			return struct{}{}, orPermanent(err)
		}
		return struct{}{}, nil
	}
	_, err := backoff.Retry(ctx, try, backoff.WithBackOff(r.waits()), backoff.WithMaxTries(3), backoff.WithMaxElapsedTime(0))
	return err
}

// transfer appends to part what it lacks.
func (r *repo) transfer(ctx context.Context, b blob, part string) (err error) {
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	have, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if b.size < 0 || have > b.size {
		have = 0
	}
	if have < b.size || b.size < 0 {
		if err := r.receive(ctx, b, file, have); err != nil {
			return err
		}
	}
	return file.Sync()
}

// receive asks for the bytes from have on and writes them.
func (r *repo) receive(ctx context.Context, b blob, file *os.File, have int64) (err error) {
	stalled := transient{fmt.Errorf("no byte came for %v", r.opts.stallAfter)}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	timer := time.AfterFunc(r.opts.stallAfter, func() { stop(stalled) })
	defer timer.Stop()
	defer func() {
		if context.Cause(ctx) == stalled {
			err = stalled
		}
	}()
	header := http.Header{}
	if have > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	response, err := r.ask(ctx, http.MethodGet, b.address, header)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if have, err = r.startOf(response, b.name, have); err != nil {
		return err
	}
	if err := file.Truncate(have); err != nil {
		return err
	}
	if _, err := file.Seek(have, io.SeekStart); err != nil {
		return err
	}
	body := &watched{body: response.Body, repo: r, name: b.name, done: have, total: b.size, timer: timer}
	if _, err := io.Copy(file, body); err != nil {
		return err
	}
	if b.size >= 0 && body.done != b.size {
		return transient{fmt.Errorf("%d bytes came of %d", body.done, b.size)}
	}
	return nil
}

// startOf is the place in the file of the response's first byte.
func (r *repo) startOf(response *http.Response, file string, asked int64) (int64, error) {
	switch response.StatusCode {
	case http.StatusOK: // the whole file, whatever was asked for
		return 0, nil
	case http.StatusPartialContent:
		if span := response.Header.Get("Content-Range"); !strings.HasPrefix(span, fmt.Sprintf("bytes %d-", asked)) {
			return 0, fmt.Errorf("asked for the bytes from %d, got %q", asked, span)
		}
		return asked, nil
	}
	return 0, r.explain(response, file)
}

// watched is a response body that reports progress, keeps a stalled transfer
// from waiting for ever, stops a body that outgrows its file, and tells errors
// of the network, worth another try, from those of the disk.
type watched struct {
	body        io.Reader
	repo        *repo
	name        string
	done, total int64
	timer       *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.timer.Reset(w.repo.opts.stallAfter)
	w.done += int64(n)
	if w.total >= 0 && w.done > w.total {
		return 0, fmt.Errorf("more than the %d bytes of the file came", w.total)
	}
	w.repo.progress.Lock()
	w.repo.opts.Progress(w.name, w.done, w.total)
	w.repo.progress.Unlock()
	if err != nil && err != io.EOF {
		err = transient{fmt.Errorf("after %d of %d bytes: %w", w.done, w.total, err)}
	}
	return n, err
}

// verify compares a downloaded file with the hash that the hub gave.
func (b blob) verify(path string) error {
	var sum hash.Hash
	want := b.sha256
	switch {
	case b.sha256 != "":
		sum = sha256.New()
	case b.gitID != "":
		want, sum = b.gitID, sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", fileSize(path))
	default:
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("damaged on the way: hash %s, the hub says %s", got, want)
	}
	return nil
}

// ask sends one request. A HEAD stops where the hub redirects to another host.
func (r *repo) ask(ctx context.Context, method string, address *url.URL, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, address.String(), nil)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		request.Header[key] = values
	}
	request.Header.Set("Accept-Encoding", "identity") // sizes and ranges of the file itself
	request.Header.Set("User-Agent", "laurel")
	client := http.Client{Transport: &hubTransport{endpoint: r.endpoint, token: r.token}}
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if method == http.MethodHead && !sameHost(next.URL, r.endpoint) {
			return http.ErrUseLastResponse
		}
		if len(via) > 10 {
			return errors.New("redirected more than ten times")
		}
		return nil
	}
	response, err := client.Do(request)
	if err == nil {
		return response, nil
	}
	// url.Error repeats the address, which in a redirect carries a signature.
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	err = fmt.Errorf("%s does not answer: %w", r.endpoint.Host, err)
	if errors.Is(err, syscall.ECONNREFUSED) { // nothing listens there: waiting brings nothing
		return nil, err
	}
	return nil, transient{err}
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// hubTransport sends the token to the hub and to nobody it redirects to.
type hubTransport struct {
	endpoint *url.URL
	token    string
}

func (t *hubTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.token != "" && sameHost(request.URL, t.endpoint) {
		request = request.Clone(request.Context())
		request.Header.Set("Authorization", "Bearer "+t.token)
	}
	return http.DefaultTransport.RoundTrip(request)
}

// hubAnswer is an answer of the hub that is not the file.
type hubAnswer struct {
	status int
	text   string
}

func (a *hubAnswer) Error() string { return a.text }

// explain turns a status into what to do about it. Nothing of the request is repeated.
func (r *repo) explain(response *http.Response, file string) error {
	code, status := response.Header.Get("X-Error-Code"), response.StatusCode
	settings := r.endpoint.JoinPath("settings", "tokens")
	text := fmt.Sprintf("%s answers %s", r.endpoint.Host, response.Status)
	if message := response.Header.Get("X-Error-Message"); message != "" {
		text += fmt.Sprintf(" (%s)", message)
	}
	switch {
	case code == "GatedRepo" || status == http.StatusForbidden:
		text += fmt.Sprintf(": %s is gated or closed to you: accept its licence at %s, then set HF_TOKEN to a token of that account (%s)",
			r.id, r.home(), settings)
	case status == http.StatusUnauthorized && r.token != "":
		text += fmt.Sprintf(": no %s %s, or the token in use has no access to it: check the name and HF_TOKEN (%s)", r.what(), r.id, settings)
	case status == http.StatusUnauthorized:
		text += fmt.Sprintf(": no %s %s, or it is private or gated: check the name; for a private or gated one set HF_TOKEN (%s)", r.what(), r.id, settings)
	case code == "RevisionNotFound":
		text += fmt.Sprintf(": %s has no revision %s", r.id, r.revision)
	case code == "EntryNotFound" || status == http.StatusNotFound && file != "":
		text += fmt.Sprintf(": %s has no file %s at %s", r.id, file, r.revision)
	case status == http.StatusNotFound:
		text += fmt.Sprintf(": no %s %s with a revision %s", r.what(), r.id, r.revision)
	}
	answer := &hubAnswer{status, text}
	if status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
		return transient{answer}
	}
	return answer
}
