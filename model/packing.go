package model

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"

	. "github.com/gomlx/gomlx/core/graph"

	"laurel/data/batches"
)

// Shapes: R rows, T tokens, S sequences.

// Packing says where S sequences lie in R rows, several to a row. Attention
// stays within a sequence.
type Packing struct {
	Segments  *Node // [R, T] int32: the number of a token's sequence within its row, 0 at padding
	Positions *Node // [R, T] int32: of a token within its sequence, a shared prefix counted
	// Row, Start and End say that sequence s is tokens Start … End−1 of a row, and
	// the prefix that it shares.
	Row, Start, End *Node // [S] int32
	// Prefixes lets sequences of a decoder share their beginning: the segment
	// that a token sees beside its own, 0 for none; nil: no sequence shares. Sequence
	// s shares tokens From … To−1, none where they are equal; the first that shares
	// them starts at To.
	Prefixes *Node // [R, T] int32
	From, To *Node // [S] int32
}

// Packs tells why several sequences, or sequences with shared prefixes, cannot
// lie in a row of this model; nil where they can.
func (c *Config) Packs(sharedPrefixes bool) error {
	if b, ok := c.family.(*deberta); ok && b.convKernel > 0 {
		return fmt.Errorf("conv_kernel_size %d: the convolution would mix the sequences of a row: give each a row of its own", b.convKernel)
	}
	if sharedPrefixes && !c.family.about().causal {
		return fmt.Errorf("model_type %s: an encoder's prompt has seen the response: only a decoder's prompts can be shared", c.ModelType)
	}
	return nil
}

