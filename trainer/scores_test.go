package trainer

import (
	"strings"
	"testing"

	"github.com/gomlx/compute"
)

// bare is a backend without any operation of its own.
type bare struct{ compute.Backend }

func (bare) Capabilities() compute.Capabilities { return compute.Capabilities{} }

// Where a GPU writes scores out, the dry run says what they take and what saves
// it; elsewhere, and where that is done, it says nothing.
func TestScoresAdvice(t *testing.T) {
	r := Run{Model: smallModel(t), Backend: bare{}, BackendName: "cuda"}
	r.Order.Buckets = []int{64}
	shape := BatchShape{Rows: 16, Tokens: 64, ValueBytes: 2}
	if got := scoresAdvice(r, shape); !strings.Contains(got, "train.gradient_checkpointing=true") {
		t.Errorf("advice %q", got)
	}
	shape.Checkpointed = true
	if got := scoresAdvice(r, shape); got != "" {
		t.Errorf("with checkpointing: %q", got)
	}
	shape.Checkpointed, r.BackendName = false, "cpu"
	if got := scoresAdvice(r, shape); got != "" {
		t.Errorf("on a CPU: %q", got)
	}
}
