package main

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"laurel/model"
	"laurel/model/safetensors"

	"github.com/rogpeppe/go-internal/testscript"
)

// flip flips a bit of a file: the lowest of the first digit behind a text.
// flip hf/laurel_golden.json '"logit":'
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip file text")
	}
	content := []byte(ts.ReadFile(args[0]))
	at := strings.Index(string(content), args[1])
	if at < 0 {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	at += len(args[1])
	digit := strings.IndexAny(string(content[at:]), "0123456789")
	if digit < 0 {
		ts.Fatalf("%s holds no digit behind %q", args[0], args[1])
	}
	content[at+digit] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o644))
}

// fillTensors copies a Hugging Face folder with every value of the tensors of
// some beginning set to a number: filltensors from to classifier.weight NaN.
func fillTensors(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: filltensors from to beginning value")
	}
	value, err := strconv.ParseFloat(args[3], 32)
	ts.Check(err)
	rewriteTensors(ts, args[0], args[1], func(t safetensors.Source) (safetensors.Source, bool) {
		if strings.HasPrefix(t.Name, args[2]) {
			t.Float32 = func() ([]float32, error) { return filled(t.Shape, float32(value)), nil }
		}
		return t, true
	})
}

// nudge copies a Hugging Face folder with one value of one tensor changed in
// one bit, the lowest of the exponent: nudge from to tensor.
func nudge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: nudge from to tensor")
	}
	rewriteTensors(ts, args[0], args[1], func(t safetensors.Source) (safetensors.Source, bool) {
		if t.Name == args[2] {
			read := t.Float32
			t.Float32 = func() ([]float32, error) {
				values, err := read()
				values[0] = math.Float32frombits(math.Float32bits(values[0]) ^ 1<<23)
				return values, err
			}
		}
		return t, true
	})
}

// beheaded copies a Hugging Face or PEFT folder without the score head's tensors:
// beheaded from to.
func beheaded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: beheaded from to")
	}
	rewriteTensors(ts, args[0], args[1], func(t safetensors.Source) (safetensors.Source, bool) {
		own := strings.TrimPrefix(t.Name, "base_model.model.")
		return t, !strings.HasPrefix(own, "classifier.") && !strings.HasPrefix(own, "score.")
	})
}

func filled(shape []int, value float32) []float32 {
	n := 1
	for _, d := range shape {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = value
	}
	return values
}

// rewriteTensors copies a folder with its tensors changed, or left out where
// change says false.
func rewriteTensors(ts *testscript.TestScript, from, to string, change func(safetensors.Source) (safetensors.Source, bool)) {
	from, to = ts.MkAbs(from), ts.MkAbs(to)
	ts.Check(os.CopyFS(to, os.DirFS(from)))
	file := "model.safetensors"
	if model.IsAdapter(from) {
		file = "adapter_model.safetensors"
	}
	weights, err := safetensors.Open(filepath.Join(from, file))
	ts.Check(err)
	defer weights.Close()
	var tensors []safetensors.Source
	for _, name := range weights.Names() {
		info, err := weights.Info(name)
		ts.Check(err)
		t, keep := change(safetensors.Source{Name: name, DType: info.DType, Shape: info.Shape,
			Float32: func() ([]float32, error) { return weights.Float32(name) }})
		if keep {
			tensors = append(tensors, t)
		}
	}
	ts.Check(safetensors.Write(filepath.Join(to, file), tensors, nil))
}
