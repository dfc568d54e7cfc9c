package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// rope is a rotary position embedding (Su et al. 2021, arXiv:2104.09864):
// the pair (i, i+K/2) of each head's features turns by position·inverse[i].
type rope struct {
	inverse []float32 // [K/2] radians a position
	factor  float64   // on cosines and sines: YaRN's attention factor, else 1
	trained int       // positions that the model was trained for, as the config says
}

// ropeParameters are the keys of rope_parameters (transformers 5) and of
// rope_scaling (transformers 4).
type ropeParameters struct {
	Type            string   `json:"rope_type"`
	OldType         string   `json:"type"`
	Theta           float64  `json:"rope_theta"`
	Partial         *float64 `json:"partial_rotary_factor"`
	Factor          float64  `json:"factor"`
	LowFreqFactor   float64  `json:"low_freq_factor"`
	HighFreqFactor  float64  `json:"high_freq_factor"`
	Original        float64  `json:"original_max_position_embeddings"`
	AttentionFactor *float64 `json:"attention_factor"`
	BetaFast        float64  `json:"beta_fast"`
	BetaSlow        float64  `json:"beta_slow"`
	MScale          float64  `json:"mscale"`
	MScaleAllDim    float64  `json:"mscale_all_dim"`
	Truncate        *bool    `json:"truncate"`
}

// ropeShape is what a rope needs beside its parameters.
type ropeShape struct {
	headDim, positions int
	theta              float64 // where the parameters have none
	original           float64 // before original_max_position_embeddings of the parameters, 0 for none
	byLayerType        bool    // transformers then looks for truncate in a place where it is not
}

// ropeSpelling is where the config of a family whose full and sliding layers
// turn differently has thetas, and what they are where it has none.
type ropeSpelling struct {
	fullKey, localKey     string
	fullTheta, localTheta float64
	scalesLocal           bool // whether rope_scaling is of the sliding layers too
}

// rope reads the one rotary embedding of a model.
func (r *configReader) rope(s ropeShape) *rope {
	s.theta = r.number("rope_theta", s.theta)
	s.original = r.number("original_max_position_embeddings", 0)
	raw, key := r.ropeKeys()
	return r.ropeFrom(key, s, raw)
}

// ropePair reads the rotary embeddings of full and of sliding layers: nested
// in rope_parameters (transformers 5), by two keys for theta (transformers 4),
// with what rope_scaling adds to either.
func (r *configReader) ropePair(s ropeShape, keys ropeSpelling) (full, local *rope) {
	s.byLayerType = true
	fullShape, localShape := s, s
	fullShape.theta, localShape.theta = r.number(keys.fullKey, keys.fullTheta), r.number(keys.localKey, keys.localTheta)
	var nested map[string]json.RawMessage
	r.into("rope_parameters", &nested)
	for key := range nested {
		if key != "full_attention" && key != "sliding_attention" {
			r.refuse("rope_parameters", "has the key "+key+"; supported: full_attention, sliding_attention, each with parameters of its own")
		}
	}
	var scaling, localScaling json.RawMessage
	r.into("rope_scaling", &scaling)
	if keys.scalesLocal {
		localScaling = scaling
	}
	return r.ropeFrom("rope_parameters.full_attention", fullShape, nested["full_attention"], scaling),
		r.ropeFrom("rope_parameters.sliding_attention", localShape, nested["sliding_attention"], localScaling)
}

// ropeKeys gives rope_scaling where it is there and says something, else
// rope_parameters, as transformers does.
func (r *configReader) ropeKeys() (json.RawMessage, string) {
	var old, now json.RawMessage
	r.into("rope_parameters", &now)
	if r.into("rope_scaling", &old) && string(bytes.TrimSpace(old)) != "{}" {
		return old, "rope_scaling"
	}
	return now, "rope_parameters"
}

// ropeFrom reads rotary parameters, a later object over an earlier one.
func (r *configReader) ropeFrom(key string, s ropeShape, raws ...json.RawMessage) *rope {
	var parameters ropeParameters
	for _, raw := range raws {
		if raw == nil || string(raw) == "null" {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&parameters); err != nil {
			r.refuse(key, fmt.Sprintf("is %s: %v", raw, err))
			return &rope{}
		}
	}
	r.must("partial_rotary_factor", "1", "1.0")
	if s.original > 0 {
		parameters.Original = s.original
	}
	if s.byLayerType {
		parameters.Truncate = nil
		if parameters.OldType != "" && parameters.OldType != parameters.Type { // transformers 4 goes by it, 5 does not
			r.refuse(key, fmt.Sprintf("has type %q beside rope_type %q, in which versions of transformers differ: name rope_type alone", parameters.OldType, parameters.Type))
		}
	}
	result, err := parameters.rope(s)
	if err != nil {
		r.refuse(key, err.Error())
		return &rope{}
	}
	return result
}

func (c ropeParameters) rope(s ropeShape) (*rope, error) {
	theta := c.Theta
	if theta == 0 {
		theta = s.theta
	}
	if c.Partial != nil && *c.Partial != 1 {
		return nil, fmt.Errorf("has partial_rotary_factor %v, supported is 1 only", *c.Partial)
	}
	if s.headDim%2 != 0 || !(theta > 0) {
		return nil, fmt.Errorf("turns pairs of a head's features by powers of rope_theta: head_dim %d must be even and rope_theta %v positive", s.headDim, theta)
	}
	if c.Original == 0 {
		c.Original = float64(s.positions)
	}
	kind := c.Type
	if kind == "" {
		kind = c.OldType
	}
	plain := &rope{factor: 1, inverse: inverseFrequencies(theta, s.headDim), trained: max(s.positions, int(min(c.Factor*c.Original, 1<<30)))}
	switch kind {
	case "", "default":
		return plain, nil
	case "linear":
		return plain.linear(c)
	case "llama3":
		return plain.llama3(c)
	case "yarn":
		return plain.yarn(c, theta, s)
	}
	return nil, fmt.Errorf("has rope_type %q; supported: default, linear, llama3, yarn", kind)
}

// inverseFrequencies are theta^(-2i/K), rounded to float32 where torch rounds.
func inverseFrequencies(theta float64, headDim int) []float32 {
	inverse := make([]float32, headDim/2)
	for i := range inverse {
		exponent := float32(2*i) / float32(headDim)
		inverse[i] = 1 / float32(math.Pow(theta, float64(exponent)))
	}
	return inverse
}

// linear stretches positions by the factor (Chen et al. 2023,
// arXiv:2306.15595).
func (p *rope) linear(c ropeParameters) (*rope, error) {
	if !(c.Factor > 0) {
		return nil, fmt.Errorf("of rope_type linear has factor %v, want more than 0", c.Factor)
	}
	for i := range p.inverse {
		p.inverse[i] /= float32(c.Factor)
	}
	return p, nil
}

// llama3 stretches long waves only, with a smooth passage (Llama 3.1;
// transformers, modeling_rope_utils.py).
func (p *rope) llama3(c ropeParameters) (*rope, error) {
	if !(c.Factor > 0 && c.LowFreqFactor > 0 && c.HighFreqFactor > c.LowFreqFactor && c.Original > 0) {
		return nil, fmt.Errorf("of rope_type llama3 needs factor, low_freq_factor < high_freq_factor and original_max_position_embeddings, all positive")
	}
	for i, f := range p.inverse {
		wave := 2 * math.Pi / float64(f)
		switch {
		case wave > c.Original/c.LowFreqFactor:
			p.inverse[i] = f / float32(c.Factor)
		case wave >= c.Original/c.HighFreqFactor:
			smooth := float32((c.Original/wave - c.LowFreqFactor) / (c.HighFreqFactor - c.LowFreqFactor))
			p.inverse[i] = (1-smooth)*f/float32(c.Factor) + smooth*f
		}
	}
	return p, nil
}

// yarn stretches waves by how often they turn within the original context,
// and scales the scores (Peng et al. 2023, arXiv:2309.00071).
func (p *rope) yarn(c ropeParameters, theta float64, s ropeShape) (*rope, error) {
	if !(c.Original > 0) {
		return nil, fmt.Errorf("of rope_type yarn has original_max_position_embeddings %v, want more than 0", c.Original)
	}
	if c.Factor == 0 {
		c.Factor = float64(s.positions) / c.Original
	}
	if !(c.Factor > 0) {
		return nil, fmt.Errorf("of rope_type yarn has factor %v, want more than 0", c.Factor)
	}
	low, high := c.yarnRange(theta, s.headDim)
	for i, f := range p.inverse {
		ramp := float32(min(max((float64(i)-low)/(high-low), 0), 1))
		p.inverse[i] = f/float32(c.Factor)*ramp + f*(1-ramp)
	}
	p.factor = c.yarnAttention()
	return p, nil
}

// yarnRange are the features between which stretching sets in.
func (c ropeParameters) yarnRange(theta float64, headDim int) (low, high float64) {
	fast, slow := c.BetaFast, c.BetaSlow
	if fast == 0 {
		fast = 32
	}
	if slow == 0 {
		slow = 1
	}
	at := func(turns float64) float64 {
		return float64(headDim) * math.Log(c.Original/(turns*2*math.Pi)) / (2 * math.Log(theta))
	}
	low, high = at(fast), at(slow)
	if c.Truncate == nil || *c.Truncate {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(headDim-1))
	if low == high {
		high += 0.001
	}
	return low, high
}

func (c ropeParameters) yarnAttention() float64 {
	mscale := func(m float64) float64 {
		if c.Factor <= 1 {
			return 1
		}
		return 0.1*m*math.Log(c.Factor) + 1
	}
	switch {
	case c.AttentionFactor != nil:
		return *c.AttentionFactor
	case c.MScale != 0 && c.MScaleAllDim != 0:
		return mscale(c.MScale) / mscale(c.MScaleAllDim)
	}
	return mscale(1)
}

// rotate turns x by its positions, in float32. [N, T, H, K]
func (p *pass) rotate(r *rope, x *Node) *Node {
	half := x.Shape().Dim(3) / 2
	tables := p.ropeTables(r)
	dtype := x.DType()
	x = as(x, dtypes.Float32)
	first := Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRangeFromStart(half))
	second := Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRangeToEnd(half))
	turned := Concatenate([]*Node{
		Sub(Mul(first, tables[0]), Mul(second, tables[1])),
		Add(Mul(second, tables[0]), Mul(first, tables[1])),
	}, -1)
	return as(turned, dtype)
}

// ropeTables are the cosines and sines, each [1, T, 1, K/2], or [N, T, 1, K/2]
// where rows are packed.
func (p *pass) ropeTables(r *rope) [2]*Node {
	if tables, ok := p.tables[r]; ok {
		return tables
	}
	half := len(r.inverse)
	var positions *Node
	if p.Packed == nil {
		positions = Iota(p.graph(), shapes.Make(dtypes.Float32, 1, p.tokens(), 1, half), 1)
	} else {
		n, t := p.IDs.Shape().Dim(0), p.tokens()
		positions = BroadcastToDims(Reshape(as(p.Packed.Positions, dtypes.Float32), n, t, 1, 1), n, t, 1, half)
	}
	angles := Mul(positions, Reshape(Const(p.graph(), r.inverse), 1, 1, 1, half))
	p.tables[r] = [2]*Node{MulScalar(Cos(angles), r.factor), MulScalar(Sin(angles), r.factor)}
	return p.tables[r]
}
