package scoring

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"laurel/data"
	"laurel/model"
)

// Average opens models of one tokenizer and shape and gives one whose weights
// are the mean of theirs; adapters are merged. Two models at most are in memory
// at a time.
func Average(ctx context.Context, refs []string, o Options) (*Model, error) {
	first, err := openWhole(ctx, refs[0], nil, o)
	if err != nil {
		return nil, err
	}
	i := 0
	err = first.Average(func() (*model.Model, error) {
		if i++; i == len(refs) {
			return nil, nil
		}
		m, err := openWhole(ctx, refs[i], first, o)
		if err != nil {
			return nil, err
		}
		if key := first.Config.DiffersFrom(m.Config); key != "" {
			return nil, fmt.Errorf("ensemble: weights of %s and %s cannot be averaged, the models differ in %s", refs[0], refs[i], key)
		}
		return m.Model, nil
	})
	if err == nil {
		err = first.SettlePadding(o.Notice)
	}
	if err != nil {
		first.Close()
		return nil, err
	}
	first.Config.Recorded.Members = refs
	return first, nil
}

// openWhole opens one of several models, an adapter merged. One that is not
// the first must have the first's tokenizer, and its own is closed.
func openWhole(ctx context.Context, ref string, first *Model, o Options) (*Model, error) {
	o.member = true
	m, err := Open(ctx, ref, o)
	if err != nil {
		return nil, fmt.Errorf("ensemble: %w", err)
	}
	if m.Adapter != nil {
		if err := m.Merge(); err != nil {
			return nil, err
		}
	}
	if first == nil {
		return m, nil
	}
	if err := first.sameTokenizer(m); err != nil {
		return nil, fmt.Errorf("ensemble: %w", err)
	}
	return m, m.Close()
}

// Together describes an ensemble that is scored member by member.
type Together struct {
	K      float64       // reward_lower is mean − K·std
	Center string        // the data whose mean reward becomes each member's zero, by name; "" for none
	File   string        // where they lie
	On     model.Backend // computes the mean rewards; nil without Center
}

// WriteEnsemble opens the models, to see that they fit together, and writes the
// directory that names them as members.
func WriteEnsemble(ctx context.Context, dir string, refs []string, t Together, o Options) error {
	config := ensembleConfig{Format: 1, K: t.K, Centred: t.Center}
	var first *Model
	for _, ref := range refs {
		m, err := openWhole(ctx, ref, first, o)
		if err != nil {
			return err
		}
		if first == nil {
			first = m
			defer first.Close()
		}
		offset, err := t.offset(ctx, first, m)
		if err != nil {
			return err
		}
		if _, err := os.Stat(ref); err == nil {
			if ref, err = filepath.Abs(ref); err != nil {
				return err
			}
		}
		config.Members = append(config.Members, member{Model: ref, Offset: offset})
	}
	raw, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return data.WriteFolder(dir, func(aside string) error { return data.WriteFile(filepath.Join(aside, ensembleFile), append(raw, '\n')) })
}

// offset is the mean reward of a member on the centring file, 0 without one.
// The texts are encoded by the first, whose tokenizer is open.
func (t Together) offset(ctx context.Context, first, m *Model) (float32, error) {
	if t.Center == "" {
		return 0, nil
	}
	scorer, err := first.scorerOf(t.On, model.Member{Model: m.Model})
	if err != nil {
		return 0, err
	}
	table, err := data.OpenTable(t.File, nil)
	if err != nil {
		return 0, err
	}
	defer table.Close()
	sum, n := 0.0, 0
	_, err = scorer.ScoreGroups(ctx, table, Groups{Rows: GroupRows, Shard: data.Whole}, func(_ int, rows [][]data.Score) error {
		for _, score := range slices.Concat(rows...) {
			if score.Valid {
				sum, n = sum+float64(score.Reward), n+1
			}
		}
		return nil
	}, nil)
	if err == nil && n == 0 {
		err = fmt.Errorf("ensemble: %s has no row that can be scored", t.Center)
	}
	return float32(sum / float64(n)), err
}
