package tokenizer

import (
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"laurel/data"
)

// contentKeys are what conversations say beside text: a chat template that
// does not name them shows the model another conversation.
var contentKeys = [...]string{"tools", "tool_calls", "function_call", "reasoning_content", "reasoning", "thinking"}

// unread counts conversations that hold such keys where the template has none
// of that name.
type unread [len(contentKeys)]atomic.Int64

// readsReasoning is how templates name reasoning, under whichever of its names
// a message has it.
var readsReasoning = regexp.MustCompile(`reasoning|[.'"]thinking`)

func isReasoning(key string) bool { return strings.HasPrefix(key, "reasoning") || key == "thinking" }

func (u *unread) count(context data.Context, messages []data.Message, template string) {
	if context.Offered() == "" && !slices.ContainsFunc(messages, func(m data.Message) bool { return m.Whole != "" }) {
		return
	}
	for i, key := range contentKeys {
		if strings.Contains(template, key) || isReasoning(key) && readsReasoning.MatchString(template) {
			continue
		}
		held := key == "tools" && context.Offered() != ""
		for _, m := range messages {
			if held || m.Whole == "" {
				continue
			}
			value := m.Field(key)
			held = value != "" && value != "[]" && value != `""`
		}
		if held {
			u[i].Add(1)
		}
	}
}

// Unread tells how many of the conversations rendered so far held tools,
// tool calls or reasoning that the chat template does not read.
func (t *Tokenizer) Unread() map[string]int {
	counts := map[string]int{}
	for i, key := range contentKeys {
		if n := t.unread[i].Load(); n > 0 {
			counts[key] = int(n)
		}
	}
	return counts
}
