package data

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"laurel/data/parquetpages"
)

// byLeaf groups a row's values by their leaf column, of which there are n.
func byLeaf(row parquet.Row, n int) [][]parquet.Value {
	values := make([][]parquet.Value, n)
	for _, v := range row {
		values[v.Column()] = append(values[v.Column()], v)
	}
	return values
}

// appendNode appends the JSON of one instance of a column: leaves are the
// values of its leaf columns, def and rep the levels of what holds it (Melnik et
// al. 2010, Dremel, section 4). Lists become arrays, maps and groups objects.
func appendNode(out []byte, node parquet.Node, leaves [][]parquet.Value, def, rep int) []byte {
	switch {
	case node.Optional():
		if leaves[0][0].DefinitionLevel() <= def {
			return append(out, "null"...)
		}
		return appendPresent(out, node, leaves, def+1, rep)
	case node.Repeated():
		return appendRepeated(out, leaves, def, rep, func(out []byte, one [][]parquet.Value) []byte {
			return appendPresent(out, node, one, def+1, rep+1)
		})
	}
	return appendPresent(out, node, leaves, def, rep)
}

// appendRepeated appends an array; each element is appended by one.
func appendRepeated(out []byte, leaves [][]parquet.Value, def, rep int, one func([]byte, [][]parquet.Value) []byte) []byte {
	out = append(out, '[')
	for i, element := range elements(leaves, def, rep) {
		if i > 0 {
			out = append(out, ',')
		}
		out = one(out, element)
	}
	return append(out, ']')
}

// elements cuts the values below a repeated column into those of each element;
// an empty list has none.
func elements(leaves [][]parquet.Value, def, rep int) [][][]parquet.Value {
	if leaves[0][0].DefinitionLevel() <= def {
		return nil
	}
	var out [][][]parquet.Value
	for l, values := range leaves {
		first, n := 0, 0
		for i := 1; i <= len(values); i++ {
			if i < len(values) && values[i].RepetitionLevel() > rep+1 {
				continue
			}
			if n == len(out) {
				out = append(out, make([][]parquet.Value, len(leaves)))
			}
			out[n][l] = values[first:i]
			first, n = i, n+1
		}
	}
	return out
}

// appendPresent appends a value that is there.
func appendPresent(out []byte, node parquet.Node, leaves [][]parquet.Value, def, rep int) []byte {
	if node.Leaf() {
		return appendLeaf(out, node, leaves[0][0])
	}
	fields := node.Fields()
	if t := node.Type(); t != nil && t.LogicalType() != nil && len(fields) == 1 && fields[0].Repeated() {
		switch t.LogicalType().Value.(type) {
		case *format.ListType:
			return appendRepeated(out, leaves, def, rep, func(out []byte, one [][]parquet.Value) []byte {
				return appendElement(out, fields[0], one, def+1, rep+1)
			})
		case *format.MapType:
			return appendMap(out, fields[0], leaves, def, rep)
		}
	}
	out = append(out, '{')
	for i, field := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		n := leafCount([]parquet.Field{field})
		out = append(append(out, jsonText(field.Name())...), ':')
		out = appendNode(out, field, leaves[:n], def, rep)
		leaves = leaves[n:]
	}
	return append(out, '}')
}

// appendElement leaves out the level that a three-level list has between itself
// and its elements.
func appendElement(out []byte, repeated parquet.Node, leaves [][]parquet.Value, def, rep int) []byte {
	if !repeated.Leaf() && len(repeated.Fields()) == 1 {
		return appendNode(out, repeated.Fields()[0], leaves, def, rep)
	}
	return appendPresent(out, repeated, leaves, def, rep)
}

func appendMap(out []byte, entry parquet.Node, leaves [][]parquet.Value, def, rep int) []byte {
	if len(entry.Fields()) != 2 || !entry.Fields()[0].Leaf() {
		return appendRepeated(out, leaves, def, rep, func(out []byte, one [][]parquet.Value) []byte {
			return appendPresent(out, entry, one, def+1, rep+1)
		})
	}
	out = append(out, '{')
	for i, one := range elements(leaves, def, rep) {
		if i > 0 {
			out = append(out, ',')
		}
		key := appendLeaf(nil, entry.Fields()[0], one[0][0])
		if key[0] != '"' {
			key = jsonText(string(key))
		}
		out = append(append(out, key...), ':')
		out = appendNode(out, entry.Fields()[1], one[1:], def+1, rep+1)
	}
	return append(out, '}')
}

