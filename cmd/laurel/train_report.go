package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"laurel/eval"
	"laurel/eval/draw"
	"laurel/model"
	"laurel/trainer"
)

// report writes what the run was worth, and where everything lies.
func (t *training) report(p *prepared, result *trainer.Result) error {
	run, err := t.shown(p, result)
	if err != nil {
		return err
	}
	plots, html := filepath.Join(t.dir, "plots"), filepath.Join(t.dir, "report.html")
	if _, err := eval.WritePlots(plots, []eval.Run{run}); err != nil {
		return err
	}
	if err := eval.WriteHTML(html, []eval.Run{run}); err != nil {
		return err
	}
	if err := t.printReport(run, result); err != nil {
		return err
	}
	if result.Best != nil {
		if err := t.keep(p, result.Best, result.State); err != nil {
			return err
		}
	}
	best, why, err := trainer.BestCheckpoint(t.dir)
	if err != nil {
		return err
	}
	if err := t.calibrate(run, best); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "\ncheckpoint  %s (%s)\nreport      %s\nplots       %s\nmetrics     %s\n", best, why, html, plots, filepath.Join(t.dir, trainer.MetricsFile))
	if result.Pairs > 0 { // a finished run that is resumed makes no steps
		fmt.Fprintf(t.out, "pace        %d pairs in %.0f s of steps, compiling included: %.2f pairs/s\n",
			result.Pairs, result.Stepping.Seconds(), float64(result.Pairs)/max(result.Stepping.Seconds(), 1e-9))
	}
	_, err = fmt.Fprintf(t.out, "peak memory %s\n", peakMemory())
	return err
}

// shown is the run as its report shows it.
func (t *training) shown(p *prepared, result *trainer.Result) (run eval.Run, err error) {
	lines, err := trainer.ReadMetrics(t.dir)
	if err != nil {
		return run, err
	}
	run = eval.Run{Name: filepath.Base(t.dir), Model: t.baseModel(), Data: t.config.Data.Validation.String(),
		Curve: trainer.Curve(lines), Loss: t.config.Train.LossName(), Facts: t.facts(p, result.State)}
	if best := result.State.Best; best != nil {
		run.Kept = best.Step
	}
	if result.Best != nil {
		run.Report = result.Best.Report
		run.Examples, err = run.Report.Examples(p.pairs.validationPairs())
	}
	return run, err
}

// keep writes the validation of the checkpoint that is kept where laurel report and
// board look for it: at each that is the best so far, and at the end.
func (t *training) keep(p *prepared, m *trainer.Measured, state trainer.State) error {
	if err := (eval.Made{Model: t.dir, Data: []string{t.config.Data.Validation.String()}, Facts: t.facts(p, state)}).Write(t.dir); err != nil {
		return err
	}
	if err := m.Report.WriteJSON(filepath.Join(t.dir, "report.json")); err != nil {
		return err
	}
	return eval.WritePairs(filepath.Join(t.dir, eval.PairsFile), m.Rows, p.pairs.validationPairs())
}

// printReport prints the validation of the checkpoint that is kept.
func (t *training) printReport(run eval.Run, result *trainer.Result) error {
	if run.Report == nil {
		return nil
	}
	fmt.Fprintf(t.out, "\nvalidation at step %d", run.Report.Step)
	if run.Report.Step == run.Kept {
		fmt.Fprint(t.out, ", the checkpoint that is kept")
	}
	fmt.Fprintf(t.out, " (the run has %d steps):\n", result.State.Step)
	return run.Report.Print(t.out)
}

// calibrate stores the temperature of the validation pairs with the checkpoint that
// they were measured of.
func (t *training) calibrate(run eval.Run, checkpoint string) error {
	r := run.Report
	if r == nil || r.Calibration == nil || r.Calibration.Fitted == nil || r.Step != run.Kept {
		return nil
	}
	path, err := storeTemperature(checkpoint, r.Calibration.Fitted, t.config.Data.Validation.String(), "laurel train")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.out, "\ntemperature %s: in %s, for score --probability and judges\n", r.Calibration.Fitted.Describe(), path)
	return err
}

