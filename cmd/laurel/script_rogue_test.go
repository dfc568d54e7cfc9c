package main

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"laurel/feedback/rogue"
)

// rogueOf is where a script keeps its chat server between commands.
type rogueOf struct {
	*rogue.Server
	listening *httptest.Server
}

type rogueKey struct{}

// rogueCommand starts a chat server that misbehaves as told, sets $ROGUE to
// its address, and looks at what it saw: requests and repeated ones (with a
// body that had a good answer).
//
//	rogue start 429=0.1 truncated=0.05 key=secret latency=5ms seed=2
//	rogue saw repeated 0
//	rogue stop
func rogueCommand(ts *testscript.TestScript, neg bool, args []string) {
	r := ts.Value(rogueKey{}).(*rogueOf)
	switch {
	case !neg && len(args) >= 1 && args[0] == "start":
		r.Server = &rogue.Server{Rates: map[rogue.Fault]float64{}, Text: rogue.Reply}
		for _, behaviour := range args[1:] {
			ts.Check(r.behave(behaviour))
		}
		r.listening = httptest.NewServer(r.Server)
		ts.Defer(r.listening.Close)
		ts.Setenv("ROGUE", r.listening.URL)
	case !neg && len(args) == 1 && args[0] == "stop":
		r.listening.Close()
	case !neg && len(args) == 3 && args[0] == "saw":
		tally := r.Tally()
		got := map[string]int{"requests": tally.Requests, "repeated": tally.Repeated}[args[1]]
		if strconv.Itoa(got) != args[2] {
			ts.Fatalf("the server saw %d %s, want %s", got, args[1], args[2])
		}
	default:
		ts.Fatalf("usage: rogue start [behaviour=value]… | rogue saw requests|repeated n | rogue stop")
	}
}

// behave takes one behaviour: a fault with its share of bodies, or a field of
// the server.
func (r *rogueOf) behave(behaviour string) (err error) {
	name, value, _ := strings.Cut(behaviour, "=")
	switch name {
	case "key":
		r.Key = value
	case "latency":
		r.Latency, err = time.ParseDuration(value)
	case "seed":
		r.Seed, err = strconv.ParseUint(value, 10, 64)
	default:
		faults := []rogue.Fault{rogue.TooMany, rogue.Unavailable, rogue.ServerError, rogue.Drip, rogue.Truncated, rogue.Schema, rogue.Empty, rogue.NoLogprobs, rogue.Reset, rogue.Refusal, rogue.Both}
		if !slices.Contains(faults, rogue.Fault(name)) {
			return fmt.Errorf("no behaviour %s", name)
		}
		r.Rates[rogue.Fault(name)], err = strconv.ParseFloat(value, 64)
	}
	return err
}
