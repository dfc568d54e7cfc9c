package chat

import (
	"fmt"
	"net/http"
	"strings"
)

// redirectError is that a server sends requests on to where they are not sent.
type redirectError struct {
	status int
	to     string
}

func (e *redirectError) Error() string {
	return fmt.Sprintf("HTTP %d: the server sends requests on to %s: set base_url to %s", e.status, e.to, strings.TrimSuffix(e.to, "/chat/completions"))
}

// sameRequest follows a redirect within one server that keeps method and body
// (307, 308), ten times. By another the request would become a GET, whose answer
// is a page; and a key is not for another server.
func sameRequest(next *http.Request, before []*http.Request) error {
	first := before[0]
	if next.Method != first.Method || next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || len(before) >= 10 {
		return &redirectError{status: next.Response.StatusCode, to: next.URL.Redacted()}
	}
	return nil
}
