package feedback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"laurel/data"
	"laurel/feedback/chat"
)

// The modes of an openai judge: how it answers, and where its confidence is
// from.
const (
	ModeDirect      = "direct"       // a letter alone, by its log-probabilities
	ModeCoT         = "cot"          // reasoning, then a verdict with a confidence in words
	ModeCoTLogprobs = "cot_logprobs" // reasoning, then in a second request a letter by its log-probabilities
)

// OpenAIConfig is a chat model as a judge. Its in_flight is 0 for the run's.
type OpenAIConfig struct {
	chat.Config `yaml:",inline"`
	Mode        string `yaml:"mode"`
	TopLogprobs int    `yaml:"top_logprobs"`    // alternatives to a letter; servers have their own most
	Clamp       *Clamp `yaml:"clamp,omitempty"` // of its probabilities, when they are aggregated
	// UnstatedConfidence is that of a verdict without one ([[A]]), when answers
	// are aggregated.
	UnstatedConfidence float64 `yaml:"unstated_confidence"`
}

// DefaultOpenAI is a judge of which only base_url and model are to be named.
func DefaultOpenAI() OpenAIConfig {
	c := OpenAIConfig{Config: chat.Default(), Mode: ModeCoT, TopLogprobs: 20, UnstatedConfidence: 0.75}
	c.InFlight = 0
	return c
}

// Validate names every value that cannot be.
func (c OpenAIConfig) Validate() error {
	problems := []error{c.chatOf(1).Validate()}
	if modes := []string{ModeDirect, ModeCoT, ModeCoTLogprobs}; !slices.Contains(modes, c.Mode) {
		problems = append(problems, fmt.Errorf("mode is %q, want one of %v", c.Mode, modes))
	}
	if c.TopLogprobs < 2 {
		problems = append(problems, fmt.Errorf("top_logprobs is %d, want at least 2: both letters", c.TopLogprobs))
	}
	if !(c.UnstatedConfidence > 0.5 && c.UnstatedConfidence <= 1) {
		problems = append(problems, fmt.Errorf("unstated_confidence is %v, want above 0.5 and at most 1", c.UnstatedConfidence))
	}
	if c.Clamp != nil {
		problems = append(problems, c.Clamp.Validate())
	}
	return errors.Join(problems...)
}

// chatOf is the chat with the run's in_flight where the judge has none of its
// own.
func (c OpenAIConfig) chatOf(inFlight int) chat.Config {
	if c.InFlight == 0 {
		c.InFlight = inFlight
	}
	return c.Config
}

// OpenAI is a judge behind a chat server.
type OpenAI struct {
	name   string
	config OpenAIConfig
	chat   *chat.Client
	store  *Store
	letter atomic.Bool // the server has given log-probabilities
}

// NewOpenAI makes a judge of a chat, which may be nil where nothing is asked. Half
// an answer is kept in the store, where there is one.
func NewOpenAI(name string, c OpenAIConfig, chat *chat.Client, store *Store) *OpenAI {
	return &OpenAI{name: name, config: c, chat: chat, store: store}
}

// Name is the judge's name.
func (j *OpenAI) Name() string { return j.name }

// Fingerprint names model, sampling, mode and prompts. The clamp is put on
// answers when they are aggregated, so it is no part.
func (j *OpenAI) Fingerprint() string { return j.config.judgeFingerprint() }

func (c OpenAIConfig) judgeFingerprint() string {
	letters := ""
	if c.Mode != ModeCoT {
		letters = fmt.Sprintf(", %d alternatives", c.TopLogprobs)
	}
	return fmt.Sprintf("openai %s %s%s, %s", c.Mode, PromptVersion, letters, c.Fingerprint())
}

// Requests are what is sent for a question where nothing fails; the reasoning
// that the second shows is not known beforehand, and has at most the tokens of
// the first's reply.
func (j *OpenAI) Requests(q Question) []chat.Request {
	reasoned := j.config.Request(EvaluationPrompt(q, FormReasoned))
	switch j.config.Mode {
	case ModeDirect:
		return []chat.Request{j.letterRequest(EvaluationPrompt(q, FormLetter))}
	case ModeCoT:
		return []chat.Request{reasoned}
	}
	return []chat.Request{reasoned, j.letterRequest(LetterPrompt(q, ""))}
}

// requestsEach is how many requests a question takes.
func (j *OpenAI) requestsEach() int {
	if j.config.Mode == ModeCoTLogprobs {
		return 2
	}
	return 1
}

func (j *OpenAI) letterRequest(messages []data.Message) chat.Request {
	request := j.config.Request(messages)
	request.MaxTokens, request.TopLogprobs = letterTokens, j.config.TopLogprobs
	return request
}

// Ask puts the question in the judge's mode. An error comes with an answer
// that says what the attempts took.
func (j *OpenAI) Ask(ctx context.Context, q Question) (answer Answer, err error) {
	switch j.config.Mode {
	case ModeDirect:
		answer, err = j.askLetter(ctx, EvaluationPrompt(q, FormLetter))
	case ModeCoT:
		answer, err = j.askVerdict(ctx, q)
	default:
		answer, err = j.askReasonThenLetter(ctx, q)
	}
	if err != nil {
		return answer, fmt.Errorf("judge %s: %w", j.name, err)
	}
	return answer, nil
}

func (j *OpenAI) askVerdict(ctx context.Context, q Question) (Answer, error) {
	reply, err := j.chat.Complete(ctx, j.config.Request(EvaluationPrompt(q, FormReasoned)))
	if err != nil {
		return unread(reply), err
	}
	p := readVerdict(reply.Text, reply.Cut())
	answer := answerOf(p, reply, j.config.MaxTokens)
	answer.Rationale = p.reasoning
	return answer, nil
}

