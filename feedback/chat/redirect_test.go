package chat

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"laurel/feedback/chattest"
)

// TestRedirects: within a server, 307 and 308 keep the request and are followed;
// all others are refused with the address to use.
func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(&chattest.Server{})
	t.Cleanup(elsewhere.Close)
	for _, to := range []string{"", elsewhere.URL} {
		for status, kept := range map[int]bool{301: false, 302: false, 303: false, 307: true, 308: true} {
			hops, good := 0, &chattest.Server{}
			chat := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/new/") {
					http.StripPrefix("/new", good).ServeHTTP(w, r)
					return
				}
				hops++
				http.Redirect(w, r, to+"/new/v1/chat/completions", status)
			}), nil, nil)
			_, err := chat.Complete(t.Context(), askOnce("which?"))
			switch followed := kept && to == ""; {
			case followed && err != nil:
				t.Errorf("%d: %v", status, err)
			case !followed && (!errors.Is(err, ErrSetup) || !strings.Contains(err.Error(), "set base_url to "+to) || !strings.HasSuffix(err.Error(), "/new/v1")):
				t.Errorf("%d to %q: %v", status, to, err)
			}
			if hops != 1 {
				t.Errorf("%d to %q: %d requests", status, to, hops)
			}
		}
	}
	circle := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	}), nil, nil)
	if _, err := circle.Complete(t.Context(), askOnce("which?")); !errors.Is(err, ErrSetup) {
		t.Errorf("a circle: %v", err)
	}
}