// appendLeaf appends a value by its type. Bytes that are no text are base64.
func appendLeaf(out []byte, node parquet.Node, v parquet.Value) []byte {
	if v.IsNull() {
		return append(out, "null"...)
	}
	if t := node.Type().LogicalType(); t != nil {
		if logical, ok := appendLogical(out, t.Value, v); ok {
			return logical
		}
	}
	switch v.Kind() {
	case parquet.Boolean:
		return strconv.AppendBool(out, v.Boolean())
	case parquet.Int32:
		return strconv.AppendInt(out, int64(v.Int32()), 10)
	case parquet.Int64:
		return strconv.AppendInt(out, v.Int64(), 10)
	case parquet.Float:
		return appendFinite(out, float64(v.Float()), 32)
	case parquet.Double:
		return appendFinite(out, v.Double(), 64)
	case parquet.ByteArray:
		if text := v.ByteArray(); utf8.Valid(text) || isText(node) {
			return append(out, jsonText(string(text))...)
		}
	}
	if parquetpages.KindOf(node.Type()) == parquetpages.Number { // FLOAT16
		return appendFinite(out, parquetpages.Half(v.ByteArray()), 32)
	}
	return append(out, jsonText(base64.StdEncoding.EncodeToString(v.Bytes()))...)
}

func isText(node parquet.Node) bool {
	t := node.Type().LogicalType()
	if t == nil {
		return false
	}
	_, text := t.Value.(*format.StringType)
	return text
}

// appendFinite appends a number, and null for NaN and infinities, which JSON
// does not have.
func appendFinite(out []byte, x float64, bits int) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(out, "null"...)
	}
	return strconv.AppendFloat(out, x, 'g', -1, bits)
}

// appendLogical appends values whose bits mean something else: unsigned
// integers, decimals, dates and times, UUIDs.
func appendLogical(out []byte, logical any, v parquet.Value) ([]byte, bool) {
	switch t := logical.(type) {
	case *format.IntType:
		if !t.IsSigned && v.Kind() == parquet.Int32 {
			return strconv.AppendUint(out, uint64(v.Uint32()), 10), true
		}
		if !t.IsSigned {
			return strconv.AppendUint(out, v.Uint64(), 10), true
		}
	case *format.DecimalType:
		return append(out, decimal(v, int(t.Scale))...), true
	case *format.DateType:
		day := time.Unix(int64(v.Int32())*86400, 0).UTC()
		return append(out, jsonText(day.Format(time.DateOnly))...), true
	case *format.TimestampType:
		layout := "2006-01-02T15:04:05.999999999"
		if t.IsAdjustedToUTC {
			layout += "Z"
		}
		return append(out, jsonText(moment(t.Unit, v.Int64()).Format(layout))...), true
	case *format.UUIDType:
		h := hex.EncodeToString(v.ByteArray())
		return append(out, jsonText(h[:8]+"-"+h[8:12]+"-"+h[12:16]+"-"+h[16:20]+"-"+h[20:])...), true
	}
	return out, false
}

func moment(unit format.TimeUnit, n int64) time.Time {
	switch unit.Value.(type) {
	case *format.MilliSeconds:
		return time.UnixMilli(n).UTC()
	case *format.MicroSeconds:
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(n/1e9, n%1e9).UTC()
}

// decimal is the unscaled integer with its point, a JSON number.
func decimal(v parquet.Value, scale int) string {
	n := new(big.Int)
	switch v.Kind() {
	case parquet.Int32:
		n.SetInt64(int64(v.Int32()))
	case parquet.Int64:
		n.SetInt64(v.Int64())
	default: // two's complement, big endian
		b := v.ByteArray()
		n.SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
	}
	return new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)).FloatString(scale)
}