// LayOut gives a layout as one tensor, so that a batch is one transfer, as LaidOut
// reads it: R rows, in each the row's ids and the length of its one sequence; or,
// where sequences share rows, [R, 1, …], in each the row's ids, segments, positions
// and prefixes, then S/R columns of all sequences' rows, of their starts and ends, and of
// those of their prefixes; or, where one flat row holds all sequences, [1, 1, 1, …], the same
// without prefixes, or [1, 1, 1, 1, …] with them. Behind them come further columns, of
// beside [R, …].
func LayOut(l *batches.Layout, beside []int32) *tensors.Tensor {
	columns, ones := [][]int32{l.IDs, l.Lengths()}, 0
	switch {
	case l.Shared():
		columns, ones = [][]int32{l.IDs, l.Segments, l.Positions, l.Prefixes, l.Row, l.Start, l.End, l.From, l.To}, 1
	case l.Flat:
		columns = [][]int32{l.IDs, l.Segments, l.Positions, l.Row, l.Start, l.End}
	}
	if l.Flat {
		ones += 2
	}
	columns = append(columns, beside)
	size := 0
	for _, values := range columns {
		size += len(values)
	}
	flat := make([]int32, 0, size)
	for r := range l.R {
		for _, values := range columns {
			each := len(values) / l.R
			flat = append(flat, values[r*each:(r+1)*each]...)
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, slices.Concat([]int{l.R}, slices.Repeat([]int{1}, ones), []int{len(flat) / l.R})...)
}

// LaidOut reads what LayOut gives: where the sequences lie, perRow of them in a
// shared or flat row, and so many columns of beside, nil for none. [R, columns]
// int32
func LaidOut(x *Node, perRow, columns int) (in Inputs, beside *Node) {
	rows, width := x.Shape().Dim(0), x.Shape().Dim(-1)
	apart, shared := x.Rank() == 2, x.Rank() == 3 || x.Rank() == 5
	x, at := Reshape(x, rows, width), 0
	next := func(n int) *Node {
		if n == 0 {
			return nil
		}
		at += n
		return Slice(x, AxisRange(), AxisRange(at-n, at))
	}
	if apart {
		in.IDs, in.Lengths = next(width-1-columns), Squeeze(next(1), 1)
		return in, next(columns)
	}
	ofTokens, ofSequences := 3, 3
	if shared {
		ofTokens, ofSequences = 4, 5
	}
	t := (width - ofSequences*perRow - columns) / ofTokens
	place := func() *Node { return Reshape(next(perRow), rows*perRow) }
	in.IDs, in.Packed = next(t), &Packing{Segments: next(t), Positions: next(t)}
	if shared {
		in.Packed.Prefixes = next(t)
	}
	in.Packed.Row, in.Packed.Start, in.Packed.End = place(), place(), place()
	if shared {
		in.Packed.From, in.Packed.To = place(), place()
	}
	return in, next(columns)
}

// IsFlat tells whether what LayOut gave has one flat row.
func IsFlat(x *Node) bool { return x.Rank() >= 4 }

// firstToken is the vector of each sequence's [CLS] token. [R, T, D] to [S, D]
func (p *pass) firstToken(x *Node) *Node {
	if p.Packed == nil {
		return Squeeze(Slice(x, AxisRange(), AxisElem(0)), 1)
	}
	return p.tokenAt(x, p.start())
}

// start is where each sequence begins in its row, with its shared prefix. [S]
func (p *pass) start() *Node {
	k := p.Packed
	if k.Prefixes == nil {
		return k.Start
	}
	return Where(LessThan(k.From, k.To), k.From, k.Start)
}

// tokenAt is one token's vector for each sequence. x [R, T, D] and at [S] to
// [S, D]
func (p *pass) tokenAt(x, at *Node) *Node {
	return Gather(x, Stack([]*Node{p.Packed.Row, at}, -1))
}

// rowsOf gives each sequence the row that it lies in. [R, …] to [S, …]
func (p *pass) rowsOf(x *Node) *Node {
	if p.Packed == nil {
		return x
	}
	return Gather(x, ExpandDims(p.Packed.Row, -1))
}

// ofSequence is true at each sequence's tokens, a shared prefix's included, in
// the row that it lies in. [S, T]
func (p *pass) ofSequence() *Node {
	if p.Packed == nil {
		return p.isToken()
	}
	own := p.between(p.Packed.Start, p.Packed.End)
	if p.Packed.Prefixes == nil {
		return own
	}
	return LogicalOr(own, p.between(p.Packed.From, p.Packed.To))
}

// between is true at the tokens from … to−1 of each sequence's row. [S] twice to [S, T]
func (p *pass) between(from, to *Node) *Node {
	shape := shapes.Make(dtypes.Int32, from.Shape().Dim(0), p.tokens())
	at := Iota(p.graph(), shape, 1)
	wide := func(x *Node) *Node { return BroadcastToShape(ExpandDims(x, -1), shape) }
	return LogicalAnd(GreaterOrEqual(at, wide(from)), LessThan(at, wide(to)))
}

// queryMinusKey is their distance − key within a sequence. [1, 1, T, T], or [R, 1, T, T]
// where rows are packed
func (p *pass) queryMinusKey() *Node {
	t := p.tokens()
	if p.Packed == nil {
		shape := shapes.Make(dtypes.Int32, 1, 1, t, t)
		return Sub(Iota(p.graph(), shape, 2), Iota(p.graph(), shape, 3))
	}
	query, key := queriesAndKeys(p.Packed.Positions)
	return Sub(query, key)
}

// queriesAndKeys lays a value of each token out along both axes of the
// scores. [R, T] to twice [R, 1, T, T]
func queriesAndKeys(x *Node) (query, key *Node) {
	r, t := x.Shape().Dim(0), x.Shape().Dim(1)
	shape := shapes.Make(x.DType(), r, 1, t, t)
	return BroadcastToShape(Reshape(x, r, 1, t, 1), shape), BroadcastToShape(Reshape(x, r, 1, 1, t), shape)
}

// sameSequence is true where a packed query may see a key for being of its
// sequence or of the prefix that it shares. [R, 1, T, T]
func (p *pass) sameSequence() *Node {
	query, key := queriesAndKeys(p.Packed.Segments)
	same := Equal(query, key)
	if p.Packed.Prefixes == nil {
		return same
	}
	prefix, _ := queriesAndKeys(p.Packed.Prefixes)
	return LogicalOr(same, LogicalAnd(Equal(prefix, key), NotEqual(key, ZerosLike(key))))
}

// positionRows are the rows of a table of learnt positions. [1, T, D], or
// [R, T, D] where rows are packed
func (p *pass) positionRows(name string) *Node {
	if p.Packed == nil {
		return ExpandLeftToRank(Slice(p.weight(name), AxisRangeFromStart(p.tokens())), 3)
	}
	return p.lookup(name, p.Packed.Positions)
}

// countWithin counts the tokens that are 1 up to each token, from the start of
// its sequence on. [R, T] int32
func (p *pass) countWithin(ones *Node) *Node {
	counts := CumSum(ones, 1)
	if p.Packed == nil {
		return counts
	}
	row, at := Iota(p.graph(), ones.Shape(), 0), Iota(p.graph(), ones.Shape(), 1)
	start := Sub(at, p.Packed.Positions)
	before := Gather(Sub(counts, ones), Stack([]*Node{row, start}, -1))
	return Sub(counts, before)
}
