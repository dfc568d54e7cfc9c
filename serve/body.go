package serve

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Bodies are read in parts. The first of each is free, so that small requests are
// answered whatever larger ones hold; what follows counts against the server's
// max-bodies, and has to come at some pace.
const bodyPart = 64 << 10

// read takes the body, which is said to be JSON.
func (r *request) read(w http.ResponseWriter) ([]byte, error) {
	if kind := r.http.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
			return nil, fail(http.StatusUnsupportedMediaType, "", "Content-Type is %s, want application/json (curl: -H 'Content-Type: application/json')", clip(strconv.Quote(kind)))
		}
	}
	if coding := r.http.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, fail(http.StatusUnsupportedMediaType, "", "Content-Encoding is %s: send the body as it is", clip(strconv.Quote(coding)))
	}
	if limit := r.server.config.MaxBody; r.http.ContentLength > limit {
		return nil, tooLong(limit)
	}
	raw, err := r.parts(w)
	long := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &long):
		return nil, tooLong(long.Limit)
	case errors.Is(err, errTooManyBytes):
		return nil, &failure{status: http.StatusTooManyRequests, message: "the requests that are being answered hold all the bytes that they may (--max-bodies): come again as Retry-After says", retry: time.Second}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fail(http.StatusRequestTimeout, "", "the body stopped coming: it has %s, and %s for every %d bytes after the first", r.server.config.Timeout, r.server.partTime, bodyPart)
	case err != nil:
		return nil, bad("", "the body could not be read: %v", err)
	}
	return raw, nil
}

func tooLong(limit int64) *failure {
	return fail(http.StatusRequestEntityTooLarge, "", "the body is longer than %d bytes: send fewer texts a request (or start the server with a larger --max-body)", limit)
}

var errTooManyBytes = errors.New("requests hold too many bytes")

// parts reads the body, by parts.
func (r *request) parts(w http.ResponseWriter) ([]byte, error) {
	body := http.MaxBytesReader(w, r.http.Body, r.server.config.MaxBody)
	connection := http.NewResponseController(w)
	var raw bytes.Buffer
	for {
		switch _, err := io.CopyN(&raw, body, bodyPart); err {
		case nil:
		case io.EOF:
			connection.SetReadDeadline(time.Time{}) // a connection's next read, of whether its client is gone, may take its time
			return raw.Bytes(), nil
		default:
			return nil, err
		}
		connection.SetReadDeadline(time.Now().Add(r.server.partTime)) // not every ResponseWriter has one
		if !r.server.bodies.TryAcquire(bodyPart) {
			r.server.bodies.Release(r.held)
			r.held, raw = 0, bytes.Buffer{}
			io.Copy(io.Discard, body) // a client that is still sending would not read the answer
			return nil, errTooManyBytes
		}
		r.held += bodyPart
	}
}

// enter waits until a body of so many bytes may be worked on, that is parsed and
// tokenized: both take many times its memory. Long ones share max-body bytes, so that
// the longest is worked on alone, and small ones do not wait for them.
func (r *request) enter(length int) error {
	work, weight := r.server.small, int64(1)
	if length > bodyPart {
		limit := r.server.config.MaxBody
		work, weight = r.server.large, max(int64(length), limit/workers)
	}
	if err := work.Acquire(r.http.Context(), weight); err != nil {
		return err
	}
	r.release = func() { work.Release(weight) }
	return nil
}

// wait lets others be worked on.
func (r *request) wait() {
	if r.release != nil {
		r.release()
	}
	r.release = nil
}

// leave gives back all that a request has of its server.
func (r *request) leave() {
	r.wait()
	r.server.bodies.Release(r.held)
}
