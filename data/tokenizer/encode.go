package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"laurel/data"
)

// Side is the end of a text at which tokens are cut to max_length.
type Side int

const (
	Left  Side = iota // drop the oldest of the prompt, keep the response's end
	Right             // drop the end, as transformers does for plain text
)

// ParseSide reads truncation_side: left or right.
func ParseSide(name string) (Side, error) {
	switch name {
	case "left":
		return Left, nil
	case "right":
		return Right, nil
	}
	return Left, fmt.Errorf("truncation_side %q: want left or right", name)
}

// String is the side as settings name it.
func (s Side) String() string {
	if s == Right {
		return "right"
	}
	return "left"
}

// ErrText marks an error that lies in the text of one row, not in the
// tokenizer: other rows can be encoded.
var ErrText = errors.New("text cannot be tokenized")

// EncodeText is transformers' tokenizer(text, truncation=True, max_length=…,
// truncation_side=…): ids of the text cut at side to leave room for the
// special tokens, which are kept. maxLength is in tokens, specials included;
// 0 is no limit. The result may be empty where the tokenizer adds no specials.
func (t *Tokenizer) EncodeText(text string, maxLength int, side Side) (data.Tokens, error) {
	content, err := t.encode(text)
	if err != nil {
		return data.Tokens{}, err
	}
	return t.assemble(t.prefix, content, t.suffix, maxLength, side)
}

// EncodeBare is EncodeText without special tokens, transformers'
// add_special_tokens=False.
func (t *Tokenizer) EncodeBare(text string, maxLength int, side Side) (data.Tokens, error) {
	content, err := t.encode(text)
	if err != nil {
		return data.Tokens{}, err
	}
	return t.assemble(nil, content, nil, maxLength, side)
}

// EncodePair encodes prompt and response as one sequence for each side of the
// pair. Plain text is joined as it stands and gets no end-of-sequence token
// beyond what the post-processor adds; messages go through Render.
func (t *Tokenizer) EncodePair(p data.Pair, maxLength int, side Side) (chosen, rejected data.Tokens, err error) {
	if chosen, err = t.encodeTurn(p.Prompt, p.Chosen, maxLength, side); err != nil {
		return chosen, rejected, fmt.Errorf("chosen: %w", err)
	}
	if rejected, err = t.encodeTurn(p.Prompt, p.Rejected, maxLength, side); err != nil {
		return chosen, rejected, fmt.Errorf("rejected: %w", err)
	}
	return chosen, rejected, nil
}

// EncodeCompletion encodes one text to score: a whole text cut at ofText, a prompt
// with a response at side.
func (t *Tokenizer) EncodeCompletion(c data.Completion, maxLength int, side, ofText Side) (data.Tokens, error) {
	if c.IsText {
		side = ofText
	}
	return t.encodeTurn(c.Prompt, c.Response, maxLength, side)
}

func (t *Tokenizer) encodeTurn(prompt, response data.Text, maxLength int, side Side) (data.Tokens, error) {
	if prompt.Messages == nil && response.Messages == nil {
		return t.EncodeText(prompt.Plain+response.Plain, maxLength, side)
	}
	messages := slices.Concat(asMessages(prompt, "user"), asMessages(response, "assistant"))
	return t.encodeMessages(prompt.Context, messages, maxLength, side)
}

// asMessages makes plain text beside messages a turn of its own.
func asMessages(text data.Text, role string) []data.Message {
	if text.Messages == nil && text.Plain != "" {
		return []data.Message{{Role: role, Content: text.Plain}}
	}
	return text.Messages
}

// EncodeMessages renders a conversation and encodes it with each special token
// exactly once: where the template writes what the post-processor would add, a
// BOS mostly, it is not added again; where it does not, it is added. Specials
// at either end survive the cut.
func (t *Tokenizer) EncodeMessages(messages []data.Message, maxLength int, side Side) (data.Tokens, error) {
	return t.encodeMessages(data.Context{}, messages, maxLength, side)
}

func (t *Tokenizer) encodeMessages(context data.Context, messages []data.Message, maxLength int, side Side) (data.Tokens, error) {
	text, err := t.RenderIn(context, messages, false)
	if err != nil {
		return data.Tokens{}, err
	}
	return t.EncodeRendered(text, maxLength, side)
}

// EncodeRendered encodes text that a chat template has rendered, whoever did it:
// each special token is there once, as EncodeMessages says.
func (t *Tokenizer) EncodeRendered(text string, maxLength int, side Side) (data.Tokens, error) {
	content, err := t.encode(text)
	if err != nil {
		return data.Tokens{}, err
	}
	prefix, suffix := t.prefix, t.suffix
	if len(prefix) > 0 && hasPrefix(content, prefix) {
		content = content[len(prefix):]
	} else if bos, ok := t.BOSID(); ok && len(prefix) == 0 && hasPrefix(content, []int32{bos}) {
		prefix, content = content[:1], content[1:]
	}
	if len(suffix) > 0 && hasSuffix(content, suffix) {
		content = content[:len(content)-len(suffix)]
	}
	return t.assemble(prefix, content, suffix, maxLength, side)
}