// letterTokens is room for a letter and what may stand around it.
const letterTokens = 8

func (j *OpenAI) askLetter(ctx context.Context, messages []data.Message) (Answer, error) {
	reply, err := j.chat.Complete(ctx, j.letterRequest(messages))
	if errors.Is(err, chat.ErrNoLogprobs) && !j.letter.Load() {
		err = fmt.Errorf("%w: mode %s cannot do without log-probabilities: use mode %s, or a server that gives them: %w", chat.ErrSetup, j.config.Mode, ModeCoT, err)
	}
	if err != nil {
		return unread(reply), err
	}
	j.letter.Store(true)
	return answerOf(readLetter(reply.Text, reply.Tokens, reply.Cut()), reply, letterTokens), nil
}

// askReasonThenLetter shows the judge its own reasoning, without the verdict
// that would settle the letter beforehand.
func (j *OpenAI) askReasonThenLetter(ctx context.Context, q Question) (Answer, error) {
	reasoned, err := j.reason(ctx, q)
	if err != nil {
		return reasoned, err
	}
	if reasoned.Rationale == "" {
		return reasoned, nil
	}
	answer, err := j.askLetter(ctx, LetterPrompt(q, reasoned.Rationale))
	answer.Rationale = reasoned.Rationale
	answer.Raw = strings.TrimSpace(reasoned.Raw + "\n\n" + answer.Raw)
	answer.PromptTokens += reasoned.PromptTokens
	answer.CompletionTokens += reasoned.CompletionTokens
	answer.Cost += reasoned.Cost
	answer.Requests += reasoned.Requests
	answer.Retries = answer.Retries.Plus(reasoned.Retries)
	answer.stored = reasoned.stored
	return answer, err
}

// reason is the judge's reasoning, from the store where it has it: a run that
// is stopped before the letter came does not pay for it again.
func (j *OpenAI) reason(ctx context.Context, q Question) (Answer, error) {
	request := j.config.Request(EvaluationPrompt(q, FormReasoned))
	key := messagesKey("reasoning", j.Fingerprint(), request.Messages)
	if j.store != nil {
		var kept Answer
		if found, err := j.store.Get(key, &kept); found || err != nil {
			kept.stored = kept.spent()
			return kept, err
		}
	}
	reply, err := j.chat.Complete(ctx, request)
	reasoned := unread(reply)
	if err != nil {
		return reasoned, err
	}
	reasoned.Rationale = readVerdict(reply.Text, reply.Cut()).reasoning
	if reasoned.Rationale == "" {
		return answerOf(noVerdict(reasonNoVerdict, "a verdict without reasoning"), reply, j.config.MaxTokens), nil
	}
	if j.store == nil {
		return reasoned, nil
	}
	if err := j.store.Put(key, reasoned, reasoned.spent()); err != nil {
		return Answer{}, err
	}
	reasoned.stored = reasoned.spent()
	return reasoned, nil
}

// answerOf is the answer that was read in a reply. One that was cut off at
// maxTokens says so: what it lacks may have been to come.
func answerOf(p parsed, r chat.Reply, maxTokens int) Answer {
	a := unread(r)
	a.Outcome, a.First, a.Unstated, a.Reason, a.Detail = p.outcome, p.first, p.unstated, p.reason, p.detail
	cut := r.Cut()
	switch {
	case strings.TrimSpace(r.Text) == "" && (r.Thought != "" || cut): // OpenAI's models do not tell their thoughts
		a.Outcome, a.Reason, a.Detail = Unparseable, reasonThinking, fmt.Sprintf("the model was still thinking when max_tokens (%d) ended", maxTokens)
		if strings.TrimSpace(a.Raw) == "" {
			a.Raw = r.Thought
		}
	case cut && p.outcome == Unparseable && p.reason == reasonNoVerdict:
		a.Reason = reasonCut
		a.Detail += fmt.Sprintf(", and the reply is cut off at max_tokens (%d)", maxTokens)
	case cut && p.unstated:
		a.Outcome, a.First, a.Unstated = Unparseable, 0, false
		a.Reason, a.Detail = reasonCut, fmt.Sprintf("a verdict without a confidence, and the reply is cut off at max_tokens (%d)", maxTokens)
	}
	return a
}

// hint is what to change where answers are unparseable for that reason.
func (j *OpenAI) hint(reason string) string {
	switch {
	case reason == reasonThinking && j.config.Mode == ModeCoT:
		return fmt.Sprintf("raise max_tokens above %d, or %s", j.config.MaxTokens, chat.ThinkingOff)
	case reason == reasonThinking:
		return fmt.Sprintf("mode %s leaves %d tokens for a letter: use mode %s, or %s", j.config.Mode, letterTokens, ModeCoT, chat.ThinkingOff)
	case reason == reasonCut:
		return fmt.Sprintf("raise max_tokens above %d", j.config.MaxTokens)
	case reason == reasonLogprobs, reason == reasonNoLetter, reason == reasonMass:
		return fmt.Sprintf("use mode %s, which needs no letter by itself and no log-probabilities", ModeCoT)
	}
	return fmt.Sprintf("the model does not answer as it is asked to: use another, or mode %s, which asks for a letter alone", ModeDirect)
}

// unread is an answer of which nothing has been read yet.
func unread(r chat.Reply) Answer {
	of := r.Final
	return Answer{Raw: r.Raw, FinishReason: r.FinishReason, Model: r.Model, PromptTokens: of.PromptTokens, CompletionTokens: of.CompletionTokens, Cost: of.Cost, Requests: of.Requests, Retries: r.Spent.Minus(of)}
}
