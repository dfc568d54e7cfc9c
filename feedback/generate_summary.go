package feedback

import (
	"cmp"

	"laurel/data"
	"laurel/feedback/chat"
)

// GenerationSummary says what became of the prompts: of each, n responses are
// written or left out.
type GenerationSummary struct {
	Rows    data.Counts `json:"rows"`
	Prompts int         `json:"prompts"`
	// RepeatedPrompts are rows whose prompt another before them has: rows kept =
	// prompts + these.
	RepeatedPrompts int            `json:"repeated_prompts"`
	Written         int            `json:"written"` // responses
	Cut             int            `json:"cut"`     // of them: at max_tokens, in no comparison
	Repeated        int            `json:"repeated"`
	Comparisons     int            `json:"comparisons"`
	Uncompared      int            `json:"prompts_without_comparison"`
	LeftOut         int            `json:"left_out"` // responses
	NotAsked        int            `json:"not_asked,omitempty"`
	Reasons         []ReasonCount  `json:"left_out_reasons,omitempty"`
	FinishReasons   map[string]int `json:"finish_reasons"`
	Models          map[string]int `json:"models"` // responses written, by model

	FailedAttempts map[string]int `json:"failed_attempts,omitempty"` // requests of this run without a reply, by reason

	Spent    chat.Spent `json:"spent"` // by all runs on the store
	SpentNow chat.Spent `json:"spent_by_this_run"`
	Received int        `json:"-"` // responses of this run

	// Stopped is why not all was asked that was to be, or that nothing came of it.
	Stopped error `json:"-"`

	config GenerateConfig
	before chat.Spent
	left   reasons
}

func newGenerationSummary(run *Generating) *GenerationSummary {
	return &GenerationSummary{FinishReasons: map[string]int{}, Models: map[string]int{}, config: run.Config, before: run.Store.Spent(), left: reasons{}}
}

// Useless is whether the run was stopped, and there is nothing to write.
func (s *GenerationSummary) Useless() bool { return s.Stopped != nil && s.Written == 0 }

func (s *GenerationSummary) count(r *Responses) {
	s.Prompts++
	for _, one := range r.Written {
		s.Written++
		s.FinishReasons[cmp.Or(one.FinishReason, "none")]++
		s.Models[one.Model]++
		if one.Cut {
			s.Cut++
		}
	}
	for _, l := range r.Left {
		s.LeftOut++
		if l.why == notAsked {
			s.NotAsked++
		}
		s.left.add(l.why, l.Reason)
	}
	s.Reasons = s.left.counts()
	_, repeated := r.comparable()
	s.Repeated += repeated
	n := len(r.Comparisons(s.config))
	s.Comparisons += n
	if n == 0 {
		s.Uncompared++
	}
}

func (s *GenerationSummary) settle(store *Store, a *asker) {
	s.Received = int(a.kept.Load())
	s.Spent = store.Spent()
	s.SpentNow = s.Spent.Minus(s.before)
}
