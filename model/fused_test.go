package model

import (
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// fusing is a backend that says it has fused attention.
type fusing struct{ compute.Backend }

func (fusing) Capabilities() compute.Capabilities {
	return compute.Capabilities{Operations: map[compute.OpType]bool{
		compute.OpTypeFusedScaledDotProductAttention: true, compute.OpTypeFusedScaledDotProductAttentionVJP: true}}
}

// Attention is fused where cuDNN's operation computes the same function, and
// nowhere else; why not is said.
func TestAttentionIsFusedWhereItIsTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*attentionCase)
		why    string // a part of it, "" where it is fused
	}{
		"plain":              {func(*attentionCase) {}, ""},
		"float32":            {func(a *attentionCase) { a.dtype = dtypes.Float32 }, "bfloat16"},
		"window":             {func(a *attentionCase) { a.window = 64 }, "window of 64"},
		"capped":             {func(a *attentionCase) { a.softcap = true }, "soft-capped"},
		"dropout":            {func(a *attentionCase) { a.dropout = 0.1 }, "dropout 0.1"},
		"packed":             {func(a *attentionCase) { a.packed = true }, "several sequences"},
		"relative":           {func(a *attentionCase) { a.relative = true }, "relative"},
		"odd heads":          {func(a *attentionCase) { a.headDim = 12 }, "multiples of 8"},
		"wide heads":         {func(a *attentionCase) { a.headDim = 256 }, "up to 128"},
		"backend without it": {func(a *attentionCase) { a.fusing = hasFusedAttention(pureGo(t)) }, "no fused attention"},
	} {
		a := attentionCase{fusing: hasFusedAttention(fusing{}), dtype: dtypes.BFloat16, headDim: 64}
		c.change(&a)
		if got := a.unfused(); (got == "") != (c.why == "") || !strings.Contains(got, c.why) {
			t.Errorf("%s: %q, want %q", name, got, c.why)
		}
	}
}

// Every family says which attention it has where fused attention is to be had.
func TestAttentionOfFamilies(t *testing.T) {
	for config, want := range map[string]string{
		`{"model_type": "bert", "num_hidden_layers": 2}`:                                                            "written out: attention has dropout 0.1",
		`{"model_type": "bert", "num_hidden_layers": 2, "attention_probs_dropout_prob": 0}`:                         "fused (cuDNN): scores",
		`{"model_type": "distilbert", "n_layers": 2, "attention_dropout": 0}`:                                       "fused (cuDNN): scores",
		`{"model_type": "llama", "num_hidden_layers": 2}`:                                                           "fused (cuDNN): scores",
		`{"model_type": "qwen3", "num_hidden_layers": 2}`:                                                           "fused (cuDNN): scores",
		`{"model_type": "mistral", "num_hidden_layers": 2, "sliding_window": 256}`:                                  "written out: a query sees a window of 256",
		`{"model_type": "mistral", "num_hidden_layers": 2, "sliding_window": 4096}`:                                 "fused (cuDNN): scores",
		`{"model_type": "gemma2", "num_hidden_layers": 2}`:                                                          "written out: scores are soft-capped",
		`{"model_type": "modernbert", "num_hidden_layers": 4}`:                                                      "fused (cuDNN) in 2 of 4 blocks; elsewhere scores are written out: a query sees a window of 64",
		`{"model_type": "deberta-v2", "num_hidden_layers": 2, "relative_attention": true, "pos_att_type": ["c2p"]}`: "written out: scores depend on learnt relative",
	} {
		c, err := parseConfig([]byte(config))
		if err != nil {
			t.Fatal(err)
		}
		m := &Model{Config: c, Compute: dtypes.BFloat16}
		if got := m.AttentionUse(fusing{}, 512, false, -1).String(); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", config, got, want)
		}
	}
}

// Rows of several sequences have all of their scores written out, which is said,
// windows or not.
func TestAttentionOfPackedRows(t *testing.T) {
	for _, config := range []string{`{"model_type": "llama", "num_hidden_layers": 2}`, `{"model_type": "mistral", "num_hidden_layers": 2, "sliding_window": 64}`} {
		c, err := parseConfig([]byte(config))
		if err != nil {
			t.Fatal(err)
		}
		use := (&Model{Config: c, Compute: dtypes.BFloat16}).AttentionUse(fusing{}, 512, true, -1)
		if use.Fused != 0 || use.Scores != 2*512 || use.String() != "scores are written out: rows hold several sequences" {
			t.Errorf("%s: %+v, %s", config, use, use)
		}
	}
}

// Scores written out are those of bands where a window has them, of all tokens
// where float32 has none.
func TestScoresWrittenOut(t *testing.T) {
	c, err := parseConfig([]byte(`{"model_type": "modernbert", "num_hidden_layers": 4}`))
	if err != nil {
		t.Fatal(err)
	}
	for dtype, want := range map[dtypes.DType]AttentionUse{
		dtypes.BFloat16: {Scores: 2 * 3 * 64, BlockScores: 3 * 64, Banded: 2 * 3 * 64},
		dtypes.Float32:  {Scores: 4 * 512, BlockScores: 512},
	} {
		got := (&Model{Config: c, Compute: dtype}).AttentionUse(fusing{}, 512, false, -1)
		if got.Scores != want.Scores || got.BlockScores != want.BlockScores || got.Banded != want.Banded {
			t.Errorf("%s: %d scores a query, %d at most in a block, %d in bands, want %d, %d and %d", dtype,
				got.Scores, got.BlockScores, got.Banded, want.Scores, want.BlockScores, want.Banded)
		}
	}
}
