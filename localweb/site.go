// Package localweb serves pages to the person who started the command, and to
// nobody else on the machine or in the web: it listens on loopback, every
// address begins with a random token, the headers Host and Origin are checked,
// and a page may load nothing that the command itself does not serve.
package localweb

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Site is a listening address with its token.
type Site struct {
	listener net.Listener
	token    string
	remote   bool   // others may reach the address
	host     string // as the user gave it
}

// Open listens on an address. One that other machines could reach is refused,
// unless remote says that this is meant.
func Open(addr string, remote bool) (*Site, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--addr %s: %w: give HOST:PORT, such as 127.0.0.1:0", addr, err)
	}
	if ip := net.ParseIP(host); !remote && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, notLoopback(addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--addr: %w", err)
	}
	s := &Site{listener: listener, token: rand.Text(), host: host, remote: !listener.Addr().(*net.TCPAddr).IP.IsLoopback()}
	if s.remote && !remote { // a localhost that is none
		return nil, errors.Join(notLoopback(addr), listener.Close())
	}
	return s, nil
}

func notLoopback(addr string) error {
	return fmt.Errorf("--addr %s: other machines could reach it: listen on 127.0.0.1 (from another machine: ssh -L 8080:127.0.0.1:PORT), or add --allow-remote where the network is trusted", addr)
}

// URL is the whole address, token included: whoever has it may read and write.
func (s *Site) URL() string {
	return fmt.Sprintf("http://%s/%s/", s.listener.Addr(), s.token)
}

// Warning says who else could reach the site; empty where nobody.
func (s *Site) Warning() string {
	if !s.remote {
		return ""
	}
	return fmt.Sprintf("WARNING: %s CAN BE REACHED FROM OTHER MACHINES, WITHOUT ENCRYPTION: whoever sees the address above can read and write everything here", s.listener.Addr())
}

// Serve answers until ctx is done, and then lets requests end.
func (s *Site) Serve(ctx context.Context, pages http.Handler) error {
	server := &http.Server{Handler: s.Guard(pages), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		ended <- server.Shutdown(grace)
	}()
	if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
	}
	if err := <-ended; errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	} else if err != nil {
		return err
	}
	return nil
}

// Guard lets a request through to pages, without the token in its path, if it
// comes from a page of this site or from the address bar.
func (s *Site) Guard(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		if why := s.refuses(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		http.StripPrefix("/"+s.token, pages).ServeHTTP(w, r)
	})
}

// headers keep other pages from framing or reading this one, its address from
// being told, and everything from outside from being loaded.
var headers = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// refuses says why a request is not answered; empty where it is.
func (s *Site) refuses(r *http.Request) string {
	if !s.names(r.Host) {
		return "This page answers to the address that laurel printed alone, not to the name " + r.Host + "."
	}
	origin := r.Header.Get("Origin")
	if origin != "" && origin != "http://"+r.Host || origin == "" && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "Requests from other pages are refused."
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return "Requests from other pages are refused."
	}
	given, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if subtle.ConstantTimeCompare([]byte(given), []byte(s.token)) != 1 || !strings.HasPrefix(r.URL.Path, "/"+s.token+"/") {
		return "This page needs its whole address, with the code in it, as laurel printed it. A command that was started again has printed another."
	}
	return ""
}

// names tells whether a Host header means this site. A page of another name that
// resolves to this address (DNS rebinding) is not meant; the port is not looked
// at, for ssh -L changes it.
func (s *Site) names(hostPort string) bool {
	host := hostPort
	if h, _, err := net.SplitHostPort(hostPort); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	if host == "localhost" || ip != nil && ip.IsLoopback() {
		return true
	}
	own, err := os.Hostname()
	return s.remote && (ip != nil || host == s.host || err == nil && strings.EqualFold(host, own))
}
