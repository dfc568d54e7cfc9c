package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
	"laurel/feedback"
	"laurel/scoring"
)

// labelShard is what label.json says of a shard.
type labelShard struct {
	data.Shard
	Inputs []string `json:"inputs"` // SHA-256 of each file
	Done   bool     `json:"done"`   // all was asked that was to be
}

// checkShard refuses flags that make no sense for a shard, or for a merge.
func (l *labelling) checkShard(cmd *cobra.Command) error {
	switch {
	case l.merge && (l.part != "" || l.dry || l.reaggregate):
		return usage(cmd, errors.New("--merge asks nothing: leave --shard, --dry-run and --reaggregate out"))
	case l.part != "" && l.reaggregate:
		return usage(cmd, errors.New("a shard is not aggregated anew: merge the shards, and reaggregate that"))
	case l.part != "" && (l.goldFile != "" || l.reviewFile != ""):
		return usage(cmd, errors.New("a shard has not all comparisons: give --gold and --review-out with --merge"))
	}
	return nil
}

// openShard has a shard work in a folder of its own in --out.
func (l *labelling) openShard() error {
	if l.part == "" {
		return nil
	}
	shard, err := openShard(l.part, l.log)
	if err != nil {
		return err
	}
	l.shard = &labelShard{Shard: shard}
	if l.dir != "" {
		l.dir = filepath.Join(l.dir, shard.Name())
	}
	if l.config.Budget != (feedback.BudgetConfig{}) {
		fmt.Fprintf(l.log, "the budget is that of shard %v alone: %d shards may spend %d times as much\n", shard, shard.Of, shard.Of)
	}
	l.shard.Inputs, err = l.inputs()
	return err
}

func (l *labelling) inputs() (hashes []string, err error) {
	for _, file := range l.files {
		hash, err := scoring.InputHash(file)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// finishedShard is a shard's label.json.
type finishedShard struct {
	earlierRun
	Shard  *labelShard `json:"shard"`
	Judges []struct {
		Answers map[feedback.Outcome]int `json:"answers"`
	} `json:"judges"`
}

// mergeShards puts the answers of all shards into --out, once they are all there,
// of this run's files and settings, each once and finished.
func (l *labelling) mergeShards() error {
	if !l.merge {
		return nil
	}
	dirs, err := filepath.Glob(filepath.Join(escapeGlob(l.dir), "shard-*-of-*"))
	if err != nil {
		return err
	}
	now, err := newRunRecord(l.files, l.resolved, l.constitution)
	if err != nil {
		return err
	}
	inputs, err := l.inputs()
	if err != nil {
		return err
	}
	var stores []string
	for _, dir := range dirs {
		s, err := readFinished(dir)
		if err == nil {
			err = s.fits(now, inputs)
		}
		if err != nil {
			return fmt.Errorf("merge: %s: %w", dir, err)
		}
		if stores == nil {
			stores = make([]string, s.Shard.Of)
		}
		if s.Shard.Of != len(stores) {
			return fmt.Errorf("merge: %s is of %d shards, others of %d: move away those that are not wanted", dir, s.Shard.Of, len(stores))
		}
		stores[s.Shard.Index] = filepath.Join(dir, answersFile)
		for _, j := range s.Judges {
			l.failedInShards += j.Answers[feedback.Failed]
		}
	}
	if err := missingShards(l.dir, stores); err != nil {
		return err
	}
	fmt.Fprintf(l.log, "merging the answers of %d shards\n", len(stores))
	return feedback.JoinStores(filepath.Join(l.dir, answersFile), stores)
}

func missingShards(dir string, stores []string) error {
	var missing []string
	for i, store := range stores {
		if store == "" {
			missing = append(missing, data.Shard{Index: i, Of: len(stores)}.String())
		}
	}
	switch {
	case len(stores) == 0:
		return fmt.Errorf("merge: %s holds no shards", dir)
	case len(missing) > 0:
		return fmt.Errorf("merge: %d of %d shards are missing: %s: label them, with the same --out", len(missing), len(stores), strings.Join(missing, ", "))
	}
	return nil
}

// escapeGlob takes a path as it stands in a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// readFinished reads the label.json of a shard that is finished.
func readFinished(dir string) (*finishedShard, error) {
	raw, err := os.ReadFile(filepath.Join(dir, labelFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("the shard is not finished: start it again, and it goes on")
	}
	if err != nil {
		return nil, err
	}
	var s finishedShard
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", labelFile, err)
	}
	switch {
	case s.Shard == nil || s.Shard.Name() != filepath.Base(dir):
		return nil, fmt.Errorf("its %s is not that of %s", labelFile, filepath.Base(dir))
	case !s.Shard.Done:
		return nil, errors.New("the shard was stopped before all was asked: start it again, with a larger budget where that stopped it")
	}
	return &s, nil
}

// fits refuses a shard of other files or settings.
func (s *finishedShard) fits(now runRecord, inputs []string) error {
	if !slices.Equal(s.Shard.Inputs, inputs) {
		return errors.New("the shard is of other input files than --data")
	}
	after, err := now.asEarlier()
	if err != nil {
		return err
	}
	if different := otherSettings(s.earlierRun, after); len(different) > 0 {
		return fmt.Errorf("the shard has other settings: %s", strings.Join(different, "; "))
	}
	return nil
}

// checkMerged refuses to make labels where answers are missing of which no shard
// said that its question had failed: a judge is another than it was.
func (l *labelling) checkMerged(plan *feedback.Plan) error {
	if missing := plan.Questions - plan.Kept; l.merge && missing > l.failedInShards {
		return fmt.Errorf("merge: %d of %d answers are missing, and the shards tell of %d questions that failed: a judge's model is another than theirs", missing, plan.Questions, l.failedInShards)
	}
	return nil
}
