package trainer

import (
	"cmp"

	"laurel/model"
)

// BatchShape is what the cost of a batch follows from.
type BatchShape struct {
	Rows, Tokens int // rows and their padded length
	ValueBytes   int // of an activation: 4, or 2 where bfloat16 is stored as such: on CUDA
	// Scores are those that are written out for a query and head, of all blocks, of
	// the block with most of them, and those of all that lie in bands; where
	// ValueBytes is 2.
	Scores, BlockScores, Banded int
	Checkpointed                bool
	Packed                      bool // a row holds both sequences of a pair
	Flat                        bool // one row holds all sequences
	// Keys are those that a query sees, on average or at most, where attention keeps
	// no scores; 0: it has those of the whole row.
	Keys int
}

func (b BatchShape) keys() int { return cmp.Or(b.Keys, b.Tokens) }

// rowsPerPair is 1 where a row holds both sequences of a pair, else 2.
func (b BatchShape) rowsPerPair() int {
	if b.Packed {
		return 1
	}
	return 2
}

// FLOPs are the floating-point operations of one batch, forward and backward,
// two for each multiplication and addition of a matrix product (Kaplan et al.
// 2020, arXiv:2001.08361, section 2.1, with the attention):
//
//	forward   = N·T·(2·linear + 4·blocks·T·H·K)
//	backward  = forward + N·T·(2·trained + 4·blocks·T·H·K)
//	recompute = forward, with gradient checkpointing
//
// The T of a query's keys is less where attention stays within sequences. Norms,
// activations and softmax, DeBERTa's relative positions and the update are left out;
// the last block is counted in full, of which a step computes the part after
// attention for one token a sequence (model.Reward).
func FLOPs(s model.Size, b BatchShape) float64 {
	attention := attentionFLOPs(s, b.Rows*b.Tokens, b.keys())
	forward := linearFLOPs(s.Linear, b.Rows*b.Tokens) + attention
	total := 2*forward + linearFLOPs(s.TrainedLinear, b.Rows*b.Tokens) + attention
	if b.Checkpointed {
		total += forward
	}
	return total
}

// ForwardFLOPs are those of FLOPs' forward pass, of N rows of T tokens.
func ForwardFLOPs(s model.Size, n, t int) float64 {
	return linearFLOPs(s.Linear, n*t) + attentionFLOPs(s, n*t, t)
}

func linearFLOPs(parameters, tokens int) float64 { return float64(tokens) * 2 * float64(parameters) }

func attentionFLOPs(s model.Size, tokens, keys int) float64 {
	return float64(tokens) * 4 * float64(s.Blocks) * float64(keys) * float64(s.Heads*s.HeadDim)
}

// What a block keeps for its backward pass, in values, fitted to measured
// peaks (docs/experiments.md): of every token so many times the hidden size
// and the MLP's width, and of every pair of tokens and head so many.
const (
	keptHidden       = 20.0
	keptIntermediate = 8.0
	keptScores       = 5.8
)

// The share of hidden sizes and widths that a block keeps whose weights are frozen:
// inputs of a product are kept for the gradients of its weights alone.
const keptFrozen = 0.5

// Bytes that a value of a base kept in bfloat16 takes, as measured
// (docs/experiments.md): as loaded, as computed with, and its copies in float32,
// of which a run without gradient checkpointing holds more at a time.
const (
	halfBytes             = 8.5
	halfBytesCheckpointed = 6.4
)

// What the rest of the process holds: the runtime and its compiled programs.
const processBytes = 400e6

// Memory is the predicted peak, in bytes.
type Memory struct{ Weights, Optimiser, Activations, Process float64 }

// Total is the sum of the parts.
func (m Memory) Total() float64 { return m.Weights + m.Optimiser + m.Activations + m.Process }

// PeakMemory predicts the peak of a run whose largest batch is b:
//
//	weights     4 bytes a parameter, twice: as loaded and as computed with; those
//	            of a base kept in bfloat16 halfBytes
//	optimiser   4 bytes a trained value, three times: gradient sum and two
//	            moments, which an update writes over
//	activations blocks·(N·T·(20·D + 8·F) + 5.8·N·H·T²) values, half of the
//	            first where the weights are frozen; with gradient checkpointing
//	            two inputs of each block and one block in full; no T² where
//	            attention keeps no scores
//
// In bfloat16 on CUDA it is cudaMemory's.
func PeakMemory(s model.Size, b BatchShape) Memory {
	if b.ValueBytes == 2 {
		return cudaMemory(s, b)
	}
	n, t := float64(b.Rows), float64(b.Tokens)
	block := n * t * (keptHidden*float64(s.Hidden) + keptIntermediate*float64(s.Intermediate))
	if s.TrainedLinear < s.Linear {
		block *= keptFrozen
	}
	if b.Keys == 0 {
		block += keptScores * n * float64(s.Heads) * t * t
	}
	values, half := float64(s.Blocks)*block, halfBytes
	if b.Checkpointed {
		values, half = block+2*float64(s.Blocks)*n*t*float64(s.Hidden), halfBytesCheckpointed
	}
	return Memory{Weights: 8*float64(s.Parameters-s.Half) + half*float64(s.Half), Optimiser: 12 * float64(s.Trainable),
		Activations: float64(b.ValueBytes) * values, Process: processBytes}
}

// efficiency is the share of a backend's rate in large matrix products that a
// training step reaches, as measured (docs/experiments.md).
const efficiency = 0.6

// Seconds predicts how long so many operations take at a measured rate of
// matrix products.
func Seconds(flops, rate float64) float64 { return flops / (rate * efficiency) }

// epoch counts the batches of a run's first epoch.
type epoch struct {
	byShape        map[BatchShape]int
	steps, total   int // of the epoch, of the run
	computed, real int // ids, with padding and without
	pairs          int
}

func firstEpoch(r Run) epoch {
	f := newFeed(r.Train, r.Order, r.Config.GradientAccumulationSteps, int32(r.PadID))
	e := epoch{byShape: map[BatchShape]int{}, total: f.totalSteps(r.Config.Epochs, r.Config.MaxSteps)}
	e.steps = e.total
	if !r.Order.Wrap {
		e.steps = min(e.total, f.stepsPerEpoch())
	}
	for step := range e.steps {
		for _, plan := range f.plansOf(step) {
			shape := r.shapeOf(plan)
			e.byShape[shape]++
			e.computed += shape.Rows * shape.Tokens
			e.pairs += len(plan.Rows)
			for _, row := range plan.Rows {
				e.real += r.Train.IDsOf(row, plan.Shared)
			}
		}
	}
	return e
}
