package feedback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"laurel/data"
	"laurel/feedback/chat"
)

// Generating is what decides a run of Generate.
type Generating struct {
	Config GenerateConfig
	// Complete asks each of Config.Writers.
	Complete []func(context.Context, chat.Request) (chat.Reply, error)
	Store    *Store
	// Prompts yields all prompts, from the first, whenever it is called.
	Prompts  func(*data.Counts) iter.Seq2[data.Prompt, error]
	Progress func(done int, spent chat.Spent) // called after every prompt, in order
}

// Responses are those to a prompt that came to something, and those that did not.
type Responses struct {
	data.Prompt
	Written []Response
	Left    []LeftResponse
}

// Response is what one model wrote.
type Response struct {
	Number       int    // of the prompt's, from 0
	Text         string // without white space around it
	Model        string
	Temperature  *float64 // nil: not sent
	Seed         *int64   // nil: not sent
	System       string   // the system message that it was asked for under; "" for none
	FinishReason string   // as the server has it
	Cut          bool     // it ended at max_tokens: its last word may be half of one
}

// LeftResponse is a response that is not there.
type LeftResponse struct {
	ID     string `json:"id"` // of the prompt
	Number int    `json:"response"`
	Model  string `json:"model"`
	Reason string `json:"reason"`

	why string // the reason in one word
}

// sample is one response that is asked for.
type sample struct {
	data.Prompt
	k     int // of its prompt
	order int
}

// sampled is what it came to.
type sampled struct {
	sample
	response Response
	left     *LeftResponse
}

// keptResponse is a response as it lies in the store.
type keptResponse struct {
	keptReply
	Finish string `json:"finish_reason"`
}

// Generate has N responses written to every prompt and gives them to write, in the
// prompts' order. Responses that the store has are not asked for. It ends at the
// first error; a response that is left out is none, nor is a budget that ends or a
// model that gives nothing of use: those are the summary's Stopped.
func Generate(ctx context.Context, run *Generating, write func(Responses) error) (s *GenerationSummary, err error) {
	variants, writers := run.Config.variants(), run.Config.Writers()
	inFlight := run.Config.Chat.InFlight * servers(writers)
	asker := newAsker(run.Store, inFlight, nil)
	work := func(ctx context.Context, one sample) (sampled, error) {
		return run.respond(ctx, asker, one, variants[one.k])
	}
	summary := newGenerationSummary(run)
	defer func() { // after all replies under way have come
		err = errors.Join(err, asker.forget())
		summary.settle(run.Store, asker)
	}()
	var open Responses
	for one, err := range inOrder(ctx, run.samples(&summary.Rows, &summary.RepeatedPrompts), 4*inFlight, nil, work) {
		if err != nil {
			return summary, err
		}
		if one.k == 0 {
			open = Responses{Prompt: one.Prompt}
		}
		if one.left != nil {
			open.Left = append(open.Left, *one.left)
		} else {
			open.Written = append(open.Written, one.response)
		}
		if one.k < len(variants)-1 {
			continue
		}
		summary.count(&open)
		if err := write(open); err != nil {
			return summary, err
		}
		if run.Progress != nil {
			run.Progress(summary.Prompts, run.Store.Spent())
		}
	}
	_, summary.Stopped = asker.stopped()
	return summary, nil
}

// servers is the number of different addresses.
func servers(writers []chat.Config) int {
	addresses := map[string]bool{}
	for _, w := range writers {
		addresses[w.BaseURL] = true
	}
	return len(addresses)
}

