package model

import (
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// TestUnfused: what keeps attention from being fused, one thing at a time.
func TestUnfused(t *testing.T) {
	fused := attentionCase{fusing: true, dtype: dtypes.BFloat16, headDim: 64}
	if why := fused.unfused(); why != "" {
		t.Errorf("nothing is in the way, but %q", why)
	}
	for want, change := range map[string]func(*attentionCase){
		"no fused attention": func(c *attentionCase) { c.fusing = false },
		"Float32":            func(c *attentionCase) { c.dtype = dtypes.Float32 },
		"relative positions": func(c *attentionCase) { c.relative = true },
		"soft-capped":        func(c *attentionCase) { c.softcap = true },
		"dropout 0.1":        func(c *attentionCase) { c.dropout = 0.1 },
		"has 36 features":    func(c *attentionCase) { c.headDim = 36 },
		"has 256 features":   func(c *attentionCase) { c.headDim = 256 },
		"window of 64":       func(c *attentionCase) { c.window = 64 },
		"several sequences":  func(c *attentionCase) { c.packed = true },
	} {
		c := fused
		change(&c)
		if why := c.unfused(); !strings.Contains(why, want) {
			t.Errorf("%q, want %q in it", why, want)
		}
	}
}

// fusingBackend says that it has fused attention, and nothing else.
type fusingBackend struct{ compute.Backend }

func (fusingBackend) Capabilities() compute.Capabilities {
	return compute.Capabilities{Operations: map[compute.OpType]bool{
		compute.OpTypeFusedScaledDotProductAttention: true, compute.OpTypeFusedScaledDotProductAttentionVJP: true}}
}

// TestAttentionUse counts the blocks of a model with windows: a window that is as
// long as the batch leaves nothing out.
func TestAttentionUse(t *testing.T) {
	m := &Model{Compute: dtypes.BFloat16, Config: &Config{family: &decoder{layers: 3, headDim: 64, attentionDropout: 0.1,
		perLayer: []decoderLayer{{window: 64}, {}, {window: 64}}}}}
	for _, c := range []struct {
		tokens  int
		dropout float64
		fused   int
		want    string
	}{
		{128, 0, 1, "in 1 of 3 blocks; elsewhere scores are written out: a query sees a window of 64 tokens"},
		{64, 0, 3, "fused (cuDNN): scores are not written out"},
		{64, -1, 0, "scores are written out: attention has dropout 0.1"},
	} {
		use := m.AttentionUse(fusingBackend{}, c.tokens, c.dropout)
		if use.Fused != c.fused || !strings.Contains(use.String(), c.want) {
			t.Errorf("%d tokens, dropout %v: %+v (%s), want %q", c.tokens, c.dropout, use, use, c.want)
		}
	}
}
