package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// ReadPeers reads what another engine's script measured: one Speed a line, of
// which engine, device, the load, step_s, tokens_per_s and memory_bytes count.
func ReadPeers(path string) ([]Speed, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var rows []Speed
	for decoder := json.NewDecoder(file); ; {
		var row Speed
		switch err := decoder.Decode(&row); {
		case err == io.EOF:
			return rows, nil
		case err != nil:
			return nil, fmt.Errorf("%s: measurement %d: %w", path, len(rows)+1, err)
		case row.Engine == "" || row.Step <= 0:
			return nil, fmt.Errorf("%s: measurement %d has no engine or no step_s: want the lines that bench/torch_step.py and bench/jax_step.py print", path, len(rows)+1)
		}
		rows = append(rows, row)
	}
}

// sameWork tells whether two rows measured the same load: precision, size of
// the batch and what is trained.
func (s Speed) sameWork(o Speed) bool {
	return s.Shape == o.Shape && s.Pairs == o.Pairs && s.Tokens == o.Tokens && s.DType == o.DType && s.LoRA == o.LoRA && s.Blocks == o.Blocks
}

// Print writes a table of ours, and of the peers that did the same work with
// how much faster ours is.
func Print(out io.Writer, ours, peers []Speed) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "engine\tshape\ttokens\ttrained\ttokens/s\tTFLOP/s\tMFU\tstep\tgradients\tupdate\tfirst step\tmemory\tscoring tokens/s\tlaurel is\t")
	for _, s := range ours {
		s.row(w, "")
		for _, p := range peers {
			if s.sameWork(p) {
				p.StepFLOPs, p.Peak = s.StepFLOPs, s.Peak
				p.TFLOPs = p.StepFLOPs / p.Step / 1e12
				p.MFU = p.TFLOPs / p.Peak
				p.row(w, fmt.Sprintf("%.2f× as fast", p.Step/s.Step))
			}
		}
	}
	if err := w.Flush(); err != nil || len(ours) == 0 {
		return err
	}
	s := ours[0]
	_, err := fmt.Fprintf(out, "%s, %s: %d pairs a step, %s; MFU: TFLOP/s of the model's own operations over %.4g TFLOP/s (%s)\n",
		s.Device, s.Plugin, s.Pairs, s.DType, s.Peak, s.PeakFrom)
	return err
}

func (s Speed) row(w io.Writer, ratio string) {
	trained := "all"
	if s.LoRA {
		trained = "LoRA"
	}
	if s.Checkpoint {
		trained += ", recomputed"
	}
	known := func(format string, value, scale float64) string {
		if value == 0 {
			return "-"
		}
		return fmt.Sprintf(format, value*scale)
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%.0f\t%.4g\t%.1f%%\t%.4g ms\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.Engine, s.Shape, s.Tokens, trained,
		s.TokensPerSecond, s.TFLOPs, 100*s.MFU, 1e3*s.Step, known("%.4g ms", s.Gradients, 1e3), known("%.4g ms", s.Update, 1e3),
		known("%.3g s", s.FirstStep, 1), known("%.2f GB", s.MemoryBytes, 1e-9), known("%.0f", s.ScoreTokens, 1), ratio)
}
