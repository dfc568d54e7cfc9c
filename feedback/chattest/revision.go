package chattest

import (
	"fmt"
	"strings"
)

// Reply is what the last message asks for: a verdict, an answer, a critique or
// a revision.
func Reply(r Request, first float64) string {
	last := r.Messages[len(r.Messages)-1].Content
	switch {
	case strings.Contains(last, "Critique request:"):
		return fmt.Sprintf("The response could say more plainly what it means (%.6f).", first)
	case strings.Contains(last, "Revision request:"):
		return revised(last, first)
	case len(r.Messages) == 1 && !strings.Contains(last, "Verdict:"):
		return answered(first)
	}
	return Verdict(first)
}

// answered refuses now and then.
func answered(first float64) string {
	if first < 0.25 {
		return "I'm sorry, but I can't help with that."
	}
	return fmt.Sprintf("Begin with what you have, and go on from there (%.6f).", first)
}

// revised leaves some responses as they are, and speaks of itself in some.
func revised(request string, first float64) string {
	_, response, _ := strings.Cut(request, "[RESPONSE ")
	_, response, _ = strings.Cut(response, "\n")
	response, _, _ = strings.Cut(response, "\n[END OF RESPONSE ")
	switch {
	case first < 0.2:
		return response
	case first < 0.3:
		return fmt.Sprintf("Here is the revised response: begin with what you have (%.6f).", first)
	}
	return fmt.Sprintf("Begin with what you have, and ask somebody who knows where it is unsafe (%.6f).", first)
}
