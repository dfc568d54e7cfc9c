package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Order is a column in ascending order. Every slice is [n].
type Order struct {
	column []float64
	From   []int32   // row of the k-th smallest value
	rank   []float64 // average rank of row i, from 1
	dense  []int32   // index of row i's value among the distinct values
}

// OrderOf ranks a column, which holds no NaN.
func OrderOf(x []float64) Order {
	n := len(x)
	o := Order{column: x, From: make([]int32, n), rank: make([]float64, n), dense: make([]int32, n)}
	keys := make([]uint64, n)
	for i, v := range x {
		keys[i], o.From[i] = sortKey(v), int32(i)
	}
	radixSort(keys, o.From)
	for lo, level := 0, int32(0); lo < n; level++ {
		hi := lo + 1
		for hi < n && o.At(hi) == o.At(lo) {
			hi++
		}
		for _, row := range o.From[lo:hi] {
			o.rank[row] = float64(lo+1+hi) / 2
			o.dense[row] = level
		}
		lo = hi
	}
	return o
}

// sortKey maps floats to integers of the same order; -0 and 0 to the same.
func sortKey(v float64) uint64 {
	bits := math.Float64bits(v + 0)
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

// radixSort orders keys, and rows with them where given, byte by byte from
// the lowest; a byte that all keys share costs one look. It is stable, and at
// a million keys several times as fast as comparing.
func radixSort(keys []uint64, rows []int32) {
	keysAside, rowsAside := make([]uint64, len(keys)), make([]int32, len(rows))
	from, to, fromRows, toRows := keys, keysAside, rows, rowsAside
	for shift := 0; shift < 64; shift += 8 {
		var next [256]int
		for _, k := range from {
			next[k>>shift&255]++
		}
		if len(from) == 0 || next[from[0]>>shift&255] == len(from) {
			continue
		}
		at := 0
		for digit, count := range next {
			next[digit], at = at, at+count
		}
		for i, k := range from {
			place := &next[k>>shift&255]
			to[*place] = k
			if len(rows) > 0 {
				toRows[*place] = fromRows[i]
			}
			*place++
		}
		from, to, fromRows, toRows = to, from, toRows, fromRows
	}
	copy(keys, from)
	copy(rows, fromRows)
}

// At is the k-th smallest value.
func (o Order) At(k int) float64 { return o.column[o.From[k]] }

// Least is the smallest value.
func (o Order) Least() float64 { return o.At(0) }

// Most is the largest value.
func (o Order) Most() float64 { return o.At(len(o.From) - 1) }

// Constant is whether all values are equal.
func (o Order) Constant() bool { return o.Least() == o.Most() }

// Ascending is the sorted column.
func (o Order) Ascending() []float64 {
	sorted := make([]float64, len(o.From))
	for k := range sorted {
		sorted[k] = o.At(k)
	}
	return sorted
}

// Quantile interpolates linearly between order statistics, as numpy does by
// default (Hyndman and Fan's type 7).
func Quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	k := int(at)
	if k+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}

// Pearson is undefined where either column is constant.
func Pearson(x, y Order) Value { return correlation(x.column, y.column, x, y) }

// Spearman is Pearson's correlation of average ranks.
func Spearman(x, y Order) Value { return correlation(x.rank, y.rank, x, y) }

// correlation cuts off what rounding puts beyond 1, and what it leaves of 0.
func correlation(x, y []float64, ox, oy Order) Value {
	if ox.Constant() || oy.Constant() {
		return undefined()
	}
	r := math.Max(-1, math.Min(1, stat.Correlation(x, y, nil)))
	return Value(zeroed(r, 1, len(x)))
}

// KendallTauB is Knight's O(n log n) count (JASA 1966): with the pairs sorted
// by x, then y, the discordant ones are the exchanges that sort y.
//
//	tau_b = (concordant - discordant) / sqrt((all - tied x)(all - tied y))
func KendallTauB(x, y Order) Value {
	if x.Constant() || y.Constant() {
		return undefined()
	}
	keys := make([]uint64, len(x.dense))
	for i := range keys {
		keys[i] = uint64(x.dense[i])<<32 | uint64(uint32(y.dense[i]))
	}
	radixSort(keys, nil)
	ys := make([]uint32, len(keys))
	for i, k := range keys {
		ys[i] = uint32(k)
	}
	tiedX := tiedPairs(keys, func(a, b uint64) bool { return a>>32 == b>>32 })
	tiedBoth := tiedPairs(keys, func(a, b uint64) bool { return a == b })
	discordant := exchanges(ys, make([]uint32, len(ys))) // sorts ys
	tiedY := tiedPairs(ys, func(a, b uint32) bool { return a == b })
	all := float64(len(keys)) * float64(len(keys)-1) / 2
	balance := all - tiedX - tiedY + tiedBoth - 2*discordant
	return Value(balance / math.Sqrt(all-tiedX) / math.Sqrt(all-tiedY))
}

// tiedPairs counts the pairs within runs of equal neighbours.
func tiedPairs[T any](sorted []T, equal func(a, b T) bool) float64 {
	pairs, run := 0.0, 0.0
	for i := 1; i < len(sorted); i++ {
		if equal(sorted[i-1], sorted[i]) {
			run++
			pairs += run
		} else {
			run = 0
		}
	}
	return pairs
}

// exchanges merge-sorts x and counts the inversions on the way.
func exchanges(x, spare []uint32) float64 {
	if len(x) < 2 {
		return 0
	}
	mid := len(x) / 2
	count := exchanges(x[:mid], spare[:mid]) + exchanges(x[mid:], spare[mid:])
	i, j := 0, mid
	for k := range spare {
		if j == len(x) || (i < mid && x[i] <= x[j]) {
			spare[k] = x[i]
			i++
		} else {
			spare[k] = x[j]
			j++
			count += float64(mid - i)
		}
	}
	copy(x, spare)
	return count
}

// ROCAUC is the Mann-Whitney statistic over all 2n rewards, the first n
// labelled 1: the chance that a chosen reward beats a rejected one of any
// pair, ties one half.
func ROCAUC(reward Order) Value {
	n := len(reward.rank) / 2
	sum := 0.0
	for _, r := range reward.rank[:n] {
		sum += r
	}
	return mannWhitney(sum, float64(n), float64(n))
}

// AUROC is the chance that a score of those that are positive is above one of
// the others, ties one half: the area under the receiver operating
// characteristic. Undefined where either kind is missing.
func AUROC(score []float64, positive []bool) Value {
	sum, n := 0.0, 0.0
	for i, rank := range OrderOf(score).rank {
		if positive[i] {
			sum, n = sum+rank, n+1
		}
	}
	return mannWhitney(sum, n, float64(len(score))-n)
}

// mannWhitney is U over its most, from the sum of the positives' ranks.
func mannWhitney(ranks, positives, negatives float64) Value {
	return Over((ranks-positives*(positives+1)/2)/positives, negatives)
}
