package data

import "slices"

// labelRecord are the columns of the files of laurel label that say how a label
// came about: what was asked, answered and paid, no part of a pair.
var labelRecord = []string{"p_a_first", "p_b_first", "chosen_is", "model_chosen", "model_rejected", "num_principles_agreed", "principle_used",
	"votes", "judge", "rationale", "requests", "prompt_tokens", "completion_tokens", "cost"}

// labelled tells whether the source is a file of labels, whose record is not told
// of as ignored: it has every column of it.
func labelled(src Source) bool {
	for _, name := range labelRecord {
		if _, found := findColumn(src, name); !found {
			return false
		}
	}
	return true
}

// ofRecord tells whether a column of the source is of its labels' record.
func ofRecord(src Source, column string) bool {
	return slices.Contains(labelRecord, column) && labelled(src)
}
