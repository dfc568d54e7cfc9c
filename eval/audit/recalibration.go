package audit

import (
	"cmp"
	"math"
	"slices"

	"laurel/eval/stats"
)

// Recalibration compares confidences before and after calibration, fitted on
// one part of the prompts and tested on the others.
type Recalibration struct {
	Seed        uint64            `json:"seed"` // of the split
	Fit         int               `json:"fit"`  // labels
	Test        int               `json:"test"`
	Raw         CalibrationScores `json:"raw"` // on the test part
	Temperature CalibrationScores `json:"temperature"`
	Isotonic    CalibrationScores `json:"isotonic"`
	// Certain labels say 0 or 1, within 1e-6: their log loss and logit are taken
	// at that distance.
	Certain int `json:"certain"`
	// Final is the method of the lowest log loss on the test part, fitted on both
	// parts: what calibrated confidences are written with. Raw is one of them.
	Final Calibrator `json:"final"`
}

// CalibrationScores say how well probabilities foretell which labels are
// right.
type CalibrationScores struct {
	Calibrator   Calibrator  `json:"calibrator"`
	N            int         `json:"n"`
	ECE          stats.Value `json:"ece"`            // equal-width bins of [0, 1]
	ECEByChance  stats.Value `json:"ece_by_chance"`  // that of right probabilities, about
	ECEEqualMass stats.Value `json:"ece_equal_mass"` // bins of about equal count
	Brier        stats.Value `json:"brier"`
	LogLoss      stats.Value `json:"log_loss"`
	Bins         []stats.Bin `json:"bins"`
}

// massBins is the number of bins of about equal count.
const massBins = 10

// place is a row's prompt: its number, and the key that a split goes by.
type place struct {
	prompt int32
	key    uint64
}

// groupedLabel is a judged label with its prompt, which a split must not part.
type groupedLabel struct {
	judged
	place
}

// fewCalibrated is the least number of labels in each part of the split: a map
// fitted to fewer, or tested on fewer, says nothing.
const fewCalibrated = 20

// recalibrate is nil where a part of the split has too few labels.
func recalibrate(labels []groupedLabel, bins int, seed uint64) *Recalibration {
	var all, fit, test []judged
	r := &Recalibration{Seed: seed}
	for _, l := range labels {
		all = append(all, l.judged)
		if stats.FirstHalf(l.key, seed) {
			fit = append(fit, l.judged)
		} else {
			test = append(test, l.judged)
		}
		if l.confidence <= certain || l.confidence >= 1-certain {
			r.Certain++
		}
	}
	if len(fit) < fewCalibrated || len(test) < fewCalibrated {
		return nil
	}
	r.Fit, r.Test = len(fit), len(test)
	asLabelled := Calibrator{Method: Raw, Temperature: 1}
	r.Raw = score(asLabelled, test, bins)
	r.Temperature = score(fitTemperature(fit), test, bins)
	r.Isotonic = score(fitIsotonic(fit), test, bins)
	switch least := min(r.Raw.LogLoss, r.Temperature.LogLoss, r.Isotonic.LogLoss); least {
	case r.Raw.LogLoss:
		r.Final = asLabelled
	case r.Temperature.LogLoss:
		r.Final = fitTemperature(all)
	default:
		r.Final = fitIsotonic(all)
	}
	return r
}

func score(c Calibrator, labels []judged, bins int) CalibrationScores {
	out := CalibrationScores{Calibrator: c, N: len(labels)}
	width := stats.NewBinning(bins)
	probabilities := make([]judged, len(labels))
	brier, loss := 0.0, 0.0
	for i, l := range labels {
		p := min(max(c.Apply(l.confidence), 0), 1)
		width.Add(p, l.outcome())
		probabilities[i] = judged{p, l.right}
		brier += (p - l.outcome()) * (p - l.outcome())
		if l.right {
			loss += stats.Softplus(-logit(p))
		} else {
			loss += stats.Softplus(logit(p))
		}
	}
	n := float64(len(labels))
	out.ECE, out.ECEByChance, out.Bins = width.Error(), width.ByChance(), width.Bins()
	out.Brier, out.LogLoss = stats.Over(brier, n), stats.Over(loss, n)
	out.ECEEqualMass = equalMassError(probabilities)
	return out
}

// equalMassError is the expected calibration error over bins of about equal
// count; equal probabilities stay together.
func equalMassError(probabilities []judged) stats.Value {
	slices.SortFunc(probabilities, func(a, b judged) int { return cmp.Compare(a.confidence, b.confidence) })
	n, gap := len(probabilities), 0.0
	for lo, bin := 0, 1; lo < n; bin++ {
		hi := max(lo+1, bin*n/massBins)
		for hi < n && probabilities[hi].confidence == probabilities[hi-1].confidence {
			hi++
		}
		excess := 0.0
		for _, p := range probabilities[lo:hi] {
			excess += p.confidence - p.outcome()
		}
		gap += math.Abs(excess)
		lo = hi
	}
	return stats.Over(gap, float64(n))
}
