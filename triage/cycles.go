package triage

import "slices"

// edge is a pair that says one response of a prompt is better than another.
type edge struct {
	pair     int32
	from, to uint64 // chosen, rejected
}

// cycles finds, for each prompt, the pairs that lie on a circle of three
// preferences or more, A over B over C over A, and for each of them the shortest
// one: not all of its labels can be right. Two of opposite order are a
// contradiction, and no circle.
func (s *scanned) cycles(cluster []int32) (all []Cycle) {
	byPrompt := map[int32][]edge{}
	for i := range s.id {
		if s.promptAt[i] >= 0 && s.chosen[i] != s.rejected[i] {
			byPrompt[cluster[i]] = append(byPrompt[cluster[i]], edge{int32(i), s.chosen[i], s.rejected[i]})
		}
	}
	for _, edges := range byPrompt {
		if len(edges) > 2 {
			all = append(all, circles(edges)...)
		}
	}
	slices.SortFunc(all, func(a, b Cycle) int { return slices.Compare(a.pairs, b.pairs) })
	return all
}

// circles are the different shortest circles through the edges of one prompt.
func circles(edges []edge) (all []Cycle) {
	out := map[uint64][]edge{}
	for _, e := range edges {
		out[e.from] = append(out[e.from], e)
	}
	seen := map[string]bool{}
	for _, e := range edges {
		way := shortest(out, e)
		if way == nil {
			continue
		}
		c := Cycle{pairs: way}
		sorted := slices.Sorted(slices.Values(way))
		key := string(appendAll(nil, sorted))
		if seen[key] {
			continue
		}
		seen[key] = true
		at := slices.Index(way, sorted[0]) // begins with its first pair
		c.pairs = append(slices.Clone(way[at:]), way[:at]...)
		all = append(all, c)
	}
	return all
}

func appendAll(raw []byte, pairs []int32) []byte {
	for _, p := range pairs {
		raw = append(raw, byte(p), byte(p>>8), byte(p>>16), byte(p>>24))
	}
	return raw
}

// shortest is the circle of the fewest pairs, three or more, that begins with an
// edge: breadth first from its end to its beginning, past the edge that leads
// straight back. Nil where there is none.
func shortest(out map[uint64][]edge, first edge) []int32 {
	came := map[uint64]edge{first.to: first}
	queue := []uint64{first.to}
	for len(queue) > 0 {
		now := queue[0]
		queue = queue[1:]
		for _, e := range out[now] {
			if now == first.to && e.to == first.from {
				continue
			}
			if e.to == first.from {
				way := []int32{e.pair}
				for at := now; at != first.to; at = came[at].from {
					way = append(way, came[at].pair)
				}
				way = append(way, first.pair)
				slices.Reverse(way)
				return way
			}
			if _, seen := came[e.to]; !seen {
				came[e.to] = e
				queue = append(queue, e.to)
			}
		}
	}
	return nil
}
