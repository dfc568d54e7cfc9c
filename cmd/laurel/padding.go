package main

import (
	"fmt"
	"io"
	"slices"

	"laurel/data/tokenizer"
)

// Decoders pool the last token that is not the padding token. Where that is
// also the token that ends a sequence, they pool the one before the end, and
// no gradient reaches the end's embedding: a trap that this file closes in
// training and export, and tells of in scoring.

// ends are the tokens that end a sequence.
func (o *opened) ends() []int32 {
	ends := o.Config.EOSTokenID
	if id, ok := o.tokenizer.EOSID(); ok && !slices.Contains(ends, id) {
		ends = append(slices.Clone(ends), id)
	}
	return ends
}

// padsWithEnd tells whether a decoder's padding token ends sequences too.
func (o *opened) padsWithEnd() bool {
	return o.Causal() && o.Config.PadTokenID >= 0 && slices.Contains(o.ends(), int32(o.Config.PadTokenID))
}

// warnPadding tells how a model whose padding token ends sequences is scored.
func (o *opened) warnPadding(out io.Writer) {
	if o.padsWithEnd() {
		fmt.Fprintf(out, "warning: pad_token_id %d also ends sequences: the reward is read at the last token before it, as transformers does; train or export with laurel to give the model a padding token of its own\n",
			o.Config.PadTokenID)
	}
}

// settlePadding gives a decoder a padding token of its own where it has none
// or pads with the end of a sequence.
func (o *opened) settlePadding(out io.Writer) error {
	if o.Config.PadTokenID >= 0 && !o.padsWithEnd() {
		return nil
	}
	if !o.Causal() {
		o.Config.PadTokenID = o.padID()
		return nil
	}
	text, id, ok := o.tokenizer.FindPad(o.ends())
	if !ok || int(id) >= o.VocabSize() {
		return fmt.Errorf("%s: a decoder needs a padding token that does not end sequences, and its tokenizer has no token for it: set pad_token in tokenizer_config.json to a token that no text contains", o.dir)
	}
	if o.Config.PadTokenID < 0 {
		fmt.Fprintf(out, "config.json names no padding token: %s (id %d) is used\n", text, id)
	} else {
		fmt.Fprintf(out, "pad_token_id %d also ends sequences: %s (id %d) is used instead, so that the reward of a text that ends is read at its end\n", o.Config.PadTokenID, text, id)
	}
	o.Config.PadTokenID = int(id)
	return nil
}

// agreeOnPad makes the tokenizer files in dir name the padding token that
// config.json has.
func (o *opened) agreeOnPad(dir string) error {
	if id, ok := o.tokenizer.PadID(); ok && int(id) == o.Config.PadTokenID {
		return nil
	}
	text, ok := o.tokenizer.TokenText(int32(o.Config.PadTokenID))
	switch {
	case !ok && !o.Causal(): // an encoder masks padding, whatever it is
		return nil
	case !ok:
		return fmt.Errorf("pad_token_id %d of config.json is no special token of the tokenizer: set pad_token in tokenizer_config.json", o.Config.PadTokenID)
	}
	return tokenizer.SetPad(dir, text)
}
