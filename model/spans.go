package model

import "github.com/gomlx/compute"

// HasSpanAttention reports whether a backend computes attention within the spans of
// sequences that lie in one flat row, without scores between them.
func HasSpanAttention(compute.Backend) bool { return false }

// SpanAttention tells why this model's sequences cannot lie one after another in a
// flat row; nil where they can.
func (m *Model) SpanAttention() error { return m.Config.Packs(false) }

// SpanUse is AttentionUse where attention is computed over spans.
func (m *Model) SpanUse() AttentionUse {
	return AttentionUse{Blocks: m.Config.family.blocks(), Spans: true}
}
