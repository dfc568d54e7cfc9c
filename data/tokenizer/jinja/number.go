package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

func isNumber(v Value) bool {
	switch v.(type) {
	case bool, int64, *big.Int, float64:
		return true
	}
	return false
}

// whole is an int: an int64 where it fits.
func whole(n *big.Int) Value {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// integer is the value of an int or a bool.
func integer(v Value) (*big.Int, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	case int64:
		return big.NewInt(v), true
	case *big.Int:
		return v, true
	}
	return nil, false
}

// small is an int or a bool that fits an int64.
func small(v Value) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	}
	return 0, false
}

// float is float(number).
func (r *run) float(v Value) float64 {
	if x, ok := v.(float64); ok {
		return x
	}
	n, _ := integer(v)
	x, _ := new(big.Float).SetInt(n).Float64()
	if math.IsInf(x, 0) {
		r.fail("int too large to convert to float")
	}
	return x
}

// orderNumbers compares exactly, an int with a float too.
func orderNumbers(a, b Value) int {
	x, xFloat := a.(float64)
	y, yFloat := b.(float64)
	m, _ := integer(a)
	n, _ := integer(b)
	switch {
	case xFloat && yFloat:
		switch {
		case x < y:
			return -1
		case x == y:
			return 0
		}
		return 1 // or not a number, which is equal to nothing
	case xFloat:
		return -orderNumbers(b, a)
	case yFloat && math.IsNaN(y):
		return 1
	case yFloat:
		return new(big.Float).SetInt(m).Cmp(big.NewFloat(y))
	}
	return m.Cmp(n)
}

// maxBits bounds ints: Python would compute with more, for as long as it takes.
const maxBits = 1 << 16

func (r *run) checked(n *big.Int) Value {
	if n.BitLen() > maxBits {
		r.fail("%w: an int of more than %d bits", ErrBudget, maxBits)
	}
	return whole(n)
}

// digits writes an int. Python refuses more than 4,300 digits.
func (r *run) digits(n *big.Int) string {
	r.weigh(n)
	text := n.String()
	if len(strings.TrimPrefix(text, "-")) > 4300 {
		r.fail("exceeds the limit (4300 digits) for integer string conversion")
	}
	return text
}

// operate is a binary operator.
func (r *run) operate(op string, a, b Value) Value {
	r.weigh(a, b)
	if text, ok := a.(string); ok && op == "%" {
		return r.format(text, b)
	}
	if _, ok := a.(*markup); ok && op == "%" {
		r.fail("%% formatting of text marked safe is not supported here")
	}
	r.defined(a, b)
	if isNumber(a) && isNumber(b) {
		return r.arithmetic(op, a, b)
	}
	switch op {
	case "+":
		if sum, ok := r.join(a, b); ok {
			return sum
		}
	case "*":
		if product, ok := r.repeat(a, b); ok {
			return product
		}
	}
	_, left := a.(*markup)
	_, right := b.(*markup)
	if left || right {
		r.fail("%s of text marked safe and '%s' is not supported here", op, typeName(b))
	}
	_, text := a.(string)
	if op == "+" && text {
		r.fail(`can only concatenate str (not "%s") to str`, typeName(b))
	}
	r.fail("unsupported operand type(s) for %s: '%s' and '%s'", op, typeName(a), typeName(b))
	return nil
}

// join is a + b of texts, lists and tuples.
func (r *run) join(a, b Value) (Value, bool) {
	switch x := a.(type) {
	case string:
		switch y := b.(type) {
		case string:
			r.take(len(x) + len(y))
			return x + y, true
		case *markup:
			return r.marked(escape(x), y.text), true
		}
	case *markup:
		switch y := b.(type) {
		case string:
			return r.marked(x.text, escape(y)), true
		case *markup:
			return r.marked(x.text, y.text), true
		}
	case *List:
		if y, ok := b.(*List); ok {
			return &List{r.joined(x.Items, y.Items)}, true
		}
	case *Tuple:
		if y, ok := b.(*Tuple); ok {
			return &Tuple{Items: r.joined(x.Items, y.Items)}, true
		}
	}
	return nil, false
}

func (r *run) marked(a, b string) *markup {
	r.take(len(a) + len(b))
	return &markup{a + b}
}

func (r *run) joined(a, b []Value) []Value {
	r.take(16 * (len(a) + len(b)))
	return append(append(make([]Value, 0, len(a)+len(b)), a...), b...)
}

// escape writes text for HTML, as markupsafe does.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", ">", "&gt;", "<", "&lt;", "'", "&#39;", `"`, "&#34;").Replace(text)
}

