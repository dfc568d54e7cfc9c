package model

import (
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
)

// activations are the names of transformers' ACT2FN that are computed here.
var activations = []string{"gelu", "gelu_python", "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast",
	"gelu_accurate", "quick_gelu", "relu", "relu2", "relu6", "silu", "swish", "sigmoid", "tanh", "linear", "mish"}

// activation reads the name of an activation function.
func (r *configReader) activation(key, otherwise string) string {
	name := r.text(key, otherwise)
	if !slices.Contains(activations, name) {
		r.refuse(key, `is "`+name+`"; supported: `+strings.Join(activations, ", "))
	}
	return name
}

// activate applies an activation by its Hugging Face name.
func activate(name string, x *Node) *Node {
	switch name {
	case "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate":
		return activation.GeluApproximate(x)
	case "quick_gelu":
		return Mul(x, Sigmoid(MulScalar(x, 1.702)))
	case "relu":
		return MaxScalar(x, 0)
	case "relu2":
		return Square(MaxScalar(x, 0))
	case "relu6":
		return MinScalar(MaxScalar(x, 0), 6)
	case "silu", "swish":
		return Mul(x, Sigmoid(x))
	case "sigmoid":
		return Sigmoid(x)
	case "tanh":
		return Tanh(x)
	case "linear":
		return x
	case "mish":
		return Mul(x, Tanh(Add(MaxScalar(x, 0), Log1P(Exp(Neg(Abs(x)))))))
	}
	return activation.Gelu(x)
}
