package model

import (
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// dot begins a product in the type of its operands, backward as forward. GoMLX's
// Dot asks for a float32 accumulator where they are bfloat16, and its gradient
// then converts them to float32, which a GPU computes more than ten times as
// slowly (docs/gpu.md); XLA accumulates products of bfloat16 in float32 without
// being asked.
func dot(a, b *Node) *DotBuilder { return Dot(a, b).WithAccumulatorDType(dtypes.InvalidDType) }

// einsum is the sum of products that an equation like "nqhk,nmhk->nhqm" names
// (numpy.einsum), each letter once an operand, by dot: GoMLX's Einsum would
// forget the type.
func einsum(equation string, a, b *Node) *Node {
	operands, out, _ := strings.Cut(equation, "->")
	of, with, _ := strings.Cut(operands, ",")
	var contracted, batch [][2]int
	var order, crossed string // axes of the product: batch, of a alone, of b alone
	for i, letter := range of {
		j := strings.IndexRune(with, letter)
		switch {
		case j < 0:
			crossed += string(letter)
		case strings.ContainsRune(out, letter):
			batch = append(batch, [2]int{i, j})
			order += string(letter)
		default:
			contracted = append(contracted, [2]int{i, j})
		}
	}
	order += crossed
	for _, letter := range with {
		if !strings.ContainsRune(of, letter) {
			order += string(letter)
		}
	}
	product := dot(a, b).EinsumAxes(contracted, batch)
	if order == out {
		return product
	}
	axes := make([]int, len(out))
	for i, letter := range out {
		axes[i] = strings.IndexRune(order, letter)
	}
	return TransposeAllAxes(product, axes...)
}
