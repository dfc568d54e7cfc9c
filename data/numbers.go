package data

import (
	"fmt"
	"io"
	"math"
)

// ReadNumbers reads a column of numbers, one a row: NaN where the cell is null or
// missing.
func ReadNumbers(file, column string) ([]float64, error) {
	number := &Field{Name: column, Holds: HoldsNumber}
	rows, err := OpenRows("numbers", file, ReadConfig{}, nil, func(src Source, _ ReadConfig) ([]*Field, error) {
		fields := []*Field{number}
		if err := Resolve(fields, nil, src); err != nil {
			return nil, err
		}
		if !HasColumns(src, number) {
			return nil, fmt.Errorf("no column %s; the columns are %s", column, List(columnNames(src)))
		}
		return fields, CheckTypes(fields, src)
	})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []float64
	for {
		_, err := rows.Next(func() *Problem {
			x, bad := number.Number(math.NaN())
			out = append(out, x)
			return bad
		})
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
