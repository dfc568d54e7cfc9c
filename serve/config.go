package serve

import (
	"errors"
	"fmt"
	"time"
)

// Config bounds what a server takes.
type Config struct {
	Wait       time.Duration // that a text waits for others to fill its batch
	Queue      int           // texts of a model that wait at most; beyond, 429
	MaxItems   int           // texts a request
	MaxTokens  int           // ids a request, after cutting
	MaxBody    int64         // bytes a request
	MaxBodies  int64         // bytes of all requests that are being answered; beyond, 429
	Timeout    time.Duration // of a request, from its headers to its answer
	OverLength string        // what becomes of a text longer than max_length: Cut or Refuse
	Token      string        // that requests must bear; "" for none
}

// What becomes of a text that is longer than the model's max_length, where the
// request does not say.
const (
	Cut    = "cut"
	Refuse = "refuse"
)

// Default fits one machine: OpenRLHF's clients wait 180 s for an answer.
func Default() Config {
	return Config{Wait: 5 * time.Millisecond, Queue: 4096, MaxItems: 1024, MaxTokens: 1 << 20, MaxBody: 8 << 20, MaxBodies: 128 << 20, Timeout: 170 * time.Second, OverLength: Cut}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var problems []error
	positive := func(name string, value int64) {
		if value < 1 {
			problems = append(problems, fmt.Errorf("%s is %d, want at least 1", name, value))
		}
	}
	positive("queue", int64(c.Queue))
	positive("max-items", int64(c.MaxItems))
	positive("max-tokens", int64(c.MaxTokens))
	positive("max-body", c.MaxBody)
	if c.MaxBodies < c.MaxBody {
		problems = append(problems, fmt.Errorf("max-bodies is %d, less than max-body's %d: such a request would never be taken", c.MaxBodies, c.MaxBody))
	}
	if c.Timeout <= 0 {
		problems = append(problems, fmt.Errorf("timeout is %s, want more than 0", c.Timeout))
	}
	if c.Wait < 0 {
		problems = append(problems, fmt.Errorf("wait is %s, want 0 or more", c.Wait))
	}
	if c.MaxItems > c.Queue {
		problems = append(problems, fmt.Errorf("max-items is %d, more than the queue's %d: such a request would never be taken", c.MaxItems, c.Queue))
	}
	if c.OverLength != Cut && c.OverLength != Refuse {
		problems = append(problems, fmt.Errorf("over-length is %q, want %s or %s", c.OverLength, Cut, Refuse))
	}
	return errors.Join(problems...)
}
