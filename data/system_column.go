package data

import (
	"slices"
	"strings"
)

var systemColumns = []string{"system", "system_prompt", "system_message"}

// findSystem takes a column of that name for the system message, unless another is
// named for it, or none, and says so.
func (d *Dialogue) findSystem(src Source, mapping map[string]string) (said string) {
	if hasKey(mapping, "system") || d.System.Column != "" {
		return ""
	}
	if d.System.Column = firstColumn(src, systemColumns); d.System.Column == "" {
		return ""
	}
	return "the system message is read from " + d.System.Column + " (not wanted: --columns system=)"
}

func firstColumn(src Source, names []string) string {
	for _, name := range names {
		if c, ok := findColumn(src, name); ok && slices.Contains([]CellKind{CellText, CellMessages, CellNull}, c.Kind) {
			return name
		}
	}
	return ""
}

// withSystem makes messages of a dialogue whose file has a system column, and
// puts the row's before them.
func (d *Dialogue) withSystem(prompt, a, b Text) (Text, Text, Text, *Problem) {
	if !d.turned() {
		return prompt, a, b, nil
	}
	turns := prompt.asTurns()
	if strings.HasPrefix(prompt.Plain, "\n\nHuman:") {
		turns = prompt.turns().Messages
	}
	if !d.System.Cell.Absent() {
		system, bad := d.System.Text()
		if bad != nil {
			return prompt, a, b, bad
		}
		switch {
		case system.Messages != nil:
			return prompt, a, b, d.System.Problem(ReasonWrongType, "messages where the text of the system message should be; turn this column off with --columns system=")
		case strings.TrimSpace(system.Plain) == "":
		case len(turns) > 0 && turns[0].Role == "system" && strings.TrimSpace(turns[0].Content) != strings.TrimSpace(system.Plain):
			return prompt, a, b, d.System.Problem(ReasonPromptsDiffer, "the prompt begins with a system message of its own; turn this column off with --columns system=")
		case len(turns) == 0 || turns[0].Role != "system":
			turns = append([]Message{{Role: "system", Content: system.Plain}}, turns...)
		}
	}
	if a.Messages == nil {
		a, b = assistant(a), assistant(b)
	}
	return Text{Messages: turns}, a, b, nil
}
