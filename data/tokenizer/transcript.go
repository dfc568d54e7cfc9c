package tokenizer

import (
	"fmt"
	"strings"

	"laurel/data"
)

// transcript is the form of Anthropic's HH data, for models without a chat
// template: each turn after a blank line, under its speaker's name.
func transcript(messages []data.Message, addGenerationPrompt bool) (string, error) {
	var text strings.Builder
	for i, m := range messages {
		speaker, ok := speakerOf(m.Role)
		if !ok {
			return "", fmt.Errorf("%w: message %d: role %q has no place in an HH transcript: the model needs a chat template", ErrText, i, m.Role)
		}
		text.WriteString("\n\n" + speaker + ": " + m.Content)
	}
	if addGenerationPrompt {
		text.WriteString("\n\nAssistant:")
	}
	return text.String(), nil
}

func speakerOf(role string) (name string, ok bool) {
	switch role {
	case "system":
		return "System", true
	case "user":
		return "Human", true
	case "assistant":
		return "Assistant", true
	case "tool":
		return "Tool", true
	}
	return "", false
}
