package data

import "slices"

// mediaColumns are where data sets keep what a turn shows beside its text.
var mediaColumns = []string{"images", "image", "videos", "audios"}

// media are the fields that no reward model of text can read.
type media []*Field

// findMedia finds the columns of media that the mapping does not turn off.
func findMedia(src Source, mapping map[string]string) (found media, err error) {
	for _, name := range mediaColumns {
		f := &Field{Name: name, Holds: HoldsAny, Optional: true}
		if column, mapped := mapping[name]; !mapped || column != "" {
			found = append(found, f)
		}
	}
	return found, Resolve(found, nil, src)
}

// withoutMedia is the mapping without the fields of media.
func withoutMedia(mapping map[string]string) map[string]string {
	rest := map[string]string{}
	for field, column := range mapping {
		if column != "" || !slices.Contains(mediaColumns, field) {
			rest[field] = column
		}
	}
	return rest
}

// check refuses a row that has any.
func (m media) check() *Problem {
	for _, f := range m {
		if c := &f.Cell; !c.Absent() && !(c.Kind == CellMessages && len(c.Items) == 0) && !(c.Kind == CellText && c.Text == "") {
			return f.Problem(ReasonPart, "the row has %s, which a reward model of text cannot read; --columns %s= leaves them out and reads the texts", f.Name, f.Name)
		}
	}
	return nil
}
