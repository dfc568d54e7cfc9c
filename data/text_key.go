package data

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
)

// TextKey stands for a prompt and two responses, in their order.
type TextKey [16]byte

// KeyOf hashes the texts, roles and lengths included.
func KeyOf(prompt, a, b Text) TextKey {
	h := sha256.New()
	put := func(s string) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(s))))
		io.WriteString(h, s)
	}
	for _, t := range []Text{prompt, a, b} {
		put(t.Plain)
		if t.Context != (Context{}) {
			put(t.Context.Tools)
			put(t.Context.TemplateKwargs)
		}
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(t.Messages))))
		for _, m := range t.Messages {
			put(m.Role)
			put(m.Content)
			if m.Whole != "" {
				put(m.Whole)
			}
		}
	}
	return TextKey(h.Sum(nil)[:16])
}

// PromptKey stands for a prompt: 0 for none, and for two prompts alike only
// where they are the same.
func PromptKey(prompt Text) uint64 {
	if prompt.Plain == "" && len(prompt.Messages) == 0 {
		return 0
	}
	key := KeyOf(prompt, Text{}, Text{})
	return max(1, binary.LittleEndian.Uint64(key[:]))
}
