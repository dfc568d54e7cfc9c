package tokenizer

import "laurel/data"

// Count is the number of tokens that a prompt, and a response to it where one
// is given, have as one sequence, special tokens included and nothing cut.
func (t *Tokenizer) Count(prompt data.Text, response ...data.Text) (int, error) {
	var answer data.Text
	if len(response) > 0 {
		answer = response[0]
	}
	tokens, err := t.encodeTurn(prompt, answer, 0, Left)
	return len(tokens.IDs), err
}
