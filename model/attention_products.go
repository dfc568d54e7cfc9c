package model

import . "github.com/gomlx/gomlx/core/graph"

// Attention's two products, Q·Kᵀ and P·V. Reverse differentiation gives
//
//	dK = dSᵀ·Q    dV = Pᵀ·dO
//
// as products of [T, T] matrices read by columns. XLA's CPU leaves those to a slow
// loop; written as (Qᵀ·dS)ᵀ and (dOᵀ·P)ᵀ, which read the large matrix by rows and
// transpose the small one, they run in its library of kernels
// (docs/experiments.md, "attention's backward products").

// scores is Q·Kᵀ. query, key [N, T, H, K] to [N, H, T, T]
func (p *pass) scores(query, key *Node) *Node {
	if !p.writesGradients() {
		return einsum("nqhk,nmhk->nhqm", query, key)
	}
	var gradient *Node // of the scores
	key = IdentityWithCustomGradient(key, func(_, _ *Node) *Node { return byRows(query, gradient) })
	return noted(einsum("nqhk,nmhk->nhqm", query, key), &gradient)
}

// weighted is P·V. probs [N, H, T, T], value [N, T, H, K] to [N, T, H, K]
func (p *pass) weighted(probs, value *Node) *Node {
	if !p.writesGradients() {
		return einsum("nhqm,nmhk->nqhk", probs, value)
	}
	var gradient *Node // of the product
	value = IdentityWithCustomGradient(value, func(_, _ *Node) *Node { return byRows(gradient, probs) })
	return noted(einsum("nhqm,nmhk->nqhk", probs, value), &gradient)
}

// writesGradients tells whether the gradients of keys and values are written as
// above: where the backend's attention is not fused, and its inputs are at hand in
// the backward pass rather than computed again.
func (p *pass) writesGradients() bool {
	return !p.Checkpoint && !hasFusedAttention(p.graph().Backend())
}

// byRows is the sum over queries of small [N, T, H, K] times large [N, H, T, T].
// [N, T, H, K]
func byRows(small, large *Node) *Node {
	sum := einsum("nhkq,nhqm->nhkm", TransposeAllAxes(small, 0, 2, 3, 1), large)
	return TransposeAllAxes(sum, 0, 3, 1, 2)
}

// noted is x, whose gradient is put at gradient when it is known: before those of
// all that x was made of.
func noted(x *Node, gradient **Node) *Node {
	return IdentityWithCustomGradient(x, func(_, g *Node) *Node {
		*gradient = g
		return g
	})
}
