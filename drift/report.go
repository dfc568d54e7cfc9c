package drift

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"unicode/utf8"

	"laurel/eval/draw"
	"laurel/eval/stats"
)

// Config says how much is compared.
type Config struct {
	Most int    // prompts of a set at most, drawn; the others are counted
	Seed uint64 // of which are drawn
}

// Default compares up to five thousand prompts of each.
func Default() Config { return Config{Most: 5000, Seed: 1} }

// Report is drift.json.
type Report struct {
	Reference *Set        `json:"reference"`
	Data      *Set        `json:"data"`
	Compared  [2]int      `json:"prompts_compared"` // of the reference, of the data
	Shared    int         `json:"shared"`           // prompts of the data, among those compared, that the reference has
	Threshold stats.Value `json:"threshold"`        // similarity below which a prompt is unlike the reference
	Unlike    stats.Share `json:"unlike"`           // prompts of the data; 5% where it is drawn as the reference is
	Quantity  []Compared  `json:"compared"`
	Layouts   []Layout    `json:"layouts"`
	Most      []Unlike    `json:"most_unlike"`
	Warnings  []string    `json:"warnings"`
}

// Unlike is a prompt of the data, with the reference's most similar one.
type Unlike struct {
	Row        int         `json:"row"` // of its first row, from 0; of JSON lines the line, from 1
	Similarity stats.Value `json:"similarity"`
	Prompt     string      `json:"prompt"`
	Nearest    string      `json:"nearest"` // empty where none has a word of it
	NearestRow int         `json:"nearest_row"`
}

const (
	unlikeQuantile = 0.05 // of the reference's own similarities, a prompt left out
	unlikeKept     = 100  // in the report
	leastPrompts   = 20   // of a set: fewer say nothing of its tail
)

// Between compares data with a reference.
func Between(reference, of *Set, cfg Config) (*Report, error) {
	a, b := drawn(reference.prompts, cfg), drawn(of.prompts, cfg)
	if len(a) < leastPrompts {
		return nil, fmt.Errorf("%s has %s: of fewer than %d nothing can be said of what is unlike them", reference.File, stats.Plural(len(a), "prompt"), leastPrompts)
	}
	r := &Report{Reference: reference, Data: of, Compared: [2]int{len(a), len(b)}, Warnings: []string{}}
	r.similarities(a, b)
	value := func(of []*prompt, f func(*prompt) float64) []float64 {
		var out []float64
		for _, p := range of {
			out = append(out, f(p))
		}
		return out
	}
	both := func(name string, a, b []*prompt, f func(*prompt) float64) {
		r.Quantity = append(r.Quantity, compare(name, value(a, f), value(b, f)))
	}
	both("prompt, characters", a, b, func(p *prompt) float64 { return float64(utf8.RuneCountInString(p.words)) })
	answered := func(of []*prompt) []*prompt {
		return slices.DeleteFunc(slices.Clone(of), func(p *prompt) bool { return p.responses == 0 })
	}
	if x, y := answered(a), answered(b); len(x) > 0 && len(y) > 0 {
		both("response, characters", x, y, func(p *prompt) float64 { return p.chars / float64(p.responses) })
		for i, l := range layouts() {
			share := func(p *prompt) float64 { return p.has[i] / float64(p.responses) }
			r.Layouts = append(r.Layouts, layout(l.name, value(x, share), value(y, share)))
		}
	}
	rewarded := func(of []*prompt) []*prompt {
		return slices.DeleteFunc(slices.Clone(of), func(p *prompt) bool { return len(p.rewards) == 0 })
	}
	if x, y := rewarded(a), rewarded(b); len(x) > 0 && len(y) > 0 {
		both("reward", x, y, func(p *prompt) float64 { return float64(stats.Mean(p.rewards)) })
	}
	r.warn(cfg)
	return r, nil
}

// drawn are so many prompts as are compared, in their order.
func drawn(all []*prompt, cfg Config) []*prompt {
	if len(all) <= cfg.Most {
		return all
	}
	at := rand.New(rand.NewPCG(cfg.Seed, 0)).Perm(len(all))[:cfg.Most]
	slices.Sort(at)
	out := make([]*prompt, len(at))
	for i, k := range at {
		out[i] = all[k]
	}
	return out
}

// similarities finds the nearest of the reference's prompts: for each of its own
// among the others, which gives the threshold, and for each of the data's.
func (r *Report) similarities(a, b []*prompt) {
	texts := make([]string, len(a))
	known := map[uint64]bool{}
	for i, p := range a {
		texts[i], known[p.key] = p.words, true
	}
	index := newIndex(texts)
	own := make([]float64, len(a))
	for i, text := range texts {
		_, own[i] = index.nearest(text, i)
	}
	threshold := stats.Quantile(slices.Sorted(slices.Values(own)), unlikeQuantile)
	r.Threshold = stats.Value(threshold)
	theirs := make([]float64, len(b))
	var all []Unlike
	trials := stats.Trials{}
	for i, p := range b {
		at, cosine := index.nearest(p.words, -1)
		theirs[i] = cosine
		r.Shared += int(stats.Indicator(known[p.key]))
		trials.Add(int32(i), stats.Indicator(cosine < threshold), 1)
		u := Unlike{Row: p.row, Similarity: stats.Value(cosine), Prompt: p.text, NearestRow: -1}
		if at >= 0 {
			u.Nearest, u.NearestRow = a[at].text, a[at].row
		}
		all = append(all, u)
	}
	r.Unlike = trials.Share()
	slices.SortStableFunc(all, func(x, y Unlike) int { return cmp.Compare(x.Similarity, y.Similarity) })
	r.Most = all[:min(len(all), unlikeKept)]
	r.Quantity = append(r.Quantity, compare("similarity to the nearest", own, theirs))
}

func (r *Report) warn(cfg Config) {
	say := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	for i, set := range []*Set{r.Reference, r.Data} {
		for _, why := range slices.Sorted(maps.Keys(set.LeftOut)) {
			say("%s: %s left out: %s", set.File, stats.Plural(set.LeftOut[why], "row"), why)
		}
		if set.Responses == 0 {
			say("%s is read as prompts alone: laurel score would find nothing to score in it", set.File)
		}
		if set.Prompts > r.Compared[i] {
			say("%s: %d of %d prompts are compared, drawn with seed %d", set.File, r.Compared[i], set.Prompts, cfg.Seed)
		}
	}
	if low := float64(r.Unlike.Interval[0]); low > unlikeQuantile {
		say("%s of the data's prompts are less like the reference than all but 5%% of its own: the reward model has seen nothing like them", stats.Percent(r.Unlike.Share))
	}
}

// WriteJSON writes drift.json.
func (r *Report) WriteJSON(path string) error { return draw.WriteJSON(path, r) }

// Print writes the tables for a terminal.
func (r *Report) Print(w io.Writer) error { return draw.Print(w, r.sections(), r.Warnings) }
