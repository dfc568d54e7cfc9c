package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"
)

// dtypeRank gives a dtype's width in bits and its place in the reference's
// order, which rises with alignment and decides where a writer puts a tensor.
func dtypeRank(name string) (rank, width int, ok bool) {
	order := [...]struct {
		name  string
		width int
	}{
		{"BOOL", 8}, {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8}, {"I8", 8},
		{"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
		{"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32}, {"U32", 32}, {"F32", 32},
		{"C64", 64}, {"F64", 64}, {"I64", 64}, {"U64", 64},
	}
	for rank, d := range order {
		if d.name == name {
			return rank, d.width, true
		}
	}
	return 0, 0, false
}

// floatWidth is the bytes a value of a float dtype takes; 0 for what does not
// read as float32 (integers, BOOL, the quantised floats, complex).
func floatWidth(dtype string) int {
	switch dtype {
	case "F64":
		return 8
	case "F32":
		return 4
	case "F16", "BF16":
		return 2
	}
	return 0
}

// decodeFloats fills values from their bytes in one of floatWidth's dtypes.
func decodeFloats(values []float32, raw []byte, dtype string) error {
	switch dtype {
	case "F32":
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case "F16":
		for i := range values {
			values[i] = float16ToFloat32(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	case "BF16":
		for i := range values {
			values[i] = bfloat16ToFloat32(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	case "F64":
		for i := range values {
			wide := math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
			values[i] = float32(wide)
			if isInf(values[i]) && !math.IsInf(wide, 0) {
				return fmt.Errorf("F64 value %g has no float32", wide)
			}
		}
	}
	return nil
}

// encodeFloats appends values as bytes of dtype, rounded to nearest, ties to
// even. A finite value beyond the dtype's range is an error: an infinite weight
// in a file would only show as NaN rewards later.
func encodeFloats(raw []byte, values []float32, dtype string) ([]byte, error) {
	for i, v := range values {
		var back float32
		switch dtype {
		case "F32":
			raw, back = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v)), v
		case "F64":
			raw, back = binary.LittleEndian.AppendUint64(raw, math.Float64bits(float64(v))), v
		case "F16":
			h := float32ToFloat16(v)
			raw, back = binary.LittleEndian.AppendUint16(raw, h), float16ToFloat32(h)
		case "BF16":
			h := float32ToBFloat16(v)
			raw, back = binary.LittleEndian.AppendUint16(raw, h), bfloat16ToFloat32(h)
		}
		if isInf(back) && !isInf(v) {
			return nil, fmt.Errorf("value %d, %g, is beyond %s: keep this tensor in F32", i, v, dtype)
		}
	}
	return raw, nil
}

func isInf(v float32) bool { return math.IsInf(float64(v), 0) }

func bfloat16ToFloat32(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// float32ToBFloat16 keeps the upper half, rounded to nearest, ties to even. A
// NaN stays one: its quiet bit is set, since the payload may be in the half cut off.
func float32ToBFloat16(v float32) uint16 {
	b := math.Float32bits(v)
	if v != v {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// float16ToFloat32 is exact. IEEE binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
func float16ToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent := uint32(h >> 10 & 0x1f)
	fraction := uint32(h & 0x3ff)
	switch exponent {
	case 0: // zero and subnormals: fraction · 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinity and NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// float32ToFloat16 rounds to nearest, ties to even; 65520 and above become infinite.
func float32ToFloat16(v float32) uint16 {
	b := math.Float32bits(v)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN, quiet
		return sign | 0x7e00 | uint16(b>>13&0x1ff)
	case b >= 0x477ff000: // 65520: halfway from the largest float16 to 2¹⁶
		return sign | 0x7c00
	case b < 0x38800000: // below 2⁻¹⁴: a float32 in [0.5, 1) steps by 2⁻²⁴, as subnormals do
		half := math.Float32frombits(b) + 0.5
		return sign | uint16(math.Float32bits(half)-math.Float32bits(0.5))
	}
	b += 0xfff + b>>13&1
	return sign | uint16((b-(127-15)<<23)>>13)
}
