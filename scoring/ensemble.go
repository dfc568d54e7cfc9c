package scoring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"laurel/model"
)

// ensembleFile, in a directory of its own, names the members of an ensemble
// that is scored member by member.
const ensembleFile = "ensemble.json"

type ensembleConfig struct {
	Format  int      `json:"format"`
	K       float64  `json:"k"` // reward_lower is mean − k·std
	Centred string   `json:"centred_on,omitempty"`
	Members []member `json:"members"`
}

type member struct {
	Model  string  `json:"model"`  // a path, from the ensemble's directory where relative, or a hub name
	Offset float32 `json:"offset"` // taken off each of its rewards
}

// members are the models of an opened ensemble.
type members struct {
	config ensembleConfig
	models []model.Member
}

// lowerBy is how many standard deviations the lower bound lies below the mean.
func (m *Model) lowerBy() float64 {
	if m.members == nil {
		return 0
	}
	return m.members.config.K
}

func isEnsemble(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, ensembleFile))
	return err == nil
}

// MembersOf are the models that an ensemble's directory names; nil where dir is
// none.
func MembersOf(dir string) ([]string, error) {
	if !isEnsemble(dir) {
		return nil, nil
	}
	config, err := readEnsemble(dir)
	var refs []string
	for _, one := range config.Members {
		refs = append(refs, memberRef(dir, one.Model))
	}
	return refs, err
}

// readEnsemble reads an ensemble's file.
func readEnsemble(dir string) (config ensembleConfig, err error) {
	path := filepath.Join(dir, ensembleFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		return config, err
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return config, fmt.Errorf("ensemble %s: %w", path, err)
	}
	if len(config.Members) == 0 || config.Format != 1 {
		return config, fmt.Errorf("ensemble %s: format %d with %d members: want format 1 and a member or more", path, config.Format, len(config.Members))
	}
	return config, nil
}

// openEnsemble opens every member; the first one's tokenizer is the
// ensemble's.
func openEnsemble(ctx context.Context, dir string, o Options) (*Model, error) {
	config, err := readEnsemble(dir)
	if err != nil {
		return nil, err
	}
	o.Revision, o.member = "", true // the revision is that of the ensemble's own name
	all := &members{config: config}
	var first *Model
	for _, one := range config.Members {
		m, err := openMember(ctx, memberRef(dir, one.Model), first, o)
		if err != nil {
			return nil, fmt.Errorf("ensemble %s: %w", filepath.Join(dir, ensembleFile), err)
		}
		if first == nil {
			first = m
		}
		all.models = append(all.models, model.Member{Model: m.Model, Offset: one.Offset})
	}
	first.members = all
	return first, nil
}

// memberRef is what opens a member: a path beside the ensemble, else what
// stands there.
func memberRef(dir, ref string) string {
	if beside := filepath.Join(dir, ref); !filepath.IsAbs(ref) {
		if _, err := os.Stat(beside); err == nil {
			return beside
		}
	}
	return ref
}

// openMember opens one member and closes its tokenizer where it is not the
// first.
func openMember(ctx context.Context, ref string, first *Model, o Options) (*Model, error) {
	m, err := Open(ctx, ref, o)
	if err != nil || first == nil {
		return m, err
	}
	return m, errors.Join(first.sameTokenizer(m), m.Close())
}

// sameTokenizer refuses models whose ids mean different tokens, or that cut
// texts in different ways.
func (m *Model) sameTokenizer(other *Model) error {
	mine, err1 := os.ReadFile(filepath.Join(m.Tokenizer.Dir(), "tokenizer.json"))
	theirs, err2 := os.ReadFile(filepath.Join(other.Tokenizer.Dir(), "tokenizer.json"))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !bytes.Equal(mine, theirs) {
		return fmt.Errorf("%s and %s have different tokenizers (tokenizer.json): their rewards cannot be put together", m.Dir, other.Dir)
	}
	if m.TemplateDate() != other.TemplateDate() {
		return fmt.Errorf("%s gives the chat template the date %s, %s %s: export one with laurel export --template-date", m.Dir, m.TemplateDate(), other.Dir, other.TemplateDate())
	}
	if m.MaxLength != other.MaxLength || m.Side != other.Side {
		return fmt.Errorf("%s cuts texts to %d tokens at the %s, %s to %d at the %s: train them alike", m.Dir, m.MaxLength, m.Side, other.Dir, other.MaxLength, other.Side)
	}
	if m.textSide != other.textSide {
		return fmt.Errorf("%s cuts plain texts at the %s, %s at the %s (truncation_side of tokenizer_config.json)", m.Dir, m.textSide, other.Dir, other.textSide)
	}
	return nil
}
