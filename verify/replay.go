package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/scoring"
)

// reading is one way in which a server may make ids of a text.
type reading int

const (
	once        reading = iota // as this model was trained: what is expected
	sliced                     // cut where it should be, special tokens with the rest; before none, which is the same where one end has them
	none                       // without special tokens
	twice                      // with each special token twice, where the text holds them already
	rendered                   // with those alone that the chat template writes
	otherEnd                   // cut at the other end
	uncut                      // not cut, or where the model's positions end
	separated                  // prompt and response with a [SEP] between them
	untemplated                // prompt and response as they stand, where the chat template is due
	apart                      // prompt and response tokenized apart, without special tokens
	apartWith                  // prompt and response tokenized apart, each with its special tokens
	readings
)

// replay is one text that a server is asked for.
type replay struct {
	name     string
	text     string                  // as it is sent
	pair     [2]string               // prompt and response, of a dialect with sides
	messages []scoring.GoldenMessage // sent in place of the text, where there are any
	specials *bool                   // add_special_tokens, of a dialect that has it
	ids      [readings][]int32       // empty where a reading is none of this text
	cut      bool                    // whether it is longer than max_length
}

// replays are the golden texts as a dialect sends them, with the ids that they may
// become.
func (l *local) replays(d dialect) ([]replay, error) {
	var all []replay
	for _, c := range l.golden.Cases {
		r, fits, err := l.replayOf(d, c)
		if err != nil {
			return nil, fmt.Errorf("golden vector: case %s: %w", c.Name, err)
		}
		if fits {
			all = append(all, r)
		}
	}
	return all, nil
}

// replayOf tells with fits whether the case can be said in the dialect.
func (l *local) replayOf(d dialect, c scoring.GoldenCase) (r replay, fits bool, err error) {
	t, text := l.scorer.Tokenizer, c.Text
	prefix, suffix := t.Specials()
	r = replay{name: c.Name, text: text, specials: c.AddSpecialTokens}
	switch {
	case d.sides:
		if r, text, fits, err = l.pairOf(c); err != nil || !fits {
			return r, false, err
		}
	case d.chat && c.Messages != nil && t.HasTemplate():
		r.messages = c.Messages
	case d.bare && l.scorer.Causal() && c.AddSpecialTokens != nil && *c.AddSpecialTokens:
		r.text = l.spelled(prefix) + text + l.spelled(suffix)
	}
	length, side := l.scorer.MaxLength, l.scorer.Side
	if d.lengths {
		length, side = l.golden.MaxLength, l.side
	}
	encode := func(length int, side tokenizer.Side) (data.Tokens, error) {
		if d.bare && l.scorer.Causal() {
			return t.EncodeBare(r.text, length, side)
		}
		return t.EncodeRendered(text, length, side)
	}
	expected, err := encode(length, side)
	if err != nil {
		return r, false, err
	}
	r.ids[once], r.cut = expected.IDs, expected.Cut > 0
	if r.cut {
		r.ids[sliced] = cutTo(idsOr(encode(0, side)), length, side)
		r.ids[otherEnd], r.ids[uncut] = idsOr(encode(length, tokenizer.Left+tokenizer.Right-side)), idsOr(encode(l.scorer.MaxPositions(), side))
	}
	inside := strip(idsOr(t.EncodeBare(text, 0, side)), prefix, suffix)
	if len(prefix)+len(suffix) > 0 {
		r.ids[none] = cutTo(inside, length, side)
		r.ids[twice] = slices.Concat(prefix, prefix, cutTo(inside, max(0, length-2*len(prefix)-2*len(suffix)), side), suffix, suffix)
		if c.Messages != nil {
			r.ids[rendered] = idsOr(t.EncodeBare(text, length, side))
			r.ids[twice] = idsOr(t.EncodeText(text, length, side))
		}
	}
	l.separate(&r, d, length, side)
	l.drop(&r)
	return r, len(inside) > 0 && r.ids[once] != nil, nil // without special tokens servers refuse a text of none
}

// pairOf makes prompt and response of a case: its turns where the model was trained
// on messages alone, else its text in two at the last space.
func (l *local) pairOf(c scoring.GoldenCase) (r replay, text string, fits bool, err error) {
	r = replay{name: c.Name}
	if l.scorer.Config.Recorded.TrainedOn == scoring.Messages {
		if len(c.Messages) != 2 {
			return r, "", false, nil
		}
		r.pair = [2]string{c.Messages[0].Content, c.Messages[1].Content}
		text, err = l.scorer.Tokenizer.Render([]data.Message{{Role: "user", Content: r.pair[0]}, {Role: "assistant", Content: r.pair[1]}}, false)
		return r, text, true, err
	}
	at := strings.LastIndexByte(c.Text, ' ')
	if at < 1 {
		return r, "", false, nil
	}
	r.pair = [2]string{c.Text[:at], c.Text[at:]}
	return r, c.Text, true, nil
}

