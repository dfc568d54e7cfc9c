package serve

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"laurel/data"
	"laurel/scoring"
)

// batcher puts texts of different requests into batches. Texts that are scored in
// rows of one length wait together until they fill a batch, or the first of them has waited
// long enough; what is computed of a text does not depend on what it waited with
// (model.Scorer).
type batcher struct {
	place func(ids int) (scoring.Place, error)
	score func(ctx context.Context, sequences [][]int32) ([]data.Score, error)
	seen  func(batch batchSeen) // hears of each batch
	wait  time.Duration         // that a text waits for others at most, where nothing is computed meanwhile
	limit int                   // texts that wait at most

	mu      sync.Mutex
	waiting map[int][]*item // by the length of their rows, the oldest first
	count   int             // of all that wait
	perText float64         // seconds, of late
	closed  bool
	wake    chan struct{}
	ended   chan struct{}
}

// batchSeen is what a batch came to.
type batchSeen struct {
	place      scoring.Place // of its first text
	texts, ids int           // that it held
	takes      int           // of its room, in ids
	took       time.Duration
}

// item is a text that waits.
type item struct {
	ids   []int32
	place scoring.Place
	came  time.Time
	of    *call
	at    int // in the call
}

// call is all texts of one request.
type call struct {
	mu     sync.Mutex
	scores []data.Score
	left   int // without a score yet
	err    error
	done   chan struct{}
}

var (
	errQueueFull = errors.New("the queue is full")
	errClosed    = errors.New("the model has been closed")
)

func newBatcher(place func(int) (scoring.Place, error), score func(context.Context, [][]int32) ([]data.Score, error), wait time.Duration, limit int, seen func(batchSeen)) *batcher {
	b := &batcher{place: place, score: score, seen: seen, wait: wait, limit: limit,
		waiting: map[int][]*item{}, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go b.run()
	return b
}

// Score waits for the scores of all sequences, in order. Where ctx ends before,
// what has not been computed is taken out of the queue.
func (b *batcher) Score(ctx context.Context, sequences [][]int32) ([]data.Score, error) {
	if len(sequences) == 0 {
		return nil, nil
	}
	c := &call{scores: make([]data.Score, len(sequences)), left: len(sequences), done: make(chan struct{})}
	items, err := b.items(c, sequences)
	if err != nil {
		return nil, err
	}
	if err := b.add(items); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
		return c.scores, c.err
	case <-ctx.Done():
		b.drop(c)
		return nil, ctx.Err()
	}
}

func (b *batcher) items(c *call, sequences [][]int32) ([]*item, error) {
	now, items := time.Now(), make([]*item, len(sequences))
	for i, ids := range sequences {
		place, err := b.place(len(ids))
		if err != nil {
			return nil, err
		}
		items[i] = &item{ids: ids, place: place, came: now, of: c, at: i}
	}
	return items, nil
}

// add takes all items or none.
func (b *batcher) add(items []*item) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errClosed
	case b.count+len(items) > b.limit:
		return errQueueFull
	}
	for _, it := range items {
		b.waiting[it.place.Length] = append(b.waiting[it.place.Length], it)
	}
	b.count += len(items)
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return nil
}

// drop takes out what waits of a call.
func (b *batcher) drop(c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for length, items := range b.waiting {
		left := slices.DeleteFunc(items, func(it *item) bool { return it.of == c })
		b.count -= len(items) - len(left)
		b.waiting[length] = left
	}
}

// waits is how many texts wait.
func (b *batcher) waits() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count
}

// ahead is about how long what waits will take.
func (b *batcher) ahead() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Duration(float64(b.count) * b.perText * float64(time.Second))
}

// close takes no more texts, and returns when all that waited have their scores.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	select {
	case b.wake <- struct{}{}:
	default:
	}
	b.mu.Unlock()
	<-b.ended
}

func (b *batcher) run() {
	defer close(b.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		batch, idle, over := b.next(time.Now())
		switch {
		case len(batch) > 0:
			b.compute(batch)
		case over:
			return
		default:
			timer.Reset(idle)
			select {
			case <-b.wake:
			case <-timer.C:
			}
		}
	}
}

// next takes the next batch out of the queue: of the lengths that fill one, or
// whose oldest text has waited long enough, the one with the oldest text. Without
// one it says how long there is none, or that there will be none any more.
func (b *batcher) next(now time.Time) (batch []*item, idle time.Duration, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	idle = time.Hour
	oldest := 0 // its length
	for length, items := range b.waiting {
		if len(items) == 0 {
			continue
		}
		left := items[0].came.Add(b.wait).Sub(now)
		if _, full := fitting(items); !full && left > 0 && !b.closed {
			idle = min(idle, left)
			continue
		}
		if oldest == 0 || items[0].came.Before(b.waiting[oldest][0].came) {
			oldest = length
		}
	}
	if oldest == 0 {
		return nil, idle, b.closed && b.count == 0
	}
	items := b.waiting[oldest]
	n, _ := fitting(items)
	batch = slices.Clone(items[:n])
	b.waiting[oldest] = append([]*item(nil), items[n:]...)
	b.count -= n
	return batch, 0, false
}

// fitting is how many of those that wait, the oldest first, have room in one batch,
// and whether they fill it: whether the next one, or one like the first, had none.
func fitting(items []*item) (n int, full bool) {
	room := items[0].place.Room
	for n < len(items) && items[n].place.Takes <= room {
		room -= items[n].place.Takes
		n++
	}
	return n, n < len(items) || items[0].place.Takes > room
}

// compute scores a batch. It is not stopped where a request ends meanwhile: others
// have texts in it.
func (b *batcher) compute(batch []*item) {
	began := time.Now()
	sequences, seen := make([][]int32, len(batch)), batchSeen{place: batch[0].place, texts: len(batch)}
	for i, it := range batch {
		sequences[i] = it.ids
		seen.ids += len(it.ids)
		seen.takes += it.place.Takes
	}
	scores, err := b.score(context.Background(), sequences)
	seen.took = time.Since(began)
	b.mu.Lock()
	b.perText += (seen.took.Seconds()/float64(len(batch)) - b.perText) / 8
	b.mu.Unlock()
	b.seen(seen)
	for i, it := range batch {
		if err != nil {
			it.of.fail(err)
		} else {
			it.of.put(it.at, scores[i])
		}
	}
}

func (c *call) put(at int, score data.Score) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scores[at] = score
	if c.left--; c.left == 0 {
		close(c.done)
	}
}

// fail ends the call once all of its texts are through.
func (c *call) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	if c.left--; c.left == 0 {
		close(c.done)
	}
}
