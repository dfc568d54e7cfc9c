package trainer

import "laurel/model"

// What a block keeps of a token for its backward pass on CUDA in bfloat16, in
// bytes. make gpu-check holds the sum to what XLA's compiler needs for an H200
// (testdata/cuda_memory.json).
const (
	cudaSum    = 4.0 // a feature of a sum before or after a norm, in float32
	cudaValue  = 2.0 // what a product reads or gives, in bfloat16
	cudaScore  = 6.0 // a score that is written out: softmax in float32, and for the values' product in bfloat16
	cudaFrozen = 3.0 // a frozen weight: in bfloat16, and half of them again joined with an adapter's
)

// cudaMemory is PeakMemory in bfloat16 on CUDA, where buffers that are given up are
// written over:
//
//	weights     4 bytes a parameter
//	optimiser   12 bytes a trained value: gradient and two moments
//	activations cudaBlock's of each block, and of every score that is written out
//	            6 bytes; with gradient checkpointing the input of each block in
//	            float32 and one block in full. Frozen weights of linear layers in
//	            bfloat16: those that are trained lie where their gradients will
func cudaMemory(s model.Size, b BatchShape) Memory {
	n, t, blocks := float64(b.Rows), float64(b.Tokens), float64(s.Blocks)
	score := cudaScore * n * t * float64(s.Heads)
	kept := blocks*n*t*cudaBlock(s) + score*float64(b.Scores)
	if b.Checkpointed {
		kept = n*t*cudaBlock(s) + score*float64(b.BlockScores) + blocks*n*t*cudaSum*float64(s.Hidden)
	}
	return Memory{Weights: 4 * float64(s.Parameters), Optimiser: 12 * float64(s.Trainable),
		Activations: kept + cudaFrozen*float64(s.Linear-s.TrainedLinear), Process: processBytes}
}

// cudaBlock is what a block keeps of a token beside scores, in bytes:
//
//	8·D         the sums after attention and after the MLP, from which norms are computed again
//	2·inputs    what products read
//	2·outputs   what they give, but for the two that go into the sums
//	2·normed    queries and keys that have norms, after them too
//	2·activated with an adapter: W·x and B·A·x both stay, where an activation reads their sum
func cudaBlock(s model.Size) float64 {
	sums := 2 * s.Hidden
	values := s.Inputs + s.Outputs - 2*s.Hidden + s.Normed + min(s.Activated, s.AdapterOutputs)
	return cudaSum*float64(sums) + cudaValue*float64(values)
}
