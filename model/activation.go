package model

import (
	"math"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
)

// activations are the names of transformers' ACT2FN that are computed here.
var activations = []string{"gelu", "gelu_python", "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast",
	"gelu_accurate", "gelu_10", "quick_gelu", "relu", "relu2", "relu6", "leaky_relu", "silu", "swish", "hardswish", "sigmoid",
	"tanh", "linear", "mish", "laplace", "sqrtsoftplus"}

// activation reads the name of an activation function.
func (r *configReader) activation(key, otherwise string) string {
	name := r.text(key, otherwise)
	if r.null(key) {
		r.refuse(key, "is null, want the name of an activation (transformers refuses it too)")
	}
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
	case "gelu_10":
		return MinScalar(MaxScalar(activation.Gelu(x), -10), 10)
	case "quick_gelu":
		return Mul(x, Sigmoid(MulScalar(x, 1.702)))
	case "relu":
		return MaxScalar(x, 0)
	case "relu2":
		return Square(MaxScalar(x, 0))
	case "relu6":
		return MinScalar(MaxScalar(x, 0), 6)
	case "leaky_relu":
		return Add(MaxScalar(x, 0), MulScalar(MinScalar(x, 0), 0.01))
	case "silu", "swish":
		return Mul(x, Sigmoid(x))
	case "hardswish":
		return Mul(x, MulScalar(MinScalar(MaxScalar(AddScalar(x, 3), 0), 6), 1.0/6))
	case "sigmoid":
		return Sigmoid(x)
	case "tanh":
		return Tanh(x)
	case "linear":
		return x
	case "mish":
		return Mul(x, Tanh(Softplus(x)))
	case "laplace": // the constants are transformers'
		return MulScalar(AddScalar(Erf(MulScalar(AddScalar(x, -0.707107), 1/(0.282095*math.Sqrt2))), 1), 0.5)
	case "sqrtsoftplus":
		return Sqrt(Softplus(x))
	}
	return activation.Gelu(x)
}

// isGELU tells whether an activation is GELU by erf.
func isGELU(name string) bool { return name == "gelu" || name == "gelu_python" }
