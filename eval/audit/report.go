// Package audit says how far AI feedback can be trusted: what labels lean to,
// how raters agree with one another and with gold, what calibration repairs, and
// what critique and revision did to answers.
package audit

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"slices"

	"laurel/data"
	"laurel/eval/draw"
	"laurel/eval/stats"
	"laurel/labels"
)

// LabelConfig says what labels are measured against. A zero field takes its
// default.
type Config struct {
	Gold       []labels.Gold     // nil: there is none
	Principles []Principle       // of the constitution; nil: as the votes weigh them
	Models     map[string]string // the model behind a judge's name, where that is not the name
	Precision  float64           // wanted of labels, in (0, 1]; default 0.9
	Bins       int               // equal-width bins of [0, 1]; default 20
	Bootstrap  int               // resamples; default 2000
	Seed       uint64            // of the split and the bootstrap
}

// LabelReport is what Labels finds: how labels came about, what they lean
// to, and where there is gold how far they can be trusted.
type Report struct {
	Labels           int                       `json:"labels"`
	Prompts          int                       `json:"prompts"` // different ones
	Labelled         int                       `json:"labelled"`
	Abstained        int                       `json:"abstained"`
	Reasons          map[labels.Abstention]int `json:"abstained_by_reason"`
	PreferA          stats.Share               `json:"labelled_a"`
	Confidence       stats.Histogram           `json:"confidence_histogram"` // of those labelled
	ConfidenceMean   stats.Value               `json:"confidence_mean"`
	VoteShare        stats.Histogram           `json:"vote_share_histogram"`
	VoteShareMean    stats.Value               `json:"vote_share_mean"`
	Judges           []string                  `json:"judges"`
	Votes            int                       `json:"votes"`
	Requests         int                       `json:"requests"`
	PromptTokens     int                       `json:"prompt_tokens"`
	CompletionTokens int                       `json:"completion_tokens"`
	Cost             float64                   `json:"cost"`
	Principles       []PrincipleVotes          `json:"principles"`
	Raters           Raters                    `json:"raters"`
	Position         []PositionBias            `json:"position"`
	Surface          []SurfaceBias             `json:"surface"`
	SelfPreference   []SelfPreference          `json:"self_preference"`
	Injections       []InjectionBias           `json:"injections"`
	Gold             *Agreement                `json:"gold"`         // null without gold
	AgainstGold      []Disputed                `json:"against_gold"` // the most confident ones
	SplitVotes       []Disputed                `json:"split_votes"`  // the most even ones
	Warnings         []string                  `json:"warnings"`
}

// Labels reads the labels once. It keeps numbers of each, and texts of the most
// disputed alone.
func Labels(all iter.Seq2[labels.Label, error], cfg Config) (*Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newCount(cfg)
	for l, err := range all {
		if err == nil {
			err = c.add(&l)
		}
		if err != nil {
			return nil, err
		}
	}
	if c.report.Labels == 0 {
		return nil, errors.New("audit labels: no labels")
	}
	return c.finish(), nil
}

func (cfg Config) withDefaults() (Config, error) {
	if !(cfg.Precision >= 0 && cfg.Precision <= 1) {
		return cfg, fmt.Errorf("precision is %v, want above 0 and at most 1", cfg.Precision)
	}
	if cfg.Bins < 0 || cfg.Bootstrap < 0 {
		return cfg, fmt.Errorf("bins %d and bootstrap %d, want 0 (the default) or more", cfg.Bins, cfg.Bootstrap)
	}
	cfg.Precision, cfg.Bins, cfg.Bootstrap = cmp.Or(cfg.Precision, 0.9), cmp.Or(cfg.Bins, 20), cmp.Or(cfg.Bootstrap, 2000)
	return cfg, nil
}

// confidenceBins are of [0.5, 1].
const confidenceBins = 20

// count gathers a Report, one label after another.
type count struct {
	cfg                   Config
	report                Report
	confidence, voteShare []float64 // of those labelled
	preferA               stats.Trials
	prompts               *stats.Prompts
	gold                  *GoldIndex
	agreement             *agreementCount
	raters                *raterCount
	principles            principleCounts
	position              positionCounts
	surface               surfaceCounts
	self                  selfCounts
	injections            injectionCounts
	disputes              disputes
}

