// Package handoff writes what a policy-optimisation stage (PPO, GRPO, RLOO) needs
// of a reward model: the model as a Hugging Face directory, the constants of its
// rewards on reference responses, and how trainers are to ask it.
package handoff

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/model"
	"laurel/scoring"
)

const (
	// File is the one that has the constants.
	File = "handoff.json"
	// ModelFolder has the exported model.
	ModelFolder = "model"
)

// Pack is what a hand-off is made of.
type Pack struct {
	Model       *scoring.Model
	Backend     model.Backend
	BackendName string
	Laurel      string // the version
	Data        string // a file that data.OpenTable reads: the reference responses
	Columns     map[string]string
	DType       string                      // of matrix products: float32 or bfloat16
	Ready       func(*scoring.Scorer) error // readies the scorer for it
	Done        func(rows, total int)       // hears how many rows are scored; total is -1 where only reading tells
	Notice      func(line string)
}

// Handoff is handoff.json. Rewards are as the model gives them: raw logits, or
// normalized where its config.json says so.
type Handoff struct {
	Format int       `json:"format"`
	Laurel string    `json:"laurel"`
	Model  ModelSaid `json:"model"`
	Data   DataSaid  `json:"data"`
	Statistics
}

// ModelSaid is what handoff.json says of the model.
type ModelSaid struct {
	Folder         string `json:"folder"`
	SHA256         string `json:"sha256"` // of the folder, as scoring.Hash
	Type           string `json:"model_type"`
	MaxLength      int    `json:"max_length"`
	TruncationSide string `json:"truncation_side"`
	OpenRLHF       bool   `json:"openrlhf"`   // whether OpenRLHF loads it, which reads value_head_prefix, mean and std of its config.json
	Normalized     bool   `json:"normalized"` // whether its rewards are (logit − mean)/std by config.json's normalize_reward
	DType          string `json:"dtype"`      // of matrix products, in which the rewards here were computed
}

// DataSaid is what handoff.json says of the reference responses.
type DataSaid struct {
	File      string         `json:"file"`
	SHA256    string         `json:"sha256"`
	Rows      int            `json:"rows"`
	Responses int            `json:"responses"` // with a reward; two of a pair
	Truncated int            `json:"truncated"` // of these, cut to max_length
	LeftOut   map[string]int `json:"left_out"`  // responses without a reward, by reason
}

// Write writes the folder aside and renames it: it is whole or not there.
func (p Pack) Write(ctx context.Context, dir string) (*Handoff, error) {
	if p.Model.IsEnsemble() {
		return nil, errors.New("an ensemble is no Hugging Face directory: serve it with laurel serve, or make one model of it with laurel ensemble without --scorer")
	}
	var out *Handoff
	err := data.WriteFolder(dir, func(aside string) (err error) {
		if out, err = p.measure(ctx); err != nil {
			return err
		}
		out.Model.OpenRLHF = p.Model.Config.OfferNorm(out.Whitening.Mean, out.Whitening.Std)
		folder := filepath.Join(aside, ModelFolder)
		if err := p.Model.Export(folder, p.Backend, p.BackendName, p.Laurel); err != nil {
			return err
		}
		if out.Model.SHA256, err = scoring.Hash(ctx, folder, scoring.Options{}); err != nil {
			return err
		}
		raw, err := json.MarshalIndent(out, "", "  ")
		if err == nil {
			err = data.WriteFile(filepath.Join(aside, File), append(raw, '\n'))
		}
		if err != nil {
			return err
		}
		return p.writeReadme(filepath.Join(aside, "README.md"), out)
	})
	return out, err
}

// measure scores the reference responses.
func (p Pack) measure(ctx context.Context) (*Handoff, error) {
	h := &Handoff{Format: 1, Laurel: p.Laurel, Model: ModelSaid{Folder: ModelFolder, Type: p.Model.Config.ModelType, MaxLength: p.Model.MaxLength,
		TruncationSide: p.Model.Side.String(), Normalized: p.Model.Config.Norm.On, DType: p.DType},
		Data: DataSaid{File: filepath.Base(p.Data), LeftOut: map[string]int{}}}
	var err error
	if h.Data.SHA256, err = data.SHA256(p.Data); err != nil {
		return nil, err
	}
	responses, err := p.score(ctx, &h.Data)
	if err != nil {
		return nil, err
	}
	if h.Statistics, err = summarize(responses); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Data, err)
	}
	return h, nil
}

