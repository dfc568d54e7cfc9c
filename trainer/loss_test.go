package trainer

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	. "github.com/gomlx/gomlx/core/graph"
)

// lossCase is a batch as the loss sees it.
type lossCase struct {
	chosen, rejected, weight, target, margin []float32
	norm, centring                           float64
}

// loss computes value and gradient on the graph.
func (c lossCase) loss(backend compute.Backend) (float64, []float32) {
	rewards := append(append([]float32{}, c.chosen...), c.rejected...)
	present := make([]float32, len(c.chosen))
	for i := range present {
		present[i] = 1
	}
	outs := MustExecOnceN(backend, func(in []*Node) []*Node {
		g := in[0].Graph()
		loss := BradleyTerryLoss(in[0], lossInputs{weight: in[1], target: in[2], margin: in[3], present: in[4],
			norm: Scalar(g, in[0].DType(), c.norm), count: Scalar(g, in[0].DType(), float64(len(c.chosen)))}, c.centring)
		return []*Node{loss, Gradient(loss, in[0])[0]}
	}, rewards, c.weight, c.target, c.margin, present)
	return float64(tensors.ToScalar[float32](outs[0])), tensors.MustCopyFlatData[float32](outs[1])
}

// reference is the formula in float64, with log1p and exp.
func (c lossCase) reference() float64 {
	softplus := func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
	sum, square := 0.0, 0.0
	for i := range c.chosen {
		d := float64(c.chosen[i]) - float64(c.rejected[i]) - float64(c.margin[i])
		p := float64(c.target[i])
		sum += float64(c.weight[i]) * (p*softplus(-d) + (1-p)*softplus(d))
		square += math.Pow(float64(c.chosen[i])+float64(c.rejected[i]), 2)
	}
	return sum/c.norm + c.centring*square/float64(len(c.chosen))
}

func TestLossByHand(t *testing.T) {
	c := lossCase{chosen: []float32{1, 0}, rejected: []float32{0, 1}, weight: []float32{1, 0.5},
		target: []float32{1, 1}, margin: []float32{0, 0}, norm: 2}
	got, grads := c.loss(goBackend(t))
	// -log σ(1) = 0.313262, -log σ(-1) = 1.313262
	if want := (0.313262 + 0.5*1.313262) / 2; math.Abs(got-want) > 1e-6 {
		t.Errorf("loss %v, want %v", got, want)
	}
	// d/d(r_c) = w(σ(d) − 1)/2: −0.268941/2, −0.5·0.731059/2
	for i, want := range []float64{-0.1344707, -0.1827646, 0.1344707, 0.1827646} {
		if math.Abs(float64(grads[i])-want) > 1e-6 {
			t.Errorf("gradient %d: %v, want %v", i, grads[i], want)
		}
	}
}

func TestLossAtEqualRewards(t *testing.T) {
	c := lossCase{chosen: []float32{3}, rejected: []float32{3}, weight: []float32{1}, target: []float32{1}, margin: []float32{0}, norm: 1}
	loss, grads := c.loss(goBackend(t))
	if math.Abs(loss-math.Ln2) > 1e-6 || math.Abs(float64(grads[0])+0.5) > 1e-6 || math.Abs(float64(grads[1])-0.5) > 1e-6 {
		t.Errorf("loss %v, gradients %v, want ln 2 and ∓½", loss, grads)
	}
}

// TestLossProperties: random batches agree with float64, with finite
// differences, are symmetric, and are bounded below by the targets' entropy.
func TestLossProperties(t *testing.T) {
	backend := goBackend(t)
	random := rand.New(rand.NewPCG(1, 1))
	for trial := range 30 {
		n := 1 + random.IntN(4)
		c := lossCase{norm: 0.5 + random.Float64()*4}
		if trial%2 == 1 {
			c.centring = random.Float64() * 0.1
		}
		entropy := 0.0
		for range n {
			w, p := random.Float32(), random.Float32()
			c.chosen = append(c.chosen, float32(random.NormFloat64()*3))
			c.rejected = append(c.rejected, float32(random.NormFloat64()*3))
			c.weight, c.target = append(c.weight, w), append(c.target, p)
			c.margin = append(c.margin, random.Float32()*2)
			entropy -= float64(w) * (float64(p)*math.Log(float64(p)) + float64(1-p)*math.Log(float64(1-p)))
		}
		loss, grads := c.loss(backend)
		if want := c.reference(); math.Abs(loss-want) > 1e-5*max(1, want) {
			t.Fatalf("trial %d: loss %v, float64 gives %v", trial, loss, want)
		}
		if loss < entropy/c.norm-1e-5 {
			t.Errorf("trial %d: loss %v below the entropy %v", trial, loss, entropy/c.norm)
		}
		for i := range grads {
			if fd := c.difference(i); math.Abs(float64(grads[i])-fd) > 1e-4*max(1, math.Abs(fd)) {
				t.Errorf("trial %d: gradient %d is %v, by difference %v", trial, i, grads[i], fd)
			}
		}
		flipped := c
		flipped.chosen, flipped.rejected = c.rejected, c.chosen
		flipped.target, flipped.margin = nil, nil
		for i := range c.target {
			flipped.target = append(flipped.target, 1-c.target[i])
			flipped.margin = append(flipped.margin, -c.margin[i])
		}
		if other, _ := flipped.loss(backend); math.Abs(other-loss) > 1e-5*max(1, loss) {
			t.Errorf("trial %d: the pair turned round gives %v, want %v", trial, other, loss)
		}
	}
}

// difference is the central difference of the float64 reference in reward i.
func (c lossCase) difference(i int) float64 {
	const h = 1.0 / 256 // exact in float32 beside rewards of this size
	shifted := func(by float32) float64 {
		d := c
		d.chosen, d.rejected = append([]float32{}, c.chosen...), append([]float32{}, c.rejected...)
		if i < len(c.chosen) {
			d.chosen[i] += by
		} else {
			d.rejected[i-len(c.chosen)] += by
		}
		return d.reference()
	}
	return (shifted(h) - shifted(-h)) / (2 * h)
}

func TestLossIsStable(t *testing.T) {
	backend := goBackend(t)
	for _, d := range []float32{1e4, -1e4, 88, -88, 0} {
		c := lossCase{chosen: []float32{d}, rejected: []float32{0}, weight: []float32{1}, target: []float32{1}, margin: []float32{0}, norm: 1}
		loss, grads := c.loss(backend)
		want := c.reference()
		if math.Abs(loss-want) > 1e-5*max(1, want) {
			t.Errorf("margin %v: loss %v, want %v", d, loss, want)
		}
		if slope := 1/(1+math.Exp(-float64(d))) - 1; math.Abs(float64(grads[0])-slope) > 1e-6 {
			t.Errorf("margin %v: gradient %v, want %v", d, grads[0], slope)
		}
	}
}
