package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"

	. "github.com/gomlx/gomlx/core/graph"

	"laurel/data/batches"
)

// Scorer gives rewards for sequences of any length. A sequence is scored by a
// program that its own length alone decides, so that a reward does not depend on
// what is scored beside it: where attention is over spans, in a flat row with
// others, one after another; else padded to a length, in a batch of a fixed number
// of rows.
type Scorer struct {
	model *Model
	exec  *ml.Exec // with all threads
	laned *ml.Exec // in lanes, each with a part of the threads
	lanes int
	limit int // longest sequence taken, 0 for no limit
	padID int32
	ids   int // about how many a batch holds
	// shares has sequences with a common beginning scored in one row.
	shares bool
	// spans: attention is over spans, so that sequences lie in flat rows; but where a softmax
	// over tokens pools them, whose sum is rounded by where in its row a sequence lies.
	spans bool

	preparing sync.WaitGroup
}

// batchIDs is about how many ids a scoring batch holds, where SetBatch says nothing.
// A CPU, which has no attention by cuDNN, computes few rows as fast, each, as many,
// and a batch is computed whole however few of its rows are filled.
func batchIDs(backend compute.Backend) int {
	if hasFusedAttention(backend) {
		return 4096
	}
	return 1024
}

// scoreLengths are the lengths that sequences are padded to; beyond the last
// they double. Each length in use is compiled once.
var scoreLengths = [...]int{32, 64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096}

// NewScorer compiles nothing yet; each shape is compiled at its first use.
func NewScorer(backend compute.Backend, m *Model) (*Scorer, error) {
	s := &Scorer{model: m, limit: m.MaxPositions(), padID: int32(max(0, m.Config.PadTokenID)), ids: batchIDs(backend),
		spans: m.OverSpans(backend) && m.Config.pooling() != "attention"}
	s.shares = s.spans && m.Config.Packs(true) == nil && takesOne(m.Config.pooling())
	s.lanes = lanesOf(backend)
	var err error
	for name, exec := range map[string]**ml.Exec{"score": &s.exec, "score in lanes": &s.laned} {
		if *exec, err = ml.NewExec(backend, m.Store, s.graph); err != nil {
			return nil, fmt.Errorf("scorer: %w", err)
		}
		m.Spread(*exec)
		(*exec).WithName(name).SetMaxCache(-1)
	}
	return s, nil
}

// graph gives the rewards of a batch as LaidOut reads it.
func (s *Scorer) graph(scope *ml.Scope, batch *Node) *Node {
	members := rowMembers
	if IsFlat(batch) {
		members = s.flatMembers()
	}
	in, _ := LaidOut(batch, members, 0)
	in.NoGradient = true
	return s.model.Reward(scope, in)
}

// Score gives the raw reward (the logit) of each sequence of ids, in order.
// Sequences must hold at least one id. done, if not nil, hears how many
// sequences are scored.
func (s *Scorer) Score(ctx context.Context, sequences [][]int32, done func(n int)) ([]float32, error) {
	s.Wait()
	byShape, err := s.rows(sequences)
	if err != nil {
		return nil, err
	}
	rewards, scored := make([]float32, len(sequences)), 0
	read := func(b *scoring) error {
		err := b.read(rewards)
		for _, rows := range b.batches {
			for range members(rows) {
				scored++
			}
		}
		if done != nil && err == nil {
			done(scored)
		}
		return err
	}
	todo := s.batches(byShape)
	if len(todo) >= lanesWorth*s.lanes && s.lanes > 1 {
		return rewards, s.scoreInLanes(ctx, sequences, todo, read)
	}
	last := &scoring{} // read once the batches after it are handed out, so that no device waits for the host
	for _, b := range todo {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		next, err := s.begin(s.exec, sequences, b)
		if err := errors.Join(read(last), err); err != nil {
			return nil, err
		}
		last = next
	}
	return rewards, read(last)
}

// batch is what the devices compute at a time: rows of one shape, a part of them on each
// device, and how many rows a device computes.
type batch struct {
	parts [][]scoreRow
	rows  int
	shape rowShape
}

// batches deals rows to batches, those of one shape one after another.
func (s *Scorer) batches(byShape map[rowShape][]scoreRow) (all []batch) {
	for _, shape := range slices.SortedFunc(maps.Keys(byShape), rowShape.compare) {
		n := s.batchRows(shape)
		for parts := range slices.Chunk(slices.Collect(slices.Chunk(byShape[shape], n)), s.model.NumDevices()) {
			all = append(all, batch{parts, n, shape})
		}
	}
	return all
}

