package trainer

import "laurel/model"

// What a block keeps for its backward pass on CUDA in bfloat16, in bytes of a
// token, fitted to what XLA's compiler needs for an H200 (make gpu-check, whose
// figures are in testdata/cuda_memory.json): the sums before norms in float32 and
// what norms give, of the hidden size; what the linear layers give and take, of
// their outputs; what an adapter gives; and of every score that is written out.
const (
	cudaHidden  = 12.0
	cudaOutputs = 2.8
	cudaAdapter = 0.62
	cudaScore   = 2.0
)

// cudaMemory is PeakMemory in bfloat16 on CUDA, where buffers that are given up are
// written over:
//
//	weights     4 bytes a parameter
//	optimiser   12 bytes a trained value: gradient and two moments
//	activations blocks·N·T·(12·D + 2.8·outputs + 0.62·adapter's) bytes, 2·N·H·T² of
//	            each block that writes scores out, and the linear layers' weights
//	            in bfloat16; with gradient checkpointing the input of each block in
//	            float32 and one block in full
func cudaMemory(s model.Size, b BatchShape) Memory {
	n, t, blocks := float64(b.Rows), float64(b.Tokens), float64(s.Blocks)
	block := n * t * (cudaHidden*float64(s.Hidden) + cudaOutputs*float64(s.Outputs) + cudaAdapter*float64(s.AdapterOutputs))
	scores := cudaScore * n * float64(s.Heads) * t * t
	kept := blocks*block + float64(b.Written)*scores
	if b.Checkpointed {
		kept = block + min(1, float64(b.Written))*scores + blocks*n*t*4*float64(s.Hidden)
	}
	return Memory{Weights: 4 * float64(s.Parameters), Optimiser: 12 * float64(s.Trainable),
		Activations: kept + 2*float64(s.Linear), Process: processBytes}
}
