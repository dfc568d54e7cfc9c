package feedback

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
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
}

// chained is a prompt's chain, or why there is none.
type chained struct {
	data.Chain
	left *LeftOut
}

// Revise answers every prompt, or takes the answer that its file gives,
// criticises it by a principle and revises it, principle after principle
// (Bai et al. 2022, section 3). Chains are given to write, and what has none to
// leave, in the prompts' order. Replies that the store has are not asked for. It
// stops at the first error; a prompt that is left out is none.
func Revise(ctx context.Context, run *Revising, write func(data.Chain) error, leave func(LeftOut) error) (*RevisionSummary, error) {
	asker := newAsker(run.Store, run.Model.InFlight)
	work := func(waiting context.Context, p data.Prompt) (chained, error) {
		return run.chain(p, func(messages []data.Message) (string, error) { return run.reply(asker, waiting, ctx, messages) })
	}
	summary := newRevisionSummary(run)
	defer func() { summary.settle(run.Store, asker) }() // after all replies under way have come
	window := 4 * run.Model.InFlight                    // so that a slow chain holds back no other
	for c, err := range inOrder(ctx, run.Prompts(&summary.Rows), window, work) {
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
	return summary, nil
}

// chain makes the chain of one prompt from the replies that reply gives.
func (r *Revising) chain(p data.Prompt, reply func([]data.Message) (string, error)) (chained, error) {
	c := data.Chain{Prompt: p, Initial: p.Response, Given: p.Response != ""}
	prompt := data.Text{Messages: p.Messages}
	var err error
	if !c.Given {
		if c.Initial, err = reply(p.Messages); err != nil {
			return leftOut(LeftOut{ID: p.ID, Stage: StageInitial}, err)
		}
	}
	for round, principles := range r.principles(p.ID) {
		for _, principle := range principles {
			step := data.ChainStep{Round: round + 1, Principle: principle.Name}
			last := data.Text{Plain: c.Final()}
			left := LeftOut{ID: p.ID, Stage: StageCritique, Round: step.Round, Principle: step.Principle}
			if step.Critique, err = reply(CritiquePrompt(principle, prompt, last)); err != nil {
				return leftOut(left, err)
			}
			left.Stage = StageRevision
			if step.Revision, err = reply(RevisionPrompt(principle, prompt, last, step.Critique)); err != nil {
				return leftOut(left, err)
			}
			c.Steps = append(c.Steps, step)
		}
	}
	c.Refusal, c.Boilerplate = refuses(c.Final()), boilerplate(c.Final())
	return chained{Chain: c}, nil
}

// leftOut is a prompt that got no usable reply; other errors stop the run.
func leftOut(left LeftOut, err error) (chained, error) {
	var none *noReply
	if !errors.As(err, &none) && !errors.Is(err, errUnusable) {
		return chained{}, err
	}
	left.Reason = err.Error()
	return chained{left: &left}, nil
}

// principles are those of each round, for the prompt of that id.
func (r *Revising) principles(id string) [][]*Principle {
	all := r.Constitution.Principles
	hash := fnv.New64a()
	hash.Write([]byte(id))
	random := rand.New(rand.NewPCG(uint64(r.Seed), hash.Sum64()))
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
	Text string `json:"text"`
	Cut  bool   `json:"cut,omitempty"` // at max_tokens
}

// errUnusable is a reply that is no text to go on with. It was paid for and is
// kept.
var errUnusable = errors.New("the reply is of no use")

// reply is the model's reply, without white space around it. It is awaited as
// long as the run goes on (waiting); one that is being asked for is asked to
// its end.
func (r *Revising) reply(a *asker, waiting, asking context.Context, messages []data.Message) (string, error) {
	reply, _, err := ask(a, waiting, asking, r.replyKey(messages), func(ctx context.Context) (keptReply, bool, chat.Spent, error) {
		got, err := r.Complete(ctx, r.Model.Request(messages))
		return keptReply{strings.TrimSpace(got.Text), got.FinishReason == "length"}, false,
			got.Spent, err
	})
	if err != nil {
		return "", err
	}
	return r.usable(reply)
}

func (r *Revising) replyKey(messages []data.Message) string {
	return messagesKey("reply", r.Model.Fingerprint(), messages)
}

// usable is the text of a reply that can be gone on with.
func (r *Revising) usable(reply keptReply) (string, error) {
	switch {
	case reply.Cut:
		return "", fmt.Errorf("%w: it is cut off at chat.max_tokens (%d): raise that", errUnusable, r.Model.MaxTokens)
	case strings.Contains(reply.Text, "\x00"):
		return "", fmt.Errorf("%w: it holds a NUL character", errUnusable)
	}
	return reply.Text, nil
}
