package verify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"laurel/model"
)

// present lists which of the files are there and which are not.
func present(dir string, names ...string) (there, missing []string) {
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			there = append(there, name)
		} else {
			missing = append(missing, name)
		}
	}
	return there, missing
}

// checkFiles looks for what every reader of the directory asks for.
func checkFiles(s *subject) Check {
	there, missing := present(s.configDir(), "config.json")
	tokenizerDir := s.source.Dir
	if s.tokenizer != nil {
		tokenizerDir = s.tokenizer.Dir()
	}
	t, m := present(tokenizerDir, "tokenizer.json", "tokenizer_config.json")
	there, missing = append(there, t...), append(missing, m...)
	weights, absent := present(s.source.Base, "model.safetensors", "model.safetensors.index.json")
	there = append(there, weights...)
	if len(weights) == 0 {
		missing = append(missing, absent[0])
	}
	if s.source.Base != s.source.Dir {
		t, m := present(s.source.Dir, "adapter_config.json", "adapter_model.safetensors")
		there, missing = append(there, t...), append(missing, m...)
	}
	if len(missing) > 0 {
		return failed("export the model anew with laurel export, or save it in Python with model.save_pretrained(DIR) and tokenizer.save_pretrained(DIR)",
			"missing: %s", strings.Join(missing, ", "))
	}
	return ok("%s", strings.Join(there, ", "))
}

// checkWeights loads every tensor, which holds each to its shape and to
// finite values.
func checkWeights(s *subject) Check {
	if s.modelErr != nil {
		fix := "fetch or export the model anew"
		if errors.Is(s.modelErr, os.ErrNotExist) {
			fix = "put the missing file there; " + fix
		}
		return failed(fix, "%v", s.modelErr)
	}
	detail := fmt.Sprintf("%d tensors, %d parameters, shapes as config.json says, every value finite", s.weights.Loaded.Tensors, s.weights.NumParameters())
	if n := len(s.weights.Loaded.Dropped); n > 0 {
		detail += fmt.Sprintf("; %d not needed for a reward: %s", n, strings.Join(s.weights.Loaded.Dropped, ", "))
	}
	for _, note := range s.weights.Loaded.Notes {
		detail += "; " + note
	}
	if n := len(s.weights.Loaded.Buffers); n > 0 {
		detail += fmt.Sprintf("; %d that older versions of transformers saved and that are computed here: %s", n, strings.Join(s.weights.Loaded.Buffers, ", "))
	}
	return ok("%s", detail)
}

// checkHead asks for a score head that was trained.
func checkHead(s *subject) Check {
	if head := (*model.HeadError)(nil); errors.As(s.modelErr, &head) {
		return failed("fetch, save or export the model anew, with the head of its training", "%v", head)
	}
	if s.weights == nil {
		return skipped("the weights do not load")
	}
	if s.weights.Loaded.NewHead {
		return failed("train it first (model.path: "+s.source.Dir+"), or export the checkpoint that has the head",
			"no score head: the weights lack %s", strings.Join(s.weights.Loaded.New, ", "))
	}
	zero, err := s.weights.ZeroHead()
	switch {
	case err != nil:
		return failed("", "%v", err)
	case len(zero) > 0:
		return warning("train it: a head of zeros gives every text the same reward", "nothing but zeros: %s", strings.Join(zero, ", "))
	case !s.weights.Config.Recorded.Head.Own():
		return warning("score with laurel; train without model.head for a model that transformers reads whole",
			"trained, but transformers has no such head (pooling %s, %s) and would draw a new one", s.weights.Config.Recorded.Head.Pooling, s.weights.Config.Recorded.Head.Kind)
	}
	return ok("there, and not zero")
}
