package main

import (
	"context"
	"fmt"

	"laurel/eval"
)

// others are the models of --compare, or with --scores the files of rewards, on the
// same pairs.
func (e *evaluation) others(ctx context.Context, mine *scoredPairs) (out []eval.Other, err error) {
	for _, ref := range e.compare {
		fmt.Fprintf(e.log, "compare with %s:\n", ref)
		var theirs *scoredPairs
		if e.scores != "" {
			theirs, err = e.givenRows(ref)
		} else {
			theirs, err = e.scoredRows(ctx, ref, "main")
		}
		if err != nil {
			return nil, fmt.Errorf("--compare %s: %w", ref, err)
		}
		note := mine.otherCut(theirs)
		if note != "" && !e.otherCuts {
			return nil, fmt.Errorf("--compare %s: %s: give --max-length N to cut both alike, or --different-cuts to compare them as they are", ref, note)
		}
		out = append(out, eval.Other{Name: ref, Rows: theirs.rows, Note: note})
	}
	return out, nil
}

// otherCut says where the sequences of two models are not cut alike; "" where none
// is cut, or all are at the same place.
func (s *scoredPairs) otherCut(other *scoredPairs) string {
	if s.cut == 0 && other.cut == 0 || s.cut == other.cut && s.cutAt == other.cutAt {
		return ""
	}
	return fmt.Sprintf("sequences are cut differently: %d of %d at %s, by the other model %d of %d at %s",
		s.cut, 2*len(s.rows), s.cutAt, other.cut, 2*len(other.rows), other.cutAt)
}
