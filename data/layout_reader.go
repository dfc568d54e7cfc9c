package data

import (
	"fmt"
	"io"
)

// laidOut reads the pairs of a file of another layout.
type laidOut struct {
	*layout
	rows    *Rows
	cfg     ReadConfig
	chat    bool
	media   media
	queue   []placedPair
	pairs   int
	drained bool
	later   []ranking // gathered, not yet made pairs
}

type placedPair struct {
	Pair
	place int
}

// next is the next pair and the row it is of, io.EOF after the last.
func (l *laidOut) next() (Pair, int, error) {
	for len(l.queue) == 0 {
		if err := l.more(); err != nil {
			return Pair{}, 0, err
		}
	}
	p := l.queue[0]
	l.queue = l.queue[1:]
	l.pairs++
	l.rows.tally(1, 0)
	return p.Pair, p.place, nil
}

// more reads rows until there is a pair.
func (l *laidOut) more() error {
	if l.gather != nil {
		return l.moreGathered()
	}
	var found []Pair
	place, err := l.rows.Next(func() (bad *Problem) {
		found, bad = l.readRow()
		return bad
	})
	if err != nil {
		return err
	}
	for _, p := range found {
		l.queue = append(l.queue, placedPair{p, place})
	}
	return nil
}

// moreGathered reads the whole file at first, and then makes pairs of one
// ranking after another. The rows that turn out to give none are moved to the
// skipped, which must be allowed.
func (l *laidOut) moreGathered() error {
	if !l.drained {
		if err := l.drain(); err != nil {
			return err
		}
	}
	for len(l.later) > 0 {
		r := l.later[0]
		l.later = l.later[1:]
		found, ties, bad := r.pairs(l.cfg, l.chat)
		if bad != nil {
			if err := l.rows.pass(bad.at(l.rows.file, l.rows.Unit(), r.place)); err != nil {
				return err
			}
			l.rows.leave(map[Reason]int{bad.Reason: len(r.answers) - 1})
			continue
		}
		l.rows.tally(0, ties)
		for _, p := range found {
			l.queue = append(l.queue, placedPair{p, r.place})
		}
		return nil
	}
	if l.pairs == 0 {
		return l.rows.Fail(fmt.Errorf("no pairs: no prompt has two responses of which one is better (%s)", l.rows.counts.Reasons()))
	}
	return io.EOF
}

func (l *laidOut) drain() error {
	l.drained = true
	for {
		_, err := l.rows.Next(func() *Problem {
			if bad := l.media.check(); bad != nil {
				return bad
			}
			return l.gather(l.rows.counts.Read)
		})
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	var skipped map[Reason]int
	l.later, skipped = l.end()
	l.rows.leave(skipped)
	return nil
}

// readRow makes pairs of one row.
func (l *laidOut) readRow() (found []Pair, bad *Problem) {
	if bad := l.media.check(); bad != nil {
		return nil, bad
	}
	var rankings []ranking
	if l.many != nil {
		rankings, bad = l.many()
	} else {
		var r ranking
		r, bad = l.read()
		rankings = []ranking{r}
	}
	if bad != nil {
		return nil, bad
	}
	for _, r := range rankings {
		r.place = l.rows.counts.Read
		pairs, ties, bad := r.pairs(l.cfg, l.chat)
		if bad != nil && (len(rankings) == 1 || bad.Reason != ReasonTie) {
			return nil, bad
		}
		l.rows.tally(0, ties)
		found = append(found, pairs...)
	}
	if len(found) == 0 {
		return nil, &Problem{ReasonTie, "", "no response is preferred to another: there is no pair"}
	}
	return found, nil
}
