package main

import (
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// pageServer is where a script keeps the laurel that serves it a page.
type pageServer struct{ rewardServer }

type pageServerKey struct{}

// pageCommand runs a command with a page on a port that is free, and asks it as a
// page of its own would.
//
//	page start review --data review.csv
//	page ask next?annotator=ann
//	page ask answer '{"annotator":"ann"}' 'Origin: http://other.example'
//	page kill
//	page stop
func pageCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(pageServerKey{}).(*pageServer)
	switch {
	case !neg && len(args) >= 2 && args[0] == "start":
		*s = pageServer{rewardServer{Cmd: exec.Command("laurel", args[1:]...)}}
		s.Dir, s.Stdout, s.Stderr = ts.MkAbs("."), &s.out, &s.out
		ts.Check(s.Start())
		ts.Defer(func() { s.Process.Kill() })
		s.says(ts, "(until Ctrl-C")
		s.url = readyAt.FindStringSubmatch(s.out.String())[1]
	case !neg && len(args) >= 2 && args[0] == "ask":
		rest := args[2:]
		if len(rest) == 1 { // as a browser does
			u, err := url.Parse(s.url)
			ts.Check(err)
			rest = append(rest, "Origin: http://"+u.Host)
		}
		ts.Check(s.ask(ts.Stdout(), args[1], rest))
	case !neg && slices.Equal(args, []string{"kill"}):
		ts.Check(s.Process.Kill())
		s.Wait() // it was killed
	case !neg && slices.Equal(args, []string{"stop"}):
		ts.Check(s.Process.Signal(syscall.SIGTERM))
		err := s.Wait()
		ts.Stdout().Write([]byte(strings.ReplaceAll(s.out.String(), s.url, "URL")))
		ts.Check(err)
	default:
		ts.Fatalf("usage: page start command [flag]… | page ask path [body [header: value]…] | page kill | page stop")
	}
}
