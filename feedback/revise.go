package feedback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"laurel/data"
	"laurel/feedback/chat"
)

// Revising is what decides a run of Revise.
type Revising struct {
	Constitution *Constitution
	Model        chat.Config // names what decides a reply, and the sampling
	Complete     func(context.Context, chat.Request) (chat.Reply, error)
	Rounds       int
	PerRound     int    // principles a round, at most those of the constitution
	Order        string // OrderSequence or OrderSample
	Seed         int64
	Store        *Store
	// Prompts yields all prompts, from the first, whenever it is called.
	Prompts  func(*data.Counts) iter.Seq2[data.Prompt, error]
	Progress func(done int, spent chat.Spent) // called after every prompt, in order
}

// The orders in which principles take their turns.
const (
	OrderSequence = "sequence" // as the constitution has them, around and around
	OrderSample   = "sample"   // shuffled by seed and prompt; none again before all had theirs
)

// Stage is what a chain was doing.
type Stage string

// The stages of a chain.
const (
	StageInitial  Stage = "initial"
	StageCritique Stage = "critique"
	StageRevision Stage = "revision"
)

// LeftOut is a prompt without a whole chain: it is in no output but the list
// of what was left out.
type LeftOut struct {
	ID        string `json:"id"`
	Stage     Stage  `json:"stage"`
	Round     int    `json:"round,omitempty"` // from 1
	Principle string `json:"principle,omitempty"`
	Reason    string `json:"reason"`

	why string // the reason in one word
}

// chained is a prompt's chain, or why there is none.
type chained struct {
	Chain
	left *LeftOut
}

// Revise answers every prompt, or takes the answer that its file gives,
// criticises it by a principle and revises it, principle after principle
// (Bai et al. 2022, section 3). Chains are given to write, and what has none to
// leave, in the prompts' order. Replies that the store has are not asked for. It
// ends at the first error; a prompt that is left out is none, nor is a budget
// that ends or a model that gives no reply of use: those are the summary's Stopped.
func Revise(ctx context.Context, run *Revising, write func(Chain) error, leave func(LeftOut) error) (s *RevisionSummary, err error) {
	asker := newAsker(run.Store, run.Model.InFlight, nil)
	work := func(ctx context.Context, p numbered) (chained, error) {
		return run.chain(p.Prompt, func(q modelAsked) (string, error) { return run.reply(ctx, asker, p.number, q) })
	}
	summary := newRevisionSummary(run)
	defer func() { // after all replies under way have come
		err = errors.Join(err, asker.forget())
		summary.settle(run.Store, asker)
	}()
	window := 4 * run.Model.InFlight // so that a slow chain holds back no other
	for c, err := range inOrder(ctx, run.numbered(&summary.Rows), window, nil, work) {
		switch {
		case err != nil:
			return summary, err
		case c.left != nil:
			summary.leave(c.left)
			err = leave(*c.left)
		default:
			summary.count(&c.Chain)
			err = write(c.Chain)
		}
		if err != nil {
			return summary, err
		}
		if run.Progress != nil {
			run.Progress(summary.Written+summary.LeftOut(), run.Store.Spent())
		}
	}
	_, summary.Stopped = asker.stopped()
	return summary, nil
}

// numbered is a prompt with its place in the order.
type numbered struct {
	data.Prompt
	number int
}

func (r *Revising) numbered(counts *data.Counts) iter.Seq2[numbered, error] {
	return func(yield func(numbered, error) bool) {
		n := 0
		for p, err := range r.Prompts(counts) {
			if !yield(numbered{p, n}, err) {
				return
			}
			n++
		}
	}
}

// modelAsked is what the model is asked, with the tools that a first answer's
// prompt speaks of.
type modelAsked struct {
	messages []data.Message
	tools    string // JSON
}

// chain makes the chain of one prompt from the replies that reply gives.
func (r *Revising) chain(p data.Prompt, reply func(modelAsked) (string, error)) (chained, error) {
	c := Chain{Prompt: p, Initial: p.Response, Given: p.Response != ""}
	prompt := c.asked()
	var err error
	if !c.Given {
		if c.Initial, err = reply(modelAsked{p.Messages, p.Context.Offered()}); err != nil {
			return leftOut(LeftOut{ID: p.ID, Stage: StageInitial}, err)
		}
	}
	for round, principles := range r.principles(p.ID) {
		for _, principle := range principles {
			step := ChainStep{Round: round + 1, Principle: principle.Name}
			last := data.Text{Plain: c.Final()}
			left := LeftOut{ID: p.ID, Stage: StageCritique, Round: step.Round, Principle: step.Principle}
			if step.Critique, err = reply(modelAsked{messages: CritiquePrompt(principle, prompt, last)}); err != nil {
				return leftOut(left, err)
			}
			left.Stage = StageRevision
			if step.Revision, err = reply(modelAsked{messages: RevisionPrompt(principle, prompt, last, step.Critique)}); err != nil {
				return leftOut(left, err)
			}
			c.Steps = append(c.Steps, step)
		}
	}
	c.Refusal, c.Boilerplate = refuses(c.Final()), boilerplate(c.Final())
	return chained{Chain: c}, nil
}

