package batches

// Layout is R rows of T ids that hold S sequences. Where a sequence lies is the
// business of whoever fills the rows: one may hold one sequence or several.
type Layout struct {
	IDs       []int32 // [R, T]
	Segments  []int32 // [R, T]: 0 for padding, 1…n for the sequences of the row and the prefix that they share
	Positions []int32 // [R, T]: the place of an id within its sequence, the shared prefix counted; 0 in padding
	Row       []int32 // [S]: the row that holds a sequence
	Start     []int32 // [S]: its first column there, behind a shared prefix
	End       []int32 // [S]: the column after its last
	// Prefixes are the segments that an id sees beside its own, 0 for none: 1, the
	// prefix of its row, in responses. [R, T]; nil where each sequence has a row.
	Prefixes []int32
	// Flat: one row holds all sequences, one after another, each with ids of its
	// own. Sequences of pairs that are not there have none: they start and end at 0.
	Flat bool

	R, T, S int
}

// NewLayout has rows of padID, and no sequence yet; shared says whether the
// sequences of a row share a prefix.
func NewLayout(rows, length, sequences int, shared bool, padID int32) Layout {
	l := Layout{R: rows, T: length, S: sequences,
		IDs: make([]int32, rows*length), Segments: make([]int32, rows*length), Positions: make([]int32, rows*length),
		Row: make([]int32, sequences), Start: make([]int32, sequences), End: make([]int32, sequences)}
	for i := range l.IDs {
		l.IDs[i] = padID
	}
	if shared {
		l.Prefixes = make([]int32, rows*length)
	}
	return l
}

// NewFlatLayout has one row of padID for so many sequences.
func NewFlatLayout(length, sequences int, padID int32) Layout {
	l := NewLayout(1, length, sequences, false, padID)
	l.Flat = true
	return l
}

// Shared tells whether sequences lie in one row, with what they begin with once.
func (l *Layout) Shared() bool { return l.Prefixes != nil }

// Begin puts what the sequences of a row begin with into its first columns.
func (l *Layout) Begin(row int, prefix []int32) {
	at := row * l.T
	copy(l.IDs[at:], prefix)
	for i := range prefix {
		l.Segments[at+i], l.Positions[at+i] = 1, int32(i)
	}
}

// Place puts a sequence into a row from a column on: ids, after so many of a
// prefix that the row begins with. A row's sequences are placed from left to
// right.
func (l *Layout) Place(sequence, row, column int, ids []int32, prefix int) {
	l.Row[sequence], l.Start[sequence], l.End[sequence] = int32(row), int32(column), int32(column+len(ids))
	segment := int32(1)
	if column > 0 {
		segment += l.Segments[row*l.T+column-1]
	}
	first := row*l.T + column
	copy(l.IDs[first:], ids)
	for i := range ids {
		l.Segments[first+i], l.Positions[first+i] = segment, int32(prefix+i)
		if prefix > 0 {
			l.Prefixes[first+i] = 1
		}
	}
}

// Lengths are the numbers of ids of the sequences, less a shared prefix, [S].
func (l *Layout) Lengths() []int32 {
	lengths := make([]int32, l.S)
	for i := range lengths {
		lengths[i] = l.End[i] - l.Start[i]
	}
	return lengths
}
