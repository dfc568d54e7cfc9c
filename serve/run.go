package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Running is how a server runs.
type Running struct {
	Listener net.Listener
	// Load opens the models, at the start and at each Reload.
	Load func(ctx context.Context) ([]Model, error)
	// Certificate is read at the start and at each Reload. nil: plain HTTP.
	Certificate func() (*tls.Certificate, error)
	Reload      <-chan os.Signal
	Delay       time.Duration // from the first no of /ready to the last connection that is taken
	Grace       time.Duration // that requests under way have after it
	Say         func(line string)
}

// Run answers until ctx ends, and then drains: /ready says no, after Delay no
// connection is taken, and what is under way has Grace to end. A Reload puts models
// that were opened anew in place of the old ones, between two requests; where they
// cannot be opened the old ones stay.
func (s *Server) Run(ctx context.Context, r Running) error {
	certificate := &atomic.Pointer[tls.Certificate]{}
	if err := r.readCertificate(certificate); err != nil {
		return err
	}
	server := s.httpServer(r, certificate)
	served := make(chan error, 1)
	go func() {
		if r.Certificate != nil {
			served <- server.ServeTLS(r.Listener, "", "")
		} else {
			served <- server.Serve(r.Listener)
		}
	}()
	err := s.load(ctx, r)
	if err == nil {
		s.Ready()
		r.Say("ready: " + strings.Join(s.names(), ", "))
		err = s.serveUntil(ctx, r, certificate, served)
	}
	if err == nil {
		err = s.drain(server, r)
	}
	return errors.Join(err, server.Close(), s.Close())
}

func (s *Server) httpServer(r Running, certificate *atomic.Pointer[tls.Certificate]) *http.Server {
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: s.config.Timeout,
		WriteTimeout: s.config.Timeout + 30*time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: log.New(sayer(r.Say), "", 0)}
	if r.Certificate != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate.Load(), nil }}
	}
	return server
}

// sayer has net/http's lines said.
type sayer func(line string)

func (s sayer) Write(p []byte) (int, error) {
	s(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (r Running) readCertificate(to *atomic.Pointer[tls.Certificate]) error {
	if r.Certificate == nil {
		return nil
	}
	read, err := r.Certificate()
	if err != nil {
		return fmt.Errorf("TLS certificate: %w", err)
	}
	to.Store(read)
	return nil
}

// load opens the models, compiles what they run, and puts them in place.
func (s *Server) load(ctx context.Context, r Running) error {
	models, err := r.Load(ctx)
	if err != nil {
		return err
	}
	for _, m := range models {
		if err = m.Warm(ctx, func(n, of int) { r.Say(fmt.Sprintf("model %s: compiled %d of %d lengths", m.Name, n, of)) }); err != nil {
			break
		}
	}
	if err == nil {
		err = s.Put(models...)
	}
	if err != nil {
		for _, m := range models {
			err = errors.Join(err, m.Scorer.Close())
		}
	}
	return err
}

// serveUntil waits for the end, and loads anew at each Reload.
func (s *Server) serveUntil(ctx context.Context, r Running, certificate *atomic.Pointer[tls.Certificate], served <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-served:
			return fmt.Errorf("serve: %w", err)
		case <-r.Reload:
			err := errors.Join(r.readCertificate(certificate), s.load(ctx, r))
			s.metrics.reload(err)
			switch {
			case ctx.Err() != nil: // the error is that of the end
			case err != nil:
				r.Say("warning: reload failed, the models of before are served on: " + err.Error())
			default:
				r.Say("reloaded: " + strings.Join(s.names(), ", "))
			}
		}
	}
}

func (s *Server) drain(server *http.Server, r Running) error {
	s.Drain()
	r.Say(fmt.Sprintf("draining: requests under way have %s", r.Grace))
	time.Sleep(r.Delay)
	ctx, cancel := context.WithTimeout(context.Background(), r.Grace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("serve: requests were still under way after %s and have been cut off (--grace)", r.Grace)
	}
	r.Say("drained")
	return nil
}
