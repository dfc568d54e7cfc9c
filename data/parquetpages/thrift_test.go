package parquetpages

import (
	"strings"
	"testing"
)

// A million claims of the footer must not cost memory.
func TestThriftClaims(t *testing.T) {
	for name, c := range map[string]struct {
		b    string
		want error
	}{
		"empty struct":       {"\x00", nil},
		"i32 field":          {"\x15\x02\x00", nil},
		"long list":          {"\x19\xfc\xff\xff\xff\xff\x07\x00", errThriftShort},
		"long string":        {"\x18\xff\xff\xff\xff\x07a\x00", errThriftShort},
		"no end":             {"\x15\x02", errThriftShort},
		"unknown type":       {"\x1d\x00", errThrift},
		"endless varint":     {"\x15" + strings.Repeat("\xff", 11), errThrift},
		"nested without end": {strings.Repeat("\x1c", 100), errThrift},
	} {
		if n, err := thriftStruct([]byte(c.b)); err != c.want || err == nil && n != len(c.b) {
			t.Errorf("%s: %d, %v; want %v", name, n, err, c.want)
		}
	}
}
