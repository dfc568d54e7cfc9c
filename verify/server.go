package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"laurel/data/tokenizer"
	"laurel/model"
	"laurel/scoring"
)

// Target is a running server whose answers are held to a model's.
type Target struct {
	URL       string   // as http://host:8000
	Dialects  []string // of DialectNames; none: all, of which the server need not have each
	ModelName string   // in requests; "": the first that GET /v1/models lists, else the directory's name
	Token     string   // Authorization: Bearer TOKEN; "" for none
}

// Server replays the golden vector of a local model directory against a running
// server, in each dialect, and makes a Check of each. The rewards that tell what is
// wrong (without special tokens, with them twice, cut elsewhere) are computed here. An
// error is returned where there is nothing to compare, or no server.
func Server(ctx context.Context, dir string, backend model.Backend, o scoring.Options, t Target) (*Report, error) {
	auto := len(t.Dialects) == 0
	chosen, err := t.chosen()
	if err != nil {
		return nil, err
	}
	local, err := openLocal(ctx, dir, backend, o)
	if err != nil {
		return nil, err
	}
	defer local.scorer.Close()
	asking, err := newClient(ctx, t, dir)
	if err != nil {
		return nil, err
	}
	answered := make([]outcome, len(chosen))
	for i, d := range chosen {
		if answered[i], err = local.replayIn(ctx, d, asking); err != nil {
			return nil, err
		}
	}
	if auto {
		skipForeign(answered)
	}
	r := &Report{Model: dir, URL: t.URL}
	for _, o := range answered {
		r.add(o.check)
	}
	if r.Skipped == len(chosen) {
		return nil, fmt.Errorf("%s has none of the paths of %d dialects (%s): is it the address of a reward server?", t.URL, len(chosen), paths(chosen))
	}
	return r, nil
}

func (t Target) chosen() ([]dialect, error) {
	address, err := url.Parse(t.URL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address of a server: want http://HOST:PORT", t.URL)
	}
	if len(t.Dialects) == 0 {
		return dialects, nil
	}
	var chosen []dialect
	for _, d := range dialects {
		if slices.Contains(t.Dialects, d.name) {
			chosen = append(chosen, d)
		}
	}
	return chosen, nil
}

func paths(chosen []dialect) string {
	var names []string
	for _, d := range chosen {
		if !slices.Contains(names, d.path) {
			names = append(names, d.path)
		}
	}
	return strings.Join(names, ", ")
}

// local is the model here, and its golden vector.
type local struct {
	scorer *scoring.Scorer
	golden *scoring.Golden
	side   tokenizer.Side     // at which the golden texts are cut
	known  map[string]float64 // rewards by ids
}

// replayBatch is how many ids are computed at a time: there are few texts, and short.
const replayBatch = 512

// openLocal opens the model, and sees that it still is what was exported.
func openLocal(ctx context.Context, dir string, backend model.Backend, o scoring.Options) (_ *local, err error) {
	golden, err := scoring.ReadGolden(dir)
	switch {
	case err != nil:
		return nil, err
	case golden == nil:
		return nil, fmt.Errorf("%s has no golden vector (%s): export the model with laurel export, which stores one", dir, model.GoldenFile)
	}
	m, err := scoring.Open(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	l := &local{golden: golden, known: map[string]float64{}}
	l.side, _ = tokenizer.ParseSide(golden.TruncationSide) // read checked it
	if l.scorer, err = m.Scorer(backend); err != nil {
		return nil, err
	}
	l.scorer.SetBatch(replayBatch)
	if err := l.learn(ctx, golden.IDs()); err != nil {
		return nil, err
	}
	for _, c := range golden.Cases {
		ids, err := c.Encode(m, golden.MaxLength, l.side)
		if err != nil {
			return nil, fmt.Errorf("golden vector: case %s: %w", c.Name, err)
		}
		if reward := float32(l.reward(c.IDs)); !slices.Equal(ids, c.IDs) || !near(reward, *c.Logit, golden.Tolerance) {
			return nil, fmt.Errorf("%s is not what was exported (case %s: the reward is %v, at export it was %v): laurel verify --model %s tells more", dir, c.Name, reward, *c.Logit, dir)
		}
	}
	return l, nil
}

// learn computes the rewards of ids that are not known yet.
func (l *local) learn(ctx context.Context, sequences [][]int32) error {
	var fresh [][]int32
	for _, ids := range sequences {
		key := fmt.Sprint(ids)
		if _, has := l.known[key]; !has {
			l.known[key] = math.NaN()
			fresh = append(fresh, ids)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	scores, err := l.scorer.ScoreIDs(ctx, fresh)
	if err != nil {
		return err
	}
	for i, score := range scores {
		if score.Valid {
			l.known[fmt.Sprint(fresh[i])] = float64(score.Reward)
		}
	}
	return nil
}

// reward is that of ids that were learnt.
func (l *local) reward(ids []int32) float64 { return l.known[fmt.Sprint(ids)] }

// outcome is what became of one dialect.
type outcome struct {
	check   Check
	path    string
	refused bool // with 400 or 422: the request is not one of this server's
	message string
}

// skipForeign makes a refusal of what a server of another kind has on the same path,
// or says that it does not support, a skip: vLLM's and SGLang's /classify are one path.
func skipForeign(answered []outcome) {
	for i := range answered {
		a := &answered[i]
		other := slices.ContainsFunc(answered, func(b outcome) bool { return b.path == a.path && !b.refused && b.check.Name != a.check.Name })
		if a.refused && (other || strings.Contains(strings.ToLower(a.message), "not support")) {
			name := a.check.Name
			a.check = skipped(fmt.Sprintf("the server has %s for something else: %s", a.path, a.message))
			a.check.Name = name
		}
	}
}
