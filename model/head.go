package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Head is a choice of pooling and score head beside transformers' own, which
// the zero value means.
type Head struct {
	Pooling string `yaml:"pooling" json:"pooling,omitempty"` // cls | mean | last | attention
	Kind    string `yaml:"kind" json:"kind,omitempty"`       // linear | mlp
}

// Own tells that the head is transformers' own.
func (h Head) Own() bool { return h == Head{} }

// complete fills in what a partial choice leaves open.
func (h Head) complete(causal bool) Head {
	if h.Own() {
		return h
	}
	if h.Pooling == "" && causal {
		h.Pooling = "last"
	}
	if h.Pooling == "" {
		h.Pooling = "cls"
	}
	if h.Kind == "" {
		h.Kind = "linear"
	}
	return h
}

// Poolings and HeadKinds are the choices.
var (
	Poolings  = []string{"cls", "mean", "last", "attention"}
	HeadKinds = []string{"linear", "mlp"}
)

func (h Head) validate() error {
	if h.Pooling != "" && !slices.Contains(Poolings, h.Pooling) {
		return fmt.Errorf("pooling is %q, want one of %s", h.Pooling, strings.Join(Poolings, ", "))
	}
	if h.Kind != "" && !slices.Contains(HeadKinds, h.Kind) {
		return fmt.Errorf("head is %q, want one of %s", h.Kind, strings.Join(HeadKinds, ", "))
	}
	return nil
}

// Tensors of such a head have a prefix of their own, so that transformers
// says that it does not know them rather than pool another way unsaid.
const (
	headPrefix    = "laurel_head."
	headAttention = headPrefix + "attention"
	headDense     = headPrefix + "dense"
	headScore     = headPrefix + "score"
)

func (h Head) weights(d int) []weight {
	var ws []weight
	if h.Pooling == "attention" {
		ws = append(ws, projection(headAttention, 1, d, false)...)
	}
	if h.Kind == "mlp" {
		ws = append(ws, linear(headDense, d, d)...)
	}
	return inGroup(scoreGroup, append(ws, linear(headScore, 1, d)...))
}

// headWeights are those of the config's head.
func (c *Config) headWeights() []weight {
	if c.Recorded.Head.Own() {
		return c.family.headWeights()
	}
	return c.Recorded.Head.weights(c.family.about().hidden)
}

// pooling is how the config brings the tokens of a sequence to one vector.
func (c *Config) pooling() string {
	if h := c.Recorded.Head; !h.Own() {
		return h.Pooling
	}
	return c.family.about().pooling
}

// takesOne tells whether a pooling is one token's vector.
func takesOne(pooling string) bool { return pooling == "cls" || pooling == "last" }

// head gives the reward of each sequence from its pooled vector. [S, D] to [S]
func (c *Config) head(p *pass, pooled *Node) *Node {
	h := c.Recorded.Head
	if h.Own() {
		return c.family.score(p, pooled)
	}
	if h.Kind == "mlp" {
		pooled = Tanh(p.linear(headDense, pooled))
	}
	return Squeeze(p.linear(headScore, pooled), -1)
}

// pool brings the tokens of each sequence to one vector, which is finite also for a
// sequence of no tokens. [N, T, D] to [S, D]
func (p *pass) pool(pooling string, x *Node) *Node {
	switch pooling {
	case "mean":
		return p.meanPool(x)
	case "last":
		return p.lastToken(x)
	case "attention":
		return p.attentionPool(x)
	}
	return p.firstToken(x)
}

// meanPool is the mean over the tokens. [N, T, D] to [S, D]
func (p *pass) meanPool(x *Node) *Node {
	here := as(p.ofSequence(), x.DType()) // [S, T]
	count := ExpandDims(MaxScalar(ReduceSum(here, 1), 1), -1)
	return Div(p.sumOfTokens(here, x), count)
}

// sumOfTokens sums the tokens of each sequence's row with weights. weights [S, T]
// and x [N, T, D] to [S, D]
func (p *pass) sumOfTokens(weights, x *Node) *Node {
	if p.Packed != nil && x.Shape().Dim(0) == 1 { // no copy of the row for each sequence
		return Einsum("st,td->sd", weights, Squeeze(x, 0))
	}
	return ReduceSum(Mul(p.rowsOf(x), ExpandDims(weights, -1)), 1)
}

// attentionPool is the mean weighted by softmax(x·q), with a learnt q.
func (p *pass) attentionPool(x *Node) *Node {
	scores := p.rowsOf(Squeeze(p.linear(headAttention, x), -1)) // [S, T]
	scores = Where(p.ofSequence(), scores, Scalar(p.graph(), scores.DType(), -1e30))
	return p.sumOfTokens(Softmax(scores, -1), x)
}

// lastToken is the vector of the rightmost token that is not the padding
// token, as transformers' decoders pool: by id, also where a text itself
// ends with the padding token. [N, T, D] to [S, D]
func (p *pass) lastToken(x *Node) *Node {
	counts := p.ofSequence() // [S, T]
	shape := shapes.Make(dtypes.Int32, counts.Shape().Dimensions...)
	at := Iota(p.graph(), shape, 1)
	if p.padID >= 0 {
		counts = LogicalAnd(counts, NotEqual(p.rowsOf(p.IDs), Scalar(p.graph(), dtypes.Int32, p.padID)))
	}
	last := ReduceMax(Where(counts, at, ZerosLike(at)), 1) // [S]
	if p.Packed != nil {
		return p.tokenAt(x, Max(last, p.start()))
	}
	chosen := as(Equal(at, BroadcastToShape(ExpandDims(last, -1), shape)), x.DType())
	return Einsum("nt,ntd->nd", chosen, x)
}
