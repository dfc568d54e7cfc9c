package batches

import (
	"cmp"
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
)

// Pairs of a flat order lie one after another in a row, so that little of it is
// padding whatever their lengths are. Its batches hold about as many ids, and so do
// the parts of a batch that are computed one after another: one length of a row does
// for most of them.

// lengthNoise is how far, in logarithms and as a standard deviation, pairs move in
// the order of lengths that they are dealt in, so that no two epochs have the same
// batches.
const lengthNoise = 0.1

// flatHeadroom is what the longest flat row has beyond those of epoch 0: other epochs
// deal their pairs otherwise.
const flatHeadroom = 1.002

// Flat rows are multiples of flatStep; of longer ones so that there are no more than
// flatSteps lengths to choose from.
const (
	flatStep  = 16
	flatSteps = 1024
)

// flatBatches deals every pair to a batch: to as many batches of BatchSize pairs as
// are filled, and to a short one. T is how many ids a batch has.
func (o Order) flatBatches(s *Store, random *rand.Rand) []Plan {
	n := s.Len()
	placed := make([]int, n)
	plans := make([]Plan, (n+o.BatchSize-1)/o.BatchSize)
	for i := range plans {
		first, last := i*o.BatchSize, min(n, (i+1)*o.BatchSize)
		plans[i] = Plan{Rows: placed[first:first:last], Size: o.BatchSize, Flat: true, Shared: o.FlatShared}
	}
	if o.Shuffle {
		dealEvenly(s, plans, o.byNoisyLength(s, random))
		level(s, plans[:n/o.BatchSize])
		return plans
	}
	for row := range n {
		plans[row/o.BatchSize].add(s, row)
	}
	return plans
}

// add puts a pair behind the others of a flat plan, one after another.
func (p *Plan) add(s *Store, row int) {
	p.Rows = append(p.Rows, row)
	p.T += s.IDsOf(row, p.Shared)
}

// byNoisyLength are the rows of the store, each in the lower half of its key, the
// longest pairs first, about.
func (o Order) byNoisyLength(s *Store, random *rand.Rand) []uint64 {
	keys := make([]uint64, s.Len())
	for row := range keys {
		length := float32(float64(s.IDsOf(row, o.FlatShared)) * math.Exp(lengthNoise*random.NormFloat64()))
		keys[row] = uint64(^math.Float32bits(length))<<32 | uint64(row)
	}
	slices.Sort(keys)
	return keys
}

// dealEvenly gives each pair to the plan that has fewest ids for its size and is not
// full (Graham 1969, LPT, with a bound on the pairs).
func dealEvenly(s *Store, plans []Plan, keys []uint64) {
	open := &leastIDs{plans, make([]int32, len(plans))}
	for i := range open.at {
		open.at[i] = int32(i)
	}
	for _, key := range keys {
		to := &plans[open.at[0]]
		to.add(s, int(uint32(key)))
		if len(to.Rows) == cap(to.Rows) {
			heap.Pop(open)
		} else {
			heap.Fix(open, 0)
		}
	}
}

// levels is how often level goes over the plans: each time about halves, at least,
// what the fullest has more than the emptiest.
const levels = 6

// level swaps pairs between full plans and emptier ones of as many pairs, the
// fullest with the emptiest, the second with the last but one, and so on, each time
// shifted by one: of each two plans the pairs by which they come nearest to each
// other.
func level(s *Store, plans []Plan) {
	order := make([]int32, len(plans))
	for i := range order {
		order[i] = int32(i)
	}
	for shift := range levels {
		slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(plans[a].T, plans[b].T), cmp.Compare(a, b)) })
		for i, j := shift, len(order)-1; i < j; i, j = i+1, j-1 {
			swapBest(s, &plans[order[j]], &plans[order[i]])
		}
	}
}