// distinct are the prompts, each once: of equal ones the first, unless the config
// wants all. repeated counts the others.
func (g *Generating) distinct(counts *data.Counts, repeated *int) iter.Seq2[data.Prompt, error] {
	return func(yield func(data.Prompt, error) bool) {
		seen := map[data.TextKey]bool{}
		for p, err := range g.Prompts(counts) {
			if err == nil && !g.Config.Repeats {
				key := p.Key()
				if seen[key] {
					*repeated++
					continue
				}
				seen[key] = true
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// samples are the responses of all prompts, one prompt's after the other's.
func (g *Generating) samples(counts *data.Counts, repeated *int) iter.Seq2[sample, error] {
	return func(yield func(sample, error) bool) {
		order := 0
		for p, err := range g.distinct(counts, repeated) {
			for k := range g.Config.N {
				if !yield(sample{p, k, order}, err) || err != nil {
					return
				}
				order++
			}
		}
	}
}

// respond asks for one response.
func (g *Generating) respond(ctx context.Context, a *asker, one sample, v variant) (sampled, error) {
	out := sampled{sample: one}
	v = g.forPrompt(one.Prompt, v)
	from := a.source("model " + v.chat.Model)
	kept, err := askInTurn(ctx, a, from, one.order, g.key(one.Prompt, v), func(ctx context.Context) (keptResponse, bool, chat.Spent, error) {
		got, err := g.Complete[v.writer](ctx, g.request(one.Prompt, v))
		reply := keptResponse{keepReply(got), got.FinishReason}
		return reply, reply.unusable(v.chat.MaxTokens) != nil, got.Spent, err
	})
	if err == nil {
		err = kept.unusable(v.chat.MaxTokens)
	}
	if err != nil {
		left := LeftResponse{ID: one.ID, Number: one.k, Model: v.chat.Model}
		out.left = &left
		return out, left.because(a, from, err)
	}
	a.note(from, nil)
	out.response = Response{Number: one.k, Text: kept.Text, Model: v.chat.Model, Temperature: v.chat.Temperature, Seed: v.chat.Seed, System: v.system,
		FinishReason: kept.Finish, Cut: kept.Cut}
	return out, nil
}

// because says why there is no response; other errors end the run.
func (l *LeftResponse) because(a *asker, from *source, err error) error {
	var over *stopped
	var none *noReply
	var no *unusableReply
	switch {
	case errors.As(err, &over):
		l.why, l.Reason = notAsked, fmt.Sprintf("not asked: %v", err)
	case errors.As(err, &none):
		l.why, l.Reason = chat.Reason(none), err.Error()
		a.note(from, &unusable{reason: l.why, example: l.Reason, lasting: chat.Refused(none)})
	case errors.As(err, &no):
		l.why, l.Reason = no.reason, err.Error()
		a.note(from, &unusable{reason: no.reason, example: no.text, lasting: true})
	default:
		return err
	}
	return nil
}

// forPrompt gives the variant a seed of the prompt's own, so that a server which
// draws by the seed alone does not draw the same for all prompts. A response that the
// store has under the seed of all prompts, as versions before had it, stays.
func (g *Generating) forPrompt(p data.Prompt, v variant) variant {
	if v.chat.Seed == nil {
		return v
	}
	own := v
	seed := seedOf(*g.Config.Chat.Seed, p.Key(), v.k)
	own.chat.Seed = &seed
	if g.Store != nil && g.Store.Has(g.key(p, v), false) && !g.Store.Has(g.key(p, own), false) {
		return v
	}
	return own
}

// seedOf is the seed of a prompt's response: 31 bits, which every server takes, of
// the hash of seed, prompt and number.
func seedOf(seed int64, prompt data.TextKey, number int) int64 {
	key := Key("response seed", fmt.Sprint(seed), string(prompt[:]), fmt.Sprint(number))
	bits, _ := strconv.ParseInt(key[:8], 16, 64) // hexadecimal digits of a hash
	return bits >> 1
}

// messages are what a variant asks a prompt with.
func (v variant) messages(p data.Prompt) []data.Message {
	if v.system == "" {
		return p.Messages
	}
	return append([]data.Message{{Role: "system", Content: v.system}}, p.Messages...)
}

func (g *Generating) request(p data.Prompt, v variant) chat.Request {
	request := v.chat.Request(v.messages(p))
	request.Tools = p.Context.Offered()
	return request
}

// key names a response: what asks for the same as an earlier one of the prompt
// wants another text.
func (g *Generating) key(p data.Prompt, v variant) string {
	fingerprint := v.chat.Fingerprint()
	if tools := p.Context.Offered(); tools != "" {
		fingerprint += ", tools " + tools
	}
	if v.again > 0 {
		fingerprint += fmt.Sprint(", again ", v.again)
	}
	return messagesKey("response", fingerprint, v.messages(p))
}

// GenerationPlan is what a run is going to ask, as far as reading its input and
// its store tells.
type GenerationPlan struct {
	Rows             data.Counts `json:"rows"`
	RepeatedPrompts  int         `json:"repeated_prompts"`  // rows whose prompt another before them has: they are asked nothing
	Answered         int         `json:"answered"`          // prompts for which the file has a response, which is not used
	Responses        int         `json:"responses"`         // wanted
	Kept             int         `json:"kept"`              // of them in the store
	Requests         int         `json:"requests"`          // the others, without retries
	PromptTokens     int         `json:"prompt_tokens"`     // where they are counted
	CompletionTokens int         `json:"completion_tokens"` // at most
	Cost             float64     `json:"cost"`              // dollars, at most
}

// Plan reads all prompts, so that a bad row is found before anything is paid for,
// and looks for their responses in the store, which may be nil. count, where given,
// counts tokens.
func (g *Generating) Plan(count func(data.Text) (int, error)) (*GenerationPlan, error) {
	plan, variants := &GenerationPlan{}, g.Config.variants()
	for p, err := range g.distinct(&plan.Rows, &plan.RepeatedPrompts) {
		if err != nil {
			return nil, err
		}
		if p.Response != "" {
			plan.Answered++
		}
		for _, v := range variants {
			if err := g.plan(plan, p, v, count); err != nil {
				return nil, err
			}
		}
	}
	return plan, nil
}

func (g *Generating) plan(plan *GenerationPlan, p data.Prompt, v variant, count func(data.Text) (int, error)) error {
	if v.system != "" && p.Messages[0].Role == "system" {
		return fmt.Errorf("prompt %s of %s begins with a system message, and systems has one for it too: leave one of them out", p.ID, p.File)
	}
	plan.Responses++
	v = g.forPrompt(p, v)
	if g.Store != nil && g.Store.Has(g.key(p, v), false) {
		plan.Kept++
		return nil
	}
	plan.Requests++
	plan.CompletionTokens += v.chat.MaxTokens
	tokens := 0
	if count != nil {
		var err error
		if tokens, err = count(data.Text{Messages: v.messages(p), Context: data.Context{Tools: p.Context.Offered()}}); err != nil {
			return err
		}
	}
	plan.PromptTokens += tokens
	plan.Cost += v.chat.Price.Of(tokens, v.chat.MaxTokens)
	return nil
}

// Priced tells whether every writer has a price.
func (c GenerateConfig) Priced() bool {
	for _, w := range c.Writers() {
		if w.Price == nil {
			return false
		}
	}
	return true
}

// Names are the writers' models, each once, in their order.
func (c GenerateConfig) Names() (names []string) {
	seen := map[string]bool{}
	for _, w := range c.Writers() {
		if name := cmp.Or(w.Model, "?"); !seen[name] {
			seen[name], names = true, append(names, name)
		}
	}
	return names
}
