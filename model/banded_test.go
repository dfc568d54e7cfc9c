package model

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Attention in bands is attention within the window: the same values at tokens,
// and the same gradients, on rows that are no multiple of the window and padded.
func TestBandsAreTheWindow(t *testing.T) {
	const n, tokens, heads, k = 3, 37, 2, 4
	backend, ok := backends(t)["cpu"]
	if !ok {
		t.Skip("SKIPPED: bands are for products in bfloat16, which XLA computes")
	}
	random := rand.New(rand.NewPCG(1, 2))
	inputs := make([]*tensors.Tensor, 4) // query, key, value and weights of the result
	for i := range inputs {
		values := make([]float32, n*tokens*heads*k)
		for j := range values {
			values[j] = float32(random.NormFloat64())
		}
		inputs[i] = tensors.FromFlatDataAndDimensions(values, n, tokens, heads, k)
	}
	for _, c := range []attentionInputs{
		{sees: maskKind{window: 8}}, {sees: maskKind{window: 5}, softcap: 2},
		{sees: maskKind{causal: true, window: 8}}, {sees: maskKind{causal: true, window: 12}, softcap: 2},
	} {
		t.Run(fmt.Sprint(c.sees, c.softcap), func(t *testing.T) {
			results := MustNewExec(backend, func(query, key, value, weight *Node) []*Node {
				g := query.Graph()
				p := &pass{masks: map[maskKind]*Node{}, Inputs: Inputs{IDs: Zeros(g, shapes.Make(dtypes.Int32, n, tokens)), Lengths: Const(g, []int32{37, 20, 1})}}
				in := c
				in.query, in.key, in.value, in.scale = query, key, value, 0.7
				if in.sees.reach() >= tokens {
					panic("this window needs no bands")
				}
				weight = Where(BroadcastToShape(Reshape(p.isToken(), n, tokens, 1, 1), weight.Shape()), weight, ZerosLike(weight))
				var out []*Node
				for _, a := range []*Node{p.bandedAttention(in), p.attention(in)} {
					a = Mul(Reshape(a, n, tokens, heads, k), weight)
					out = append(out, append([]*Node{a}, Gradient(ReduceAllSum(a), query, key, value)...)...)
				}
				return out
			}).MustCall(inputs[0], inputs[1], inputs[2], inputs[3])
			for i, name := range []string{"values", "gradient of queries", "of keys", "of values"} {
				got, want := tensors.MustCopyFlatData[float32](results[i]), tensors.MustCopyFlatData[float32](results[4+i])
				if worst := far(got, want); !(worst < 1e-5) {
					t.Errorf("%s differ by %.2g", name, worst)
				}
			}
		})
	}
}

// In bfloat16 windows are computed in bands; float32 stays bit by bit.
func TestBandsAreForHalfPrecision(t *testing.T) {
	if _, err := CallOnce(pureGo(t), func(x *Node) *Node {
		p := &pass{Inputs: Inputs{IDs: Zeros(x.Graph(), shapes.Make(dtypes.Int32, 1, 64))}}
		in := attentionInputs{query: as(x, dtypes.BFloat16), sees: maskKind{window: 16}}
		if !p.banded(in) {
			t.Error("64 tokens with a window of 16 are not banded in bfloat16")
		}
		in.sees.window = 32
		if p.banded(in) {
			t.Error("64 tokens with a window of 32 are banded, which leaves no score out")
		}
		in.query, in.sees.window = x, 16
		if p.banded(in) {
			t.Error("float32 is banded")
		}
		return x
	}, tensors.FromValue([]float32{1})); err != nil {
		t.Fatal(err)
	}
}