// swapBest swaps a pair of a fuller plan for one of an emptier, where that brings
// them nearer to each other.
func swapBest(s *Store, full, empty *Plan) {
	gap := full.T - empty.T
	best, from, to := gap, -1, -1
	for i, a := range full.Rows {
		if best <= gap%2 { // no pairs come nearer
			break
		}
		for j, b := range empty.Rows {
			left := gap - 2*(s.IDsOf(a, full.Shared)-s.IDsOf(b, full.Shared))
			if left = max(left, -left); left < best {
				best, from, to = left, i, j
			}
		}
	}
	if from < 0 {
		return
	}
	a, b := &full.Rows[from], &empty.Rows[to]
	moved := s.IDsOf(*a, full.Shared) - s.IDsOf(*b, full.Shared)
	*a, *b = *b, *a
	full.T, empty.T = full.T-moved, empty.T+moved
}

// leastIDs is a heap of plans that are not full.
type leastIDs struct {
	plans []Plan
	at    []int32
}

func (h *leastIDs) Len() int      { return len(h.at) }
func (h *leastIDs) Swap(i, j int) { h.at[i], h.at[j] = h.at[j], h.at[i] }
func (h *leastIDs) Push(any)      { panic("plans only fill") }

func (h *leastIDs) Less(i, j int) bool {
	a, b := &h.plans[h.at[i]], &h.plans[h.at[j]]
	return cmp.Or(cmp.Compare(a.T*cap(b.Rows), b.T*cap(a.Rows)), cmp.Compare(h.at[i], h.at[j])) < 0
}

func (h *leastIDs) Pop() any {
	h.at = h.at[:len(h.at)-1]
	return nil
}

// flatParts deals the pairs of a flat batch to as few rows as hold them, about as
// many ids to each, which is padded to the shortest length that holds it.
func (o Order) flatParts(s *Store, plan Plan) []Plan {
	parts := inRows(s, plan, o.Flat[len(o.Flat)-1])
	for i := range parts {
		at, _ := slices.BinarySearch(o.Flat, parts[i].T)
		parts[i].T = o.Flat[min(at, len(o.Flat)-1)]
	}
	return parts
}

// inRows deals the pairs of a flat batch to rows of at most so many ids. T is how
// many a row has: more only where a single pair has.
func inRows(s *Store, plan Plan, most int) []Plan {
	if plan.T <= most || len(plan.Rows) == 1 {
		return []Plan{plan}
	}
	longestFirst := slices.Clone(plan.Rows)
	slices.SortStableFunc(longestFirst, func(a, b int) int { return cmp.Compare(s.IDsOf(b, plan.Shared), s.IDsOf(a, plan.Shared)) })
	for n := min(len(longestFirst), (plan.T+most-1)/most); ; n++ {
		parts := make([]Plan, n)
		for i := range parts {
			parts[i] = Plan{Size: plan.Size, Flat: true, Shared: plan.Shared}
		}
		for _, row := range longestFirst {
			least := 0
			for i := range parts {
				if parts[i].T < parts[least].T {
					least = i
				}
			}
			parts[least].add(s, row)
		}
		fits := func(p Plan) bool { return p.T <= most || len(p.Rows) == 1 }
		if !slices.ContainsFunc(parts, func(p Plan) bool { return !fits(p) }) {
			return parts
		}
	}
}

// FlatLengths chooses the lengths of flat rows, as Buckets does, for those that the
// first epoch deals its pairs to. A row has at most so many ids (0: no limit), or
// those of the longest pair where that has more.
func (o Order) FlatLengths(s *Store, most int, epochs float64, compileTokens int) []int {
	longest := 0
	for row := range s.Len() {
		longest = max(longest, s.IDsOf(row, o.FlatShared))
	}
	if most == 0 {
		most = int(s.Stats.Tokens)
	}
	most = roundUp(max(most, longest), flatStep)
	o.Flat = []int{most}
	rows := Rows{PerPair: 1}
	for _, plan := range o.Epoch(s, 0) {
		for _, part := range inRows(s, plan, most) {
			rows.add(part.T)
		}
	}
	rows.Step = roundUp((rows.longest()+flatSteps-1)/flatSteps, flatStep) // 16, and more of rows beyond 16,384 ids
	lengths := Buckets(rows, epochs, compileTokens, most)
	if o.Shuffle && epochs > 1 {
		last := &lengths[len(lengths)-1]
		*last = min(most, max(*last, roundUp(int(math.Ceil(flatHeadroom*float64(rows.longest()))), flatStep)))
	}
	return lengths
}

func roundUp(n, step int) int { return (n + step - 1) / step * step }
