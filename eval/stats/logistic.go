package stats

import (
	"errors"
	"math"
	"slices"
)

// Sparse is a vector of few entries other than 0.
type Sparse struct {
	At []int32
	X  []float64
}

// SparseOf has the entries other than 0, in their order.
func SparseOf(entries map[int32]float64) (s Sparse) {
	for at, x := range entries {
		if x != 0 {
			s.At = append(s.At, at)
		}
	}
	slices.Sort(s.At)
	for _, at := range s.At {
		s.X = append(s.X, entries[at])
	}
	return s
}

// Dot is the product with a dense vector.
func (s Sparse) Dot(dense []float64) (sum float64) {
	for i, at := range s.At {
		sum += s.X[i] * dense[at]
	}
	return sum
}

// addTo adds k times the vector.
func (s Sparse) addTo(dense []float64, k float64) {
	for i, at := range s.At {
		dense[at] += k * s.X[i]
	}
}

// Logistic is a logistic regression without an intercept, on rows whose label
// is their sign: a row that is labelled 0 comes as -x.
type Logistic struct {
	Rows   []Sparse
	Weight []float64 // [rows]; nil for 1 each
	Dim    int       // of the coefficients
	L2     float64   // λ
}

// LogisticOf regresses labels on one value each, such as a margin or log-odds: its
// coefficient is the factor that fits them best.
func LogisticOf(values []float64) Logistic {
	rows := make([]Sparse, len(values))
	for i := range values {
		rows[i] = Sparse{At: []int32{0}, X: values[i : i+1]}
	}
	return Logistic{Rows: rows, Dim: 1}
}

// ErrSeparable says that no finite coefficients fit best.
var ErrSeparable = errors.New("the rows are separable: no finite coefficients fit best")

const (
	newtonSteps  = 100
	newtonGoal   = 1e-9
	halvingSteps = 40
	rounding     = 1e-13 // of the sum: a step that changes it by less is taken whole
)

// Fit minimises, over θ,
//
//	Σ w log(1 + exp(-θ·x)) + λ/2 |θ|²
//
// by Newton's method, whose step is solved for by conjugate gradients and halved
// until the sum falls enough (Lin, Weng and Keerthi, JMLR 2008, have a trust
// region in its place). Nothing is drawn: the same rows give the same θ.
func (l Logistic) Fit() ([]float64, error) {
	theta := make([]float64, l.Dim)
	value := l.value(theta)
	first := 0.0
	for step := range newtonSteps {
		gradient, curvature := l.slopes(theta)
		size := norm(gradient)
		if step == 0 {
			first = size
		}
		if size <= newtonGoal*math.Max(1, first) {
			return theta, nil
		}
		direction := l.newton(gradient, curvature, math.Min(0.1, math.Sqrt(size/first))) // rough far from the minimum (Eisenstat and Walker 1996)
		slope := dot(gradient, direction)
		next, reached, moved := make([]float64, l.Dim), 0.0, false
		for k, halvings := 1.0, 0; halvings < halvingSteps; k, halvings = k/2, halvings+1 {
			for i := range next {
				next[i] = theta[i] + k*direction[i]
			}
			if reached = l.value(next); reached <= value+1e-4*k*slope+rounding*math.Abs(value) {
				moved = true
				break
			}
		}
		if !moved { // rounding leaves no lower value
			return theta, nil
		}
		theta, value = next, reached
		if l.L2 == 0 && l.separates(theta) {
			return nil, ErrSeparable
		}
	}
	return nil, errors.New("logistic regression: no minimum after 100 steps of Newton's method")
}

// separates is whether every row is on the right side. Then there is no best θ
// without a penalty: further along θ the sum is smaller still.
func (l Logistic) separates(theta []float64) bool {
	right := false
	for _, row := range l.Rows {
		z := row.Dot(theta)
		if z < 0 {
			return false
		}
		right = right || z > 0
	}
	return right
}

func (l Logistic) weight(i int) float64 {
	if l.Weight == nil {
		return 1
	}
	return l.Weight[i]
}

func (l Logistic) value(theta []float64) float64 {
	sum := l.L2 / 2 * dot(theta, theta)
	for i, row := range l.Rows {
		sum += l.weight(i) * Softplus(-row.Dot(theta))
	}
	return sum
}

// slopes are the gradient, and each row's part of the curvature, w p(1-p).
func (l Logistic) slopes(theta []float64) (gradient, curvature []float64) {
	gradient, curvature = make([]float64, l.Dim), make([]float64, len(l.Rows))
	for i := range theta {
		gradient[i] = l.L2 * theta[i]
	}
	for i, row := range l.Rows {
		z := row.Dot(theta)
		wrong := Sigmoid(-z)
		row.addTo(gradient, -l.weight(i)*wrong)
		curvature[i] = l.weight(i) * wrong * Sigmoid(z)
	}
	return gradient, curvature
}

// newton solves (X'DX + λ) d = -g by conjugate gradients, until what is left is
// the share inexact of g.
func (l Logistic) newton(gradient, curvature []float64, inexact float64) []float64 {
	d := make([]float64, l.Dim)
	left := make([]float64, l.Dim)
	for i, g := range gradient {
		left[i] = -g
	}
	along := append([]float64(nil), left...)
	square := dot(left, left)
	goal := square * inexact * inexact
	curved := make([]float64, l.Dim)
	for range 2*l.Dim + 10 {
		for i, a := range along {
			curved[i] = l.L2 * a
		}
		for i, row := range l.Rows {
			row.addTo(curved, curvature[i]*row.Dot(along))
		}
		bend := dot(along, curved)
		if !(bend > 0) {
			break
		}
		k := square / bend
		for i := range d {
			d[i] += k * along[i]
			left[i] -= k * curved[i]
		}
		next := dot(left, left)
		if next <= goal {
			break
		}
		for i := range along {
			along[i] = left[i] + next/square*along[i]
		}
		square = next
	}
	return d
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }
