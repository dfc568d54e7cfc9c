// Package review puts the comparisons that judges are least sure of to people, on
// a local page: blind, in an order of each person's own, every answer on disk
// before it is called saved. What it writes is what laurel merge reads.
package review

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"

	"laurel/data"
	"laurel/labels"
)

// Turn is a part of a conversation as the page shows it: text, whatever it looks
// like.
type Turn struct {
	Role string `json:"role"` // empty where there is but one part, which needs no name
	Text string `json:"text"`
}

// sheet is a comparison as it is shown. It has nothing that says what judges made
// of it or which models wrote it: its id, which may, stays here too.
type sheet struct {
	id, texts string
	prompt    []Turn
	a, b      []Turn
	tools     string
	promptKey uint64
	identical bool
}

func newSheet(r labels.Review) sheet {
	s := sheet{id: r.ID, texts: r.TextsKey(), tools: r.Prompt.Context.Offered(), promptKey: data.PromptKey(r.Prompt), identical: r.Identical()}
	prompt, a, b := r.Prompt, r.A, r.B
	if p, isChat := messages(prompt); isChat {
		turnsA, chatA := messages(a)
		turnsB, chatB := messages(b)
		if chatA && chatB {
			prompt, a, b = data.Text{Messages: p}, data.Text{Messages: turnsA}, data.Text{Messages: turnsB}
		}
	}
	s.prompt, s.a, s.b = turns(data.Text{Messages: prompt.Turns()}), turns(a), turns(b)
	if prompt.Plain == "" && len(prompt.Messages) == 0 {
		s.prompt = []Turn{}
	}
	return s
}

// messages are those that a text has, or that a cell of a review file holds as
// JSON.
func messages(t data.Text) (m []data.Message, is bool) {
	if t.Messages != nil {
		return t.Messages, true
	}
	if !strings.HasPrefix(t.Plain, "[") {
		return nil, false
	}
	err := json.Unmarshal([]byte(t.Plain), &m)
	return m, err == nil
}

func turns(t data.Text) (out []Turn) {
	if t.Messages == nil {
		return []Turn{{"", t.Plain}}
	}
	for _, m := range t.Messages {
		out = append(out, Turn{m.Role, m.Readable()})
	}
	if len(out) == 1 && (out[0].Role == "user" || out[0].Role == "assistant") {
		out[0].Role = ""
	}
	return out
}

// drawn is a number that seed, annotator and comparison decide, uniform over all
// 64 bits.
func drawn(what string, seed uint64, annotator, id string) uint64 {
	h := sha256.New()
	h.Write(binary.LittleEndian.AppendUint64(nil, seed))
	for _, part := range []string{what, annotator, id} {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return binary.LittleEndian.Uint64(h.Sum(nil))
}

// orderFor is the order in which an annotator meets the sheets.
func orderFor(sheets []sheet, seed uint64, annotator string) []int {
	order, at := make([]int, len(sheets)), make([]uint64, len(sheets))
	for i := range sheets {
		order[i], at[i] = i, drawn("order", seed, annotator, sheets[i].id)
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case at[i] < at[j]:
			return -1
		case at[i] > at[j]:
			return 1
		}
		return 0
	})
	return order
}

// leftFor is the response that an annotator sees on the left.
func leftFor(s *sheet, seed uint64, annotator string) labels.Side {
	if drawn("left", seed, annotator, s.id)&1 == 0 {
		return labels.SideA
	}
	return labels.SideB
}

func other(s labels.Side) labels.Side {
	if s == labels.SideA {
		return labels.SideB
	}
	return labels.SideA
}
