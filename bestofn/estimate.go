// Package bestofn measures over-optimisation: what a gold scorer thinks of the
// candidate that a proxy, the reward model, takes for the best of n, by n. The
// proxy's own score of it always rises with n; the gold's rises, and where the
// proxy is wrong falls again (Gao, Schulman and Hilton 2022, arXiv:2210.10760).
package bestofn

import (
	"cmp"
	"math"
	"slices"
)

// KL is the divergence of best-of-n from the policy that the candidates are
// drawn from, in nats: log n − (n−1)/n (Stiennon et al. 2020, arXiv:2009.01325,
// appendix G.3). Where several candidates have one text it is an upper bound.
func KL(n int) float64 { return math.Log(float64(n)) - float64(n-1)/float64(n) }

// Expected is the mean of value over all subsets of n of the candidates to a
// prompt, each giving the value of its member of the highest proxy; of equal ones
// each in turn. With the N candidates in ascending order of proxy it is
//
//	Σ_{i=n..N} C(i−1, n−1) / C(N, n) · value_i
//
// (Nakano et al. 2021, arXiv:2112.09332, appendix I). proxy and value are [N], n is at
// most N.
func Expected(proxy, value []float64, n int) float64 {
	order := make([]int, len(proxy))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(proxy[a], proxy[b]) })
	weight := float64(n) / float64(len(order)) // of i = N; that of i−1 is it times (i−n)/(i−1)
	mean := 0.0
	for end := len(order); end >= n; { // a run of equal proxies at a time, from the highest
		start := end
		shared, sum := 0.0, 0.0
		for start > 0 && proxy[order[start-1]] == proxy[order[end-1]] {
			sum += value[order[start-1]]
			if start >= n {
				shared += weight
			}
			if start > 1 {
				weight *= float64(max(0, start-n)) / float64(start-1)
			}
			start--
		}
		mean += shared * sum / float64(end-start)
		end = start
	}
	return mean
}

// sizes are the n of a curve: powers of two up to most, and most.
func sizes(most int) (out []int) {
	for n := 1; n < most; n *= 2 {
		out = append(out, n)
	}
	return append(out, most)
}
