package model

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestScoresDoNotDependOnNeighbours: each sequence scored alone, among
// others, and in another order has one score.
func TestScoresDoNotDependOnNeighbours(t *testing.T) {
	m, err := Load(smallDir(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewScorer(pureGo(t), m)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	var rows [][]int32
	for range 40 {
		row := make([]int32, 1+random.IntN(12))
		for i := range row {
			row[i] = int32(random.IntN(20))
		}
		rows = append(rows, row)
	}
	all, err := s.Score(context.Background(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		one, err := s.Score(context.Background(), [][]int32{row}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := math.Abs(float64(one[0] - all[i])); d > 1e-6*max(1, math.Abs(float64(all[i]))) {
			t.Errorf("row %d: %v alone, %v among others", i, one[0], all[i])
		}
	}
	reversed := make([][]int32, len(rows))
	for i := range rows {
		reversed[len(rows)-1-i] = rows[i]
	}
	back, err := s.Score(context.Background(), reversed, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if back[len(rows)-1-i] != all[i] {
			t.Errorf("row %d: %v, in reversed order %v", i, all[i], back[len(rows)-1-i])
		}
	}
}

func TestScorerRefusals(t *testing.T) {
	m, err := Load(smallDir(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewScorer(pureGo(t), m)
	if err != nil {
		t.Fatal(err)
	}
	for wrong, rows := range map[string][][]int32{
		"sequence 1: no tokens":               {{1}, {}},
		"13 tokens are more than the model's": {make([]int32, 13)},
	} {
		if _, err := s.Score(context.Background(), rows, nil); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("error %v, want one with %q", err, wrong)
		}
	}
}
