package model

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	ml "github.com/gomlx/gomlx/ml/model"
)

// Shapes: N rows, T tokens, D features, H heads, G key-value heads, K features
// a head; S sequences, one a row unless rows are packed.

// Inputs of one forward pass.
type Inputs struct {
	IDs     *Node // [N, T] int32, padded on the right
	Lengths *Node // [N] int32: tokens of each row; not read where rows are packed
	// Packed says where several sequences lie in a row; nil: one a row.
	Packed *Packing
	// Seed is a uint32 scalar that decides the dropout; nil means none.
	Seed *Node
	// Dropout replaces every rate of the config where it is not negative.
	Dropout float64
	// NoGradient says that no gradient is asked for, so that what has none may compute
	// the pass.
	NoGradient bool
	// Checkpoint keeps each block's input only and computes the block again
	// when its gradient is due (Chen et al. 2016, arXiv:1604.06174).
	Checkpoint bool
}

// pass is one forward pass while its graph is built.
type pass struct {
	Inputs
	scope   *ml.Scope
	padID   int          // id of the padding token, -1 for none
	dtype   dtypes.DType // of matrix products; everything else is float32
	adapter *Adapter     // nil: none

	masks  map[maskKind]*Node
	tables map[*rope][2]*Node

	spanned bool // attention is computed over spans

	// only is how pooling chooses the one token of each sequence that the last
	// block is asked for; "" in the other blocks, and where pooling reads all.
	only string

	sites  int     // dropout sites so far, each with a stream of its own
	keep   bool    // whether to keep hidden
	hidden []*Node // outputs of the embeddings and of every block
}

func (m *Model) newPass(scope *ml.Scope, in Inputs) *pass {
	if in.Packed != nil {
		if err := m.Config.Packs(in.Packed.Prefixes != nil); err != nil {
			panic(err) // as graph functions do; Exec returns it
		}
	}
	p := &pass{Inputs: in, scope: scope, padID: m.Config.PadTokenID, dtype: m.Compute, adapter: m.Adapter,
		masks: map[maskKind]*Node{}, tables: map[*rope][2]*Node{}}
	p.spanned = m.OverSpans(p.graph().Backend())
	return p
}

// Reward gives the scalar reward of each sequence. [S] float32
func (m *Model) Reward(scope *ml.Scope, in Inputs) *Node {
	return m.newPass(scope, in).reward(m.Config)
}

// Hidden gives the output of the embeddings and of every block, the last one
// normed, as output_hidden_states does, each [N, T, D], and then the rewards
// [S].
func (m *Model) Hidden(scope *ml.Scope, in Inputs) []*Node {
	p := m.newPass(scope, in)
	p.keep = true
	reward := p.reward(m.Config)
	return append(p.hidden, reward)
}

func (p *pass) reward(c *Config) *Node {
	f, pooling := c.family, c.pooling()
	x := f.embed(p)
	for i := range f.blocks() {
		p.keepHidden(x)
		if p.Checkpoint {
			x = x.Checkpoint()
		}
		if i == f.blocks()-1 && takesOne(pooling) && !p.keep {
			p.only = pooling
		}
		x = f.block(p, i, x)
	}
	if p.Checkpoint {
		x = x.StopCheckpoint()
	}
	x = f.norm(p, x)
	p.keepHidden(x)
	p.dtype = dtypes.Float32 // the head costs nothing, and its rounding would show in every reward
	if p.only != "" {
		return c.head(p, Squeeze(x, 1))
	}
	return c.head(p, p.pool(pooling, x))
}

// asked gives, of all tokens' values, those that the rest of a block goes on
// from: all, but in the last block only those of the token that pooling takes,
// since the outputs of others there would not be read. [N, T, D] to itself or
// [S, 1, D]
func (p *pass) asked(x *Node) *Node {
	sequences := x.Shape().Dim(0)
	if p.Packed != nil {
		sequences = p.Packed.Row.Shape().Size()
	}
	if p.only == "" || x.Shape().Dim(0) == sequences && x.Shape().Dim(1) == 1 {
		return x // all are wanted, or were asked for before
	}
	return ExpandDims(p.pool(p.only, x), 1)
}

// asking gives the values that queries are made of, of a block whose queries see
// all tokens and do not depend on their place: as asked does, where attention is
// over spans, or a row holds one sequence and attention is not fused. [N, T, D] to
// itself or [S, 1, D]
func (p *pass) asking(x *Node) *Node {
	if p.spanned || p.Packed == nil && !hasFusedAttention(p.graph().Backend()) {
		return p.asked(x)
	}
	return x
}

func (p *pass) graph() *Graph { return p.IDs.Graph() }

func (p *pass) tokens() int { return p.IDs.Shape().Dim(1) }

func (p *pass) keepHidden(x *Node) {
	if p.keep {
		p.hidden = append(p.hidden, x)
	}
}

// weight gives a tensor by its Hugging Face name, in float32.
func (p *pass) weight(name string) *Node { return as(p.kept(name), dtypes.Float32) }

// kept gives a tensor by its Hugging Face name, in the type that it is kept in.
func (p *pass) kept(name string) *Node {
	return p.scope.GetVariable(name).NodeValue(p.graph())
}

// has tells whether the model has a tensor.
func (p *pass) has(name string) bool { return p.scope.GetVariable(name) != nil }

// cast brings x to the precision of matrix products.
func (p *pass) cast(x *Node) *Node { return as(x, p.dtype) }

// as converts where there is need.
func as(x *Node, dtype dtypes.DType) *Node {
	if x.DType() == dtype {
		return x
	}
	return ConvertDType(x, dtype)
}

// add is a residual connection, kept in float32.
func add(x, change *Node) *Node { return Add(x, as(change, x.DType())) }
