package eval

import (
	"encoding/json"
	"fmt"
	"math"
)

// Value is a statistic that the rows may leave undefined: NaN (or an
// overflow) in Go, null in JSON, n/a in print.
type Value float64

var undefined = math.NaN()

// Defined says whether the rows determine the value.
func (v Value) Defined() bool { return finite(float64(v)) }

// MarshalJSON writes null for an undefined value.
func (v Value) MarshalJSON() ([]byte, error) {
	if !v.Defined() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(v))
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

// over divides, leaving a quotient by zero undefined.
func over(a, b float64) Value {
	if b == 0 {
		return Value(math.NaN())
	}
	return Value(a / b)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
