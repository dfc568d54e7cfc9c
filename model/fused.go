package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"laurel/model/hostkernels"
)

// fusedHeadDim is the largest head that cuDNN's fused attention takes backward
// on every GPU that it is for.
const fusedHeadDim = 128

// attentionCase is what decides whether fused attention computes the same
// function as the scores written out.
type attentionCase struct {
	fusing   bool // whether the backend has cuDNN's: XLA's on CUDA
	host     bool // whether it computes attention over spans: XLA's on CPUs
	dtype    dtypes.DType
	headDim  int
	window   int  // of the keys that a query sees, 0 for none
	packed   bool // several sequences a row
	relative bool // scores have a learnt part for the distance
	softcap  bool
	dropout  float64
}

// unfused says why the scores are written out, "" where attention that keeps none
// computes the same function: its memory grows with the length and not with its
// square (Dao et al. 2022, arXiv:2205.14135).
func (c attentionCase) unfused() string {
	switch {
	case c.host && c.relative:
		return "scores depend on learnt relative positions"
	case c.host && c.softcap:
		return "scores are soft-capped"
	case c.host:
		return ""
	case !c.fusing:
		return "the backend has no fused attention"
	case c.dtype != dtypes.BFloat16:
		return fmt.Sprintf("fused attention is for bfloat16, and products are %s", c.dtype)
	case c.relative:
		return "scores depend on learnt relative positions"
	case c.softcap:
		return "scores are soft-capped"
	case c.dropout > 0:
		return fmt.Sprintf("attention has dropout %v (train.dropout=0 lets it be fused)", c.dropout)
	case c.headDim%8 != 0 || c.headDim > fusedHeadDim:
		return fmt.Sprintf("a head has %d features, and fused attention is for multiples of 8 up to %d", c.headDim, fusedHeadDim)
	case c.packed:
		return "rows hold several sequences"
	case c.window > 0:
		return fmt.Sprintf("a query sees a window of %d tokens (its scores alone are computed, in bands)", c.window)
	}
	return ""
}

// scores is how many are written out for a query: those of bands where there are
// bands, else one for each token.
func (c attentionCase) scores(tokens int, causal bool) int {
	if c.window == 0 || c.packed || !c.dtype.IsHalfPrecision() {
		return tokens
	}
	return min(tokens, maskKind{causal: causal, window: c.window}.reach())
}

// unfused is attentionCase's, of one attention of this pass.
func (p *pass) unfused(in attentionInputs) string {
	c := attentionCase{dtype: in.query.DType(), headDim: in.query.Shape().Dim(3), packed: p.Packed != nil,
		softcap: in.softcap != 0, dropout: p.rate(in.dropout)}
	c.fusing = hasFusedAttention(p.graph().Backend())
	if !in.sees.seesAll(p.tokens()) {
		c.window = in.sees.window
	}
	return c.unfused()
}

// AttentionUse says in how many blocks attention is fused, and why in others its
// scores are written out.
type AttentionUse struct {
	Blocks, Fused int
	Host          bool     // fused is attention over spans on a CPU, not cuDNN's
	Why           []string // different reasons, each once
	Scores        int      // that are written out for a query and head, of all blocks
	BlockScores   int      // the same, of the block with most of them
	Banded        int      // those of all blocks that are written out in bands
}

// String is what commands print.
func (a AttentionUse) String() string {
	why := strings.Join(a.Why, "; ")
	switch {
	case a.Fused == a.Blocks && a.Host:
		return fmt.Sprintf("over spans, for %s: scores are not written out, padding is not computed", hostkernels.Kind())
	case a.Fused == a.Blocks:
		return "fused (cuDNN): scores are not written out"
	case a.Fused == 0:
		return "scores are written out: " + why
	}
	return fmt.Sprintf("fused (cuDNN) in %d of %d blocks; elsewhere scores are written out: %s", a.Fused, a.Blocks, why)
}

