package main

import (
	"fmt"
	"slices"
	"strings"
)

// layOut settles in which rows and batches the pairs lie, and says it.
func (t *training) layOut(p *prepared) error {
	shares, why, err := p.SharesPrefix(t.config.Data.SharedPrefix)
	if err != nil {
		return err
	}
	flat, whyPadded, err := p.PaddingFree(t.config.Data)
	if err != nil {
		return err
	}
	p.Order = p.NewOrder(t.config.Data, shares, flat)
	list := func(lengths []int) string {
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(lengths), " ", ", "), "[]")
	}
	if lengths := p.Order.Flat; len(lengths) > 0 {
		t.printFlat(p, list(lengths))
		return nil
	}
	if whyPadded != "" {
		fmt.Fprintf(t.out, "padding-free rows: none: %s\n", whyPadded)
	}
	var padded []string
	if lengths := p.Order.Shared; len(lengths) > 0 {
		fmt.Fprintf(t.out, "shared prefix: %s\n", p.Layout())
		padded = append(padded, list(lengths)+" tokens a pair")
	} else if why != "" {
		fmt.Fprintf(t.out, "shared prefix: every sequence has a row of its own: %s\n", why)
	}
	if lengths := p.Order.Buckets; len(lengths) > 0 {
		padded = append(padded, list(lengths)+" tokens")
	}
	fmt.Fprintf(t.out, "batches of %d pairs, padded to %s\n", p.Order.BatchSize, strings.Join(padded, ", in two rows to "))
	if pairs := append(slices.Clone(p.Order.SharedPairs), p.Order.BucketPairs...); len(pairs) > 0 {
		fmt.Fprintf(t.out, "pairs of each length computed at once, gradients summed over the batch: %s (train.activation_memory)\n", list(pairs))
	}
	return nil
}

// printFlat says how batches lie in flat rows, and which lengths those have.
func (t *training) printFlat(p *prepared, lengths string) {
	size, ids := p.Order.BatchSize, int(p.Train.Stats.Tokens)
	if p.Order.FlatShared {
		layout := p.Layout()
		ids -= layout.Saved
		fmt.Fprintf(t.out, "shared prefix: %s\n", layout)
	}
	each := float64(ids) * float64(size) / float64(p.Train.Stats.Pairs)
	rows, summed := "in one row", ""
	if each > float64(slices.Max(p.Order.Flat)) {
		rows, summed = "in as few rows as hold them", ", computed one after another, gradients summed over the batch (train.activation_memory)"
	}
	fmt.Fprintf(t.out, "batches of %d pairs, about %.0f tokens, lie %s, no padding between sequences: rows are filled up to %s tokens%s\n", size, each, rows, lengths, summed)
}
