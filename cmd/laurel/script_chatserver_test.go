package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"laurel/feedback/chattest"
)

// chatServer is where a script keeps its server between commands.
type chatServer struct {
	*httptest.Server
	answers    chattest.Server
	noLogprobs bool
	status     int    // of every reply; 0: 200
	reply      []byte // the body of every reply; nil: the server's own

	mu       sync.Mutex
	requests int // refused ones too
}

type chatServerKey struct{}

// chatServerCommand starts a chat server that misbehaves, as CHATSERVER, and looks at
// what it saw. Faults are given with the share of requests that meet them.
//
//	chatserver start judge=longer 429=0.2 500=0.1
//	chatserver start first=0.9 key=sk-0123 logprobs=never latency=5ms seed=2
//	chatserver requests 24
//	chatserver requests 1-2
//	chatserver repeated 0
//	chatserver start status=400 reply=refusal.json
//	chatserver stop
func chatServerCommand(ts *testscript.TestScript, neg bool, args []string) {
	r := ts.Value(chatServerKey{}).(*chatServer)
	switch {
	case !neg && len(args) >= 1 && args[0] == "start":
		*r = chatServer{answers: chattest.Server{Rates: map[chattest.Fault]float64{}, Text: plainReply}}
		for _, option := range args[1:] {
			if file, ok := strings.CutPrefix(option, "reply="); ok {
				r.reply = []byte(ts.ReadFile(file))
				continue
			}
			ts.Check(r.set(option))
		}
		r.Server = httptest.NewServer(r)
		ts.Defer(r.Close)
		ts.Setenv("CHATSERVER", r.URL)
	case !neg && len(args) == 1 && args[0] == "stop":
		r.Close()
	case !neg && len(args) == 2 && args[0] == "requests":
		r.mu.Lock()
		defer r.mu.Unlock()
		within(ts, "requests", r.requests, args[1])
	case !neg && len(args) == 2 && args[0] == "repeated":
		within(ts, "questions again that it had answered", r.answers.Tally().Repeated, args[1])
	default:
		ts.Fatalf("usage: chatserver start [option=value]… | chatserver requests n | chatserver repeated n | chatserver stop")
	}
}

// within wants a number, or one of a range such as 1-2.
func within(ts *testscript.TestScript, what string, got int, want string) {
	least, most, ok := strings.Cut(want, "-")
	if !ok {
		most = least
	}
	from, err := strconv.Atoi(least)
	ts.Check(err)
	to, err := strconv.Atoi(most)
	ts.Check(err)
	if got < from || got > to {
		ts.Fatalf("the server saw %d %s, want %s", got, what, want)
	}
}

func (r *chatServer) set(option string) (err error) {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "judge":
		r.answers.First = longer
	case "first":
		p, err := strconv.ParseFloat(value, 64)
		r.answers.First = func(chattest.Request) float64 { return p }
		return err
	case "key":
		r.answers.Key = value
	case "status":
		r.status, err = strconv.Atoi(value)
	case "logprobs":
		r.noLogprobs = true
	case "seed":
		r.answers.Seed, err = strconv.ParseUint(value, 10, 64)
	case "latency":
		r.answers.Latency, err = time.ParseDuration(value)
	default:
		r.answers.Rates[chattest.Fault(name)], err = strconv.ParseFloat(value, 64)
	}
	return err
}

// ServeHTTP is the server behind a door that counts, that refuses prompts with
// REFUSE-ME for good, that may keep log-probabilities back, and that may say
// the same to everything.
func (r *chatServer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.requests++
	r.mu.Unlock()
	body, err := io.ReadAll(request.Body)
	if err != nil || bytes.Contains(body, []byte("REFUSE-ME")) {
		http.Error(w, fmt.Sprintf("refused: %v %v", err, request.Header), http.StatusBadRequest)
		return
	}
	if r.reply != nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(cmp.Or(r.status, http.StatusOK))
		w.Write(r.reply)
		return
	}
	if r.noLogprobs {
		body = bytes.ReplaceAll(body, []byte(`"logprobs":true`), []byte(`"logprobs":false`))
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	r.answers.ServeHTTP(w, request)
}

// plainReply answers what is asked for, but where the prompt wants otherwise.
func plainReply(r chattest.Request, first float64) string {
	switch prompt := r.Messages[len(r.Messages)-1].Content; {
	case strings.Contains(prompt, "TIE-PLEASE"):
		return "Neither is better.\nVerdict: tie"
	case strings.Contains(prompt, "MUMBLE"):
		return "A or B, who knows."
	}
	return chattest.Reply(r, first)
}

var markerCode = regexp.MustCompile(`the code ([0-9a-f]{12})\.`)

// longer is a judge that prefers the longer response. It finds them as a
// careful reader does, between the markers with the code that the system
// message names, each of which must be there once.
func longer(r chattest.Request) float64 {
	code := markerCode.FindStringSubmatch(r.Messages[0].Content)
	if code == nil {
		return 0.5
	}
	var texts []string
	for _, name := range []string{"RESPONSE A ", "RESPONSE B "} {
		begin, end := "["+name+code[1]+"]\n", "\n[END OF "+name+code[1]+"]"
		prompt := r.Messages[1].Content
		if strings.Count(prompt, begin) != 1 || strings.Count(prompt, end) != 1 {
			return 0.5
		}
		_, prompt, _ = strings.Cut(prompt, begin)
		text, _, _ := strings.Cut(prompt, end)
		texts = append(texts, text)
	}
	if len(texts[0]) > len(texts[1]) {
		return 0.9
	}
	return 0.1
}
