package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"

	. "github.com/gomlx/gomlx/core/graph"

	"laurel/data/batches"
)

// flatRow lays sequences one after another in a row of so many ids, with room for
// others that are not there.
func flatRow(sequences [][]int32, length, room int) batches.Layout {
	l, column := batches.NewFlatLayout(length, room, false, 7), 0
	for i, s := range sequences {
		l.Place(i, 0, column, s, 0)
		column += len(s)
	}
	return l
}

// TestFlatRow: every family and pooling gives the sequences of one flat row, as
// LayOut lays it out and LaidOut reads it, the rewards of sequences alone in their
// rows; what stands beside comes back; sequences that are not there have finite
// rewards and give finite gradients.
func TestFlatRow(t *testing.T) {
	backend := pureGo(t)
	for _, name := range drawnNames() {
		m := drawnModel(t, name)
		rows := drawnRows(rand.New(rand.NewPCG(4, 4)), 5, 20)
		ids := 0
		for _, row := range rows {
			ids += len(row)
		}
		const room, beside = 8, 3
		l := flatRow(rows, ids+6, room)
		columns := []int32{40, 50, 60}
		trained := m.Trainable()
		exec, err := ml.NewExec(backend, m.Store, func(scope *ml.Scope, x *Node) []*Node {
			if !IsFlat(x) {
				t.Errorf("%s: not a flat row: %s", name, x.Shape())
			}
			in, back := LaidOut(x, room, beside)
			r := m.Reward(scope, in)
			here := Const(x.Graph(), []float32{1, 1, 1, 1, 1, 0, 0, 0})
			weights := make([]*Node, len(trained))
			for i, name := range trained {
				weights[i] = scope.GetVariable(name).NodeValue(x.Graph())
			}
			finite := ScalarOne(x.Graph(), r.DType())
			for _, grad := range Gradient(ReduceAllSum(Mul(here, Square(r))), weights...) {
				finite = Mul(finite, as(LogicalAll(IsFinite(grad)), r.DType()))
			}
			return []*Node{r, back, finite}
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Exec(LayOut(&l, columns))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := tensors.MustCopyFlatData[float32](out[0])
		largest(t, name, got[:len(rows)], float64s(rewards(t, backend, m, rows)), 2e-5)
		for _, r := range got[len(rows):] {
			if math.IsNaN(float64(r)) || math.IsInf(float64(r), 0) {
				t.Errorf("%s: a sequence that is not there has the reward %v", name, r)
			}
		}
		if back := tensors.MustCopyFlatData[int32](out[1]); !slices.Equal(back, columns) {
			t.Errorf("%s: beside the row %v, want %v", name, back, columns)
		}
		if tensors.ToScalar[float32](out[2]) != 1 {
			t.Errorf("%s: gradients are not finite", name)
		}
	}
}
