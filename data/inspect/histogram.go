package inspect

import "math/bits"

// Quantiles of a set of lengths, by nearest rank: each is a length that occurs
// (above 2047 rounded down by up to a thousandth).
type Quantiles struct {
	Min  int     `json:"min"`
	P05  int     `json:"p05"`
	P25  int     `json:"p25"`
	P50  int     `json:"p50"`
	P75  int     `json:"p75"`
	P95  int     `json:"p95"`
	P99  int     `json:"p99"`
	Max  int     `json:"max"`
	Mean float64 `json:"mean"`
}

// histogram counts lengths: exactly below 2048, above in 1024 steps for every
// doubling, so that it stays small whatever the lengths.
type histogram struct {
	counts   []int
	n, sum   int
	min, max int
}

const exactLengths = 2048

// bin numbers the lengths: 0…2047, then 1024 bins for [2048, 4096), …
func bin(length int) int {
	if length < exactLengths {
		return length
	}
	shift := bits.Len(uint(length)) - 11
	return exactLengths + (shift-1)*1024 + length>>shift - 1024
}

// lowest is the least length of a bin.
func lowest(bin int) int {
	if bin < exactLengths {
		return bin
	}
	shift := (bin-exactLengths)/1024 + 1
	return ((bin-exactLengths)%1024 + 1024) << shift
}

func (h *histogram) add(length int) {
	length = max(length, 0)
	b := bin(length)
	for len(h.counts) <= b {
		h.counts = append(h.counts, 0)
	}
	h.counts[b]++
	if h.n == 0 || length < h.min {
		h.min = length
	}
	h.max = max(h.max, length)
	h.n++
	h.sum += length
}

// quantile is the least length that at least q of the lengths do not exceed.
func (h *histogram) quantile(q float64) int {
	rank := int(q*float64(h.n)+0.9999999999) - 1
	for b, c := range h.counts {
		if rank -= c; rank < 0 {
			return lowest(b)
		}
	}
	return h.max
}

func quantiles(of map[string]*histogram) map[string]Quantiles {
	out := map[string]Quantiles{}
	for name, h := range of {
		out[name] = Quantiles{h.min, h.quantile(0.05), h.quantile(0.25), h.quantile(0.5), h.quantile(0.75),
			h.quantile(0.95), h.quantile(0.99), h.max, float64(h.sum) / float64(h.n)}
	}
	return out
}
