package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"

	. "github.com/gomlx/gomlx/core/graph"
)

// sharing are prompts with two responses each: chosen first, then rejected.
type sharing struct{ prompts, chosen, rejected [][]int32 }

// apart are the sequences in rows of their own, the chosen ones first.
func (s sharing) apart() [][]int32 {
	var rows [][]int32
	for _, responses := range [][][]int32{s.chosen, s.rejected} {
		for i, response := range responses {
			rows = append(rows, slices.Concat(s.prompts[i], response))
		}
	}
	return rows
}

// together are prompt, chosen, rejected in one row, and the sequences' order that
// of apart.
func (s sharing) together() packed {
	var rows [][][]int32
	for i := range s.prompts {
		rows = append(rows, [][]int32{s.chosen[i], s.rejected[i]})
	}
	p := pack(s.prompts, rows)
	for _, x := range []*[]int32{&p.row, &p.start, &p.end, &p.from, &p.to} {
		var first, second []int32
		for i := 0; i < len(*x); i += 2 {
			first, second = append(first, (*x)[i]), append(second, (*x)[i+1])
		}
		*x = slices.Concat(first, second)
	}
	return p
}

// same compares rewards and gradients of rows of a pair with those of rows of one
// sequence.
func (s sharing) same(t *testing.T, name string, backend compute.Backend, m *Model) []float32 {
	t.Helper()
	wantLoss, wantRewards, want := gradients(backend, m, s.apart())
	loss, got, grads := gradientsOf(backend, m, func(in []*Node) Inputs { return inputsOf(in, true) }, s.together().args()...)
	if math.Abs(loss-wantLoss) > 1e-6*wantLoss {
		t.Errorf("%s: loss %v, in rows of their own %v", name, loss, wantLoss)
	}
	logits := largest(t, name+": shared rows", got, float64s(wantRewards), 2e-5)
	t.Logf("%s on %s: logits differ by %.2g, loss by %.2g, gradients by %.2g of their length", name, backend.Name(), logits,
		math.Abs(loss-wantLoss), sameGradients(t, m, grads, want, 1e-4))
	return got
}

// TestSharedPrefixGoldens: golden texts cut in two, and another text's end beside
// the second part, get what each gets in a row of its own, and what transformers
// gives it.
func TestSharedPrefixGoldens(t *testing.T) {
	for _, dir := range goldenFolders(t) {
		name, in, want := readGolden(t, dir)
		for backendName, backend := range goldenBackends(t, name) {
			m, err := Load(dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !m.Causal() {
				continue
			}
			var s sharing
			var texts []int
			for i, ids := range in.Unpadded {
				other := in.Unpadded[(i+1)%len(in.Unpadded)]
				if len(ids) < 2 || len(texts) == 12 {
					continue
				}
				texts = append(texts, i)
				s.prompts, s.chosen, s.rejected = append(s.prompts, ids[:len(ids)/2]), append(s.chosen, ids[len(ids)/2:]), append(s.rejected, other[len(other)/2:])
			}
			var got []float32
			if backendName == "go" {
				got = s.same(t, name, backend, m)
			} else if got, err = s.together().rewards(backend, m, true); err != nil { // compiling gradients takes XLA seconds
				t.Fatal(err)
			}
			for j, i := range texts {
				if d := math.Abs(float64(got[j]) - want.Logits[i]); !(d <= want.Tolerance) {
					t.Errorf("%s, text %d: transformers' logit differs by %.2g", name, i, d)
				}
			}
		}
	}
}

// TestSharedPrefixDrawn: drawn decoders of every family, of windows shorter than
// the prompts, and of poolings that read the first token or every token; some
// prompts are empty.
func TestSharedPrefixDrawn(t *testing.T) {
	backend := pureGo(t)
	for _, name := range drawnNames() {
		m := drawnModel(t, name)
		if !m.Causal() {
			continue
		}
		random := rand.New(rand.NewPCG(5, 6))
		s := sharing{drawnRows(random, 4, 40), drawnRows(random, 4, 20), drawnRows(random, 4, 20)}
		s.prompts[2] = nil
		s.same(t, name, backend, m)
	}
}

// TestSharedPrefixOfPadding: the reward is read at the last token that is not
// padding's, also where that is the prompt's.
func TestSharedPrefixOfPadding(t *testing.T) {
	m := drawnModel(t, "llama")
	pad := int32(m.Config.PadTokenID)
	s := sharing{[][]int32{{5, 6, 7}, {8, pad, 9}, {pad}}, [][]int32{{pad}, {10, pad}, {pad}}, [][]int32{{11}, {pad, pad}, {12, 13}}}
	s.same(t, "padding in texts", pureGo(t), m)
}
