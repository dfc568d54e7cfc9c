package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"laurel/configs"
	"laurel/feedback"
	"laurel/labels"
	"laurel/loop"
)

// addConfig takes in those keys of a section that decide what a step writes.
func addConfig[C interface{ Validate() error }](in loop.Inputs, section string, config C, without ...string) error {
	raw, err := configs.YAML(config)
	if err != nil {
		return err
	}
	var keys map[string]any
	if err := yaml.Unmarshal(raw, &keys); err != nil {
		return err
	}
	flat := map[string]string{}
	flatten("", keys, flat)
	for key, value := range flat {
		if !decides(key) || slices.ContainsFunc(without, func(one string) bool { return key == one || strings.HasPrefix(key, one+".") }) {
			continue
		}
		in.Add(section+"."+key, value)
	}
	return nil
}

func (r roundSteps) promptInputs() (loop.Inputs, error) {
	return loop.Inputs{"prompts": r.split.Digest}, nil
}

func (r roundSteps) generateInputs(prompts string) func() (loop.Inputs, error) {
	return func() (loop.Inputs, error) {
		in := loop.Inputs{}
		return in, errors.Join(in.AddFile("prompts", r.path(prompts)), addConfig(in, "generate", r.config.Generate, "data"))
	}
}

func (r roundSteps) labelInputs(responses string) func() (loop.Inputs, error) {
	return func() (loop.Inputs, error) {
		in := loop.Inputs{}
		constitution, err := openConstitution(r.config.Label.Constitution, r.config.Label.Principles)
		if err != nil {
			return nil, err
		}
		err = errors.Join(in.AddConstitution(constitution), in.AddFile("comparisons", r.path(filepath.Join(responses, feedback.ComparisonsFile+".parquet"))),
			addConfig(in, "label", r.config.Label, "data", "constitution", "principles"))
		if r.config.Gold != "" && responses == responsesDir {
			err = errors.Join(err, in.AddFile("gold", r.config.Gold))
		}
		return in, err
	}
}

func (r roundSteps) mergeInputs() (loop.Inputs, error) {
	in := loop.Inputs{}
	rounds, err := r.answered()
	for _, round := range rounds {
		err = errors.Join(err, in.AddFile(fmt.Sprintf("answers about round %d", round), r.before(round, reviewFile)),
			in.AddFile(fmt.Sprintf("labels of round %d", round), r.before(round, filepath.Join(labelsDir, labels.PairsFile))))
		in.Add("review.human_confidence", fmt.Sprint(r.config.Review.HumanConfidence))
	}
	return in, err
}

// notOfWeights are keys of the train section that do not decide its weights.
var notOfWeights = []string{"backend", "data.workers", "data.train", "train.devices", "train.log_every", "train.log", "train.save_every", "train.keep", "train.max_bad_steps"}

func (r roundSteps) trainInputs() (loop.Inputs, error) {
	in := loop.Inputs{}
	files, err := r.pairs()
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		err = errors.Join(err, in.AddFile(fmt.Sprintf("pairs.%d", i+1), file))
	}
	err = errors.Join(err, addFiles(in, "validation", r.config.Train.Data.Validation.Files))
	if r.config.Start == loop.Last && r.n > 1 {
		in.Add("model of the round before", r.trained(r.n-1))
	} else {
		err = errors.Join(err, r.addModel(in))
	}
	return in, errors.Join(err, addConfig(in, "train", r.config.Train, notOfWeights...))
}

// addFiles takes in local files by what they are; a hub's are known by their names.
func addFiles(in loop.Inputs, what string, files []string) (err error) {
	for _, file := range files {
		if info, statErr := os.Stat(file); statErr == nil && info.Mode().IsRegular() {
			err = errors.Join(err, in.AddFile(what+" "+file, file))
		}
	}
	return err
}

// addModel takes in the files of a model in a local directory; a hub's is known by
// its name and revision. Every round asks for them, and weights may be large: they
// are read once.
func (r roundSteps) addModel(in loop.Inputs) error {
	m := r.config.Train.Model
	dir := m.Path
	if m.Config != "" {
		dir = filepath.Dir(m.Config)
	}
	files, known := r.models[dir]
	if !known {
		var err error
		if files, err = modelFiles(dir); err != nil {
			return err
		}
		r.models[dir] = files
	}
	maps.Copy(in, files)
	return nil
}

func modelFiles(dir string) (loop.Inputs, error) {
	files := loop.Inputs{}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return files, nil
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && err == nil {
			err = files.AddFile("model "+entry.Name(), filepath.Join(dir, entry.Name()))
		}
	}
	return files, err
}

func (r roundSteps) evalInputs() (loop.Inputs, error) {
	in := loop.Inputs{}
	in.Add("model", r.trained(r.n))
	return in, errors.Join(addFiles(in, "pairs", r.evalFiles()), in.AddJSON("eval", r.config.Eval))
}

func (r roundSteps) bestInputs() (loop.Inputs, error) {
	in := loop.Inputs{}
	in.Add("model", r.trained(r.n))
	in.Add("best_of", fmt.Sprint(r.config.BestOf))
	in.Add("eval.max_length", fmt.Sprint(r.config.Eval.MaxLength))
	err := in.AddFile("responses", r.path(filepath.Join(heldOutDir, feedback.CandidatesFile+".parquet")))
	if r.config.Eval.Judge {
		err = errors.Join(err, in.AddFile("labels", r.path(filepath.Join(heldLabelsDir, labels.PairsFile))))
	}
	return in, err
}

func (r roundSteps) reviewInputs() (loop.Inputs, error) {
	in := loop.Inputs{}
	in.Add("review.fraction", fmt.Sprint(r.config.Review.Fraction))
	in.Add("label.seed", fmt.Sprint(r.config.Label.Seed))
	return in, errors.Join(in.AddFile("labels", r.path(filepath.Join(labelsDir, labels.PairsFile))),
		in.AddFile("abstained", r.path(filepath.Join(labelsDir, labels.AbstainedFile))))
}