func hasPrefix(ids, prefix []int32) bool {
	return len(ids) >= len(prefix) && slices.Equal(ids[:len(prefix)], prefix)
}

func hasSuffix(ids, suffix []int32) bool {
	return len(ids) >= len(suffix) && slices.Equal(ids[len(ids)-len(suffix):], suffix)
}

// assemble cuts content to maxLength less the specials and puts them around
// it. A text that is cut at its end does not get an end-of-sequence token: it
// has not ended. A [SEP] is kept, being part of an encoder's input.
func (t *Tokenizer) assemble(prefix, content, suffix []int32, maxLength int, side Side) (data.Tokens, error) {
	specials := len(prefix) + len(suffix)
	if maxLength < 0 || maxLength > 0 && maxLength < specials {
		return data.Tokens{}, fmt.Errorf("max_length %d has no room for the %d special tokens", maxLength, specials)
	}
	cut := 0
	if maxLength > 0 {
		cut = max(0, len(content)-(maxLength-specials))
	}
	if side == Right && cut > 0 && t.endsSequence(suffix) {
		suffix, cut = nil, max(0, cut-len(suffix))
	}
	if side == Right {
		content = content[:len(content)-cut]
	} else {
		content = content[cut:]
	}
	return data.Tokens{IDs: slices.Concat(prefix, content, suffix), Cut: cut}, nil
}

// endsSequence tells whether a suffix says that the text is complete.
func (t *Tokenizer) endsSequence(suffix []int32) bool {
	eos, ok := t.EOSID()
	_, separates := t.SEPID()
	return ok && !separates && slices.Contains(suffix, eos)
}

// encode gives the ids of a text without special tokens.
func (t *Tokenizer) encode(text string) ([]int32, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.library == nil {
		return nil, ErrClosed
	}
	bare := func(text string) ([]int32, error) { return t.ask(text, false) }
	if t.words != nil {
		last := t.lately.Get().(*begun)
		defer t.lately.Put(last)
		if ids, ok, err := t.words.encode(text, last, bare); ok && err == nil {
			return slices.Clone(ids), nil
		}
	}
	return bare(text)
}

// encodeWhole asks the library for the whole text.
func (t *Tokenizer) encodeWhole(text string, specials bool) ([]int32, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.library == nil {
		return nil, ErrClosed
	}
	return t.ask(text, specials)
}

// ask passes a text that was checked to the library, which must be open.
func (t *Tokenizer) ask(text string, specials bool) ([]int32, error) {
	encoding, err := t.library.EncodeWithOptionsErr(text, specials)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrText, err)
	}
	ids := make([]int32, len(encoding.IDs))
	for i, id := range encoding.IDs {
		ids[i] = int32(id)
	}
	return ids, nil
}

// longestText bounds a text, in bytes: the library takes up to 230 bytes of memory
// for each of one word.
const longestText = 16 << 20

// checkText refuses what the C interface would change unseen: it ends a text
// at a NUL and replaces invalid UTF-8 by U+FFFD; and a text too long for it.
func checkText(text string) error {
	if len(text) > longestText {
		return fmt.Errorf("%w: %d bytes, more than %d: shorten it before", ErrText, len(text), longestText)
	}
	if i := strings.IndexByte(text, 0); i >= 0 {
		return fmt.Errorf("%w: NUL at byte %d", ErrText, i)
	}
	if utf8.ValidString(text) {
		return nil
	}
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return fmt.Errorf("%w: invalid UTF-8 at byte %d", ErrText, at)
}

// findAffixes compares a short text with and without special tokens. The probe
// must stand in the result once, or it says nothing about where the text goes.
func (t *Tokenizer) findAffixes() (prefix, suffix []int32, err error) {
	for _, probe := range []string{"a", "the", "1", "?", "xyz"} {
		plain, err := t.encode(probe)
		if err != nil {
			return nil, nil, err
		}
		full, err := t.encodeWhole(probe, true)
		if err != nil {
			return nil, nil, err
		}
		if at, once := indexOnce(full, plain); once {
			return full[:at], full[at+len(plain):], nil
		}
	}
	return nil, nil, errors.New("its post-processor does not place a text once between fixed special tokens")
}

// indexOnce finds part in ids if it stands there exactly once.
func indexOnce(ids, part []int32) (at int, once bool) {
	found := 0
	for i := 0; len(part) > 0 && i+len(part) <= len(ids); i++ {
		if slices.Equal(ids[i:i+len(part)], part) {
			at, found = i, found+1
		}
	}
	return at, found == 1
}
