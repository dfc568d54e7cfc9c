package data

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Message is one turn of a conversation. Two are equal (==) where a chat
// template cannot tell them apart.
type Message struct {
	Role    string `parquet:"role,dict"` // system, user, assistant, tool, or another of messageRoles
	Content string `parquet:"content"`   // its text; of several parts, these joined

	// Whole is the message as a JSON object with the keys of the file in their
	// order, where it holds more than a role and a text: tool_calls,
	// reasoning_content, name, parts of content. It is what a chat template
	// sees then. "" for a plain message.
	Whole string `parquet:"message_json,optional"`
}

// messageRoles are the roles that messages may have; which of them a model's
// chat template takes is the template's.
var messageRoles = []string{"system", "developer", "user", "assistant", "tool", "function", "ipython"}

// Says reports whether the message holds anything: text, a call of a tool, or
// reasoning.
func (m Message) Says() bool {
	if strings.TrimSpace(m.Content) != "" {
		return true
	}
	for _, key := range []string{"tool_calls", "function_call", "reasoning_content", "reasoning", "thinking"} {
		if value := m.Field(key); value != "" && value != "[]" && value != `""` {
			return true
		}
	}
	return false
}

// Field is the JSON of one of the message's other fields; "" where it has none
// of that name.
func (m Message) Field(key string) string {
	if m.Whole == "" {
		return ""
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(m.Whole), &fields) != nil {
		return ""
	}
	return string(fields[key])
}

// MarshalJSON writes the message as it was read.
func (m Message) MarshalJSON() ([]byte, error) {
	if m.Whole != "" {
		return []byte(m.Whole), nil
	}
	out := append([]byte(`{"role":`), jsonText(m.Role)...)
	out = append(append(out, `,"content":`...), jsonText(m.Content)...)
	return append(out, '}'), nil
}

// UnmarshalJSON reads a message as JSON lines' are read.
func (m *Message) UnmarshalJSON(raw []byte) (err error) {
	*m, err = parseMessage(raw, false)
	return err
}

// SparseMessage reads a message as those of Parquet are read: its nulls, at any
// depth, stand for nothing.
func SparseMessage(raw []byte) (Message, error) { return parseMessage(raw, true) }

func parseMessage(raw []byte, sparse bool) (Message, error) {
	var object Cell
	p := jsonParser{b: raw}
	if err := p.only(&object); err != nil {
		return Message{}, fmt.Errorf("message: at byte %d: %s", err.at, err.msg)
	}
	if object.Kind != CellObject {
		return Message{}, errors.New("message: want an object")
	}
	read, bad := message(&object, sparse)
	if bad != nil {
		return Message{}, fmt.Errorf("message: %s", bad.Detail)
	}
	return read, nil
}

// message checks one message. Nulls inside of it are left out where sparse
// says so: columns of structs have one for every key that another row has.
func message(object *Cell, sparse bool) (m Message, bad *Problem) {
	if whole := object.Member("message_json"); whole.Kind == CellText && whole.Text != "" {
		p := jsonParser{b: []byte(whole.Text)}
		kept := Cell{}
		if err := p.value(&kept); err != nil || kept.Kind != CellObject || kept.Member("message_json").Kind != CellMissing {
			return m, &Problem{ReasonWrongType, "", "message_json is no JSON object"}
		}
		return message(&kept, false)
	}
	object, bad = canonical(object)
	if bad != nil {
		return m, bad
	}
	role, content := object.Member("role"), object.Member("content")
	switch {
	case !role.Absent() && role.Kind != CellText:
		return m, &Problem{ReasonWrongType, "", "role is " + role.describe() + ", not text"}
	case role.Absent():
		return m, &Problem{ReasonNullMessage, "", "role is null or missing"}
	case !knownRole(role.Text):
		return m, &Problem{ReasonRole, "", fmt.Sprintf("unknown role %q%s; the roles are %s",
			Clip(role.Text, 20), DidYouMean(role.Text, messageRoles), strings.Join(messageRoles, ", "))}
	}
	if bad := cellCharacters(object, ""); bad != nil {
		return m, bad
	}
	m.Role = role.Text
	if m.Content, bad = contentText(content); bad != nil {
		return m, bad
	}
	if content.Kind != CellText || len(object.Members) > 2 {
		m.Whole = wholeMessage(object, sparse)
	}
	if content.Absent() && !m.Says() {
		return m, &Problem{ReasonNullMessage, "", "content is null or missing"}
	}
	return m, nil
}

