package trainer

import "fmt"

// scoresAdvice says what scores that a GPU writes out take and what saves it, ""
// where attention is fused or blocks are computed again anyway.
func scoresAdvice(r Run, b BatchShape) string {
	if r.BackendName != "cuda" || b.Checkpointed {
		return ""
	}
	use, s := r.attention(b), r.Model.Size()
	if use.Fused == use.Blocks {
		return ""
	}
	bytes := keptScores * float64(b.ValueBytes) * float64(use.Scores)
	if b.ValueBytes == 2 {
		bytes = cudaScores(use.Scores, use.Banded)
	}
	bytes *= float64(b.Rows) * float64(s.Heads) * float64(b.Tokens)
	return fmt.Sprintf("advice: scores are written out in %d blocks and take up to %.2f GB; train.gradient_checkpointing=true keeps those of one block",
		use.Blocks-use.Fused, bytes/1e9)
}
