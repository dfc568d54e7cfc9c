package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// rewardServer is where a script keeps its laurel serve between commands.
type rewardServer struct {
	*exec.Cmd
	out lockedBuffer
	url string
}

type rewardServerKey struct{}

var listeningOn = regexp.MustCompile(`listening on (\S+)`)

// serverCommand runs laurel serve on a port that is free, and asks it.
//
//	server start --model rm=hf
//	server ask /get_reward '{"query":["a"]}' 'Authorization: Bearer x'
//	server ask /v1/models
//	server url NAME
//	server signal HUP
//	server says reloaded
//	server stop
func serverCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(rewardServerKey{}).(*rewardServer)
	switch {
	case !neg && len(args) >= 1 && args[0] == "start":
		*s = rewardServer{Cmd: exec.Command("laurel", slices.Concat([]string{"serve", "--addr", "127.0.0.1:0", "--backend", "go"}, args[1:])...)}
		s.Dir, s.Stdout, s.Stderr = ts.MkAbs("."), &s.out, &s.out
		s.Env = append(s.Environ(), "LAUREL_TOKEN="+ts.Getenv("SERVER_TOKEN"))
		if ts.Getenv("SERVER_TOKEN") == "" {
			s.Env = s.Env[:len(s.Env)-1]
		}
		ts.Check(s.Start())
		ts.Defer(func() { s.Process.Kill() })
		s.says(ts, "ready: ")
		s.url = listeningOn.FindStringSubmatch(s.out.String())[1]
	case !neg && len(args) == 2 && args[0] == "url":
		ts.Setenv(args[1], s.url)
	case !neg && len(args) >= 2 && args[0] == "ask":
		ts.Check(s.ask(ts.Stdout(), args[1], args[2:]))
	case !neg && len(args) == 2 && args[0] == "signal" && args[1] == "HUP":
		ts.Check(s.Process.Signal(syscall.SIGHUP))
	case !neg && len(args) == 2 && args[0] == "says":
		s.says(ts, args[1])
	case neg && len(args) == 2 && args[0] == "says":
		if strings.Contains(s.out.String(), args[1]) {
			ts.Fatalf("the server says %q:\n%s", args[1], s.out.String())
		}
	case !neg && len(args) == 1 && args[0] == "stop":
		ts.Check(s.Process.Signal(syscall.SIGTERM))
		if err := s.Wait(); err != nil {
			ts.Fatalf("%v\n%s", err, s.out.String())
		}
	default:
		ts.Fatalf("usage: server start [flag]… | server url name | server ask path [body [header: value]…] | server signal HUP | [!] server says text | server stop")
	}
}

// says waits until the server has said a text.
func (s *rewardServer) says(ts *testscript.TestScript, text string) {
	for range 6000 {
		if strings.Contains(s.out.String(), text) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	ts.Fatalf("the server does not say %q within 30 s:\n%s", text, s.out.String())
}

// ask prints status and answer.
func (s *rewardServer) ask(to io.Writer, path string, rest []string) error {
	method, body := http.MethodGet, ""
	if len(rest) > 0 && rest[0] != "" {
		method, body = http.MethodPost, rest[0]
	}
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	for _, header := range rest[min(1, len(rest)):] {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(to, "%d\n", response.StatusCode)
	for name, values := range response.Header {
		if strings.HasPrefix(name, "X-Laurel") {
			fmt.Fprintf(to, "%s: %s\n", name, values[0])
		}
	}
	_, err = to.Write(append(bytes.TrimSpace(answer), '\n'))
	return err
}