// repeat is a * b of a text, a list or a tuple and an int.
func (r *run) repeat(a, b Value) (Value, bool) {
	if isNumber(a) {
		a, b = b, a
	}
	if _, ok := integer(b); !ok {
		return nil, false
	}
	n, ok := small(b)
	if !ok {
		r.fail("cannot fit 'int' into an index-sized integer")
	}
	n = max(0, n)
	many := func(size int) int {
		if size > 0 && n > int64(maxBytes*bytesPerByte/size) {
			r.take(math.MaxInt)
		}
		r.take(size * int(n))
		return int(n)
	}
	switch a := a.(type) {
	case string:
		return strings.Repeat(a, many(len(a))), true
	case *List:
		return &List{repeated(a.Items, many(16*len(a.Items)))}, true
	case *Tuple:
		return &Tuple{Items: repeated(a.Items, many(16*len(a.Items)))}, true
	}
	return nil, false
}

func repeated(items []Value, n int) []Value {
	if len(items) == 0 {
		return nil
	}
	out := make([]Value, 0, len(items)*n)
	for range n {
		out = append(out, items...)
	}
	return out
}

// arithmetic is an operator of two numbers.
func (r *run) arithmetic(op string, a, b Value) Value {
	x, xWhole := integer(a)
	y, yWhole := integer(b)
	if op == "/" || !xWhole || !yWhole {
		return r.floats(op, r.float(a), r.float(b))
	}
	if y.Sign() == 0 && (op == "//" || op == "%") {
		r.fail("integer division or modulo by zero")
	}
	switch op {
	case "+":
		return r.checked(new(big.Int).Add(x, y))
	case "-":
		return r.checked(new(big.Int).Sub(x, y))
	case "*":
		return r.checked(new(big.Int).Mul(x, y))
	case "//", "%":
		quotient, rest := new(big.Int).QuoRem(x, y, new(big.Int))
		if rest.Sign() != 0 && rest.Sign() != y.Sign() { // rounded down, not to zero
			quotient.Sub(quotient, big.NewInt(1))
			rest.Add(rest, y)
		}
		if op == "%" {
			return whole(rest)
		}
		return whole(quotient)
	}
	return r.power(x, y)
}

func (r *run) power(x, y *big.Int) Value {
	if y.Sign() < 0 {
		if x.Sign() == 0 {
			r.fail("0.0 cannot be raised to a negative power")
		}
		return r.floats("**", r.float(whole(x)), r.float(whole(y)))
	}
	if x.BitLen() > 1 && (!y.IsInt64() || y.Int64() > maxBits || int64(x.BitLen()-1)*y.Int64() > maxBits) {
		r.fail("%w: an int of more than %d bits", ErrBudget, maxBits)
	}
	if x.BitLen() <= 1 { // 0, 1, −1: by the exponent's last bit
		y = new(big.Int).Add(big.NewInt(2*int64(min(1, y.Sign()))), big.NewInt(int64(y.Bit(0))))
	}
	return r.checked(new(big.Int).Exp(x, y, nil))
}

func (r *run) floats(op string, x, y float64) Value {
	if y == 0 && (op == "/" || op == "//" || op == "%") {
		r.fail("float division or modulo by zero")
	}
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return x / y
	case "//":
		return floatDiv(x, y)
	case "%":
		return floatMod(x, y)
	}
	power := math.Pow(x, y)
	switch {
	case x == 0 && y < 0:
		r.fail("0.0 cannot be raised to a negative power")
	case x < 0 && y != math.Trunc(y) && !math.IsInf(y, 0):
		r.fail("a complex number is not supported here")
	case math.IsInf(power, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		r.fail("(34, 'Numerical result out of range')")
	}
	return power
}

// floatDiv is x // y as CPython has it.
func floatDiv(x, y float64) float64 {
	quotient := (x - floatMod(x, y)) / y
	if quotient == 0 {
		return math.Copysign(0, x/y)
	}
	down := math.Floor(quotient)
	if quotient-down > 0.5 {
		down++
	}
	return down
}

// floatMod has the sign of y.
func floatMod(x, y float64) float64 {
	rest := math.Mod(x, y)
	if rest != 0 && (rest < 0) != (y < 0) {
		return rest + y
	}
	if rest == 0 {
		return math.Copysign(0, y)
	}
	return rest
}

// floatText is repr(x): the shortest text, an exponent below 1e-4 and from 1e16.
func floatText(x float64, inf, nan string) string {
	switch {
	case math.IsInf(x, 1):
		return inf
	case math.IsInf(x, -1):
		return "-" + inf
	case math.IsNaN(x):
		return nan
	}
	scientific := strconv.FormatFloat(x, 'e', -1, 64)
	exponent, _ := strconv.Atoi(scientific[strings.IndexByte(scientific, 'e')+1:])
	if x != 0 && (exponent < -4 || exponent >= 16) {
		return scientific
	}
	plain := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(plain, ".") {
		plain += ".0"
	}
	return plain
}
