package eval

import "laurel/data/batches"

// RowsOf joins a store's pairs with the rewards of their two responses, in
// the store's order.
func RowsOf(s *batches.Store, chosen, rejected []float32) ([]Row, error) {
	rows := make([]Row, s.Len())
	for i := range rows {
		p, err := s.Info(i)
		if err != nil {
			return nil, err
		}
		rows[i] = Row{Prompt: p.Prompt, Subset: p.Subset, Chosen: float64(chosen[i]), Rejected: float64(rejected[i]),
			Confidence: p.Confidence, Place: p.Place, LenChosen: p.CharsChosen, LenRejected: p.CharsReject}
	}
	return rows, nil
}