func newCount(cfg Config) *count {
	c := &count{
		cfg: cfg, prompts: stats.NewPrompts(), report: Report{Reasons: map[labels.Abstention]int{}, Judges: []string{}},
		agreement: newAgreementCount(), raters: newRaterCount(), principles: principleCounts{by: map[string]*principleCount{}},
		position: positionCounts{}, self: selfCounts{}, injections: injectionCounts{},
	}
	if cfg.Gold != nil {
		c.gold = IndexGold(cfg.Gold)
	}
	return c
}

func (c *count) add(l *labels.Label) error {
	var gold *labels.Gold
	if c.gold != nil {
		gold = c.gold.Of(&l.Comparison)
	}
	prompt := c.prompts.Of(data.PromptKey(l.Prompt))
	if err := c.outcome(prompt, l); err != nil {
		return fmt.Errorf("audit labels: %s row %d (id %q): %w", l.File, l.Row, l.ID, err)
	}
	if gold != nil {
		c.agreement.add(prompt, l, gold)
	}
	c.raters.add(prompt, l, gold)
	c.principles.add(prompt, l, gold)
	c.position.add(prompt, l.Votes)
	c.surface.add(prompt, l, gold)
	c.self.add(prompt, l, c.cfg.Models, gold)
	c.injections.add(prompt, l, gold)
	c.disputes.add(l, gold)
	return nil
}

// outcome counts what became of the comparison and what that took.
func (c *count) outcome(prompt int32, l *labels.Label) error {
	r := &c.report
	r.Labels++
	r.Votes += len(l.Votes)
	r.Requests += l.Requests
	r.PromptTokens += l.PromptTokens
	r.CompletionTokens += l.CompletionTokens
	r.Cost += l.Cost
	for _, v := range l.Votes {
		if !slices.Contains(r.Judges, v.Judge) {
			r.Judges = append(r.Judges, v.Judge)
		}
	}
	if l.Side == labels.Neither {
		r.Abstained++
		r.Reasons[l.Reason]++
		return nil
	}
	if !(l.Confidence >= 0 && l.Confidence <= 1) || !(l.VoteShare >= 0 && l.VoteShare <= 1) {
		return fmt.Errorf("confidence %v and vote_share %v: want numbers from 0 to 1", l.Confidence, l.VoteShare)
	}
	r.Labelled++
	c.preferA.Add(prompt, stats.Indicator(l.Side == labels.SideA), 1)
	c.confidence, c.voteShare = append(c.confidence, l.Confidence), append(c.voteShare, l.VoteShare)
	return nil
}

func (c *count) finish() *Report {
	r := &c.report
	r.Prompts = int(c.prompts.N)
	r.PreferA = c.preferA.Share()
	low := 0.5
	if len(c.confidence) > 0 && slices.Min(c.confidence) < low {
		low = 0
	}
	r.Confidence = stats.NewHistogram(c.confidence, low, 1, int(math.Round((1-low)*2*confidenceBins)))
	r.VoteShare = stats.NewHistogram(c.voteShare, 0, 1, confidenceBins)
	r.ConfidenceMean, r.VoteShareMean = stats.Mean(c.confidence), stats.Mean(c.voteShare)
	r.Raters = c.raters.report(c.cfg)
	r.Position = c.position.report()
	r.Principles = c.principles.report(c.cfg.Principles, r.Position)
	r.Surface = c.surface.report()
	r.SelfPreference = c.self.report(c.cfg.Models)
	r.Injections = c.injections.report()
	if c.gold != nil {
		r.Gold = c.agreement.report(c.cfg, c.gold.Matched())
	}
	r.AgainstGold, r.SplitVotes = append([]Disputed{}, c.disputes.againstGold...), append([]Disputed{}, c.disputes.split...)
	r.Warnings = warnings(r)
	return r
}

// WriteJSON writes report.json, aside first, then renamed.
func (r *Report) WriteJSON(path string) error { return draw.WriteJSON(path, r) }

// ReadReport reads what WriteJSON wrote.
func ReadReport(path string) (*Report, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read report of labels: %w", err)
	}
	r := &Report{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("read report of labels %s: %w", path, err)
	}
	return r, nil
}
