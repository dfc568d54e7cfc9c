// Package chattest is an OpenAI-compatible server that misbehaves on purpose, for
// tests. What it answers depends on its seed and the request's body alone, and
// what it does wrong also on how often it saw that body: a run that was
// interrupted gets the answers of one that was not.
package chattest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fault is a way to misbehave.
type Fault string

// Faults of the first request with a body; the next one is answered.
const (
	TooMany     Fault = "429"         // with Retry-After in seconds
	Unavailable Fault = "503"         // with Retry-After as a date
	ServerError Fault = "500"         // and the request's headers in its body
	Drip        Fault = "drip"        // a byte now and then, until the client leaves
	Truncated   Fault = "truncated"   // half the JSON
	Schema      Fault = "schema"      // JSON without choices
	Empty       Fault = "empty"       // a message without text
	NoLogprobs  Fault = "no_logprobs" // though they were asked for
	Reset       Fault = "reset"       // of the connection
	Aborted     Fault = "abort"       // the finish_reason of a reply that breaks off
)

// Faults of every request with a body, for they are answers.
const (
	Refusal Fault = "refusal" // "I'm sorry, but I can't …"
	Both    Fault = "both"    // "A or B"
	// CutOff, Withheld and Unknown are half a reply with the finish_reason.
	CutOff   Fault = "length"
	Withheld Fault = "content_filter"
	Unknown  Fault = "hiccup"
)

// order makes the choice of faults the same in every process.
var order = [...]Fault{TooMany, Unavailable, ServerError, Drip, Truncated, Schema, Empty, NoLogprobs, Reset, Refusal, Both, Aborted, CutOff, Withheld, Unknown}

// Lasting is whether the fault is met again by the same body.
func (f Fault) Lasting() bool {
	return slices.Contains([]Fault{Refusal, Both, CutOff, Withheld, Unknown}, f)
}

// Message is a turn of the conversation that a request holds.
type Message struct{ Role, Content string }

// Request is the body of a request.
type Request struct {
	Model       string
	Messages    []Message
	MaxTokens   int `json:"max_tokens"`
	Logprobs    bool
	TopLogprobs int `json:"top_logprobs"`
}

// Server answers POST …/chat/completions. Its fields are set before the first
// request.
type Server struct {
	Seed       uint64
	Rates      map[Fault]float64 // the share of bodies that meet a fault; they may add up to 1
	Latency    time.Duration     // before every answer but a drip
	RetryAfter int               // seconds
	Key        string            // asked for where not empty
	// First is the probability that the response shown first is the better one;
	// nil draws it by seed and body.
	First func(Request) float64
	// Text is the reply where no log-probabilities are asked for, such as Reply;
	// nil gives some reasoning with a verdict.
	Text func(r Request, first float64) string

	mu     sync.Mutex
	bodies map[[sha256.Size]byte]*body
	tally  Tally
	now    int // requests being answered
}

type body struct{ requests, good int }

// Tally is what a server has seen and done.
type Tally struct {
	Bodies     int // different ones
	Requests   int
	Good       int           // answers without a fault
	Repeated   int           // requests with a body that had a good answer
	MostAtOnce int           // a drip counts until the server sees that its client has left
	Latency    time.Duration // the sum over all requests
	Faults     map[Fault]int
}

// Tally gives the counts so far.
func (s *Server) Tally() Tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tally
	t.Bodies, t.Faults = len(s.bodies), maps.Clone(t.Faults)
	return t
}

// ServeHTTP answers or misbehaves.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	if s.Key != "" && r.Header.Get("Authorization") != "Bearer "+s.Key {
		fail(w, r, http.StatusUnauthorized, "no such key")
		return
	}
	if r.URL.Path != "/v1/chat/completions" {
		fail(w, r, http.StatusNotFound, "no route "+r.URL.Path)
		return
	}
	var request Request
	if err := json.Unmarshal(raw, &request); err != nil || len(request.Messages) == 0 {
		fail(w, r, http.StatusBadRequest, "want messages")
		return
	}
	hash := sha256.Sum256(fmt.Appendf(nil, "%d %s", s.Seed, raw))
	s.answer(w, r, request, hash, s.enter(hash))
}

// leave comes before a request's answer, after which its client may send the
// next.
func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
}

// enter counts a request and says which fault it meets, if any.
func (s *Server) enter(hash [sha256.Size]byte) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bodies == nil {
		s.bodies, s.tally.Faults = map[[sha256.Size]byte]*body{}, map[Fault]int{}
	}
	b := s.bodies[hash]
	if b == nil {
		b = &body{}
		s.bodies[hash] = b
	}
	s.tally.Requests++
	s.now++
	s.tally.MostAtOnce = max(s.tally.MostAtOnce, s.now)
	if b.requests++; b.good > 0 {
		s.tally.Repeated++
	}
	fault := s.fault(unit(hash[8:]))
	if !fault.Lasting() && b.requests > 1 {
		fault = ""
	}
	if fault == "" {
		b.good++
		s.tally.Good++
	} else {
		s.tally.Faults[fault]++
	}
	if fault != Drip {
		s.tally.Latency += s.Latency
	}
	return fault
}

func (s *Server) fault(u float64) Fault {
	for _, f := range order {
		if u -= s.Rates[f]; u < 0 {
			return f
		}
	}
	return ""
}

// unit is a number in [0, 1) of the first eight bytes of a hash.
func unit(hash []byte) float64 {
	return float64(binary.LittleEndian.Uint64(hash)>>11) / (1 << 53)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, request Request, hash [sha256.Size]byte, fault Fault) {
	if fault == Drip {
		defer s.leave()
		drip(w, r)
		return
	}
	select {
	case <-time.After(s.Latency):
	case <-r.Context().Done(): // the client has left
	}
	s.leave()
	switch fault {
	case TooMany:
		w.Header().Set("Retry-After", fmt.Sprint(s.RetryAfter))
		fail(w, r, http.StatusTooManyRequests, "slow down")
	case Unavailable:
		w.Header().Set("Retry-After", time.Now().Add(time.Duration(s.RetryAfter)*time.Second).UTC().Format(http.TimeFormat))
		fail(w, r, http.StatusServiceUnavailable, "loading the model")
	case ServerError:
		fail(w, r, http.StatusInternalServerError, "out of memory")
	case Reset:
		reset(w)
	default:
		first := unit(hash[:])
		if s.First != nil {
			first = s.First(request)
		}
		reply, err := json.Marshal(s.completion(request, first, fault))
		if err != nil {
			fail(w, r, http.StatusInternalServerError, err.Error())
			return
		}
		if fault == Truncated {
			reply = reply[:len(reply)/2]
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(reply)
	}
}

// fail answers with a status and, as careless servers do, with the headers
// that it was sent.
func fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": fmt.Sprintf("%s; headers: %v", message, r.Header)}})
}

// drip sends white space, which JSON may begin with.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			io.WriteString(w, " ")
			http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// reset closes the connection so that the client reads an error.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
