package scoring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"

	"laurel/data/tokenizer"
	"laurel/model"
)

// Hash is the SHA-256 of everything that decides the rewards of the model in a
// local directory, as Resolve gives it: its files, those of the base of an
// adapter, those of the members of an ensemble.
func Hash(ctx context.Context, dir string, o Options) (string, error) {
	sum := sha256.New()
	if err := hashModel(ctx, dir, sum, o); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func hashModel(ctx context.Context, dir string, sum hash.Hash, o Options) error {
	if err := hashFiles(dir, sum); err != nil {
		return err
	}
	source, err := Find(ctx, dir, o)
	if err != nil {
		return err
	}
	if source.Base != dir {
		return hashModel(ctx, source.Base, sum, o)
	}
	if !isEnsemble(dir) {
		return nil
	}
	config, err := readEnsemble(dir)
	if err != nil {
		return err
	}
	o.Revision = "" // that of the ensemble's own name
	for _, one := range config.Members {
		member, err := Resolve(ctx, memberRef(dir, one.Model), o)
		if err != nil {
			return err
		}
		if isEnsemble(member) {
			return fmt.Errorf("ensemble %s: %s is an ensemble itself: name its members", dir, one.Model)
		}
		if err := hashModel(ctx, member, sum, o); err != nil {
			return err
		}
	}
	return nil
}

// notOfTheModel lie beside the weights of a checkpoint and decide no reward.
var notOfTheModel = []string{"optimizer.safetensors", "trainer_state.json", model.CalibrationFile}

// ofTheModel lists the files of a directory that decide rewards, by their places
// below it: all that may, chat templates by name and shards in folders.
func ofTheModel(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if ext := filepath.Ext(name); !entry.IsDir() && (ext == ".safetensors" || ext == ".json" || ext == ".jinja") && !slices.Contains(notOfTheModel, name) {
			names = append(names, name)
		}
	}
	names = append(names, tokenizer.NamedTemplates(dir)...)
	shards, err := model.Shards(dir)
	for _, shard := range shards {
		if !slices.Contains(names, shard) {
			names = append(names, shard)
		}
	}
	return names, err
}

func hashFiles(dir string, sum hash.Hash) error {
	names, err := ofTheModel(dir)
	for _, name := range names {
		if err := hashFile(filepath.Join(dir, name), name, sum); err != nil {
			return err
		}
	}
	return err
}

func hashFile(path, name string, sum hash.Hash) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	fmt.Fprintf(sum, "%s\x00", name)
	_, err = io.Copy(sum, file)
	return err
}
