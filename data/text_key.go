package data

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/fnv"
	"io"
	"iter"
	"strings"
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
		if tools, kwargs := t.Context.Offered(), t.Context.TemplateKwargs; tools != "" || kwargs != "" {
			put(tools)
			put(kwargs)
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

// Folded yields the words of a text and its roles in lower case: what is left
// of it when white space and case are set aside.
func (t Text) Folded() iter.Seq[string] {
	return func(yield func(string) bool) {
		parts := []string{t.Plain}
		for _, m := range t.Messages {
			parts = append(parts, m.Role, m.Content)
		}
		for _, part := range parts {
			for word := range strings.FieldsSeq(strings.ToLower(part)) {
				if !yield(word) {
					return
				}
			}
		}
	}
}

// FoldedKey stands for a text but for white space and case. It is the same in
// every process.
func (t Text) FoldedKey() uint64 {
	h := fnv.New64a()
	for word := range t.Folded() {
		io.WriteString(h, word)
		h.Write([]byte{' '})
	}
	return mix(h.Sum64())
}

// mix spreads a number over all its bits: the finalizer of splitmix64 (Steele,
// Lea and Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
