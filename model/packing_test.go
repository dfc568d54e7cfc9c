package model

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"

	. "github.com/gomlx/gomlx/core/graph"
)

// packed lays sequences out as rows, each after a prefix that those of a row
// may share.
type packed struct {
	ids, segments, positions, prefixes []int32 // [R, T]
	row, start, end, from, to          []int32 // [S]
	rows, width                        int
}

// pack lays out each row's prefix, which may be empty, and then its sequences.
func pack(prefixes [][]int32, rows [][][]int32) packed {
	p := packed{rows: len(rows)}
	for i, row := range rows {
		n := len(prefixes[i])
		for _, s := range row {
			n += len(s)
		}
		p.width = max(p.width, n+2) // padding at every row's end
	}
	size := p.rows * p.width
	p.ids, p.segments, p.positions, p.prefixes = make([]int32, size), make([]int32, size), make([]int32, size), make([]int32, size)
	for i, row := range rows {
		at := p.fill(i*p.width, 1, 0, 0, prefixes[i])
		for j, s := range row {
			p.row = append(p.row, int32(i))
			p.start = append(p.start, int32(at-i*p.width))
			shared := int32(0)
			if len(prefixes[i]) > 0 {
				shared = 1
			}
			at = p.fill(at, int32(j+2), shared, len(prefixes[i]), s)
			p.end = append(p.end, int32(at-i*p.width))
			p.from, p.to = append(p.from, 0), append(p.to, int32(len(prefixes[i])))
		}
	}
	return p
}

func (p *packed) fill(at int, segment, prefix int32, first int, ids []int32) int {
	for i, id := range ids {
		p.ids[at], p.segments[at], p.prefixes[at], p.positions[at] = id, segment, prefix, int32(first+i)
		at++
	}
	return at
}

// args are those of inputsOf.
func (p packed) args() []any {
	wide := func(x []int32) *tensors.Tensor { return tensors.FromFlatDataAndDimensions(x, p.rows, p.width) }
	return []any{wide(p.ids), wide(p.segments), wide(p.positions), wide(p.prefixes), p.row, p.start, p.end, p.from, p.to}
}

// inputsOf are rows as pack lays them out.
func inputsOf(in []*Node, shared bool) Inputs {
	packing := &Packing{Segments: in[1], Positions: in[2], Row: in[4], Start: in[5], End: in[6]}
	if shared {
		packing.Prefixes, packing.From, packing.To = in[3], in[7], in[8]
	}
	return Inputs{IDs: in[0], Packed: packing}
}

func (p packed) rewards(backend compute.Backend, m *Model, shared bool) ([]float32, error) {
	exec, err := ml.NewExec(backend, m.Store, func(scope *ml.Scope, in []*Node) *Node {
		return m.Reward(scope, inputsOf(in, shared))
	})
	if err != nil {
		return nil, err
	}
	out, err := exec.Call1(p.args()...)
	if err != nil {
		return nil, err
	}
	return tensors.MustCopyFlatData[float32](out), nil
}

func inTwos(rows [][]int32) [][][]int32 { return slices.Collect(slices.Chunk(rows, 2)) }

func float64s(xs []float32) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = float64(x)
	}
	return out
}

// TestPackedGoldens: golden texts, two to a row, get the rewards that
// transformers gives each alone.
func TestPackedGoldens(t *testing.T) {
	backend := pureGo(t)
	for _, dir := range goldenFolders(t) {
		name, in, want := readGolden(t, dir)
		m, err := Load(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		if m.Config.Packs(false) != nil { // a drawn folder with a convolution
			continue
		}
		p := pack(make([][]int32, (len(in.Unpadded)+1)/2), inTwos(in.Unpadded))
		got, err := p.rewards(backend, m, false)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.2g", name, largest(t, name+" packed", got, want.Logits, want.Tolerance))
	}
}

// TestPackedRows: every family and pooling gives packed sequences the rewards
// of sequences alone in their rows.
func TestPackedRows(t *testing.T) {
	backend := pureGo(t)
	for _, name := range drawnNames() {
		m := drawnModel(t, name)
		rows := drawnRows(rand.New(rand.NewPCG(2, 2)), 9, 30)
		got, err := pack(make([][]int32, 5), inTwos(rows)).rewards(backend, m, false)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		largest(t, name, got, float64s(rewards(t, backend, m, rows)), 2e-5)
	}
}

// TestSharedPrefix: a decoder that sees a prompt once, and two responses after
// it, gives them the rewards of prompt and response in one row.
func TestSharedPrefix(t *testing.T) {
	backend := pureGo(t)
	for _, name := range drawnNames() {
		m := drawnModel(t, name)
		random := rand.New(rand.NewPCG(3, 3))
		prompts, responses := drawnRows(random, 4, 20), drawnRows(random, 8, 25)
		var whole [][]int32
		for i, response := range responses {
			whole = append(whole, slices.Concat(prompts[i/2], response))
		}
		got, err := pack(prompts, inTwos(responses)).rewards(backend, m, true)
		if !m.Causal() {
			if err == nil || !strings.Contains(err.Error(), "an encoder's prompt has seen the response") {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		largest(t, name, got, float64s(rewards(t, backend, m, whole)), 2e-5)
	}
}

func TestConvolutionIsNotPacked(t *testing.T) {
	c, err := parseConfig([]byte(`{"model_type": "deberta-v2", "conv_kernel_size": 3}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Packs(false); err == nil || !strings.Contains(err.Error(), "conv_kernel_size") {
		t.Errorf("error %v", err)
	}
}
