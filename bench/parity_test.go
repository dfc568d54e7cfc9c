package bench

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// TestCompareNoNumbers: a device that gives NaN fails, and the report of it is
// JSON all the same.
func TestCompareNoNumbers(t *testing.T) {
	reference := numbers{rewards: []float32{1, -1}, trained: []float32{2, -2}, losses: []float64{0.7}, norms: []float64{3}}
	if c := compare("bert", "float32", reference, reference); !c.Passed {
		t.Errorf("the same numbers: %+v", c)
	}
	none := float32(math.NaN())
	c := compare("bert", "float32", numbers{rewards: []float32{1, none}, trained: []float32{none, none}, losses: []float64{math.NaN()}, norms: []float64{math.Inf(1)}}, reference)
	raw, err := json.Marshal(c)
	if c.Passed || err != nil || strings.Count(string(raw), "null") != 4 {
		t.Errorf("%s, %v", raw, err)
	}
}
