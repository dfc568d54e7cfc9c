package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data/tokenizer"
	"laurel/model"
	"laurel/scoring"
)

func verifyCommand() *cobra.Command {
	var ref, revision, backend string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify --model DIR",
		Short: "Check an exported or downloaded model before it is served",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model"); err != nil {
				return err
			}
			out, log := outputs(cmd, asJSON)
			report, err := verify(cmd.Context(), ref, revision, backend, log)
			if err != nil {
				return err
			}
			if err := report.write(out, asJSON); err != nil {
				return err
			}
			if report.Failed > 0 {
				return fmt.Errorf("verify %s: %d of %d checks failed; what fixes each is said above", ref, report.Failed, len(report.Checks))
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&ref, "model", "", "Hugging Face directory, run directory or hub name")
	flags.StringVar(&revision, "revision", "main", "branch, tag or commit of a hub name")
	flags.StringVar(&backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// What a check can come to. One is skipped where an earlier failure leaves it
// nothing to look at.
const (
	statusOK      = "ok"
	statusWarning = "warning"
	statusFailed  = "failed"
	statusSkipped = "skipped"
)

// result is what one check found.
type result struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

func ok(detail string, args ...any) result {
	return result{Status: statusOK, Detail: fmt.Sprintf(detail, args...)}
}

func warning(fix, detail string, args ...any) result {
	return result{Status: statusWarning, Fix: fix, Detail: fmt.Sprintf(detail, args...)}
}

func failed(fix, detail string, args ...any) result {
	return result{Status: statusFailed, Fix: fix, Detail: fmt.Sprintf(detail, args...)}
}

func skipped(why string) result { return result{Status: statusSkipped, Detail: why} }

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
	check func(*subject) result
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

// verification is the outcome of all checks.
type verification struct {
	Model    string   `json:"model"`
	Checks   []result `json:"checks"`
	OK       int      `json:"ok"`
	Warnings int      `json:"warnings"`
	Failed   int      `json:"failed"`
	Skipped  int      `json:"skipped"`
}

func verify(ctx context.Context, ref, revision, backendName string, log io.Writer) (*verification, error) {
	dir, err := modelDir(ctx, ref, revision, log)
	if err != nil {
		return nil, err
	}
	backend, _, err := openBackend(backendName, log)
	if err != nil {
		return nil, err
	}
	s := openSubject(ctx, dir, backend, log)
	if s.tokenizer != nil {
		defer s.tokenizer.Close()
	}
	v := &verification{Model: dir}
	for _, c := range checks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r := c.check(s)
		r.Name = c.name
		v.add(r)
	}
	return v, nil
}

// openSubject reads what can be read and keeps what cannot as errors.
func openSubject(ctx context.Context, dir string, backend model.Backend, log io.Writer) *subject {
	options, finish := opening("main", 0, log)
	defer finish()
	s := &subject{}
	if s.source, s.modelErr = scoring.Find(ctx, dir, options); s.modelErr != nil {
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

func (v *verification) add(r result) {
	v.Checks = append(v.Checks, r)
	switch r.Status {
	case statusOK:
		v.OK++
	case statusWarning:
		v.Warnings++
	case statusFailed:
		v.Failed++
	case statusSkipped:
		v.Skipped++
	}
}

func (v *verification) write(out io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(out, v)
	}
	var b strings.Builder
	for _, r := range v.Checks {
		status := r.Status
		if status == statusFailed {
			status = "FAILED"
		}
		fmt.Fprintf(&b, "%-8s %-14s %s\n", status, r.Name, indented(r.Detail))
		if r.Fix != "" {
			fmt.Fprintf(&b, "%-8s %-14s fix: %s\n", "", "", indented(r.Fix))
		}
	}
	fmt.Fprintf(&b, "%s: %d ok, %d warnings, %d failed", v.Model, v.OK, v.Warnings, v.Failed)
	if v.Skipped > 0 {
		fmt.Fprintf(&b, ", %d skipped", v.Skipped)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(out, b.String())
	return err
}

// indented keeps the lines of a text below its column.
func indented(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+strings.Repeat(" ", 24))
}

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
func checkFiles(s *subject) result {
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
func checkWeights(s *subject) result {
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
	return ok("%s", detail)
}

// checkHead asks for a score head that was trained.
func checkHead(s *subject) result {
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