// scoreRow is one row of a scoring batch: a bundle; or several, one after another, in a
// flat row.
type scoreRow []bundle

// members are the sequences of rows, in order.
func members(rows []scoreRow) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, row := range rows {
			for _, b := range row {
				for _, i := range b.members {
					if !yield(i) {
						return
					}
				}
			}
		}
	}
}

// rowShape is what the program of a row follows from.
type rowShape struct {
	t    int
	kind rowKind
}

// rowKind is how sequences lie in a row.
type rowKind int

const (
	padded rowKind = iota // one, and padding
	shared                // several, which begin alike
	flat                  // several, one after another
)

func (a rowShape) compare(b rowShape) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.t, b.t))
}

// rows deals the sequences to rows, by shape.
func (s *Scorer) rows(sequences [][]int32) (map[rowShape][]scoreRow, error) {
	byShape := map[rowShape][]scoreRow{}
	var inFlat []bundle
	for i, ids := range sequences {
		if err := s.check(len(ids)); err != nil {
			return nil, fmt.Errorf("sequence %d: %w", i, err)
		}
	}
	for _, b := range s.bundles(sequences) {
		shape := s.shape(b.length(sequences), len(b.members) > 1)
		if shape.kind == flat {
			inFlat = append(inFlat, b)
			continue
		}
		byShape[shape] = append(byShape[shape], scoreRow{b})
	}
	if len(inFlat) > 0 {
		byShape[s.flatShape()] = s.flatRows(sequences, inFlat)
	}
	return byShape, nil
}

