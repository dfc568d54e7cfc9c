package tokenizer

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"laurel/data/tokenizer/jinja"
)

// strftimeNow is transformers' strftime_now, datetime.now().strftime(format),
// with a fixed now.
func (t *chatTemplate) strftimeNow(args []jinja.Value) (jinja.Value, error) {
	if len(args) == 1 {
		if format, ok := args[0].(string); ok {
			return strftime(t.now, format)
		}
	}
	return nil, errors.New("strftime_now: want one format")
}

// strftime writes C's directives, %-d (glibc: no leading zero) among them.
func strftime(now time.Time, format string) (string, error) {
	var text strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			text.WriteByte(format[i])
			continue
		}
		i++
		bare := format[i] == '-' && i+1 < len(format)
		if bare {
			i++
		}
		if format[i] == '%' {
			text.WriteByte('%')
			continue
		}
		layout := directive(format[i])
		if layout == "" {
			return "", fmt.Errorf("strftime_now: %%%c is not supported", format[i])
		}
		field := now.Format(layout)
		if bare {
			field = strings.TrimLeft(field[:len(field)-1], "0 ") + field[len(field)-1:]
		}
		text.WriteString(field)
	}
	return text.String(), nil
}

// directive is Go's layout for one of strftime's letters.
func directive(letter byte) string {
	return map[byte]string{
		'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'd': "02", 'D': "01/02/06", 'e': "_2",
		'F': "2006-01-02", 'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04", 'p': "PM",
		'S': "05", 'T': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
	}[letter]
}