// AttentionUse is how rows of so many tokens are computed on a backend; packed
// ones hold several sequences. dropout replaces the config's rate of attention
// where it is not negative.
func (m *Model) AttentionUse(backend Backend, tokens int, packed bool, dropout float64) AttentionUse {
	a := m.Config.family.about()
	use := AttentionUse{Blocks: m.Config.family.blocks(), Host: HasHostKernels(backend)}
	if dropout < 0 {
		dropout = a.attentionDropout
	}
	for i := range use.Blocks {
		c := attentionCase{fusing: hasFusedAttention(backend), host: use.Host, dtype: m.Compute, headDim: a.headDim, relative: a.relative, softcap: a.softcap, packed: packed, dropout: dropout}
		if a.windows != nil && !(maskKind{window: a.windows[i]}).seesAll(tokens) {
			c.window = a.windows[i]
		}
		why := c.unfused()
		if why != "" {
			scores := c.scores(tokens, a.causal)
			use.Scores, use.BlockScores = use.Scores+scores, max(use.BlockScores, scores)
			if scores < tokens {
				use.Banded += scores
			}
		}
		switch {
		case why == "":
			use.Fused++
		case !slices.Contains(use.Why, why):
			use.Why = append(use.Why, why)
		}
	}
	return use
}

// FusedAttention says, for people, whether a backend has it, and for what.
func FusedAttention(backend Backend) string {
	if HasHostKernels(backend) {
		return fmt.Sprintf("over spans, for %s: no scores are written out, but with soft-caps or relative positions", hostkernels.Kind())
	}
	c := attentionCase{fusing: hasFusedAttention(backend), dtype: dtypes.BFloat16}
	if why := c.unfused(); why != "" {
		return "scores are written out: " + why
	}
	return "fused (cuDNN) with products in bfloat16; scores are written out with dropout in attention, a window, a soft-cap or relative positions"
}

func hasFusedAttention(backend compute.Backend) bool {
	operations := backend.Capabilities().Operations
	return operations[compute.OpTypeFusedScaledDotProductAttention] && operations[compute.OpTypeFusedScaledDotProductAttentionVJP]
}

// seesAll tells whether the window leaves nothing out of t tokens.
func (k maskKind) seesAll(t int) bool { return k.window == 0 || k.window >= t }

// fusedAttention is attention by cuDNN. Padding lies on the right: a causal query
// at a token never sees it; elsewhere keys end at their row's length, for padded
// queries too, so that every output is what the scores written out would give.
// What cuDNN leaves in the gradients of keys and values beyond the length is not
// defined: it does not pass atTokens.
func (p *pass) fusedAttention(in attentionInputs) *Node {
	n, t, h, k := in.query.Shape().Dim(0), in.query.Shape().Dim(1), in.query.Shape().Dim(2), in.query.Shape().Dim(3)
	p.sites++ // of the dropout, which is none here: the streams of those after it stay theirs
	config := &compute.ScaledDotProductAttentionConfig{Scale: in.scale, Causal: in.sees.causal}
	key, value := in.key, in.value
	if !in.sees.causal {
		key, value = p.atTokens(key), p.atTokens(value)
		whole := AddScalar(ZerosLike(p.Lengths), t)
		config.QuerySeqLen, config.KeyValueSeqLen = InternalBackendOutputs(whole)[0], InternalBackendOutputs(p.Lengths)[0]
	}
	out, _ := BackendFusedScaledDotProductAttention(in.query, key, value, compute.AttentionAxesLayoutBSHD, config)
	return Reshape(out, n, t, h*k)
}

// atTokens is x at tokens and 0 at padding, and so is its gradient. [N, T, G, K]
func (p *pass) atTokens(x *Node) *Node {
	token := Reshape(p.isToken(), x.Shape().Dim(0), x.Shape().Dim(1), 1, 1)
	return Where(BroadcastToShape(token, x.Shape()), x, ZerosLike(x))
}