// shape is that of the row of a sequence of n ids, or of several that share its
// beginning.
func (s *Scorer) shape(n int, several bool) rowShape {
	switch {
	case s.spans && n <= s.ids:
		return s.flatShape()
	case several: // positions begin again with each
		return rowShape{paddedLength(n), shared}
	}
	return rowShape{s.capped(paddedLength(n)), padded}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// check refuses a sequence of n ids that the model does not take.
func (s *Scorer) check(n int) error {
	if n == 0 {
		return fmt.Errorf("no tokens to score")
	}
	if s.limit > 0 && n > s.limit {
		return fmt.Errorf("%d tokens are more than the model's %d positions: lower max_length", n, s.limit)
	}
	return nil
}

func paddedLength(n int) int {
	for _, t := range scoreLengths {
		if n <= t {
			return t
		}
	}
	t := scoreLengths[len(scoreLengths)-1]
	for t < n {
		t *= 2
	}
	return t
}

func (s *Scorer) capped(t int) int {
	if s.limit > 0 {
		return min(t, s.limit)
	}
	return t
}

// ScoreBatch scores sequences as one batch, all padded to what the longest
// needs, as transformers and most servers do. It is for comparing: Score gives
// the same rewards whatever comes along.
func (s *Scorer) ScoreBatch(sequences [][]int32) ([]float32, error) {
	longest, rows := 0, make([]scoreRow, len(sequences))
	for i, ids := range sequences {
		if err := s.check(len(ids)); err != nil {
			return nil, fmt.Errorf("sequence %d: %w", i, err)
		}
		longest, rows[i] = max(longest, s.capped(paddedLength(len(ids)))), scoreRow{{members: []int{i}}}
	}
	rewards := make([]float32, len(sequences))
	if len(rows) == 0 {
		return rewards, nil
	}
	scored, err := s.begin(s.exec, sequences, batch{[][]scoreRow{rows}, len(rows), rowShape{longest, padded}})
	if err != nil {
		return nil, err
	}
	return rewards, scored.read(rewards)
}

// SetBatch makes batches hold about so many ids. Call it before the first Score.
func (s *Scorer) SetBatch(ids int) { s.ids = ids }

// SetCompute sets the type of matrix products (Model.Compute). Call it before the
// first Score.
func (s *Scorer) SetCompute(dtype dtypes.DType) { s.model.Compute = dtype }

// batchRows is how many rows of a shape a device computes at a time.
func (s *Scorer) batchRows(shape rowShape) int {
	if shape.kind == flat {
		return 1
	}
	return max(1, s.ids/shape.t)
}

// Place is where a sequence is scored: in rows of so many ids, and what it takes of
// the room that Score computes at a time, on all devices together, in ids.
type Place struct{ Length, Takes, Room int }

// Place is that of a sequence of so many ids.
func (s *Scorer) Place(ids int) (Place, error) {
	if err := s.check(ids); err != nil {
		return Place{}, err
	}
	shape := s.shape(ids, false)
	p := Place{shape.t, shape.t, shape.t * s.batchRows(shape) * s.model.NumDevices()}
	if shape.kind == flat {
		p.Takes = max(ids, (shape.t+s.flatMembers()-1)/s.flatMembers())
	}
	return p, nil
}

// Compile compiles what Score runs for sequences of so many ids, and runs
// nothing. rows is how many a device scores at a time.
func (s *Scorer) Compile(ids int) (rows int, err error) {
	if err := s.check(ids); err != nil {
		return 0, err
	}
	return s.compile(s.exec, s.shape(ids, false))
}

func (s *Scorer) compile(exec *ml.Exec, shape rowShape) (rows int, err error) {
	rows = s.batchRows(shape)
	batch := []shapes.Shape{s.layOut(nil, nil, rows, shape).Shape()}
	_, err = exec.Compile(slices.Repeat(batch, s.model.NumDevices())...)
	return rows, err
}

// Prepare compiles, while the caller goes on, what Score will run for sequences of from least
// to most ids in all, where that can be told: Score waits for it, and tells what fails. Set
// what is to be set before it.
func (s *Scorer) Prepare(least, most int) {
	exec, worth := s.exec, lanesWorth*s.lanes*s.ids
	switch {
	case !s.spans || s.lanes > 1 && least < worth && most >= worth:
		return
	case s.lanes > 1 && least >= worth:
		exec = s.laned
	}
	s.preparing.Go(func() { s.compile(exec, s.flatShape()) })
}

// Wait waits until nothing is compiled any more.
func (s *Scorer) Wait() { s.preparing.Wait() }

// scoring are batches that the devices have been handed: a batch each.
type scoring struct {
	batches [][]scoreRow
	rewards []*tensors.Tensor
	norm    Norm
}

// begin hands each device its part of a batch; rows that fill it up hold one pad token
// and are thrown away.
func (s *Scorer) begin(exec *ml.Exec, sequences [][]int32, b batch) (*scoring, error) {
	var inputs []any
	for d := range s.model.NumDevices() {
		var rows []scoreRow // of a device that is left over
		if d < len(b.parts) {
			rows = b.parts[d]
		}
		inputs = append(inputs, s.layOut(sequences, rows, b.rows, b.shape))
	}
	out, err := exec.Exec(inputs...)
	if err != nil {
		return nil, fmt.Errorf("score %d rows of %d tokens: %w", b.rows, b.shape.t, err)
	}
	return &scoring{batches: b.parts, rewards: out, norm: s.model.Config.Norm}, nil
}

// read waits for the rewards and puts each in its sequence's place.
func (b *scoring) read(rewards []float32) (err error) {
	for d, rows := range b.batches {
		values, err := tensors.CopyFlatData[float32](b.rewards[d])
		if err != nil {
			return fmt.Errorf("score: %w", err)
		}
		for i := range members(rows) {
			rewards[i], values = b.norm.apply(values[0]), values[1:]
		}
	}
	for _, r := range b.rewards {
		err = errors.Join(err, r.FinalizeAll())
	}
	return err
}

// layOut lays n rows of a shape out as LaidOut reads them.
func (s *Scorer) layOut(sequences [][]int32, rows []scoreRow, n int, shape rowShape) *tensors.Tensor {
	switch shape.kind {
	case shared:
		return s.pack(sequences, rows, n, shape.t)
	case flat:
		return s.placeFlat(sequences, rows)
	}
	return s.pad(sequences, rows, n, shape.t)
}

// pad lays rows of one sequence out as LaidOut reads them. Sequences that fill up
// a batch are one pad token.
func (s *Scorer) pad(sequences [][]int32, rows []scoreRow, n, t int) *tensors.Tensor {
	l := batches.NewLayout(n, t, n, false, s.padID)
	for j := range n {
		ids := []int32{s.padID}
		if j < len(rows) {
			ids = sequences[rows[j][0].members[0]]
		}
		l.Place(j, j, 0, ids, 0)
	}
	return LayOut(&l, nil)
}
