package data

import (
	"bufio"
	"cmp"

	"github.com/parquet-go/parquet-go"

	"laurel/data/parquetpages"
)

// parquetScores writes the input's columns and the scores as Parquet.
type parquetScores struct {
	rows   parquetRowSource
	buffer *bufio.Writer
	//lint:ignore SA1019 the generic writer is for Go types; these columns are known when the file is read
	w       *parquet.Writer
	row     parquet.Row
	columns int // leaves before the scores
	of      ScoreColumns
	perText int // leaves of one completion's scores
	group   int // rows in the open row group
	bytes   int // bytes in it
}

// parquetRowSource gives the rows of the input as Parquet values.
type parquetRowSource interface {
	// fields are the input's columns without those named.
	fields(without []string) []parquet.Field
	// next appends the values of the next row, levels and column indexes set.
	next(parquet.Row) (parquet.Row, error)
}

func newParquetScores(rows parquetRowSource, buffer *bufio.Writer, pairs bool, of ScoreColumns) (p *parquetScores, err error) {
	defer parquetpages.Recover(&err)
	scores := scoreColumns(pairs, of)
	kept := rows.fields(scoreNames(pairs, of))
	p = &parquetScores{rows: rows, buffer: buffer, columns: leafCount(kept), perText: len(scores), of: of}
	if pairs {
		p.perText /= 2 // the probability is of both
	}
	schema := parquet.NewSchema("scores", orderedGroup{fields: append(kept, scores...)})
	p.w = parquet.NewWriter(buffer, schema, parquet.Compression(&parquet.Zstd), parquet.DataPageStatistics(false), SkipBounds(schema))
	return p, nil
}

// write writes the next row of the input with its scores.
func (p *parquetScores) write(scores []Score) (err error) {
	if p.row, err = p.rows.next(p.row[:0]); err != nil {
		return rereadError(err)
	}
	for i, s := range scores {
		p.row = appendScore(p.row, s, p.columns+p.perText*i, p.perText)
	}
	if len(scores) == 2 && p.of.Temperature > 0 {
		probability, valid := p.of.probability(scores)
		p.row = append(p.row, floatValue(probability, valid, p.columns+2*p.perText))
	}
	return p.writeRow()
}

func (p *parquetScores) close() error { return cmp.Or(p.w.Close(), p.buffer.Flush()) }

// scoreColumns are the columns written for one completion; for pairs each
// name ends in _chosen and _rejected. They are named as scoreNames says.
func scoreColumns(pairs bool, of ScoreColumns) []parquet.Field {
	suffixes := []string{""}
	if pairs {
		suffixes = []string{"_chosen", "_rejected"}
	}
	var out []parquet.Field
	for _, s := range suffixes {
		out = append(out,
			namedNode{parquet.Optional(parquet.Leaf(parquet.FloatType)), "reward" + s},
			namedNode{parquet.Leaf(parquet.Int32Type), "tokens" + s},
			namedNode{parquet.Leaf(parquet.BooleanType), "truncated" + s},
			namedNode{parquet.Optional(parquet.String()), "reason" + s})
		if of.Ensemble {
			out = append(out,
				namedNode{parquet.Optional(parquet.Leaf(parquet.FloatType)), "reward" + s + "_std"},
				namedNode{parquet.Optional(parquet.Leaf(parquet.FloatType)), "reward" + s + "_lower"})
		}
	}
	if pairs && of.Temperature > 0 {
		out = append(out, namedNode{parquet.Optional(parquet.Leaf(parquet.FloatType)), "probability_chosen"})
	}
	return out
}

// appendScore appends the values of one completion, beginning at a column.
func appendScore(row parquet.Row, s Score, column, width int) parquet.Row {
	reward := floatValue(s.Reward, s.Valid, column)
	reason := parquet.NullValue().Level(0, 0, column+3)
	if s.Reason != "" {
		reason = parquet.ByteArrayValue([]byte(s.Reason)).Level(0, 1, column+3)
	}
	row = append(row, reward,
		parquet.Int32Value(int32(s.Tokens)).Level(0, 0, column+1),
		parquet.BooleanValue(s.Truncated).Level(0, 0, column+2),
		reason)
	if width > 4 { // of an ensemble
		row = append(row, floatValue(s.Std, s.Valid, column+4), floatValue(s.Lower, s.Valid, column+5))
	}
	return row
}

// floatValue is null where it is not valid.
func floatValue(x float32, valid bool, column int) parquet.Value {
	if !valid {
		return parquet.NullValue().Level(0, 0, column)
	}
	return parquet.FloatValue(x).Level(0, 1, column)
}

func (p *parquetScores) writeRow() (err error) {
	defer parquetpages.Recover(&err)
	if _, err := p.w.WriteRows([]parquet.Row{p.row}); err != nil {
		return err
	}
	p.group++
	for i := range p.row {
		if k := p.row[i].Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			p.bytes += len(p.row[i].ByteArray())
		}
	}
	if p.group < rowGroupRows && p.bytes < rowGroupBytes {
		return nil
	}
	p.group, p.bytes = 0, 0
	return p.w.Flush()
}

// SkipBounds keeps whole texts out of the footer.
func SkipBounds(schema *parquet.Schema) parquet.WriterOption {
	var options []parquet.WriterOption
	for _, path := range schema.Columns() {
		options = append(options, parquet.SkipPageBounds(path...))
	}
	return writerOptions(options)
}

type writerOptions []parquet.WriterOption

func (o writerOptions) ConfigureWriter(c *parquet.WriterConfig) {
	for _, option := range o {
		option.ConfigureWriter(c)
	}
}
