package stats

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Covariance is that of fitted coefficients, [Dim][Dim], for few of them: with H
// the sum's curvature and s_g the slope of group g's part of it, both at θ,
//
//	model = H⁻¹     robust = G/(G-1) H⁻¹ (Σ_g s_g s_gᵀ) H⁻¹
//
// The second (Liang and Zeger, Biometrika 1986) holds where the rows of a group,
// such as those of a prompt, are not independent; it is nil for one group. group
// is [rows].
func (l Logistic) Covariance(theta []float64, group []int32) (model, robust *mat.SymDense, err error) {
	slopes, curved := l.byGroup(theta, group)
	var factor mat.Cholesky
	if !factor.Factorize(curved) {
		return nil, nil, fmt.Errorf("logistic regression: the %d coefficients are not told apart by the rows", l.Dim)
	}
	model = mat.NewSymDense(l.Dim, nil)
	if err := factor.InverseTo(model); err != nil {
		return nil, nil, fmt.Errorf("logistic regression: %w", err)
	}
	groups := 0.0
	for _, n := range CountByPrompt(group) {
		groups += Indicator(n > 0)
	}
	if groups < 2 {
		return model, nil, nil
	}
	spread := mat.NewSymDense(l.Dim, nil)
	for _, s := range slopes {
		spread.SymRankOne(spread, groups/(groups-1), mat.NewVecDense(l.Dim, s))
	}
	var half, whole mat.Dense
	half.Mul(model, spread)
	whole.Mul(&half, model)
	robust = mat.NewSymDense(l.Dim, nil)
	for i := range l.Dim {
		for j := i; j < l.Dim; j++ {
			robust.SetSym(i, j, whole.At(i, j))
		}
	}
	return model, robust, nil
}

// byGroup are the slopes of each group's part of the sum, [groups][Dim], and the
// curvature of the whole, the penalty's included.
func (l Logistic) byGroup(theta []float64, group []int32) (slopes [][]float64, curved *mat.SymDense) {
	slopes = make([][]float64, len(CountByPrompt(group)))
	flat := make([]float64, l.Dim*len(slopes))
	for g := range slopes {
		slopes[g] = flat[g*l.Dim : (g+1)*l.Dim]
	}
	curved = mat.NewSymDense(l.Dim, nil)
	for i := range l.Dim {
		curved.SetSym(i, i, l.L2)
	}
	for i, row := range l.Rows {
		z := row.Dot(theta)
		wrong := Sigmoid(-z)
		row.addTo(slopes[group[i]], -l.weight(i)*wrong)
		bend := l.weight(i) * wrong * Sigmoid(z)
		for a, at := range row.At {
			for b := a; b < len(row.At); b++ {
				curved.SetSym(int(at), int(row.At[b]), curved.At(int(at), int(row.At[b]))+bend*row.X[a]*row.X[b])
			}
		}
	}
	return slopes, curved
}
