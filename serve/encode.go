package serve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/scoring"
)

// input is one thing to score: text, ids, messages, or a prompt and its response.
type input struct {
	text     string
	ids      []int32
	messages []data.Message
	context  data.Context // of messages
	generate bool         // messages end with the opening of the assistant's turn
	response string       // to text, where pair
	pair     bool
	bare     bool // the text has the special tokens that it should have
}

// cutting is what becomes of a text that is too long.
type cutting struct {
	length int            // ids; 0 for the model's max_length
	side   tokenizer.Side // at which they are cut
	refuse bool
}

// cutting is the model's way, but for what the request's header and the server's
// configuration say.
func (r *request) cutting(m *served) (cutting, error) {
	c := cutting{side: m.Scorer.Side, refuse: r.server.config.OverLength == Refuse}
	for _, asked := range r.http.Header.Values(headerOverLength) {
		if asked != Cut && asked != Refuse {
			return c, bad("", "header %s is %q, want %s or %s", headerOverLength, clip(asked), Cut, Refuse)
		}
		c.refuse = asked == Refuse
	}
	return c, nil
}

// scored are the rewards of a request's texts.
type scored struct {
	scores []data.Score
	tokens int
	view   string
	many   bool // of an ensemble
}

// reward is the number that was asked for: the raw logit, the lower bound or the
// standard deviation of an ensemble.
func (s *scored) reward(i int) float32 {
	switch s.view {
	case viewLower:
		return s.scores[i].Lower
	case viewStd:
		return s.scores[i].Std
	}
	return s.scores[i].Reward
}

// number is the reward as JSON is to have it: the shortest that reads back as the
// same float32, or its sigmoid where that was asked for.
func (s *scored) number(i int, sigmoid bool) any {
	if sigmoid {
		return 1 / (1 + math.Exp(-float64(s.reward(i))))
	}
	return s.reward(i)
}

// rewards are all of them.
func (s *scored) rewards() []float32 {
	rewards := make([]float32, len(s.scores))
	for i := range rewards {
		rewards[i] = s.reward(i)
	}
	return rewards
}

// spread is an ensemble's standard deviation and lower bound of a text, nothing of
// one model. It goes into answers that may have further keys.
type spread struct {
	Std   *float32 `json:"std,omitempty"`
	Lower *float32 `json:"lower,omitempty"`
}

func (s *scored) spread(i int) spread {
	if !s.many {
		return spread{}
	}
	return spread{&s.scores[i].Std, &s.scores[i].Lower}
}

// score gives the rewards of a request's inputs. param is the key that they came
// under.
func (r *request) score(m *served, view string, param string, inputs []input, c cutting) (*scored, error) {
	limits := r.server.config
	if len(inputs) > limits.MaxItems {
		return nil, tooMany(param, len(inputs), limits.MaxItems)
	}
	if m.batcher.waits()+len(inputs) > limits.Queue { // before the work of tokenizing
		return nil, m.busy()
	}
	sequences, tokens, err := r.encode(m, param, inputs, c)
	if err != nil {
		return nil, err
	}
	if tokens > limits.MaxTokens {
		return nil, bad(param, "%d tokens, more than %d a request: send the texts in several (or start the server with a larger --max-tokens)", tokens, limits.MaxTokens)
	}
	r.wait()
	scores, err := m.batcher.Score(r.http.Context(), sequences)
	if errors.Is(err, errQueueFull) {
		return nil, m.busy()
	}
	if err != nil {
		return nil, err
	}
	for i, score := range scores {
		if !score.Valid {
			return nil, fmt.Errorf("%s[%d]: the reward is %v: the weights of %s are damaged or too large for float32; laurel verify tells more", param, i, score.Reward, m.Name)
		}
	}
	metrics := r.server.metrics
	metrics.texts.WithLabelValues(m.Name).Add(float64(len(inputs)))
	metrics.tokens.WithLabelValues(m.Name).Add(float64(tokens))
	metrics.truncated.WithLabelValues(m.Name).Add(float64(r.cut))
	return &scored{scores: scores, tokens: tokens, view: view, many: m.Scorer.IsEnsemble()}, nil
}

// busy tells to come again when what waits is through.
func (m *served) busy() *failure {
	return &failure{status: http.StatusTooManyRequests, message: "too many texts wait for their rewards: come again as Retry-After says", retry: min(max(m.batcher.ahead(), time.Second), time.Minute)}
}

// encode gives the ids of each input, and how many they are.
func (r *request) encode(m *served, param string, inputs []input, c cutting) (sequences [][]int32, tokens int, err error) {
	for i, in := range inputs {
		if err := context.Cause(r.http.Context()); err != nil {
			return nil, 0, err
		}
		t, err := in.encode(m.Scorer.Model, c)
		if err != nil {
			return nil, 0, bad(param, "%s[%d]: %v", param, i, reason(err))
		}
		if t.Cut > 0 {
			if c.refuse {
				return nil, 0, bad(param, "%s[%d]: %d tokens are more than %d, and the request or the server asks to refuse that rather than to cut", param, i, len(t.IDs)+t.Cut, c.limit(m.Scorer.Model))
			}
			r.cut++
		}
		sequences, tokens = append(sequences, t.IDs), tokens+len(t.IDs)
	}
	return sequences, tokens, nil
}

// reason is an error in words for whoever sent the text, which has no file and row.
func reason(err error) string {
	if row := (*data.RowError)(nil); errors.As(err, &row) {
		return row.Detail
	}
	return strings.TrimPrefix(err.Error(), tokenizer.ErrText.Error()+": ")
}

func (c cutting) limit(m *scoring.Model) int {
	if c.length > 0 {
		return min(c.length, m.MaxLength)
	}
	return m.MaxLength
}

// encode gives the ids of an input. A text gets the special tokens that the model's
// own tokenizer adds, each once: one that a chat template has rendered may hold its
// BOS already. What is bare gets none.
func (in input) encode(m *scoring.Model, c cutting) (data.Tokens, error) {
	tokens, err := in.tokens(m, c)
	if err != nil {
		return tokens, err
	}
	return tokens, m.CheckIDs(tokens.IDs)
}

func (in input) tokens(m *scoring.Model, c cutting) (data.Tokens, error) {
	limit, text := c.limit(m), in.text
	var err error
	switch {
	case in.ids != nil:
		return cutIDs(in.ids, limit, c.side), nil
	case in.messages != nil:
		text, err = m.Tokenizer.RenderIn(in.context, in.messages, in.generate)
	case in.pair && m.Config.Recorded.TrainedOn == scoring.Messages:
		text, err = m.Tokenizer.Render([]data.Message{{Role: "user", Content: in.text}, {Role: "assistant", Content: in.response}}, false)
	case in.pair:
		text += in.response
	}
	if err != nil {
		return data.Tokens{}, err
	}
	if in.bare {
		return m.Tokenizer.EncodeBare(text, limit, c.side)
	}
	return m.Tokenizer.EncodeRendered(text, limit, c.side)
}

func cutIDs(ids []int32, limit int, side tokenizer.Side) data.Tokens {
	cut := max(0, len(ids)-limit)
	if side == tokenizer.Right {
		return data.Tokens{IDs: ids[:len(ids)-cut], Cut: cut}
	}
	return data.Tokens{IDs: ids[cut:], Cut: cut}
}

// bare tells whether a text that comes with its special tokens is left without more:
// of a decoder. An encoder's reward is read at the token that its tokenizer puts
// first, which no policy's template writes.
func (m *served) bare() bool { return m.Scorer.Causal() }
