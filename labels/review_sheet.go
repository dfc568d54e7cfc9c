package labels

import (
	"encoding/hex"
	"io"

	"laurel/data"
)

// ReadReview reads the comparisons that a review file puts to people, in its
// order, and counts the rows that hold an answer already. Texts are as in the
// labels: what WriteReview put before formulas is taken off, and messages that a
// cell holds as JSON stay plain text.
func ReadReview(file string, cfg data.ReadConfig) (rows []Review, answered int, counts data.Counts, err error) {
	fields := newReviewFields()
	r, err := data.OpenRows("review", file, cfg, nil, fields.findSheet)
	if err != nil {
		return nil, 0, counts, err
	}
	defer r.Close()
	seen := map[string]int{}
	for {
		var row Review
		place, err := r.Next(func() (bad *data.Problem) {
			if row, bad = fields.sheet(r.CSV()); bad != nil {
				return bad
			}
			if first, again := seen[row.ID]; again {
				return fields.id.Problem(data.ReasonDuplicateID, "the id %q was given before, to %s %d", data.Clip(row.ID, 40), r.Unit(), first)
			}
			if fields.answered() {
				answered++
			}
			return nil
		})
		if err == io.EOF {
			return rows, answered, r.Counts(), nil
		}
		if err != nil {
			return nil, 0, counts, err
		}
		row.File, row.Row = file, place
		seen[row.ID] = place
		rows = append(rows, row)
	}
}

func (f *reviewFields) findSheet(src data.Source, cfg data.ReadConfig) ([]*data.Field, error) {
	fields := append(f.Fields(), f.id, f.answer, f.tools)
	if err := data.Resolve(fields, cfg.Columns, src); err != nil {
		return nil, err
	}
	if err := data.Require([]*data.Field{f.id, f.A, f.B}, src, "what laurel label --review-out writes has id, prompt, response_a and response_b"); err != nil {
		return nil, err
	}
	if err := data.CheckTypes(fields, src); err != nil {
		return nil, err
	}
	return fields, f.Alike()
}

// sheet reads a row of what is put to people.
func (f *reviewFields) sheet(csv bool) (row Review, bad *data.Problem) {
	tools := ""
	if bad = data.Words(data.Word{Field: f.id, Into: &row.ID}, data.Word{Field: f.tools, Into: &tools}); bad != nil {
		return row, bad
	}
	if row.ID == "" {
		return row, f.id.Problem(data.ReasonNullText, "no id: answers are kept by it")
	}
	for _, text := range []struct {
		from *data.Field
		into *data.Text
	}{{f.Prompt, &row.Prompt}, {f.A, &row.A}, {f.B, &row.B}} {
		if text.from == f.Prompt && text.from.Cell.Absent() {
			continue
		}
		if *text.into, bad = text.from.Text(); bad != nil {
			return row, bad
		}
		if csv {
			text.into.Plain = asWritten(text.into.Plain)
		}
	}
	if csv {
		row.ID, tools = asWritten(row.ID), asWritten(tools)
	}
	row.Prompt.Context.Tools = tools
	return row, nil
}

// asWritten takes off the apostrophe that guarded puts before a cell, and no
// other program's.
func asWritten(cell string) string {
	if plain := unguarded(cell); guarded(plain) == cell {
		return plain
	}
	return cell
}

// TextsKey stands for prompt and responses as the cells of a review file hold
// them, line ends aside. An answer that carries it is known to be of these texts.
func (r Review) TextsKey() string {
	t := textsOf(&r.Comparison)
	return t.key()
}

func textsOf(c *data.Comparison) *reviewTexts {
	return &reviewTexts{hashes: [3][8]byte{hashCell(reviewText(c.Prompt)), hashCell(reviewText(c.A)), hashCell(reviewText(c.B))}, identical: c.Identical()}
}

func (t *reviewTexts) key() string {
	var all []byte
	for _, hash := range t.hashes {
		all = append(all, hash[:]...)
	}
	return hex.EncodeToString(all)
}
