package sweep

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"laurel/eval/stats"
)

// explainedRows is the least number of comparisons for each coefficient.
const explainedRows = 10

// explained is, of every principle, the share of the variance of its probability that
// a is better which the other principles' explain, linearly and on prompts that the
// coefficients were not fitted to:
//
//	1 - Σ (y - ŷ)² / Σ (y - mean of the fitted part)²
//
// over the comparisons of which all principles have answers. 1: the principle can be
// told from the others; 0 or less: not at all. It is undefined with too few.
func (s *Set) explained(seed uint64) []stats.Difference {
	table, prompts := s.probabilities()
	out := make([]stats.Difference, len(s.constitution.Principles))
	fold := s.folds(seed)
	for p := range out {
		var r stats.RatioDifference
		if len(table) >= explainedRows*len(out) {
			for k := range folds {
				explainFold(&r, table, prompts, p, func(i int) bool { return fold[prompts[i]] == k })
			}
		}
		out[p] = r.Difference()
	}
	return out
}

// probabilities are those that a is better, [rows, principles], less one half, and
// the prompts of the rows.
func (s *Set) probabilities() (table [][]float64, prompts []int32) {
	n := len(s.constitution.Principles)
	for i := range s.rows {
		r := &s.rows[i]
		if len(r.votes) == 0 {
			continue
		}
		line := make([]float64, n)
		weight := 0.0
		for j, judge := range s.judges {
			weight += judge.weight
			for p := range line {
				line[p] += judge.weight * (betterA(r.votes[j*n+p]) - 0.5)
			}
		}
		whole := true
		for p := range line {
			line[p] /= weight
			whole = whole && !math.IsNaN(line[p])
		}
		if whole {
			table, prompts = append(table, line), append(prompts, r.prompt)
		}
	}
	return table, prompts
}

// explainFold adds the squares of one fold's rows.
func explainFold(r *stats.RatioDifference, table [][]float64, prompts []int32, p int, held func(row int) bool) {
	n := len(table[0])
	products, toY := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil) // of 1 and the other principles
	sum, rows := 0.0, 0.0
	for i, line := range table {
		if held(i) {
			continue
		}
		x := others(line, p)
		products.SymRankOne(products, 1, mat.NewVecDense(n, x))
		toY.AddScaledVec(toY, line[p], mat.NewVecDense(n, x))
		sum, rows = sum+line[p], rows+1
	}
	for k := range n { // alike columns share their coefficient
		products.SetSym(k, k, products.At(k, k)+1e-9*rows)
	}
	var chol mat.Cholesky
	beta := mat.NewVecDense(n, nil)
	if rows == 0 || !chol.Factorize(products) || chol.SolveVecTo(beta, toY) != nil {
		return
	}
	for i, line := range table {
		if held(i) {
			left := line[p] - mat.Dot(beta, mat.NewVecDense(n, others(line, p)))
			all := line[p] - sum/rows
			r.Add(prompts[i], all*all, all*all, left*left, all*all)
		}
	}
}

// others are 1 and all of the line but one.
func others(line []float64, but int) []float64 {
	out := append([]float64{1}, line[:but]...)
	return append(out, line[but+1:]...)
}
