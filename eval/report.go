package eval

import (
	"encoding/json"
	"fmt"
	"os"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Report is what Evaluate finds. Its JSON is report.json: Metrics of all
// pairs at the top level, those of each subset under per_subset.
type Report struct {
	Metrics
	Bootstrap        Bootstrap           `json:"bootstrap"`
	BootstrapPrompts *Bootstrap          `json:"bootstrap_prompts"`      // null where no prompt repeats
	MacroAccuracy    stats.Value         `json:"macro_accuracy"`         // mean over subsets of accuracy_ties_half
	PerSubset        map[string]*Metrics `json:"per_subset"`             // empty where the data names no subset
	RewardBench      *RewardBench        `json:"reward_bench,omitempty"` // where all subsets are its
	Seen             *Seen               `json:"seen_in_training,omitempty"`
	Rulers           []Ruler             `json:"rulers"`      // what needs no model, the most accurate first; empty where lengths and texts are unknown, or all pairs seen
	Comparisons      []Comparison        `json:"comparisons"` // with other models on the same pairs; empty where none was asked for
	Calibration      *Calibration        `json:"calibration"`
	Step             int                 `json:"step,omitempty"` // of the training that the model comes from; 0 where not known
	Worst            []Ranked            `json:"worst_ranked"`   // pairs that are ranked wrong, the lowest margin first
	Warnings         []string            `json:"warnings"`
	Figures          Figures             `json:"figures"`
}

// WriteJSON writes report.json, aside first, then renamed.
func (r *Report) WriteJSON(path string) error { return draw.WriteJSON(path, r) }

// ReadReport reads what WriteJSON wrote.
func ReadReport(path string) (*Report, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	r := &Report{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("read report %s: %w", path, err)
	}
	return r, nil
}
