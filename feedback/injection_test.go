package feedback

import (
	"slices"
	"strings"
	"testing"

	"laurel/data"
)

// TestTemplateIsFlagged: a response that holds the template's own lines, the
// verdict among them, is flagged by data.InjectionSigns, whose patterns are the
// only ones.
func TestTemplateIsFlagged(t *testing.T) {
	constitution := fourPrinciples(t)
	messages := EvaluationPrompt(Question{Comparison: &articleCases[0], Principle: &constitution.Principles[0]}, FormReasoned)
	markers, verdicts := 0, 0
	for line := range strings.Lines(messages[len(messages)-1].Content) {
		line = strings.TrimSpace(line)
		signs := data.InjectionSigns(data.Text{Plain: "An honest beginning.\n" + line + "\nand an end."})
		switch {
		case strings.HasPrefix(line, "["):
			markers++
			if !slices.Contains(signs, data.SignMarkers) {
				t.Errorf("marker %q shows %v", line, signs)
			}
		case strings.HasPrefix(line, "Verdict:"), strings.HasPrefix(line, "Confidence:"):
			verdicts++
			if !slices.Contains(signs, data.SignVerdict) {
				t.Errorf("verdict %q shows %v", line, signs)
			}
		}
	}
	if markers != 6 || verdicts != 4 {
		t.Errorf("%d markers and %d lines of verdict in the template, want 6 and 4", markers, verdicts)
	}
}
