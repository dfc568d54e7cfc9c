package model

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Attention over spans is model/hostkernels's, which XLA's CPU calls: it is told
// which tokens of all rows each sequence is, and computes nothing else. Scores are not
// kept, and padding costs nothing.

// HasHostKernels tells whether a backend computes attention over spans, and dense layers,
// by model/hostkernels.
func HasHostKernels(backend compute.Backend) bool {
	b, ok := backend.(interface{ HostKernels() bool })
	return ok && b.HostKernels()
}

// SpanAttention tells why attention over spans is not this model's attention; nil
// where it is.
func (m *Model) SpanAttention() error {
	a := m.Config.family.about()
	if err := m.Config.Packs(false); err != nil {
		return err
	}
	if why := (attentionCase{host: true, relative: a.relative, softcap: a.softcap}).unfused(); why != "" {
		return fmt.Errorf("model_type %s: %s", m.Config.ModelType, why)
	}
	return nil
}

// OverSpans tells whether a backend computes this model's attention over spans.
func (m *Model) OverSpans(backend compute.Backend) bool {
	return HasHostKernels(backend) && m.SpanAttention() == nil
}

// spanFeatures is what the features of a head are to be a multiple of.
const spanFeatures = 16

// spanAttention is attention over spans, in float32. Features of 0 make up for what a
// head lacks to a multiple of spanFeatures: they change neither scores nor outputs.
func (p *pass) spanAttention(in attentionInputs) *Node {
	n, t, h, k := in.query.Shape().Dim(0), in.query.Shape().Dim(1), in.query.Shape().Dim(2), in.query.Shape().Dim(3)
	wide := func(x *Node) *Node {
		x = as(x, dtypes.Float32)
		if missing := (spanFeatures - k%spanFeatures) % spanFeatures; missing > 0 {
			d := x.Shape().Dimensions
			x = Concatenate([]*Node{x, Zeros(p.graph(), shapes.Make(dtypes.Float32, d[0], d[1], d[2], missing))}, -1)
		}
		return x
	}
	options := &compute.ScaledDotProductAttentionConfig{Scale: in.scale, Causal: in.sees.causal,
		Mask: InternalBackendOutputs(p.described(in))[0]}
	out, _ := BackendFusedScaledDotProductAttention(wide(in.query), wide(in.key), wide(in.value), compute.AttentionAxesLayoutBSHD, options)
	out = Slice(out, AxisRange(), AxisRange(), AxisRange(), AxisRangeFromStart(k))
	return Reshape(as(out, in.value.DType()), n, t, h*k)
}

// described says what attention over spans is to compute, as model/hostkernels
// reads it. [6 + 4·S] int32
func (p *pass) described(in attentionInputs) *Node {
	stream, rate := Scalar(p.graph(), dtypes.Uint32, 0), 0.0
	if p.Seed != nil {
		p.sites++
		if rate = p.rate(in.dropout); rate > 0 {
			stream = p.stream(p.sites)
		}
	}
	flag := map[bool]int32{true: 1}
	bits := func(x float64) int32 { return int32(math.Float32bits(float32(x))) }
	one := p.only != "" && in.query.Shape().Dim(1) == 1
	settings := []int32{bits(rate), bits(in.scale), int32(in.sees.window), flag[in.sees.causal], flag[one]}
	return Concatenate(append([]*Node{Reshape(Bitcast(stream, dtypes.Int32), 1), Const(p.graph(), settings)}, p.spans()...), 0)
}

// spans are the tokens of each sequence, counted over all rows: start … end−1 of each, and
// from … to−1 of what it goes on from. The first that shares a prefix lies next to it, and
// is one with it. Four times [S]
func (p *pass) spans() []*Node {
	k := p.Packed
	if k == nil {
		n := p.IDs.Shape().Dim(0)
		starts := make([]int32, n)
		for i := range starts {
			starts[i] = int32(i * p.tokens())
		}
		start := Const(p.graph(), starts)
		return []*Node{start, Add(start, p.Lengths), ZerosLike(start), ZerosLike(start)}
	}
	row := MulScalar(k.Row, p.tokens())
	if k.Prefixes == nil {
		return []*Node{Add(row, k.Start), Add(row, k.End), ZerosLike(row), ZerosLike(row)}
	}
	first := Equal(k.Start, k.To)
	start, to := Where(first, k.From, k.Start), Where(first, k.From, k.To)
	return []*Node{Add(row, start), Add(row, k.End), Add(row, k.From), Add(row, to)}
}

// absorbs tells whether attention may do without keys and values (absorbedAttention): where
// each sequence has one query, over spans, and no gradient or adapter asks for them. key names
// their layer.
func (p *pass) absorbs(key string) bool {
	return p.only != "" && p.spanned && p.NoGradient && p.adapter == nil && p.byHost(key)
}

// absorbedAttention is attention of one query a sequence whose keys and values are not
// computed: but for what all keys add alike, a score q·(Wₖ·x + bₖ) is (Wₖᵀ·q)·x, and outputs are
// Wᵥ·Σ P·x + bᵥ, as P adds up to 1 (DeepSeek-AI 2024, arXiv:2405.04434, section 2.1.2, absorb keys so). x [N, T, D] and a
// query [S, 1, H, K] give [S, 1, H·K].
func (p *pass) absorbedAttention(self string, in attentionInputs, x *Node) *Node {
	s, h, k, d := in.query.Shape().Dim(0), in.query.Shape().Dim(2), in.query.Shape().Dim(3), x.Shape().Dim(2)
	ofHeads := func(layer string) *Node { return Reshape(p.weight(self+layer+".weight"), h, k, d) }
	in.query = ExpandDims(einsum("shk,hkd->shd", Squeeze(in.query, 1), ofHeads("key")), 1)
	in.key = ExpandDims(x, 2)
	in.value = in.key
	out := einsum("shd,hkd->shk", Reshape(p.spanAttention(in), s, h, d), ofHeads("value"))
	return p.biased(self+"value", Reshape(out, s, 1, h*k))
}
