package scoring

import (
	"cmp"
	"fmt"
	"time"

	"laurel/data/tokenizer"
)

// settleDate fixes the date that a chat template is given which asks for it:
// what was asked for, else what training recorded, else
// tokenizer.DefaultDate. It is never today's, with which rewards would drift.
func (m *Model) settleDate(asked string) error {
	m.date = tokenizer.DefaultDate
	if date := cmp.Or(asked, m.Config.Recorded.TemplateDate); date != "" {
		var err error
		if m.date, err = time.Parse(time.DateOnly, date); err != nil {
			return fmt.Errorf("template_date %q: want a date as 2026-01-31", date)
		}
	}
	m.Tokenizer.SetDate(m.date)
	return nil
}

// TemplateDate is what the chat template is given for today, YYYY-MM-DD; ""
// where it does not ask.
func (m *Model) TemplateDate() string {
	if !m.Tokenizer.ReadsClock() {
		return ""
	}
	return m.date.Format(time.DateOnly)
}

// DateWarning tells of a chat template that asks for the date where none is
// recorded; "" where there is nothing to warn of.
func (m *Model) DateWarning() string {
	if !m.Tokenizer.ReadsClock() || m.Config.Recorded.TemplateDate != "" {
		return ""
	}
	return fmt.Sprintf("the chat template asks for the date and the model records none: %s is used, always, so that rewards do not change with the day; "+
		"record the date of its training with laurel export --template-date", m.TemplateDate())
}
