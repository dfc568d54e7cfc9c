// Package stats holds what measures are made of: values that the rows may leave
// undefined, shares, differences and correlations with intervals that take
// prompts as what was drawn, ranks, bins and histograms.
package stats

import (
	"encoding/json"
	"fmt"
	"math"
)

// Value is a statistic that the rows may leave undefined: NaN (or an
// overflow) in Go, null in JSON, n/a in print.
type Value float64

// Defined says whether the rows determine the value.
func (v Value) Defined() bool { return Finite(float64(v)) }

// MarshalJSON writes null for an undefined value.
func (v Value) MarshalJSON() ([]byte, error) {
	if !v.Defined() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(v))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*v = undefined()
		return nil
	}
	return json.Unmarshal(raw, (*float64)(v))
}

// String gives three decimals, more digits where the value is small, and an
// exponent where it is large.
func (v Value) String() string {
	switch a := math.Abs(float64(v)); {
	case !v.Defined():
		return "n/a"
	case a >= 1e6 || (a > 0 && a < 0.0005):
		return fmt.Sprintf("%.2e", float64(v))
	case a >= 1000:
		return fmt.Sprintf("%.0f", float64(v))
	case a >= 100:
		return fmt.Sprintf("%.1f", float64(v))
	}
	return fmt.Sprintf("%.3f", float64(v))
}

// Interval is a 95% interval, from low to high; both ends are undefined where
// the rows leave it so.
type Interval [2]Value

// String has both ends.
func (i Interval) String() string {
	if !i[0].Defined() {
		return "n/a"
	}
	return fmt.Sprintf("%v to %v", i[0], i[1])
}

// Around is the normal interval of an estimate with that standard error.
func Around(x, standardError float64) Interval {
	half := Z95() * standardError
	return Interval{Value(x - half), Value(x + half)}
}

// Percent has both ends in per cent.
func (i Interval) Percent() string {
	if !i[0].Defined() {
		return "n/a"
	}
	return Percent(i[0]) + " to " + Percent(i[1])
}

// percent is Percent without the signs, for brackets behind a share.
func (i Interval) percent() string { return fmt.Sprintf("%.1f to %.1f", 100*i[0], 100*i[1]) }

// Contains is false where the interval or the value is undefined.
func (i Interval) Contains(v Value) bool { return i[0] <= v && v <= i[1] }

func undefined() Value { return Value(math.NaN()) }

// Over divides, leaving a quotient by zero undefined.
func Over(a, b float64) Value {
	if b == 0 {
		return undefined()
	}
	return Value(a / b)
}

// Finite is whether x is neither NaN nor infinite.
func Finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
