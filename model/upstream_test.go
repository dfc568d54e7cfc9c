//go:build amd64 && goexperiment.simd

package model

import (
	"simd/archsimd"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// TestUpstreamDropsHalfOfHalfPrecisionSums fails once compute's AVX2 kernels add
// up whole rows: CheckPrecision and its row in docs/upstream.md are due to go then.
func TestUpstreamDropsHalfOfHalfPrecisionSums(t *testing.T) {
	if !archsimd.X86.AVX2() || archsimd.X86.AVX512() {
		t.Skip("the fault is in the kernels of CPUs with AVX2 and without AVX-512")
	}
	backend, _, err := OpenBackend("go")
	if err != nil {
		t.Fatal(err)
	}
	ones := make([]float32, 16)
	for i := range ones {
		ones[i] = 1
	}
	row := tensors.FromFlatDataAndDimensions(ones, 1, 16)
	for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16, dtypes.Float16} {
		sum, err := CallOnce(backend, func(x *Node) *Node {
			x = as(x, dtype)
			return as(DotGeneral(x, []int{1}, nil, x, []int{1}, nil), dtypes.Float32)
		}, row)
		if err != nil {
			t.Fatal(err)
		}
		got := tensors.MustCopyFlatData[float32](sum)[0]
		if dtype == dtypes.Float32 && got != 16 {
			t.Errorf("sixteen ones add up to %v in float32", got)
		}
		if dtype != dtypes.Float32 && got != 8 {
			t.Errorf("sixteen ones add up to %v in %s, no longer to 8: is the fault mended?", got, dtype)
		}
	}
}