// canonical gives the message of a ShareGPT file, or one that is a call of
// tools or its result by its role, the names that chat templates know.
func canonical(object *Cell) (*Cell, *Problem) {
	role, content := turnOf(object)
	named, called := shareGPTRoles[role.Text], toolRoles[role.Text]
	shareGPT := role != object.Member("role") && content != object.Member("content")
	if role.Kind != CellText || !shareGPT && called == "" {
		return object, nil
	}
	out := &Cell{Kind: CellObject}
	for _, m := range object.Members {
		switch {
		case m.Key == "role", m.Key == "from" && shareGPT:
			m.Key, m.Value.Text = "role", cmp.Or(called, named, m.Value.Text)
		case m.Key == "value" && shareGPT:
			m.Key = "content"
		}
		out.Members = append(out.Members, m)
	}
	if called == "assistant" {
		return withCalls(out)
	}
	return out, nil
}

// withCalls makes tool_calls of a content that is the JSON of one call or of a
// list of calls, each with a name and arguments; what is thought before it
// stays content.
func withCalls(object *Cell) (*Cell, *Problem) {
	const thought = "</think>"
	content := object.Member("content")
	text, before := content.Text, ""
	if at := strings.LastIndex(text, thought); at >= 0 {
		before, text = text[:at+len(thought)], text[at+len(thought):]
	}
	calls := Cell{}
	p := jsonParser{b: []byte(text)}
	if content.Kind != CellText || p.only(&calls) != nil || calls.Kind != CellObject && calls.Kind != CellMessages {
		return nil, &Problem{ReasonWrongType, "", "a function call must be JSON: {\"name\": …, \"arguments\": …}, or a list of such"}
	}
	if calls.Kind == CellObject {
		calls = Cell{Kind: CellMessages, Items: []Cell{calls}}
	}
	made := Cell{Kind: CellMessages}
	for _, call := range calls.Items {
		if call.Member("name").Kind != CellText || call.Member("arguments").Kind == CellMissing {
			return nil, &Problem{ReasonWrongType, "", "a function call lacks name or arguments"}
		}
		made.Items = append(made.Items, Cell{Kind: CellObject, Members: []Member{{"type", Cell{Kind: CellText, Text: "function"}}, {"function", call}}})
	}
	content.Text = strings.TrimSpace(before)
	object.Members = append(object.Members, Member{"tool_calls", made})
	return object, nil
}

func knownRole(role string) bool {
	for _, known := range messageRoles {
		if role == known {
			return true
		}
	}
	return false
}

// wholeMessage is the message's JSON, "" where it has but role and text.
func wholeMessage(object *Cell, sparse bool) string {
	kept := Cell{Kind: CellObject}
	plain := 0
	for _, member := range object.Members {
		if member.Value.Absent() || member.Key == "message_json" {
			continue
		}
		kept.Members = append(kept.Members, member)
		if member.Key == "role" || member.Key == "content" && member.Value.Kind == CellText {
			plain++
		}
	}
	if plain == len(kept.Members) && plain == 2 {
		return ""
	}
	return string(appendJSON(nil, &kept, sparse))
}

// contentText is the text of a message's content: text, nothing, or parts.
func contentText(content *Cell) (string, *Problem) {
	switch {
	case content.Absent():
		return "", nil
	case content.Kind == CellText:
		return content.Text, nil
	case content.Kind != CellMessages:
		return "", &Problem{ReasonWrongType, "", "content is " + content.describe() + ", not text or parts of type text"}
	}
	var text strings.Builder
	for i := range content.Items {
		part, bad := partText(&content.Items[i])
		if bad != nil {
			bad.Detail = fmt.Sprintf("part %d: %s", i, bad.Detail)
			return "", bad
		}
		text.WriteString(part)
	}
	return text.String(), nil
}

// partText takes {"type": "text", "text": …}.
func partText(part *Cell) (string, *Problem) {
	kind, text := part.Member("type"), part.Member("text")
	switch {
	case kind.Kind == CellText && kind.Text != "text":
		return "", &Problem{ReasonPart, "", fmt.Sprintf("content holds a part of type %s, which a reward model of text cannot read", Clip(kind.Text, 40))}
	case text.Absent():
		return "", &Problem{ReasonNullText, "", "content holds a part without text (null or missing)"}
	case text.Kind != CellText:
		return "", &Problem{ReasonWrongType, "", "content holds a part whose text is " + text.describe()}
	}
	return text.Text, nil
}

// Readable is the message as a person or a judge reads it: reasoning, text and
// calls of tools, each call on a line.
func (m Message) Readable() string {
	if m.Whole == "" {
		return m.Content
	}
	var parts []string
	for _, key := range []string{"reasoning_content", "reasoning", "thinking"} {
		var text string
		if json.Unmarshal([]byte(m.Field(key)), &text) == nil && text != "" {
			parts = append(parts, "["+key+"] "+text)
		}
	}
	if m.Content != "" {
		parts = append(parts, m.Content)
	}
	for _, key := range []string{"function_call", "tool_calls"} {
		if calls := m.Field(key); calls != "" && calls != "[]" {
			parts = append(parts, "["+key+"] "+calls)
		}
	}
	return strings.Join(parts, "\n")
}
