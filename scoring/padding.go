package scoring

import (
	"fmt"
	"slices"

	"laurel/data/tokenizer"
)

// Decoders pool the last token that is not the padding token. Where that is
// also the token that ends a sequence, they pool the one before the end, and
// no gradient reaches the end's embedding: a trap that this file closes in
// training and export, and tells of in scoring.

// ends are the tokens that end a sequence.
func (m *Model) ends() []int32 {
	ends := m.Config.EOSTokenID
	if id, ok := m.Tokenizer.EOSID(); ok && !slices.Contains(ends, id) {
		ends = append(slices.Clone(ends), id)
	}
	return ends
}

// PadsWithEnd tells whether a decoder's padding token ends sequences too.
func (m *Model) PadsWithEnd() bool {
	return m.Causal() && m.Config.PadTokenID >= 0 && slices.Contains(m.ends(), int32(m.Config.PadTokenID))
}

// PaddingWarning tells how a model whose padding token ends sequences is
// scored; "" where there is nothing to warn of.
func (m *Model) PaddingWarning() string {
	if !m.PadsWithEnd() {
		return ""
	}
	return fmt.Sprintf("pad_token_id %d also ends sequences: the reward is read at the last token before it, as transformers does; train or export with laurel to give the model a padding token of its own",
		m.Config.PadTokenID)
}

// PadID is what padding is filled with; it never reaches a reward.
func (m *Model) PadID() int {
	if m.Config.PadTokenID >= 0 {
		return m.Config.PadTokenID
	}
	if id, ok := m.Tokenizer.PadID(); ok && int(id) < m.VocabSize() {
		return int(id)
	}
	return 0
}

// SettlePadding gives a decoder a padding token of its own where it has none
// or pads with the end of a sequence, and tells notice what it took.
func (m *Model) SettlePadding(notice func(line string)) error {
	say := Options{Notice: notice}.notice
	if m.Config.PadTokenID >= 0 && !m.PadsWithEnd() {
		return nil
	}
	if !m.Causal() {
		m.Config.PadTokenID = m.PadID()
		return nil
	}
	text, id, ok := m.Tokenizer.FindPad(m.ends())
	if !ok || int(id) >= m.VocabSize() {
		return fmt.Errorf("%s: a decoder needs a padding token that does not end sequences, and its tokenizer has no token for it: set pad_token in tokenizer_config.json to a token that no text contains", m.Dir)
	}
	if m.Config.PadTokenID < 0 {
		say("config.json names no padding token: %s (id %d) is used", text, id)
	} else {
		say("pad_token_id %d also ends sequences: %s (id %d) is used instead, so that the reward of a text that ends is read at its end", m.Config.PadTokenID, text, id)
	}
	m.Config.PadTokenID = int(id)
	return nil
}

// agreeOnPad makes the tokenizer files in dir name the padding token that
// config.json has.
func (m *Model) agreeOnPad(dir string) error {
	if id, ok := m.Tokenizer.PadID(); ok && int(id) == m.Config.PadTokenID {
		return nil
	}
	text, ok := m.Tokenizer.TokenText(int32(m.Config.PadTokenID))
	switch {
	case !ok && !m.Causal(): // an encoder masks padding, whatever it is
		return nil
	case !ok:
		return fmt.Errorf("pad_token_id %d of config.json is no special token of the tokenizer: set pad_token in tokenizer_config.json", m.Config.PadTokenID)
	}
	return tokenizer.SetPad(dir, text)
}
