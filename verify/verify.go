// Package verify checks a model before it is served: that its files are whole,
// that config.json and tokenizer say what other readers go by, that it scores as
// it did when it was exported, and that no text's reward hangs on its neighbours.
package verify

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"laurel/data/tokenizer"
	"laurel/model"
	"laurel/scoring"
)

// subject is a model under verification: as much of it as could be read.
type subject struct {
	source    scoring.Source
	keys      configKeys
	keysErr   error
	weights   *model.Model // nil where weights or config do not load
	modelErr  error
	tokenizer *tokenizer.Tokenizer // nil where it does not load
	tokenErr  error
	model     *scoring.Model // nil where one of both does not load
	lengthErr error
	scorer    *model.Scorer // nil where the lengths are not settled either
}

// checks are made in this order.
var checks = []struct {
	name  string
	check func(*subject) Check
}{
	{"files", checkFiles},
	{"weights", checkWeights},
	{"head", checkHead},
	{"labels", checkLabels},
	{"problem_type", checkProblemType},
	{"architectures", checkArchitectures},
	{"pad_token", checkPad},
	{"tokenizer", checkTokenizer},
	{"lengths", checkLengths},
	{"chat_template", checkTemplate},
	{"golden", checkGolden},
	{"batch", checkBatch},
	{"special_tokens", checkSpecials},
}

// Model makes all checks of a local directory: a Hugging Face directory, whole
// or an adapter's. What does not load fails its check; an error is returned
// where ctx ends, or where the directory is an ensemble's.
func Model(ctx context.Context, dir string, backend model.Backend, o scoring.Options) (*Report, error) {
	if members, err := scoring.MembersOf(dir); err != nil || members != nil {
		return nil, cmp.Or(err, fmt.Errorf("%s is an ensemble: verify its members: %s", dir, strings.Join(members, ", ")))
	}
	s := openSubject(ctx, dir, backend, o)
	if s.tokenizer != nil {
		defer s.tokenizer.Close()
	}
	r := &Report{Model: dir}
	for _, c := range checks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found := c.check(s)
		found.Name = c.name
		r.add(found)
	}
	return r, nil
}

// openSubject reads what can be read and keeps what cannot as errors.
func openSubject(ctx context.Context, dir string, backend model.Backend, o scoring.Options) *subject {
	s := &subject{}
	if s.source, s.modelErr = scoring.Find(ctx, dir, o); s.modelErr != nil {
		s.source = scoring.Source{Dir: dir, Base: dir}
	}
	s.keys, s.keysErr = readConfigKeys(s.configDir())
	s.tokenizer, s.tokenErr = s.source.OpenTokenizer()
	if s.modelErr == nil {
		s.weights, s.modelErr = s.source.Load()
	}
	if s.weights == nil || s.tokenizer == nil {
		return s
	}
	if s.model, s.lengthErr = scoring.New(s.weights, s.tokenizer, dir, 0); s.lengthErr == nil {
		s.scorer, s.modelErr = model.NewScorer(backend, s.weights)
	}
	return s
}

// configDir has the config.json that counts: an adapter's own where it has one.
func (s *subject) configDir() string {
	if _, err := os.Stat(filepath.Join(s.source.Dir, "config.json")); err != nil {
		return s.source.Base
	}
	return s.source.Dir
}

// cannotScore tells why no reward can be computed; empty where one can.
func (s *subject) cannotScore() string {
	switch {
	case s.weights == nil:
		return "the weights do not load"
	case s.tokenizer == nil:
		return "the tokenizer does not load"
	case s.scorer == nil:
		return "max_length and truncation side are not settled"
	case s.weights.Loaded.NewHead:
		return "there is no trained score head"
	}
	return ""
}
