package trainer

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Shapes: B pairs of a batch.

// lossInputs are what the loss needs beside the rewards.
type lossInputs struct {
	weight  *Node // [B] of each pair; 0 for a row that fills up the batch
	target  *Node // [B] probability that chosen is better: 1, or less where labels are soft or smoothed
	margin  *Node // [B] reward difference asked for
	present *Node // [B] 1 for a pair, 0 for a row that fills up the batch
	// norm is what the weighted losses are divided by and count the number
	// of pairs: of the whole step, so that the parts of an accumulated step
	// add up to the step of the big batch.
	norm, count *Node // scalars
}

// BradleyTerryLoss is the negative log likelihood of the preferences under
// P(chosen ≻ rejected) = σ(r_c − r_r) (Bradley & Terry 1952; Ouyang et al.
// 2022, arXiv:2203.02155, eq. 1), each pair with a weight w, a margin
// (Touvron et al. 2023, arXiv:2307.09288, eq. 2) and a target p:
//
//	d = r_c − r_r − margin
//	Σ w·(−p·log σ(d) − (1−p)·log σ(−d)) / norm + centring·Σ(r_c + r_r)² / count
//
// The second term keeps rewards near 0 (Eisenstein et al. 2023,
// arXiv:2312.09244). Rewards are [2B], chosen first. Gives a scalar.
func BradleyTerryLoss(rewards *Node, in lossInputs, centring float64) *Node {
	rewards = ConvertDType(rewards, dtypes.Float32)
	b := rewards.Shape().Dim(0) / 2
	chosen, rejected := Slice(rewards, AxisRangeFromStart(b)), Slice(rewards, AxisRangeToEnd(b))
	d := Sub(Sub(chosen, rejected), in.margin)
	loss := Div(ReduceAllSum(Mul(in.weight, logLoss(d, in.target))), in.norm)
	if centring == 0 {
		return loss
	}
	square := Mul(in.present, Square(Add(chosen, rejected)))
	return Add(loss, MulScalar(Div(ReduceAllSum(square), in.count), centring))
}

// logLoss is −p·log σ(d) − (1−p)·log σ(−d) = softplus(d) − p·d, whose
// derivative is σ(d) − p. The derivative is given outright, since those of
// max and |d| at d = 0 are not ½, and a fresh head starts there. [B]
func logLoss(d, p *Node) *Node {
	softplus := Add(MaxScalar(d, 0), Log1P(Exp(Neg(Abs(d)))))
	value := StopGradient(Sub(softplus, Mul(p, d)))
	slope := StopGradient(Sub(Sigmoid(d), p))
	return Add(value, Mul(slope, Sub(d, StopGradient(d))))
}