// peakMemory is the most that this process has held.
func peakMemory() string {
	bytes, ok := model.ProcessPeak()
	if !ok {
		return "not known on this system"
	}
	return fmt.Sprintf("%.2f GB", bytes/1e9)
}

// facts are what the run was made with.
func (t *training) facts(p *prepared, state trainer.State) []draw.Fact {
	c, m := t.config.Train, t.config.Model
	facts := []draw.Fact{{Name: "run", Value: t.dir}, {Name: "base model", Value: t.baseModel()},
		{Name: "parameters", Value: fmt.Sprintf("%d, of them trained %d; products in %s", p.Model.NumParameters(), p.Model.NumTrainable(), m.DType)},
		{Name: "training pairs", Value: pairsOf(strings.Join(t.config.Data.Train, ", "), p.Train.Len())}}
	if p.Validation != nil {
		facts = append(facts, draw.Fact{Name: "validation pairs", Value: pairsOf(t.config.Data.Validation.String(), p.Validation.Len())})
	}
	if m.LoRA.Rank > 0 {
		facts = append(facts, draw.Fact{Name: "adapter", Value: fmt.Sprintf("LoRA, rank %d, alpha %v, dropout %v", m.LoRA.Rank, m.LoRA.Alpha, m.LoRA.Dropout)})
	}
	facts = append(facts, draw.Fact{Name: "max_length", Value: fmt.Sprintf("%d, cut on the %s", p.scored.MaxLength, m.TruncationSide)},
		draw.Fact{Name: "learning rate", Value: fmt.Sprintf("%g, %s, %s", c.LearningRate, c.Schedule, warmup(c))},
		draw.Fact{Name: "batch", Value: batch(c)},
		draw.Fact{Name: "steps", Value: fmt.Sprintf("%d, of %g epochs; %d skipped as not finite", state.Step, c.Epochs, state.Skipped)},
		draw.Fact{Name: "loss", Value: c.LossName() + ", normalised by " + c.Normalize},
		draw.Fact{Name: "dropout", Value: dropout(c.Dropout.For(p.Model))},
		draw.Fact{Name: "weight decay, clipping", Value: fmt.Sprintf("%g, gradient norm %g", c.WeightDecay, c.MaxGradNorm)},
		draw.Fact{Name: "seed", Value: strconv.FormatUint(c.Seed, 10)},
		draw.Fact{Name: "backend", Value: p.choice.String()})
	return append(facts, madeBy()...)
}

// baseModel is what training began from.
func (t *training) baseModel() string {
	m := t.config.Model
	switch {
	case m.Config != "":
		return "from scratch by " + m.Config
	case m.Revision != "" && m.Revision != "main":
		return m.Path + " at " + m.Revision
	}
	return m.Path
}

func pairsOf(set string, n int) string {
	return fmt.Sprintf("%d of %s", n, set)
}

func warmup(c trainer.Config) string {
	if c.WarmupSteps > 0 {
		return fmt.Sprintf("warm-up of %d steps", c.WarmupSteps)
	}
	if c.WarmupRatio == 0 {
		return "no warm-up"
	}
	return fmt.Sprintf("warm-up of %g of the steps", c.WarmupRatio)
}

func batch(c trainer.Config) string {
	if c.GradientAccumulationSteps > 1 {
		return fmt.Sprintf("%d pairs, %d batches a step", c.BatchSize, c.GradientAccumulationSteps)
	}
	return fmt.Sprintf("%d pairs", c.BatchSize)
}

func dropout(d trainer.Dropout) string {
	if d == trainer.FromModel {
		return "as the model's config.json has it; off in validation"
	}
	return d.String() + "; off in validation"
}
