package feedback

import (
	"math"
	"strings"
	"testing"
)

// TestEstimateTable holds the costs and times that the
// default rates give.
func TestEstimateTable(t *testing.T) {
	want := []string{
		"1,000, $1,000, 1.7 days, $20, 0.1 h",
		"10,000, $10,000, 16.7 days, $200, 1.0 h",
		"100,000, $100,000, 166.7 days, $2,000, 10.0 h",
		"1,000,000, $1,000,000, 1,666.7 days, $20,000, 100 h",
	}
	for i, e := range DefaultRates().Estimates(Scales()...) {
		if got := strings.Join(e.Cells(), ", "); got != want[i] {
			t.Errorf("%s, want %s", got, want[i])
		}
	}
	var b strings.Builder
	if err := PrintEstimates(&b, DefaultRates().Estimates(1000)); err != nil {
		t.Fatal(err)
	}
	const table = "  comparisons  human cost  human time  AI cost  AI time\n" +
		"        1,000      $1,000    1.7 days      $20    0.1 h\n"
	if b.String() != table {
		t.Errorf("printed\n%swant\n%s", b.String(), table)
	}
}

// TestEstimateCells: cents only where there are any, and no group of digits
// is lost.
func TestEstimateCells(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{dollars(0), "$0"}, {dollars(0.005), "$0.005"}, {dollars(0.02), "$0.02"}, {dollars(999.999), "$1,000"},
		{dollars(1234.5), "$1,234.50"}, {dollars(123456), "$123,456"},
		{oneDecimal(0.04), "0.0"}, {oneDecimal(99.95), "100.0"}, {oneDecimal(100), "100"}, {oneDecimal(1e9 + 0.5), "1,000,000,000.5"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

func TestRatesValidate(t *testing.T) {
	if err := DefaultRates().Validate(); err != nil {
		t.Error(err)
	}
	err := Rates{HumanCost: -1, HumanPerHour: math.NaN(), HoursPerDay: 25, AICost: math.Inf(1), AIPerHour: 0}.Validate()
	for _, name := range []string{"human_cost is -1", "human_per_hour is NaN", "hours_per_day is 25", "ai_cost is +Inf", "ai_per_hour is 0"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not say %q", err, name)
		}
	}
}