// separate gives the ids that cross-encoders make of a pair: [CLS] prompt [SEP]
// response [SEP], or what another tokenizer has in place of these.
func (l *local) separate(r *replay, d dialect, length int, side tokenizer.Side) {
	if !d.sides {
		return
	}
	t := l.scorer.Tokenizer
	with := [2][]int32{idsOr(t.EncodeText(r.pair[0], 0, side)), idsOr(t.EncodeText(r.pair[1], 0, side))}
	bare := [2][]int32{idsOr(t.EncodeBare(r.pair[0], 0, side)), idsOr(t.EncodeBare(r.pair[1], 0, side))}
	if sep, has := t.SEPID(); has {
		r.ids[separated] = cutTo(slices.Concat(with[0], bare[1], []int32{sep}), length, tokenizer.Right)
	}
	if l.scorer.Causal() {
		r.ids[apart], r.ids[apartWith] = cutTo(slices.Concat(bare[0], bare[1]), length, side), cutTo(slices.Concat(with[0], with[1]), length, side)
	}
	if l.scorer.Config.Recorded.TrainedOn == scoring.Messages {
		r.ids[untemplated] = idsOr(t.EncodeText(r.pair[0]+r.pair[1], length, side))
	}
}

// drop leaves out readings that the model cannot compute.
func (l *local) drop(r *replay) {
	limit := l.scorer.MaxPositions()
	for i, ids := range r.ids {
		if l.scorer.CheckIDs(ids) != nil || limit > 0 && len(ids) > limit {
			r.ids[i] = nil
		}
	}
}

// spelled is the text of special tokens; one that has none is left out, and the
// rewards then are those of the text without it.
func (l *local) spelled(ids []int32) string {
	var b strings.Builder
	for _, id := range ids {
		text, _ := l.scorer.Tokenizer.TokenText(id)
		b.WriteString(text)
	}
	return b.String()
}

// idsOr are those of a reading, none where there is no such.
func idsOr(tokens data.Tokens, err error) []int32 {
	if err != nil {
		return nil
	}
	return tokens.IDs
}

// strip takes special tokens off that a text holds itself.
func strip(ids, prefix, suffix []int32) []int32 {
	if n := len(prefix); n > 0 && len(ids) >= n && slices.Equal(ids[:n], prefix) {
		ids = ids[n:]
	}
	if n := len(suffix); n > 0 && len(ids) >= n && slices.Equal(ids[len(ids)-n:], suffix) {
		ids = ids[:len(ids)-n]
	}
	return ids
}

func cutTo(ids []int32, length int, side tokenizer.Side) []int32 {
	cut := max(0, len(ids)-length)
	if side == tokenizer.Right {
		return ids[:len(ids)-cut]
	}
	return ids[cut:]
}

// replayIn asks a server in a dialect, and tells what its rewards are.
func (l *local) replayIn(ctx context.Context, d dialect, to *client) (outcome, error) {
	out := outcome{path: d.path}
	replays, err := l.replays(d)
	if err != nil {
		return out, err
	}
	var rewards []float64
	var asked []replay
	for _, group := range grouped(d, replays) {
		got, err := to.ask(ctx, d, group, l.golden)
		if no := (*refusal)(nil); errors.As(err, &no) {
			out.check, out.refused, out.message = no.check(d, to.modelName, group), no.status == http.StatusBadRequest || no.status == http.StatusUnprocessableEntity, no.message
			out.check.Name = d.name
			return out, nil
		}
		if wrong := (*answerError)(nil); errors.As(err, &wrong) {
			out.check = failed("see that the server has one label (num_labels 1) and speaks "+d.name+" as docs/serve.md has it", "%v", err)
			out.check.Name = d.name
			return out, nil
		}
		if err != nil {
			return out, err
		}
		rewards, asked = append(rewards, got...), append(asked, group...)
	}
	for _, r := range asked {
		if err := l.learn(ctx, slices.DeleteFunc(slices.Clone(r.ids[:]), func(ids []int32) bool { return ids == nil })); err != nil {
			return out, err
		}
	}
	out.check = l.diagnose(d, asked, rewards)
	out.check.Name = d.name
	return out, nil
}

// grouped puts together what one request can ask for: texts of the same
// add_special_tokens, and conversations one by one.
func grouped(d dialect, replays []replay) (groups [][]replay) {
	at := map[string]int{}
	for _, r := range replays {
		key := r.name
		if r.messages == nil {
			key = ""
			if d.specials && r.specials != nil {
				key = fmt.Sprintf("add_special_tokens %v", *r.specials)
			}
		}
		if _, has := at[key]; !has {
			at[key], groups = len(groups), append(groups, nil)
		}
		groups[at[key]] = append(groups[at[key]], r)
	}
	return groups
}
