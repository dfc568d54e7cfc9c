// Package bench shows what a machine does with laurel: how fast it trains and
// scores models of known shapes (Run), and whether its numbers are those of
// another implementation of every operation (Parity). Weights are random, so
// that nothing has to be fetched.
package bench

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"laurel/model"
)

// shapes holds a config.json for each shape: published models' own sizes, and
// a tiny one of every family.
//
//go:embed shapes/*.json
var shapes embed.FS

const tiny = "tiny-"

// Shapes are the names of the shapes to be measured, the tiny ones last.
func Shapes() []string {
	names, families := named()
	for _, f := range families {
		names = append(names, tiny+f)
	}
	return names
}

// Families are those that have a tiny shape, which Parity compares.
func Families() []string {
	_, families := named()
	return families
}

func named() (full, families []string) {
	entries, err := fs.Glob(shapes, "shapes/*.json")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, e := range entries {
		name := strings.TrimSuffix(filepath.Base(e), ".json")
		if family, ok := strings.CutPrefix(name, tiny); ok {
			families = append(families, family)
		} else {
			full = append(full, name)
		}
	}
	return full, families
}

// newModel draws a model of a shape from a seed.
func newModel(shape string, blocks int, seed uint64) (*model.Model, error) {
	return fromShape(shape, blocks, func(config string) (*model.Model, error) { return model.New(config, seed, model.Head{}) })
}

// fromShape makes a model from a shape's config.json, with another number of
// blocks where that is not 0.
func fromShape(shape string, blocks int, make func(config string) (*model.Model, error)) (m *model.Model, err error) {
	if err := CheckShape(shape); err != nil {
		return nil, err
	}
	raw, err := shapes.ReadFile("shapes/" + shape + ".json")
	if err != nil {
		return nil, err
	}
	if blocks != 0 {
		if raw, err = withBlocks(raw, blocks); err != nil {
			return nil, fmt.Errorf("shape %s: %w", shape, err)
		}
	}
	dir, err := os.MkdirTemp("", "laurel-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "config.json")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return nil, err
	}
	return make(path)
}

// withBlocks is a config.json with another number of blocks.
func withBlocks(config []byte, blocks int) ([]byte, error) {
	const key = "num_hidden_layers"
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(config, &keys); err != nil {
		return nil, err
	}
	if keys[key] == nil {
		return nil, fmt.Errorf("its config.json has no %s to count blocks by", key)
	}
	keys[key] = json.RawMessage(strconv.Itoa(blocks))
	return json.Marshal(keys)
}

// CheckShape refuses a shape that there is not.
func CheckShape(name string) error {
	if !slices.Contains(Shapes(), name) {
		return fmt.Errorf("no shape %q: there are %s", name, strings.Join(Shapes(), ", "))
	}
	return nil
}
