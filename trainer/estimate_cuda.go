package trainer

import "laurel/model"

// What a block keeps of a token for its backward pass on CUDA in bfloat16, in
// bytes. make gpu-check holds the sum to what XLA's compiler needs for an H200
// (testdata/cuda_memory.json).
const (
	cudaSum     = 4.0 // a feature of a sum before or after a norm, in float32
	cudaValue   = 2.0 // what a product reads or gives, in bfloat16
	cudaScore   = 4.0 // a score that is written out: what its product gives and what the values' product reads, in bfloat16
	cudaBanded  = 2.0 // a score in a band besides: its softmax is kept in float32
	cudaAdapted = 1.5 // what an adapter adds before an activation, in bfloat16, mostly kept beside what it is added to
	cudaFrozen  = 3.0 // a frozen weight: in bfloat16, and half of them again joined with an adapter's
)

// cudaMemory is PeakMemory in bfloat16 on CUDA, where buffers that are given up are
// written over:
//
//	weights     4 bytes a parameter, 2 of a base kept in bfloat16
//	optimiser   12 bytes a trained value: gradient and two moments
//	activations cudaBlock's of each block, cudaLast's of one whose outputs are computed for one token a sequence, and
//	            cudaScores'; with gradient checkpointing the input of each block in float32 and one block in full. Frozen weights of linear layers in
//	            bfloat16: those that are trained lie where their gradients will
func cudaMemory(s model.Size, b BatchShape) Memory {
	n, t, blocks := float64(b.Rows), float64(b.Tokens), float64(s.Blocks)
	scores, heads := cudaScores(b.Scores, b.Banded), float64(s.Heads)
	kept := n * t * (blocks*cudaBlock(s) + heads*scores)
	if s.LastForOne {
		kept -= n * t * (cudaBlock(s) - cudaLast(s))
	}
	if b.Checkpointed {
		scores = cudaScores(b.BlockScores, min(b.BlockScores, b.Banded))
		kept = n * t * (cudaBlock(s) + heads*scores + blocks*cudaSum*float64(s.Hidden))
	}
	return Memory{Weights: 4*float64(s.Parameters) - 2*float64(s.Half), Optimiser: 12 * float64(s.Trainable),
		Activations: kept + cudaFrozen*float64(s.Linear-s.TrainedLinear), Process: processBytes}
}

// cudaScores is what scores take that are written out, in bytes.
func cudaScores(all, banded int) float64 {
	return cudaScore*float64(all) + cudaBanded*float64(banded)
}

// cudaBlock is what a block keeps of a token beside scores, in bytes:
//
//	8·D         the sums after attention and after the MLP, from which norms are computed again
//	2·inputs    what products read
//	2·outputs   what they give, but for the two that go into the sums
//	2·normed    queries and keys that have norms, after them too
//	1.5·activated with an adapter: W·x mostly stays beside B·A·x where an activation reads their sum
func cudaBlock(s model.Size) float64 {
	sums := 2 * s.Hidden
	values := s.Inputs + s.Outputs - 2*s.Hidden + s.Normed
	return cudaSum*float64(sums) + cudaValue*float64(values) + cudaAdapted*float64(min(s.Activated, s.AdapterOutputs))
}

// cudaLast is what the last block keeps of a token where only its attention is
// computed for all: the sum that it reads, what its attention's products read, and
// queries, keys and values.
func cudaLast(s model.Size) float64 {
	return (cudaSum + 2*cudaValue + 3*cudaValue) * float64(s.Hidden)
}
