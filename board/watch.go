package board

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"laurel/trainer"
)

// Board watches the runs of a folder. It is safe for concurrent use.
type Board struct {
	root string

	mu      sync.Mutex // of all below
	runs    map[string]*run
	version int    // grows with every change
	trouble string // why the folder could not be listed
	found   time.Time
}

// How often files are looked at, and the folder for new runs.
const (
	lookEvery = 500 * time.Millisecond
	findEvery = 3 * time.Second
)

// Open looks at the runs of a folder once.
func Open(root string) (*Board, error) {
	b := &Board{root: root, runs: map[string]*run{}}
	if err := b.find(); err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	b.look()
	return b, nil
}

// Watch goes on looking until ctx is done.
func (b *Board) Watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.look()
		}
	}
}

// look looks at every run, and now and then for new ones.
func (b *Board) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.found) >= findEvery {
		trouble := ""
		if err := b.find(); err != nil {
			trouble = err.Error()
		}
		if trouble != b.trouble {
			b.trouble = trouble
			b.version++
		}
	}
	for _, r := range b.runs {
		if r.look() {
			b.version++
		}
	}
}

// find adds runs that are new, and drops those that are gone.
func (b *Board) find() error {
	dirs, err := find(b.root)
	if err != nil {
		return err
	}
	b.found = time.Now()
	names := map[string]bool{}
	for _, dir := range dirs {
		name, err := filepath.Rel(b.root, dir)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		names[name] = true
		if b.runs[name] == nil {
			b.runs[name] = &run{dir: dir, name: name, tail: tail{path: filepath.Join(dir, trainer.MetricsFile)}}
			b.version++
		}
	}
	for name := range b.runs {
		if !names[name] {
			delete(b.runs, name)
			b.version++
		}
	}
	return nil
}

// dir is the folder of a run.
func (b *Board) dir(name string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.runs[name]; r != nil {
		return r.dir, nil
	}
	return "", fmt.Errorf("there is no run %q here", name)
}

// Runs are what is known of the runs, those that run first, then the latest.
func (b *Board) Runs() []Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []Info{}
	for _, r := range b.runs {
		out = append(out, r.info())
	}
	slices.SortFunc(out, func(x, y Info) int {
		switch {
		case (x.State == Running) != (y.State == Running):
			if x.State == Running {
				return -1
			}
			return 1
		case !x.Seen.Equal(y.Seen):
			return y.Seen.Compare(x.Seen)
		case x.Name < y.Name:
			return -1
		}
		return 1
	})
	return out
}

// news is what a reader of events has not seen yet.
type news struct {
	Runs    []Info          `json:"runs"`
	Curves  []curve         `json:"curves"`
	Trouble string          `json:"trouble"`
	cursors map[string]mark // of the reader, from now on
	version int
}

// curve is what is new of one.
type curve struct {
	Run    string  `json:"run"`
	Anew   bool    `json:"anew"` // these are all of its points
	Points []point `json:"points"`
}

// mark is how far a reader has come in a run.
type mark struct{ began, lines int }

// since gives what has changed since a version, nil where nothing has.
func (b *Board) since(version int, marks map[string]mark) *news {
	b.mu.Lock()
	if b.version == version {
		b.mu.Unlock()
		return nil
	}
	n := &news{Curves: []curve{}, Trouble: b.trouble, cursors: map[string]mark{}, version: b.version}
	for name, r := range b.runs {
		is, was := mark{r.tail.began, len(r.tail.lines)}, marks[name]
		n.cursors[name] = is
		switch _, known := marks[name]; {
		case !known || was.began != is.began:
			n.Curves = append(n.Curves, curve{name, true, points(r.tail.lines)})
		case was.lines < is.lines:
			n.Curves = append(n.Curves, curve{name, false, points(r.tail.lines[was.lines:])})
		}
	}
	b.mu.Unlock()
	n.Runs = b.Runs()
	return n
}
