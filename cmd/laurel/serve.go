package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"laurel/model"
	"laurel/serve"
)

func serveCommand() *cobra.Command {
	s := serveRun{config: serve.Default()}
	cmd := &cobra.Command{
		Use:   "serve --model [NAME=]DIR…",
		Short: "Answer requests for rewards over HTTP, in the dialects of OpenRLHF, vLLM, SGLang, TEI and LLaMA-Factory",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmp.Or(required(cmd, "model"), positiveLength(cmd, s.maxLength)); err != nil {
				return err
			}
			if err := s.config.Validate(); err != nil {
				return usage(cmd, err)
			}
			if (s.cert == "") != (s.key == "") {
				return usage(cmd, errors.New("--tls-cert and --tls-key: give both, or neither"))
			}
			s.log = cmd.OutOrStdout()
			return s.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&s.refs, "model", nil, "run directory, Hugging Face directory, ensemble or hub name, as NAME=DIR where requests are to name it; several times for several models")
	flags.StringVar(&s.addr, "addr", "127.0.0.1:8000", "address and port to listen on")
	flags.StringVar(&s.revision, "revision", "main", "branch, tag or commit of hub names")
	flags.IntVar(&s.maxLength, "max-length", 0, "cut sequences to so many tokens (default: as in training)")
	flags.StringVar(&s.config.OverLength, "over-length", s.config.OverLength, "what becomes of a longer text, where the request does not say: cut or refuse")
	flags.StringVar(&s.backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	devicesFlag(cmd, &s.devices)
	dtypeFlag(cmd, &s.dtype)
	flags.IntVar(&s.batchTokens, "batch-tokens", 0, "tokens computed at a time (default: 4096 on a GPU, else 1024)")
	flags.DurationVar(&s.config.Wait, "wait", s.config.Wait, "time a text waits for others to fill its batch")
	flags.DurationVar(&s.config.Timeout, "timeout", s.config.Timeout, "time a request may take")
	flags.IntVar(&s.config.Queue, "queue", s.config.Queue, "texts of a model that wait at most; beyond, 429")
	flags.IntVar(&s.config.MaxItems, "max-items", s.config.MaxItems, "texts a request")
	flags.IntVar(&s.config.MaxTokens, "max-tokens", s.config.MaxTokens, "tokens a request")
	flags.Int64Var(&s.config.MaxBody, "max-body", s.config.MaxBody, "bytes a request")
	flags.Int64Var(&s.config.MaxBodies, "max-bodies", s.config.MaxBodies, "bytes of all requests that are being answered; beyond, 429 to those longer than 64 KiB")
	flags.StringVar(&s.tokenFile, "token-file", "", "file with the bearer token that requests must have (or the variable "+tokenVariable+")")
	flags.StringVar(&s.cert, "tls-cert", "", "certificate, PEM, with its chain")
	flags.StringVar(&s.key, "tls-key", "", "its key, PEM")
	flags.DurationVar(&s.delay, "drain-delay", 0, "time between SIGTERM, when /ready says no, and the last connection that is taken")
	flags.DurationVar(&s.grace, "grace", 30*time.Second, "time that requests under way have after it")
	return cmd
}

const tokenVariable = "LAUREL_TOKEN"

// serveRun is one run of the command.
type serveRun struct {
	refs                            []string
	addr, revision, backend, dtype  string
	tokenFile, cert, key            string
	maxLength, devices, batchTokens int
	delay, grace                    time.Duration
	config                          serve.Config
	log                             io.Writer
}

func (s *serveRun) run(ctx context.Context) (err error) {
	if s.config.Token, err = bearerToken(s.tokenFile, s.log); err != nil {
		return err
	}
	server, err := serve.New(s.config)
	if err != nil {
		return err
	}
	models := make([]serve.Model, len(s.refs))
	for i, ref := range s.refs {
		models[i] = named(ref)
	}
	if err := serve.CheckNames(models); err != nil { // before they are opened, which may take long
		return err
	}
	hangups := make(chan os.Signal, 1) // before anybody knows that the server is there: a hangup would end it
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	listener, err := net.Listen("tcp", s.addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("--addr %s: another process listens there: name another port", s.addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("--addr %s: this user may not listen on that port: name one from 1024", s.addr)
	case err != nil:
		return fmt.Errorf("--addr %s: %w: want HOST:PORT of this machine", s.addr, err)
	}
	defer listener.Close()
	s.tellAddress(listener.Addr().(*net.TCPAddr))
	backend, choice, err := openBackend(s.backend, s.log)
	if err != nil {
		return err
	}
	running := serve.Running{Listener: listener, Reload: hangups, Delay: s.delay, Grace: s.grace, Say: printTo(s.log),
		Load: func(ctx context.Context) ([]serve.Model, error) { return s.load(ctx, backend, choice) }}
	if s.cert != "" {
		running.Certificate = func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(s.cert, s.key)
			return &pair, err
		}
	}
	return server.Run(ctx, running)
}

// bearerToken reads a server's token from a file, else from the environment. It is
// printed nowhere.
func bearerToken(file string, log io.Writer) (string, error) {
	token, from := os.Getenv(tokenVariable), tokenVariable
	if file != "" {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("--token-file: %w", err)
		}
		token, from = string(raw), "--token-file "+file
	} else if _, set := os.LookupEnv(tokenVariable); !set {
		return "", nil
	}
	if other := strings.TrimSpace(os.Getenv(tokenVariable)); file != "" && other != "" && other != strings.TrimSpace(token) {
		fmt.Fprintf(log, "the token is that of --token-file %s: %s has another, which is not used\n", file, tokenVariable)
	}
	if token = strings.TrimSpace(token); token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s: want one word, the token", from)
	}
	return token, nil
}

func (s *serveRun) tellAddress(addr *net.TCPAddr) {
	scheme := "http"
	if s.cert != "" {
		scheme = "https"
	}
	fmt.Fprintf(s.log, "listening on %s://%s\n", scheme, addr)
	if !addr.IP.IsLoopback() && s.config.Token == "" {
		fmt.Fprintf(s.log, "WARNING: ANYONE WHO REACHES %s CAN USE THIS SERVER: it asks for no token. Set %s or --token-file, or listen on 127.0.0.1\n", addr, tokenVariable)
	}
}

// load opens every model.
func (s *serveRun) load(ctx context.Context, backend model.Backend, choice *model.BackendChoice) (models []serve.Model, err error) {
	defer func() {
		for _, m := range models {
			if err != nil {
				m.Scorer.Close()
			}
		}
	}()
	devices := devicesFor(s.devices, choice, backend, s.log)
	for _, ref := range s.refs {
		m := named(ref)
		if m.Scorer, err = openScorer(ctx, m.Alias, s.revision, s.maxLength, backend, devices, s.log); err != nil {
			return models, fmt.Errorf("model %s: %w", m.Name, err)
		}
		models = append(models, m)
		if err = setDType(m.Scorer, choice, s.dtype, s.log); err != nil {
			return models, err
		}
		if s.batchTokens > 0 {
			m.Scorer.SetBatch(s.batchTokens)
		}
	}
	return models, nil
}

// named reads NAME=DIR. Without a name the model has the folder's, or the hub's.
func named(ref string) serve.Model {
	if name, dir, ok := strings.Cut(ref, "="); ok && !isThere(ref) {
		return serve.Model{Name: name, Alias: dir}
	}
	if isThere(ref) {
		if whole, err := filepath.Abs(ref); err == nil {
			return serve.Model{Name: filepath.Base(whole), Alias: ref}
		}
	}
	return serve.Model{Name: ref, Alias: ref}
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
