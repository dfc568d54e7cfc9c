package model

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
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
		if one[0] != all[i] {
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

// TestRowsHaveOneReward: a sequence has the same reward, bit for bit, in every
// row of a batch and beside any others: every family, on every backend. The
// rows and the tokens are multiples of no vector's width, so that kernels
// which compute what is left over in another way are found.
func TestRowsHaveOneReward(t *testing.T) {
	for backendName, backend := range backends(t) {
		for _, name := range drawnNames() {
			checkRows(t, backend, drawnModel(t, name), fmt.Sprintf("drawn %s on %s", name, backendName))
		}
		for name := range goldenFamilies {
			dir := filepath.Join("..", "..", "shared", "golden", name)
			if _, err := os.Stat(dir); err != nil {
				t.Logf("SKIPPED: %v", err)
				continue
			}
			m, err := Load(dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			checkRows(t, backend, m, fmt.Sprintf("golden %s on %s", name, backendName))
		}
	}
}

func checkRows(t *testing.T, backend compute.Backend, m *Model, what string) {
	t.Helper()
	s, err := NewScorer(backend, m)
	if err != nil {
		t.Fatal(err)
	}
	if where := s.rowDependence(t, 21, 13); where != "" {
		t.Errorf("%s: %s", what, where)
	}
	if s.spans {
		s.SetBatch(127)
		s.lanes = min(s.lanes, 2)
		checkFlat(t, s, what)
	}
}

// checkFlat scores sequences of many lengths, some of which begin alike, in flat rows of
// a prime number of ids, alone with all threads, and among all, and backwards, in lanes where the backend
// has them: the same bits, and nearly those of rows of their own.
func checkFlat(t *testing.T, s *Scorer, what string) {
	t.Helper()
	random := rand.New(rand.NewPCG(6, 6))
	var sequences [][]int32
	for range 60 {
		sequences = append(sequences, drawnRows(random, 1, 1+random.IntN(40))...)
	}
	sequences = append(sequences, responses(random)...)
	score := func(of [][]int32) []float32 {
		rewards, err := s.Score(context.Background(), of, nil)
		if err != nil {
			t.Fatal(err)
		}
		return rewards
	}
	if rows, err := s.rows(sequences); err != nil || len(s.batches(rows)) < lanesWorth*s.lanes {
		t.Fatalf("%s: %d batches are too few for lanes, %v", what, len(s.batches(rows)), err)
	}
	all := score(sequences)
	backwards := slices.Clone(sequences)
	slices.Reverse(backwards)
	back := score(backwards)
	slices.Reverse(back)
	for i, ids := range sequences {
		if one := score([][]int32{ids})[0]; one != all[i] || back[i] != all[i] {
			t.Errorf("%s: sequence %d has %v among others, %v alone, %v backwards", what, i, all[i], one, back[i])
		}
	}
	s.spans = false
	largest(t, what, all, float64s(score(sequences)), 2e-5)
}

// rowDependence tells of the first reward that changes as sequences move
// through the rows of a batch, and as half of the rows are padding.
func (s *Scorer) rowDependence(t *testing.T, n, tokens int) string {
	t.Helper()
	sequences := drawnRows(rand.New(rand.NewPCG(5, 5)), n, tokens)
	score := func(rows []int) []float32 {
		rewards := make([]float32, n)
		alone := make([]scoreRow, len(rows))
		for j, i := range rows {
			alone[j] = scoreRow{{members: []int{i}}}
		}
		scored, err := s.begin(s.exec, sequences, batch{[][]scoreRow{alone}, n, rowShape{tokens, padded}})
		if err != nil {
			t.Fatal(err)
		}
		if err := scored.read(rewards); err != nil {
			t.Fatal(err)
		}
		return rewards
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	want := score(order)
	for shift := 1; shift < n; shift += 4 {
		rows := append(slices.Clone(order[shift:]), order[:shift]...)
		if shift%8 == 1 {
			rows = rows[:n/2]
		}
		got := score(rows)
		for at, row := range rows {
			if got[row] != want[row] {
				return fmt.Sprintf("sequence %d has %v in row %d, %v in row %d", row, want[row], row, got[row], at)
			}
		}
	}
	return ""
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
