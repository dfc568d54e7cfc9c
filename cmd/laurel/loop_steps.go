package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"laurel/feedback"
	"laurel/labels"
	"laurel/loop"
	"laurel/scoring"
	"laurel/selection"
)

// The steps of a round, in their order.
const (
	stepPrompts   = "prompts"
	stepGenerate  = "generate"
	stepLabel     = "label"
	stepMerge     = "merge people's answers"
	stepTrain     = "train"
	stepHeldOut   = "generate held out"
	stepJudge     = "label held out"
	stepEvaluate  = "evaluate"
	stepBestOfN   = "best of n"
	stepReview    = "review"
	reviewFile    = "review.csv"
	promptsFile   = "prompts/train.jsonl"
	heldOutFile   = "prompts/held-out.jsonl"
	responsesDir  = "responses"
	labelsDir     = "labels"
	mergedDir     = "merged"
	startDir      = "start"
	runDir        = "run"
	heldOutDir    = "held-out"
	heldLabelsDir = "held-out-labels"
	evalDir       = "eval"
	bestDir       = "best-of-n"
)

// roundSteps are the steps of one round.
type roundSteps struct {
	*looping
	config loop.Config
	n      int
}

func (r roundSteps) path(name string) string { return filepath.Join(loop.RoundDir(r.dir, r.n), name) }

// before is a path in the folder of another round.
func (r roundSteps) before(round int, name string) string {
	return filepath.Join(loop.RoundDir(r.dir, round), name)
}

func (l *looping) steps(n int) []loop.Step {
	r := roundSteps{l, l.rounds[n-1], n}
	steps := []loop.Step{
		{Name: stepPrompts, Output: r.path("prompts"), Inputs: r.promptInputs, Run: r.deal},
		{Name: stepGenerate, Output: r.path(responsesDir), Inputs: r.generateInputs(promptsFile), Run: r.generate},
		{Name: stepLabel, Output: r.path(labelsDir), Inputs: r.labelInputs(responsesDir), Run: r.label},
		{Name: stepMerge, Output: r.path(mergedDir), Inputs: r.mergeInputs, Run: r.merge},
		{Name: stepTrain, Output: r.path(runDir), Inputs: r.trainInputs, Run: r.train},
		{Name: stepHeldOut, Output: r.path(heldOutDir), Inputs: r.generateInputs(heldOutFile), Run: r.generateHeldOut},
	}
	if r.config.Eval.Judge {
		steps = append(steps, loop.Step{Name: stepJudge, Output: r.path(heldLabelsDir), Inputs: r.labelInputs(heldOutDir), Run: r.labelHeldOut})
	}
	steps = append(steps,
		loop.Step{Name: stepEvaluate, Output: r.path(evalDir), Inputs: r.evalInputs, Run: r.evaluate},
		loop.Step{Name: stepBestOfN, Output: r.path(bestDir), Inputs: r.bestInputs, Run: r.best})
	if r.config.Review.Fraction > 0 {
		steps = append(steps, loop.Step{Name: stepReview, Output: "", Inputs: r.reviewInputs, Run: r.review})
	}
	return steps
}

// deal writes the prompts of the round, and those held out.
func (r roundSteps) deal(ctx context.Context, s *loop.RoundState) (err error) {
	if err := os.MkdirAll(r.path("prompts"), 0o755); err != nil {
		return err
	}
	if s.Measures.Prompts, err = r.split.Write(r.path(promptsFile), r.n, r.prompts(ctx)); err != nil {
		return err
	}
	_, err = r.split.Write(r.path(heldOutFile), loop.HeldOutPart, r.prompts(ctx))
	return err
}

func (r roundSteps) generate(ctx context.Context, s *loop.RoundState) error {
	summary, err := r.respond(ctx, promptsFile, responsesDir)
	if err == nil {
		s.Measures.Responses, s.Measures.Comparisons = summary.Written, summary.Comparisons
	}
	return err
}

func (r roundSteps) generateHeldOut(ctx context.Context, _ *loop.RoundState) error {
	_, err := r.respond(ctx, heldOutFile, heldOutDir)
	return err
}

// respond has the responses to a file of prompts written.
func (r roundSteps) respond(ctx context.Context, prompts, dir string) (*feedback.GenerationSummary, error) {
	g := generation{promptRun: promptRun{dir: r.path(dir), files: []string{r.path(prompts)}, overwrite: true, out: r.log, log: r.log, shared: r.store}}
	g.config, _ = budgeted(r.config)
	err := g.run(ctx)
	return g.summary, err
}

// labelled labels the comparisons of a folder of responses.
func (r roundSteps) labelled(ctx context.Context, step, from, dir, gold string) (*labelling, error) {
	l := &labelling{dir: r.path(dir), files: []string{r.path(from + "/" + feedback.ComparisonsFile + ".parquet")}, goldFile: gold,
		overwrite: true, out: r.log, log: r.log, shared: r.store, backends: r.backends}
	_, l.config = budgeted(r.config)
	l.planned = func(plan *feedback.Plan) error { return r.loop.Reused(r.n, step, plan.Kept) }
	return l, l.run(ctx)
}

func (r roundSteps) label(ctx context.Context, s *loop.RoundState) error {
	l, err := r.labelled(ctx, stepLabel, responsesDir, labelsDir, r.config.Gold)
	if err != nil {
		return err
	}
	s.Measures.Label(l.summary, l.measured, *s.Steps[stepLabel].Reused)
	return nil
}

func (r roundSteps) labelHeldOut(ctx context.Context, s *loop.RoundState) error {
	l, err := r.labelled(ctx, stepJudge, heldOutDir, heldLabelsDir, "")
	if err != nil {
		return err
	}
	s.Measures.LabelHeldOut(l.summary, *s.Steps[stepJudge].Reused)
	return nil
}

// answered are the earlier rounds whose comparisons people have answered.
func (r roundSteps) answered() (rounds []int, err error) {
	if r.config.TrainOn == loop.Last {
		return nil, nil // it trains on none of theirs
	}
	for round := 1; round < r.n; round++ {
		file := r.before(round, reviewFile)
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			continue
		}
		n, err := labels.AnswersIn(file)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			rounds = append(rounds, round)
		}
	}
	return rounds, nil
}

// merge takes people's answers about earlier rounds into their labels.
func (r roundSteps) merge(_ context.Context, s *loop.RoundState) error {
	rounds, err := r.answered()
	if err != nil {
		return err
	}
	s.Measures.People = loop.People{}
	for _, round := range rounds {
		m := merging{labels: r.before(round, labelsDir), reviewed: []string{r.before(round, reviewFile)}, dir: r.merged(round),
			confidence: r.config.Review.HumanConfidence, onBadRow: "fail", overwrite: true, out: r.log, log: r.log}
		if err := m.run(); err != nil {
			return err
		}
		s.Measures.People.Merged += m.summary.Answered
		s.Measures.People.Overturned += m.summary.Overturned
		s.Measures.People.Decided += m.summary.Decided
	}
	if len(rounds) == 0 {
		_, err = fmt.Fprintln(r.log, "no answers of people to merge")
	}
	return err
}

// merged is where an earlier round's labels with people's answers are.
func (r roundSteps) merged(round int) string {
	return r.path(filepath.Join(mergedDir, filepath.Base(loop.RoundDir("", round))))
}

// pairs are the files that the round trains on.
func (r roundSteps) pairs() ([]string, error) {
	answered, err := r.answered()
	if err != nil {
		return nil, err
	}
	var files []string
	for round := 1; round <= r.n; round++ {
		switch {
		case round == r.n:
			files = append(files, r.path(filepath.Join(labelsDir, labels.PairsFile)))
		case r.config.TrainOn == loop.Last:
		case slices.Contains(answered, round):
			files = append(files, filepath.Join(r.merged(round), labels.PairsFile))
		default:
			files = append(files, r.before(round, filepath.Join(labelsDir, labels.PairsFile)))
		}
	}
	return files, nil
}

