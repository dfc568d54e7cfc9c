package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"laurel/scoring"
)

const (
	askTimeout    = 180 * time.Second // as OpenRLHF's client waits
	longestAnswer = 64 << 20          // bytes
)

// client asks one server.
type client struct {
	target    Target
	base      string
	modelName string
}

// newClient finds the name that the server has for its model. It is an error where
// nothing answers, or where the server asks for a token.
func newClient(ctx context.Context, t Target, dir string) (*client, error) {
	c := &client{target: t, base: strings.TrimRight(t.URL, "/"), modelName: t.ModelName}
	status, raw, err := c.send(ctx, http.MethodGet, "/v1/models", nil)
	if err != nil {
		return nil, err
	}
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return nil, fmt.Errorf("%s answers %d: it asks for a token, or for another one (--token-file, or the variable LAUREL_TOKEN)", t.URL, status)
	}
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if c.modelName == "" && status == http.StatusOK && json.Unmarshal(raw, &list) == nil && len(list.Data) > 0 {
		c.modelName = list.Data[0].ID
	}
	if c.modelName == "" {
		c.modelName = filepath.Base(filepath.Clean(dir))
	}
	return c, nil
}

// refusal is an answer other than 200.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the server answers %d: %s", r.status, r.message)
}

// answerError is an answer that does not read as the dialect has it.
type answerError struct{ error }

// ask gives the reward of each of a request's texts, in their order.
func (c *client) ask(ctx context.Context, d dialect, replays []replay, golden *scoring.Golden) ([]float64, error) {
	body, err := json.Marshal(d.body(question{c.modelName, replays, golden}))
	if err != nil {
		return nil, err
	}
	status, raw, err := c.send(ctx, http.MethodPost, d.path, body)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, &refusal{status, messageOf(raw)}
	}
	all, err := d.read(raw)
	if err != nil {
		return nil, &answerError{fmt.Errorf("the answer does not read: %w", err)}
	}
	if len(all) != len(replays) {
		return nil, &answerError{fmt.Errorf("%d texts were sent, %d rewards came back", len(replays), len(all))}
	}
	rewards := make([]float64, len(all))
	for i, numbers := range all {
		if len(numbers) != 1 {
			return nil, &answerError{fmt.Errorf("%d numbers for a text, where a reward is one: an embedding, or a head of several labels", len(numbers))}
		}
		rewards[i] = numbers[0]
	}
	return rewards, nil
}

func (c *client) send(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header["Idempotency-Key"] = []string{} // sent to nobody: net/http asks again where a kept connection was closed meanwhile
	if c.target.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.target.Token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("the server does not answer: %w", err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, longestAnswer+1))
	if err == nil && len(answer) > longestAnswer {
		err = fmt.Errorf("more than %d bytes", longestAnswer)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer of %s%s: %w", c.base, path, err)
	}
	return response.StatusCode, answer, nil
}

// messageOf is what an error's body says, in any server's words.
func messageOf(raw []byte) string {
	var body struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return clip(string(bytes.TrimSpace(raw)))
	}
	var inner struct {
		Message string `json:"message"`
	}
	var text string
	switch {
	case json.Unmarshal(body.Error, &inner) == nil && inner.Message != "":
		return clip(inner.Message)
	case json.Unmarshal(body.Error, &text) == nil && text != "":
		return clip(text)
	case body.Message != "":
		return clip(body.Message)
	}
	return clip(string(bytes.TrimSpace(raw)))
}

func clip(text string) string {
	if len(text) <= 200 {
		return text
	}
	return strings.ToValidUTF8(text[:200], "") + "…"
}

// check is what a refusal means.
func (r *refusal) check(d dialect, modelName string, asked []replay) Check {
	lower := strings.ToLower(r.message)
	switch {
	case r.status == http.StatusNotFound && strings.Contains(lower, "model") && strings.Contains(lower, "exist"):
		return failed("give the server's own name of the model: --model-name (GET /v1/models lists them)", "the server does not know the model %q: %s", modelName, r.message)
	case r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed || r.status == http.StatusNotImplemented:
		return skipped(fmt.Sprintf("the server has no POST %s (%d)", d.path, r.status))
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		return failed("give the server's token: --token-file, or the variable LAUREL_TOKEN", "the server answers %d: %s", r.status, r.message)
	case asked[0].messages != nil:
		return failed("start the server with the chat template that lies beside the model", "messages are refused with %d: %s", r.status, r.message)
	}
	return failed("see the server's log", "the server answers POST %s with %d: %s", d.path, r.status, r.message)
}
