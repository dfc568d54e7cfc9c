package batches

// Layout is R rows of T ids that hold S sequences. Where a sequence lies is the
// business of whoever fills the rows: one may hold one sequence or several.
type Layout struct {
	IDs       []int32 // [R, T]
	Segments  []int32 // [R, T]: 0 for padding, 1…n for the sequences of the row and the prefixes that they share
	Positions []int32 // [R, T]: the place of an id within its sequence, the shared prefix counted; 0 in padding
	Row       []int32 // [S]: the row that holds a sequence
	Start     []int32 // [S]: its first column there, behind a shared prefix
	End       []int32 // [S]: the column after its last
	// Where sequences share prefixes, else nil: the segments that an id sees beside its
	// own, 0 for none, [R, T]; and for each sequence the columns of its prefix, From …
	// To−1, [S], none where they are equal. The first that shares a prefix lies next to it.
	Prefixes, From, To []int32
	// Flat: one row holds all sequences, one after another. Sequences of pairs that are
	// not there have no ids: they start and end at 0.
	Flat bool

	R, T, S int

	begun [3]int32 // the last prefix: its segment, its first column and the column after its last
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
		l.Prefixes, l.From, l.To = make([]int32, rows*length), make([]int32, sequences), make([]int32, sequences)
	}
	return l
}

// NewFlatLayout has one row of padID for so many sequences; shared is as in NewLayout.
func NewFlatLayout(length, sequences int, shared bool, padID int32) Layout {
	l := NewLayout(1, length, sequences, shared, padID)
	l.Flat = true
	return l
}

// Shared tells whether sequences lie in one row, with what they begin with once.
func (l *Layout) Shared() bool { return l.Prefixes != nil }

// Begin puts what sequences share into a row, from a column on: those that are placed
// with a prefix from then on have this one.
func (l *Layout) Begin(row, column int, prefix []int32) {
	first, segment := row*l.T+column, l.nextSegment(row, column)
	copy(l.IDs[first:], prefix)
	for i := range prefix {
		l.Segments[first+i], l.Positions[first+i] = segment, int32(i)
	}
	l.begun = [3]int32{segment, int32(column), int32(column + len(prefix))}
}

// Place puts a sequence into a row from a column on: ids, after so many of the
// prefix begun last. A row's sequences are placed from left to right.
func (l *Layout) Place(sequence, row, column int, ids []int32, prefix int) {
	l.Row[sequence], l.Start[sequence], l.End[sequence] = int32(row), int32(column), int32(column+len(ids))
	first, segment := row*l.T+column, l.nextSegment(row, column)
	copy(l.IDs[first:], ids)
	for i := range ids {
		l.Segments[first+i], l.Positions[first+i] = segment, int32(prefix+i)
	}
	if prefix == 0 {
		return
	}
	for i := range ids {
		l.Prefixes[first+i] = l.begun[0]
	}
	l.From[sequence], l.To[sequence] = l.begun[1], l.begun[2]
}

// nextSegment is the number of what is put into a row from a column on.
func (l *Layout) nextSegment(row, column int) int32 {
	if column == 0 {
		return 1
	}
	return 1 + l.Segments[row*l.T+column-1]
}

// Lengths are the numbers of ids of the sequences, less a shared prefix, [S].
func (l *Layout) Lengths() []int32 {
	lengths := make([]int32, l.S)
	for i := range lengths {
		lengths[i] = l.End[i] - l.Start[i]
	}
	return lengths
}
