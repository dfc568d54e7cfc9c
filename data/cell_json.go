package data

import "strconv"

// appendJSON appends a value as JSON without white space, keys in the file's
// order. sparse leaves out members that are null, at any depth.
func appendJSON(out []byte, c *Cell, sparse bool) []byte {
	switch c.Kind {
	case CellText:
		return append(out, jsonText(c.Text)...)
	case CellNumber:
		if c.Text != "" {
			return append(out, c.Text...)
		}
		return appendFinite(out, c.Num, 64)
	case CellBool:
		return strconv.AppendBool(out, c.True)
	case CellMessages, CellList:
		out = append(out, '[')
		for i := range c.Items {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendJSON(out, &c.Items[i], sparse)
		}
		return append(out, ']')
	case CellObject:
		return appendObject(out, c, sparse)
	}
	return append(out, "null"...)
}

func appendObject(out []byte, c *Cell, sparse bool) []byte {
	out = append(out, '{')
	first := true
	for i := range c.Members {
		m := &c.Members[i]
		if sparse && m.Value.Absent() {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(append(out, jsonText(m.Key)...), ':')
		out = appendJSON(out, &m.Value, sparse)
	}
	return append(out, '}')
}
