package demo

import (
	"bytes"
	"strings"
	"testing"
)

// Simulated rows are the same every time, and the first of many are those of few.
func TestSimulated(t *testing.T) {
	var few, many bytes.Buffer
	for out, n := range map[*bytes.Buffer]int{&few: 3, &many: 50} {
		if err := Simulated(out, n); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(many.String(), few.String()) || strings.Count(many.String(), "\n") != 50 {
		t.Errorf("%d bytes, then %d", few.Len(), many.Len())
	}
	if first, _, _ := strings.Cut(few.String(), "\n"); !strings.HasPrefix(first, `{"prompt":"Question 0: `) || !strings.HasSuffix(first, `."}`) {
		t.Error(first)
	}
}