// score goes through the file twice at once: as texts to score, and for the
// prompts and lengths that belong to the scores.
func (p Pack) score(ctx context.Context, said *DataSaid) ([]response, error) {
	scorer, err := p.Model.Scorer(p.Backend)
	if err != nil {
		return nil, err
	}
	if err := p.Ready(scorer); err != nil {
		return nil, err
	}
	table, err := data.OpenTable(p.Data, p.Columns)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	for _, note := range table.Notes() {
		p.Notice(p.Data + ": " + note)
	}
	again, err := data.OpenTable(p.Data, p.Columns)
	if err != nil {
		return nil, err
	}
	defer again.Close()
	var responses []response
	put := func(_ int, scores [][]data.Score) error {
		for _, ofRow := range scores {
			record, err := again.Next()
			if err != nil {
				return err
			}
			for i, score := range ofRow {
				if !score.Valid {
					said.LeftOut[score.Reason]++
					continue
				}
				c := record.Completions[i]
				tokens, err := p.tokens(c.Response)
				if err != nil {
					return fmt.Errorf("%s: %s %d: %w", p.Data, record.Unit, record.Row, err)
				}
				if score.Truncated {
					said.Truncated++
				}
				responses = append(responses, response{data.PromptKey(c.Prompt), float64(score.Reward), tokens, score.Truncated})
			}
		}
		return nil
	}
	total := int(table.NumRows())
	said.Rows, err = scorer.ScoreGroups(ctx, table, scoring.Groups{Rows: scoring.GroupRows, Shard: data.Whole}, put, func(rows int) { p.Done(rows, total) })
	said.Responses = len(responses)
	return responses, err
}

// tokens counts those of a response's contents, without special tokens and what a
// chat template writes around them.
func (p Pack) tokens(response data.Text) (float64, error) {
	contents := []string{response.Plain}
	for _, message := range response.Messages {
		contents = append(contents, message.Content)
	}
	n := 0
	for _, content := range contents {
		tokens, err := p.Model.Tokenizer.EncodeBare(content, 0, tokenizer.Left)
		if err != nil {
			return 0, err
		}
		n += len(tokens.IDs)
	}
	return float64(n), nil
}

//go:embed README.md.tmpl
var readme string

// writeReadme fills the template for this model.
func (p Pack) writeReadme(path string, h *Handoff) error {
	prefix, suffix := p.Model.Tokenizer.Specials()
	names := func(ids []int32) (out []string) {
		for _, id := range ids {
			text, _ := p.Model.Tokenizer.TokenText(id)
			out = append(out, text)
		}
		return out
	}
	otherwise := "" // why transformers' logit is not the reward
	switch {
	case !p.Model.Config.Recorded.Head.Own():
		otherwise = "transformers cannot express this model's head, and would load the backbone with a new one"
	case p.Model.Config.Norm.On:
		otherwise = "config.json's normalize_reward is true, which transformers does not heed: its logits are not normalized"
	}
	t, err := template.New("README.md").Parse(readme)
	if err != nil {
		return err
	}
	var out strings.Builder
	err = t.Execute(&out, map[string]any{
		"H": h, "Decoder": p.Model.Causal(), "Positions": p.Model.MaxPositions(), "Otherwise": otherwise,
		"Before": strings.Join(names(prefix), " "), "After": strings.Join(names(suffix), " "), "Template": p.Model.Tokenizer.HasTemplate(),
		"Once": once(strings.Join(names(prefix), ""), strings.Join(names(suffix), "")), "Slope": h.Length.Slope.Defined(),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

// once is Python that takes off the special tokens which a text has already and the
// tokenizer puts there again.
func once(prefix, suffix string) (code string) {
	if prefix != "" {
		code += fmt.Sprintf(".removeprefix(%q)", prefix)
	}
	if suffix != "" {
		code += fmt.Sprintf(".removesuffix(%q)", suffix)
	}
	return code
}
