package parquetpages

import (
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Kind is how the values of a leaf column can be read.
type Kind uint8

// The kinds of leaf columns.
const (
	Other  Kind = iota // none of these, as a timestamp
	Text               // values are bytes
	Number             // values are what Leaf.Number takes
	Bool
	Null // a column of nothing but nulls, without a type
)

// KindOf says how the values of a leaf of the type can be read.
func KindOf(t parquet.Type) Kind {
	logical := logicalType(t)
	switch t.Kind() {
	case parquet.ByteArray:
		switch logical.(type) {
		case nil, *format.StringType, *format.EnumType, *format.JsonType:
			return Text
		}
	case parquet.Int32, parquet.Int64:
		switch logical.(type) {
		case nil, *format.IntType:
			return Number
		}
	case parquet.Float, parquet.Double:
		return Number
	case parquet.FixedLenByteArray:
		if logical == nil && t.Length() == 2 { // FLOAT16, which parquet-go forgets; beside it two bytes are only DECIMAL
			return Number
		}
	case parquet.Boolean:
		return Bool
	case -1: // parquet-go's type for the unknown, and for nulls alone
		return Null
	}
	return Other
}

func logicalType(t parquet.Type) any {
	if l := t.LogicalType(); l != nil {
		return l.Value
	}
	return nil
}

// LeavesOf are the leaf columns below a column, itself where it is one.
func LeavesOf(c *parquet.Column) []*parquet.Column {
	if c.Leaf() {
		return []*parquet.Column{c}
	}
	var out []*parquet.Column
	for _, child := range c.Columns() {
		out = append(out, LeavesOf(child)...)
	}
	return out
}
