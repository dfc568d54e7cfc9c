package safetensors

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadBFloat16: by hand, from each dtype, over more than one part; ties go to
// even; what has no finite bfloat16 is an error that says where.
func TestReadBFloat16(t *testing.T) {
	values := make([]float32, partValues+3)
	copy(values[partValues:], []float32{1 + 1.0/256, 1 + 3.0/256, -2}) // halfway to 1 and to 1 + 1/64
	path := filepath.Join(t.TempDir(), "w.safetensors")
	write := func(dtype string, last float32) *Weights {
		t.Helper()
		values[len(values)-1] = last
		source := Source{Name: "w", DType: dtype, Shape: []int{len(values)}, Float32: func() ([]float32, error) { return values, nil }}
		if err := Write(path, []Source{source}, nil); err != nil {
			t.Fatal(err)
		}
		w, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		return w
	}
	got := make([]uint16, len(values))
	for _, dtype := range []string{"F32", "F16", "BF16", "F64"} {
		if err := ReadBFloat16(write(dtype, -2), "w", got); err != nil {
			t.Fatal(err)
		}
		if last := [3]uint16(got[partValues:]); last != [3]uint16{0x3f80, 0x3f82, 0xc000} || got[partValues-1] != 0 {
			t.Errorf("%s: %#04x", dtype, last)
		}
	}
	err := ReadBFloat16(write("F32", math.MaxFloat32), "w", got)
	if err == nil || !strings.Contains(err.Error(), `tensor "w": holds 3.4028235e+38 at element 65538, which has no finite bfloat16`) {
		t.Errorf("beyond bfloat16: %v", err)
	}
	if err := ReadBFloat16(write("F32", 0), "w", got[1:]); err == nil {
		t.Error("too few places: no error")
	}
}

// TestReadFloat32 of many parts, read several at a time: each value in its place, and
// of values that are not finite the first is named.
func TestReadFloat32(t *testing.T) {
	values := make([]float32, 20*partValues+3)
	for i := range values {
		values[i] = float32(i)
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	read := func() ([]float32, error) {
		t.Helper()
		source := Source{Name: "w", DType: "F32", Shape: []int{len(values)}, Float32: func() ([]float32, error) { return values, nil }}
		if err := Write(path, []Source{source}, nil); err != nil {
			t.Fatal(err)
		}
		w, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		got := make([]float32, len(values))
		return got, ReadFloat32(w, "w", got)
	}
	if got, err := read(); err != nil || !slices.Equal(got, values) {
		t.Errorf("another tensor, or %v", err)
	}
	for i := 2 * partValues; i < len(values); i += partValues {
		values[i] = float32(math.NaN())
	}
	values[2*partValues-1] = float32(math.Inf(1))
	if _, err := read(); err == nil || !strings.Contains(err.Error(), `tensor "w": holds +Inf at element 131071`) {
		t.Errorf("not finite: %v", err)
	}
}
