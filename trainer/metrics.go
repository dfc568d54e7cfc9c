package trainer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"laurel/data"
	"laurel/data/batches"
	"laurel/eval"
)

// MetricsFile holds one JSON object a line: a training line every log_every
// steps, means over the steps since the last, and a validation line for
// every evaluation.
const MetricsFile = "metrics.jsonl"

// Line is one line of metrics.jsonl.
type Line struct {
	Step               int      `json:"step"`
	Loss               *float64 `json:"loss,omitempty"`
	Accuracy           *float64 `json:"accuracy,omitempty"` // ties count one half
	Margin             *float64 `json:"margin,omitempty"`   // mean of chosen − rejected
	MeanReward         *float64 `json:"mean_reward,omitempty"`
	LearningRate       *float64 `json:"learning_rate,omitempty"`
	GradNorm           *float64 `json:"grad_norm,omitempty"` // before clipping
	PairsPerSecond     *float64 `json:"pairs_per_second,omitempty"`
	TokensPerSecond    *float64 `json:"tokens_per_second,omitempty"` // real ones, padding not counted
	Padding            *float64 `json:"padding_share,omitempty"`     // share of the computed ids that are padding
	Skipped            int      `json:"skipped,omitempty"`           // non-finite steps so far
	ValidationLoss     *float64 `json:"validation_loss,omitempty"`
	ValidationAccuracy *float64 `json:"validation_accuracy,omitempty"`
	ValidationMargin   *float64 `json:"validation_margin,omitempty"`
	// ValidationObjective is the run's own loss of the validation pairs: weights,
	// targets, margins and centring as in training, without dropout.
	ValidationObjective *float64 `json:"validation_objective,omitempty"`
}

// window sums what a training line tells. It is part of the saved state, so
// that a resumed run writes the lines that it would have written.
type window struct {
	Steps    int     `json:"steps"` // with a finite loss
	Loss     float64 `json:"loss"`
	GradNorm float64 `json:"grad_norm"`
	Pairs    int     `json:"pairs"`
	Right    float64 `json:"right"`
	Margin   float64 `json:"margin"`
	Reward   float64 `json:"reward"`
	Tokens   int     `json:"tokens"`
	Computed int     `json:"computed"` // ids, padding included

	started                 time.Time // when this process made the window's first step
	timedPairs, timedTokens int       // done since, for the rates
}

// newWindow starts the clock of a line.
func newWindow() window { return window{started: time.Now()} }

func (w *window) add(r *stepResult, batches []*batches.Batch) {
	for _, b := range batches {
		w.Tokens += b.Tokens
		w.Computed += b.R * b.T
		w.timedTokens += b.Tokens
		w.timedPairs += b.Pairs
	}
	if !r.Finite {
		return
	}
	w.Steps++
	w.Loss += r.Loss
	w.GradNorm += r.GradNorm
	for i := range r.Chosen {
		c, j := float64(r.Chosen[i]), float64(r.Rejected[i])
		w.Pairs++
		w.Margin += c - j
		w.Reward += (c + j) / 2
		switch {
		case c > j:
			w.Right++
		case c == j:
			w.Right += 0.5
		}
	}
}

// line gives the means; values that no finite step gave are left out.
func (w *window) line(step int, learningRate float64, skipped int) Line {
	seconds := time.Since(w.started).Seconds()
	mean := func(sum float64, n int) *float64 {
		if n == 0 || !finite(sum) {
			return nil
		}
		value := sum / float64(n)
		return &value
	}
	rate := func(n int) *float64 {
		value := float64(n) / math.Max(seconds, 1e-9)
		return &value
	}
	padding := 1 - float64(w.Tokens)/float64(max(1, w.Computed))
	return Line{Step: step, Loss: mean(w.Loss, w.Steps), GradNorm: mean(w.GradNorm, w.Steps),
		Accuracy: mean(w.Right, w.Pairs), Margin: mean(w.Margin, w.Pairs), MeanReward: mean(w.Reward, w.Pairs),
		LearningRate: &learningRate, PairsPerSecond: rate(w.timedPairs), TokensPerSecond: rate(w.timedTokens),
		Padding: &padding, Skipped: skipped}
}

// appendLine adds a line to metrics.jsonl.
func appendLine(runDir string, line Line) error {
	raw, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("metrics of step %d: %w", line.Step, err)
	}
	file, err := os.OpenFile(filepath.Join(runDir, MetricsFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(raw, '\n'))
	return errors.Join(err, file.Close())
}

// ReadMetrics reads metrics.jsonl; a last line cut short by a kill is left
// out.
func ReadMetrics(runDir string) ([]Line, error) {
	raw, err := os.ReadFile(filepath.Join(runDir, MetricsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var lines []Line
	for scanner := bufio.NewScanner(bytes.NewReader(raw)); scanner.Scan(); {
		var line Line
		if json.Unmarshal(scanner.Bytes(), &line) == nil {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// forgetAfter drops the lines of what a resumed run makes again: steps after
// the checkpoint's, and validations after its last.
func forgetAfter(runDir string, state State) error {
	lines, err := ReadMetrics(runDir)
	if err != nil || lines == nil {
		return err
	}
	var kept bytes.Buffer
	encoder := json.NewEncoder(&kept)
	for _, line := range lines {
		if line.Step > state.Step || line.ValidationLoss != nil && line.Step > state.Validated {
			continue
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return data.WriteFile(filepath.Join(runDir, MetricsFile), kept.Bytes())
}

// Curve is the training curve for plots.
func Curve(lines []Line) []eval.Point {
	value := func(x *float64) float64 {
		if x == nil {
			return math.NaN()
		}
		return *x
	}
	var points []eval.Point
	for _, l := range lines {
		p := eval.Point{Step: l.Step, Loss: value(l.Loss), Accuracy: value(l.Accuracy), Margin: value(l.Margin),
			LearningRate: value(l.LearningRate), GradNorm: value(l.GradNorm), Pace: value(l.PairsPerSecond)}
		if l.ValidationLoss != nil || l.ValidationAccuracy != nil {
			loss := l.ValidationLoss
			if l.ValidationObjective != nil { // as the training loss is; older runs have none
				loss = l.ValidationObjective
			}
			p = eval.Point{Step: l.Step, Loss: value(loss), Accuracy: value(l.ValidationAccuracy),
				Margin: value(l.ValidationMargin), LearningRate: math.NaN(), GradNorm: math.NaN(), Pace: math.NaN(), Validation: true}
		}
		points = append(points, p)
	}
	return points
}