func (r roundSteps) train(ctx context.Context, s *loop.RoundState) error {
	files, err := r.pairs()
	if err != nil {
		return err
	}
	t := training{dir: r.path(runDir), resume: true, out: r.log, config: r.config.Train, backends: r.backends}
	t.config.Data.Train = files
	if r.config.Start == loop.Last && r.n > 1 {
		t.config.Model.Config = ""
		if t.config.Model.Path, err = r.lastModel(ctx); err != nil {
			return err
		}
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	s.Measures.Pairs = t.pairs
	return nil
}

// lastModel is the model of the round before, to start from. An adapter is worked into
// its base first, into a folder of the round's own, which a new adapter names as its base.
func (r roundSteps) lastModel(ctx context.Context) (string, error) {
	run := r.before(r.n-1, runDir)
	if r.rounds[r.n-2].Train.Model.LoRA.Rank == 0 {
		return run, nil
	}
	merged := r.path(startDir)
	if begun, err := os.Stat(r.path(runDir)); err == nil && begun.IsDir() {
		if _, err := os.Stat(merged); err == nil { // the training goes on
			return merged, nil
		}
	}
	e := exporting{ref: run, revision: "main", dir: merged, backend: r.config.Train.Backend, merge: true, overwrite: true, out: r.log, backends: r.backends}
	return merged, e.run(ctx)
}

// evalFiles are the pairs that the model is measured on.
func (r roundSteps) evalFiles() []string {
	if len(r.config.Eval.Data) > 0 {
		return r.config.Eval.Data
	}
	return []string{r.path(filepath.Join(heldLabelsDir, labels.PairsFile))}
}

func (r roundSteps) evaluate(ctx context.Context, s *loop.RoundState) (err error) {
	c := r.config.Eval
	e := evaluation{ref: r.path(runDir), revision: "main", dir: r.path(evalDir), columns: c.Columns, onBadRow: c.OnBadRow, maxLength: c.MaxLength,
		backend: r.config.Train.Backend, dtype: "float32", overwrite: true, out: r.log, log: r.log, backends: r.backends}
	if e.files, err = localData(ctx, r.evalFiles(), r.log); err != nil {
		return err
	}
	if err := e.run(ctx); err != nil {
		return err
	}
	data := "responses held out, as the judges label them"
	if len(c.Data) > 0 {
		data = fmt.Sprint(c.Data)
	}
	s.Measures.Evaluate(data, e.measured)
	return nil
}

// best scores the responses to the prompts held out and keeps the best of each.
func (r roundSteps) best(ctx context.Context, s *loop.RoundState) error {
	out := filepath.Join(r.path(bestDir), "scores.parquet")
	score := scoreRun{ref: r.path(runDir), revision: "main", file: r.path(heldOutDir + "/" + feedback.CandidatesFile + ".parquet"), out: out,
		sftOut: filepath.Join(r.path(bestDir), "best.jsonl"), choice: selection.Config{BestOf: r.config.BestOf, TopK: 1}, maxLength: r.config.Eval.MaxLength,
		backend: r.config.Train.Backend, dtype: "float32", groupRows: scoring.GroupRows, overwrite: true, log: r.log, backends: r.backends}
	if err := score.run(ctx); err != nil {
		return err
	}
	if !r.config.Eval.Judge {
		return s.Measures.Select(score.chooser.Best(), nil)
	}
	return s.Measures.Select(score.chooser.Best(), labels.ReadLabels(r.path(heldLabelsDir)))
}

// review writes the comparisons that people should look at. What they have answered
// is not written over.
func (r roundSteps) review(_ context.Context, s *loop.RoundState) error {
	file := r.path(reviewFile)
	if _, err := os.Stat(file); err == nil {
		n, err := labels.AnswersIn(file)
		if err != nil {
			return err
		}
		if n > 0 {
			_, err = fmt.Fprintf(r.log, "%s has %d answers, and stays as it is\n", file, n)
			return err
		}
	}
	l := labelling{dir: r.path(labelsDir), config: r.config.Label, reviewFile: file, reviewFraction: r.config.Review.Fraction, log: r.log}
	if err := l.review(); err != nil {
		return err
	}
	s.Measures.People.Asked = l.forPeople
	return nil
}

// trained stands for what decided a round's model, for the steps that use it.
func (r roundSteps) trained(round int) string {
	if done := r.state.Rounds[round-1].Steps[stepTrain]; done != nil {
		return done.Inputs.Digest()
	}
	return ""
}