// leftOut is a prompt that got no usable reply, or of which a stopped run left
// something unasked; other errors end the run.
func leftOut(left LeftOut, err error) (chained, error) {
	var over *stopped
	var none *noReply
	var no *unusableReply
	switch {
	case errors.As(err, &over):
		left.why, left.Reason = notAsked, fmt.Sprintf("not asked: %v", err)
	case errors.As(err, &none):
		left.why, left.Reason = chat.Reason(none), err.Error()
	case errors.As(err, &no):
		left.why, left.Reason = no.reason, err.Error()
	default:
		return chained{}, err
	}
	return chained{left: &left}, nil
}

// notAsked is the reason of a prompt that a stopped run left unasked.
const notAsked = "not_asked"

// principles are those of each round, for the prompt of that id.
func (r *Revising) principles(id string) [][]*Principle {
	all := r.Constitution.Principles
	random := randomOf(r.Seed, id)
	var deck []int
	rounds := make([][]*Principle, r.Rounds)
	for round := range rounds {
		if r.Order == OrderSample && len(deck) < r.PerRound {
			deck = random.Perm(len(all)) // a round has no principle twice
		}
		for k := range r.PerRound {
			at := (round*r.PerRound + k) % len(all)
			if r.Order == OrderSample {
				at, deck = deck[0], deck[1:]
			}
			rounds[round] = append(rounds[round], &all[at])
		}
	}
	return rounds
}

// keptReply is a reply as it lies in the store.
type keptReply struct {
	Text    string `json:"text"`
	Cut     bool   `json:"cut,omitempty"`     // at max_tokens
	Thought string `json:"thought,omitempty"` // its beginning, where there is no text
}

// keepReply is what is kept of a reply: its text, without white space around it.
func keepReply(got chat.Reply) keptReply {
	reply := keptReply{Text: strings.TrimSpace(got.Text), Cut: got.Cut()}
	if reply.Text == "" {
		reply.Thought = strings.ToValidUTF8(got.Thought[:min(len(got.Thought), shownReply)], "")
	}
	return reply
}

// unusableReply is one that is no text to go on with. It was paid for and is
// kept.
type unusableReply struct{ reason, text string }

func (e *unusableReply) Error() string { return "the reply is of no use: " + e.text }

// reply is the model's, without white space around it.
func (r *Revising) reply(ctx context.Context, a *asker, order int, q modelAsked) (string, error) {
	from := a.source("model " + r.Model.Model)
	kept, err := askInTurn(ctx, a, from, order, r.replyKey(q), func(ctx context.Context) (keptReply, bool, chat.Spent, error) {
		got, err := r.Complete(ctx, r.request(q))
		reply := keepReply(got)
		_, unusable := r.usable(reply)
		return reply, unusable != nil, got.Spent, err
	})
	var none *noReply
	if errors.As(err, &none) {
		a.note(from, &unusable{reason: chat.Reason(none), example: none.Error(), lasting: chat.Refused(none)})
	}
	if err != nil {
		return "", err
	}
	text, err := r.usable(kept)
	var no *unusableReply
	if errors.As(err, &no) {
		a.note(from, &unusable{reason: no.reason, example: no.text + "; " + kept.shown(), lasting: true})
		return "", err
	}
	a.note(from, nil)
	return text, nil
}

func (r *Revising) request(q modelAsked) chat.Request {
	request := r.Model.Request(q.messages)
	request.Tools = q.tools
	return request
}

func (r *Revising) replyKey(q modelAsked) string {
	if q.tools != "" {
		return messagesKey("reply", r.Model.Fingerprint()+", tools "+q.tools, q.messages)
	}
	return messagesKey("reply", r.Model.Fingerprint(), q.messages)
}

// shown is the reply as an error shows it.
func (k keptReply) shown() string {
	finish := "stop"
	if k.Cut {
		finish = "length"
	}
	return shown(cmp.Or(k.Text, k.Thought), finish)
}

// usable is the text of a reply that can be gone on with.
func (r *Revising) usable(reply keptReply) (string, error) {
	if no := reply.unusable(r.Model.MaxTokens); no != nil {
		return "", no
	}
	if reply.Cut {
		return "", &unusableReply{reasonCut, fmt.Sprintf("it is cut off at chat.max_tokens (%d): raise that", r.Model.MaxTokens)}
	}
	return reply.Text, nil
}

// unusable says why a reply is no text, cut or not; nil where it is one.
func (k keptReply) unusable(maxTokens int) error {
	switch {
	case k.Text == "" && (k.Thought != "" || k.Cut):
		return &unusableReply{reasonThinking, fmt.Sprintf("the model was still thinking when chat.max_tokens (%d) ended: raise that, or in chat %s", maxTokens, chat.ThinkingOff)}
	case strings.Contains(k.Text, "\x00"):
		return &unusableReply{"nul", "it holds a NUL character"}
	}
	return nil
}
