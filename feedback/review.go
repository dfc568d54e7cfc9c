package feedback

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"math"
	"slices"

	"laurel/labels"
)

// Why a comparison is put to people. More would tell them what the judges
// think, and lead them.
const (
	WhyDisputed     = "judges_disagree"
	WhyNoVerdict    = "no_verdict"
	WhyLeastCertain = "least_certain"
)

// ReviewSummary says which comparisons were put to people: comparisons =
// identical + unanswered + the others, of which the least certain are selected.
type ReviewSummary struct {
	Comparisons int `json:"comparisons"`
	Identical   int `json:"identical"`  // responses: there is nothing to decide
	Unanswered  int `json:"unanswered"` // by the judges: the same command asks them again
	Selected    int `json:"selected"`
	Disputed    int `json:"disputed"`  // of the selected: judges name different sides
	Abstained   int `json:"abstained"` // of the selected: without a verdict
}

// doubt is how much a comparison wants a person's eye.
type doubt struct {
	at        int // among the labels
	disputed  bool
	certainty float64
	shuffle   uint64 // by seed and id
}

// Review selects the comparisons of which the judges are least sure, fraction
// of all, for people to decide: first those on which judges name different
// sides, then by rising certainty,
//
//	|Σ w (2p − 1)| / Σ w  over all votes,
//
// w a vote's weight and p its probability that response A is the better one,
// over both orders: 0 where votes cancel out or say nothing, 1 where all are
// sure of one side. They come shuffled by seed, so that their order tells
// nothing. labels is read twice.
func Review(all iter.Seq2[labels.Label, error], fraction float64, seed int64) ([]labels.Review, *ReviewSummary, error) {
	s := &ReviewSummary{}
	doubts, err := s.doubts(all, seed)
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(doubts, func(a, b doubt) int {
		return cmp.Or(-cmp.Compare(share(a.disputed), share(b.disputed)), cmp.Compare(a.certainty, b.certainty), cmp.Compare(a.shuffle, b.shuffle))
	})
	doubts = doubts[:min(len(doubts), int(math.Ceil(fraction*float64(s.Comparisons)-tolerance)))]
	rows, err := s.pick(all, doubts)
	return rows, s, err
}

func (s *ReviewSummary) doubts(all iter.Seq2[labels.Label, error], seed int64) (doubts []doubt, err error) {
	for l, err := range all {
		if err != nil {
			return nil, err
		}
		s.Comparisons++
		switch l.Reason {
		case labels.AbstainIdentical:
			s.Identical++
		case labels.AbstainFailed, labels.AbstainUnparseable:
			s.Unanswered++
		default:
			d := doubt{at: s.Comparisons - 1, shuffle: shuffled(seed, l.ID)}
			d.certainty, d.disputed = certainty(l.Votes)
			doubts = append(doubts, d)
		}
	}
	return doubts, nil
}

// certainty is that of all votes, and whether judges lean to different sides.
func certainty(votes []labels.Vote) (certain float64, disputed bool) {
	sum, weight := 0.0, 0.0
	leans := map[string]float64{}
	for _, v := range votes {
		weight += v.Weight
		p, n := 0.0, 0.0
		for _, order := range []float64{v.AFirst, v.BFirst} {
			if !math.IsNaN(order) {
				p, n = p+order, n+1
			}
		}
		if n > 0 {
			lean := v.Weight * (2*p/n - 1)
			sum += lean
			leans[v.Judge] += lean
		}
	}
	a, b := false, false
	for _, lean := range leans {
		a, b = a || lean > tolerance, b || lean < -tolerance
	}
	if weight == 0 {
		return 0, false
	}
	return math.Abs(sum) / weight, a && b
}

// shuffled is the place of an id in an order that the seed decides.
func shuffled(seed int64, id string) uint64 {
	sum, _ := hex.DecodeString(Key("review", string(binary.LittleEndian.AppendUint64(nil, uint64(seed))), id)) // which is hexadecimal
	return binary.LittleEndian.Uint64(sum)
}

// pick reads the labels again for the texts of those selected.
func (s *ReviewSummary) pick(all iter.Seq2[labels.Label, error], doubts []doubt) ([]labels.Review, error) {
	wanted := map[int]doubt{}
	for _, d := range doubts {
		wanted[d.at] = d
	}
	type placed struct {
		labels.Review
		shuffle uint64
	}
	var rows []placed
	at := 0
	for l, err := range all {
		if err != nil {
			return nil, err
		}
		if d, ok := wanted[at]; ok {
			rows = append(rows, placed{labels.Review{Comparison: l.Comparison, Why: s.why(&l, d)}, d.shuffle})
		}
		at++
	}
	slices.SortFunc(rows, func(a, b placed) int { return cmp.Or(cmp.Compare(a.shuffle, b.shuffle), cmp.Compare(a.ID, b.ID)) })
	out := make([]labels.Review, len(rows))
	for i, r := range rows {
		out[i] = r.Review
	}
	return out, nil
}

// why counts a selected comparison and says what it is there for.
func (s *ReviewSummary) why(l *labels.Label, d doubt) string {
	s.Selected++
	if l.Side == labels.Neither {
		s.Abstained++
	}
	switch {
	case d.disputed:
		s.Disputed++
		return WhyDisputed
	case l.Side == labels.Neither:
		return WhyNoVerdict
	}
	return WhyLeastCertain
}
