package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nearFloat32 is how far rewards in bfloat16 may lie from those in float32, in
// standard deviations of these. Products of 8 bits of mantissa cost this model, which has
// been trained for twelve steps and says much the same of all texts, 0.1 of them at most.
const nearFloat32 = 0.2

// TestBfloat16NearFloat32: probe, handoff and benchmark in bfloat16 on XLA's CPU
// come close to what they are in float32, and are not the same.
func TestBfloat16NearFloat32(t *testing.T) {
	if _, err := os.Stat(filepath.Join(pluginFolder(t), "cpu")); err != nil {
		t.Skip("SKIPPED: bfloat16 needs XLA's plugin for the CPU, and none is in build/pjrt (make setup)")
	}
	t.Setenv("LAUREL_PJRT", pluginFolder(t))
	dir := inputs(t)
	mustRun(t, dir, "train", "--config", "run.yaml", "--out", "run")
	hh := filepath.Join("harmless-base", "test.jsonl")
	writeTranscripts(t, dir, "train.jsonl", hh)
	for _, dtype := range []string{"float32", "bfloat16"} {
		on := func(args ...string) {
			mustRun(t, dir, append(args, "--model", "run", "--backend", "cpu", "--dtype", dtype)...)
		}
		on("probe", "--data", "train.jsonl", "--out", "probes-"+dtype)
		on("handoff", "--data", "train.jsonl", "--out", "handoff-"+dtype)
		on("score", "--data", hh, "--out", "scores-"+dtype+".jsonl")
		on("benchmark", "--name", "hh", "--data", hh, "--out", "hh-"+dtype)
	}

	type edit struct{ Reward *float64 }
	full, half := linesOf[edit](t, dir, "probes-float32/probe.jsonl"), linesOf[edit](t, dir, "probes-bfloat16/probe.jsonl")
	var a, b []float64
	for i := range full {
		if full[i].Reward != nil && half[i].Reward != nil {
			a, b = append(a, *full[i].Reward), append(b, *half[i].Reward)
		}
	}
	std := alike(t, "probe", a, b)

	type pack struct {
		Model     struct{ DType string }
		Whitening struct{ Mean, Std float64 }
	}
	packs := [2]pack{linesOf[pack](t, dir, "handoff-float32/handoff.json")[0], linesOf[pack](t, dir, "handoff-bfloat16/handoff.json")[0]}
	if w, x := packs[0].Whitening, packs[1].Whitening; !(math.Abs(w.Mean-x.Mean) < nearFloat32*std) || !(math.Abs(w.Std-x.Std) < nearFloat32*std) || w == x || packs[1].Model.DType != "bfloat16" {
		t.Errorf("hand-offs say %+v", packs)
	}

	type scored struct {
		Chosen   float64 `json:"reward_chosen"`
		Rejected float64 `json:"reward_rejected"`
	}
	type result struct {
		DType string
		Score struct {
			Score *float64
			N     int
		}
		Sections []struct {
			Score *float64
			N     int
		}
	}
	for _, dtype := range []string{"float32", "bfloat16"} {
		right := 0.
		rows := linesOf[scored](t, dir, "scores-"+dtype+".jsonl")
		for _, r := range rows {
			if r.Chosen > r.Rejected {
				right++
			}
		}
		r := linesOf[result](t, dir, "hh-"+dtype+"/benchmark.json")[0]
		if s := r.Sections[0]; s.Score == nil || s.N != len(rows) || math.Abs(*s.Score-right/float64(len(rows))) > 1e-9 {
			t.Errorf("benchmark in %s says %+v, and of the rewards of score %v of %d are ranked right", dtype, r, right, len(rows))
		}
	}
	a, b = nil, nil
	for i, r := range linesOf[scored](t, dir, "scores-float32.jsonl") {
		h := linesOf[scored](t, dir, "scores-bfloat16.jsonl")[i]
		a, b = append(a, r.Chosen, r.Rejected), append(b, h.Chosen, h.Rejected)
	}
	alike(t, "score", a, b)
}

// alike fails where rewards lie further apart than nearFloat32, or not at all.
func alike(t *testing.T, what string, full, half []float64) (std float64) {
	t.Helper()
	mean, square, most := 0., 0., 0.
	for i, x := range full {
		mean, square, most = mean+x, square+x*x, max(most, math.Abs(x-half[i]))
	}
	n := float64(len(full))
	std = math.Sqrt(square/n - mean/n*mean/n)
	t.Logf("%s: %d rewards, standard deviation %.4g, differ by %.2g at most", what, len(full), std, most)
	if n < 8 || !(most > 0 && most < nearFloat32*std) {
		t.Errorf("%s: %d rewards in bfloat16 differ by up to %g from float32, whose standard deviation is %g", what, len(full), most, std)
	}
	return std
}

// writeTranscripts writes pairs as hh-rlhf has them.
func writeTranscripts(t *testing.T, dir, from, to string) {
	t.Helper()
	type pair struct{ Prompt, Chosen, Rejected string }
	var b strings.Builder
	for _, p := range linesOf[pair](t, dir, from) {
		whole := func(response string) string { return fmt.Sprintf("\n\nHuman: %s\n\nAssistant:%s", p.Prompt, response) }
		raw, err := json.Marshal(map[string]string{"chosen": whole(p.Chosen), "rejected": whole(p.Rejected)})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(raw, '\n'))
	}
	path := filepath.Join(dir, to)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// linesOf reads a file of JSON values.
func linesOf[T any](t *testing.T, dir, name string) (out []T) {
	t.Helper()
	for lines := json.NewDecoder(strings.NewReader(read(t, dir, name))); lines.More(); {
		var v T
		if err := lines.Decode(&v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, v)
	}
	return out
}
