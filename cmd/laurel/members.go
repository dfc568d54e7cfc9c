package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

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
	models []*model.Model
}

// lowerBy is how many standard deviations the lower bound lies below the mean.
func (m *members) lowerBy() float64 {
	if m == nil {
		return 0
	}
	return m.config.K
}

func isEnsemble(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, ensembleFile))
	return err == nil
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
func openEnsemble(ctx context.Context, dir string, maxLength int, out io.Writer) (*opened, error) {
	config, err := readEnsemble(dir)
	if err != nil {
		return nil, err
	}
	m := &members{config: config}
	var first *opened
	for _, one := range m.config.Members {
		o, err := openMember(ctx, dir, one.Model, maxLength, first, out)
		if err != nil {
			return nil, fmt.Errorf("ensemble %s: %w", filepath.Join(dir, ensembleFile), err)
		}
		if first == nil {
			first = o
		}
		m.models = append(m.models, o.Model)
	}
	first.members = m
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
func openMember(ctx context.Context, dir, ref string, maxLength int, first *opened, out io.Writer) (*opened, error) {
	o, err := openModel(ctx, memberRef(dir, ref), "main", maxLength, out)
	if err != nil || first == nil {
		return o, err
	}
	return o, errors.Join(first.sameTokenizer(o), o.tokenizer.Close())
}

// sameTokenizer refuses models whose ids mean different tokens, or that cut
// texts in different ways.
func (o *opened) sameTokenizer(other *opened) error {
	mine, err1 := os.ReadFile(filepath.Join(o.tokenizer.Dir(), "tokenizer.json"))
	theirs, err2 := os.ReadFile(filepath.Join(other.tokenizer.Dir(), "tokenizer.json"))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !bytes.Equal(mine, theirs) {
		return fmt.Errorf("%s and %s have different tokenizers (tokenizer.json): their rewards cannot be put together", o.dir, other.dir)
	}
	if o.maxLength != other.maxLength || o.side != other.side {
		return fmt.Errorf("%s cuts texts to %d tokens at the %s, %s to %d at the %s: train them alike", o.dir, o.maxLength, o.side, other.dir, other.maxLength, other.side)
	}
	return nil
}

// ensemble is what scores: the one model, or all members.
func (o *opened) ensemble(backend compute.Backend) (*model.Ensemble, error) {
	if o.members == nil {
		return model.NewEnsemble(backend, []*model.Model{o.Model}, []float32{0})
	}
	var offsets []float32
	for _, one := range o.members.config.Members {
		offsets = append(offsets, one.Offset)
	}
	return model.NewEnsemble(backend, o.members.models, offsets)
}
