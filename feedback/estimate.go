package feedback

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Rates are what comparing costs people and a judge, and how fast they are.
type Rates struct {
	HumanCost    float64 `json:"human_cost"`     // dollars a comparison
	HumanPerHour float64 `json:"human_per_hour"` // comparisons
	HoursPerDay  float64 `json:"hours_per_day"`  // of a person's work
	AICost       float64 `json:"ai_cost"`        // dollars a comparison
	AIPerHour    float64 `json:"ai_per_hour"`    // comparisons
}

// DefaultRates lie within what is usual: people at 0.50 to 2.00 dollars and 50
// to 100 comparisons an hour, a judge at 0.01 to 0.05 dollars.
func DefaultRates() Rates {
	return Rates{HumanCost: 1, HumanPerHour: 75, HoursPerDay: 8, AICost: 0.02, AIPerHour: 10_000}
}

// Scales are the numbers of comparisons of the usual table.
func Scales() []int { return []int{1_000, 10_000, 100_000, 1_000_000} }

// Validate names every rate that makes no sense.
func (r Rates) Validate() error {
	var problems []error
	check := func(ok bool, name string, value float64, want string) {
		if !ok || math.IsInf(value, 0) {
			problems = append(problems, fmt.Errorf("%s is %v, want %s", name, value, want))
		}
	}
	check(r.HumanCost >= 0, "human_cost", r.HumanCost, "dollars a comparison, 0 or more")
	check(r.HumanPerHour > 0, "human_per_hour", r.HumanPerHour, "comparisons an hour, above 0")
	check(r.HoursPerDay > 0 && r.HoursPerDay <= 24, "hours_per_day", r.HoursPerDay, "above 0 and at most 24")
	check(r.AICost >= 0, "ai_cost", r.AICost, "dollars a comparison, 0 or more")
	check(r.AIPerHour > 0, "ai_per_hour", r.AIPerHour, "comparisons an hour, above 0")
	return errors.Join(problems...)
}

// Estimate is what so many comparisons take.
type Estimate struct {
	Comparisons int     `json:"comparisons"`
	HumanCost   float64 `json:"human_cost"`  // dollars
	HumanHours  float64 `json:"human_hours"` // of one person's work
	HumanDays   float64 `json:"human_days"`  // the same in working days
	AICost      float64 `json:"ai_cost"`     // dollars
	AIHours     float64 `json:"ai_hours"`
}

// Estimate is linear: no fixed costs, one person, one judge.
func (r Rates) Estimate(comparisons int) Estimate {
	n := float64(comparisons)
	hours := n / r.HumanPerHour
	return Estimate{
		Comparisons: comparisons,
		HumanCost:   n * r.HumanCost, HumanHours: hours, HumanDays: hours / r.HoursPerDay,
		AICost: n * r.AICost, AIHours: n / r.AIPerHour,
	}
}

// Estimates is one Estimate for each number of comparisons.
func (r Rates) Estimates(comparisons ...int) []Estimate {
	out := make([]Estimate, len(comparisons))
	for i, n := range comparisons {
		out[i] = r.Estimate(n)
	}
	return out
}

// EstimateColumns head the cells of an Estimate.
func EstimateColumns() []string {
	return []string{"comparisons", "human cost", "human time", "AI cost", "AI time"}
}

// Cells are the estimate as the table shows it.
func (e Estimate) Cells() []string {
	return []string{thousands(float64(e.Comparisons), 0), dollars(e.HumanCost), oneDecimal(e.HumanDays) + " days",
		dollars(e.AICost), oneDecimal(e.AIHours) + " h"}
}

// PrintEstimates writes the table: comparisons against what people and a
// judge cost and take.
func PrintEstimates(w io.Writer, estimates []Estimate) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, strings.Join(EstimateColumns(), "\t")+"\t")
	for _, e := range estimates {
		fmt.Fprintln(t, strings.Join(e.Cells(), "\t")+"\t")
	}
	return t.Flush()
}

// dollars shows cents where there are any, and a price under a cent with two
// significant digits.
func dollars(x float64) string {
	switch {
	case x > 0 && x < 0.01:
		return "$" + strconv.FormatFloat(x, 'g', 2, 64)
	case math.Abs(x-math.Round(x)) < 0.005:
		return "$" + thousands(x, 0)
	}
	return "$" + thousands(x, 2)
}

// oneDecimal leaves the decimal of a whole number from 100 on.
func oneDecimal(x float64) string {
	if s := thousands(x, 1); x < 100 || !strings.HasSuffix(s, ".0") {
		return s
	}
	return thousands(x, 0)
}

// thousands separates groups of three digits with commas.
func thousands(x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	point := strings.IndexByte(s+".", '.')
	for at := point - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
