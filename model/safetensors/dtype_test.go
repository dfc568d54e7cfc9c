package safetensors

import (
	"math"
	"testing"
)

// float16ByFormula is the IEEE 754 definition in float64.
func float16ByFormula(h uint16) float64 {
	sign, exponent, fraction := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch {
	case exponent == 31 && fraction != 0:
		return math.NaN()
	case exponent == 31:
		return math.Inf(int(sign))
	case exponent == 0:
		return sign * math.Ldexp(fraction/1024, -14)
	}
	return sign * math.Ldexp(1+fraction/1024, exponent-15)
}

func TestFloat16Exhaustive(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		got, want := float16ToFloat32(h), float16ByFormula(h)
		if math.IsNaN(want) {
			if got == got || float32ToFloat16(got)|0x200 != h|0x200 {
				t.Fatalf("NaN %#04x reads as %v and writes as %#04x", h, got, float32ToFloat16(got))
			}
			continue
		}
		if float64(got) != want || math.Signbit(float64(got)) != math.Signbit(want) {
			t.Fatalf("%#04x reads as %v, want %v", h, got, want)
		}
		if back := float32ToFloat16(got); back != h {
			t.Fatalf("%#04x reads as %v, which writes as %#04x", h, got, back)
		}
	}
}

// Between each two neighbours of a 16-bit float the halfway point goes to the
// even one and the float32s beside it to the nearer one.
func TestRoundToNearestEven(t *testing.T) {
	for _, kind := range []struct {
		name string
		last uint16 // the largest finite value
		down func(float32) uint16
		up   func(uint16) float32
	}{
		{"F16", 0x7bff, float32ToFloat16, float16ToFloat32},
		{"BF16", 0x7f7f, float32ToBFloat16, bfloat16ToFloat32},
	} {
		for h := uint16(0); h < kind.last; h++ {
			low, high := kind.up(h), kind.up(h+1)
			middle := float32((float64(low) + float64(high)) / 2)
			even := h + h&1
			checks := map[float32]uint16{
				middle:                         even,
				math.Nextafter32(middle, low):  h,
				math.Nextafter32(middle, high): h + 1,
			}
			for v, want := range checks {
				if got := kind.down(v); got != want {
					t.Fatalf("%s: %v between %v and %v gives %#04x, want %#04x", kind.name, v, low, high, got, want)
				}
				if got := kind.down(-v); got != want|0x8000 {
					t.Fatalf("%s: %v gives %#04x, want %#04x", kind.name, -v, got, want|0x8000)
				}
			}
		}
	}
}

func TestHalfPrecisionEdges(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	hidden := math.Float32frombits(0x7f800001) // a NaN whose payload the cut would drop
	for _, c := range []struct {
		v         float32
		f16, bf16 uint16
	}{
		{1, 0x3c00, 0x3f80}, {-2, 0xc000, 0xc000}, {0.1, 0x2e66, 0x3dcd}, {65504, 0x7bff, 0x4780},
		{65519.996, 0x7bff, 0x4780}, {65520, 0x7c00, 0x4780}, {0x1p-24, 0x0001, 0x3380}, {0x1p-25, 0, 0x3300},
		{float32(math.Copysign(0, -1)), 0x8000, 0x8000}, {inf, 0x7c00, 0x7f80}, {-inf, 0xfc00, 0xff80},
		{nan, 0x7e00, 0x7fc0}, {hidden, 0x7e00, 0x7fc0}, {math.MaxFloat32, 0x7c00, 0x7f80},
	} {
		if f16, bf16 := float32ToFloat16(c.v), float32ToBFloat16(c.v); f16 != c.f16 || bf16 != c.bf16 {
			t.Errorf("%v gives F16 %#04x, BF16 %#04x; want %#04x, %#04x", c.v, f16, bf16, c.f16, c.bf16)
		}
	}
}
