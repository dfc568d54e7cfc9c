package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"laurel/model/plugins"
	"laurel/model/safetensors"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"

	. "github.com/gomlx/gomlx/core/graph"
)

// golden is the folder of numbers from transformers; tests that need it skip
// where it is absent.
func golden(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "shared", "golden"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIPPED, parity with transformers not tested: %v", err)
	}
	return path
}

// backends are those that numbers are compared on: pure Go always, XLA where
// the plugin is.
func backends(t *testing.T) map[string]compute.Backend {
	t.Helper()
	all := map[string]compute.Backend{}
	names := []string{"go"}
	t.Setenv("LAUREL_PJRT", filepath.Join("..", "build", "pjrt"))
	if _, err := plugins.Find("cpu"); err == nil {
		names = append(names, "cpu")
	} else {
		t.Logf("SKIPPED on XLA: %v", err)
	}
	for _, name := range names {
		var err error
		if all[name], _, err = OpenBackend(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

type goldenInputs struct {
	Unpadded [][]int32
	Batches  []struct {
		Texts    []int
		InputIDs [][]int32 `json:"input_ids"`
		Mask     [][]int32 `json:"attention_mask"`
	}
}

type goldenExpected struct {
	Tolerance    float64 // of a drawn folder's logits and hidden states
	Logits       []float64
	LogitsSingle []float64 `json:"logits_single"`
	LogitsLeft   []float64 `json:"logits_left_padded"`
	HiddenStates struct {
		Text, Tokens int
		Values       [][]float64
	} `json:"hidden_states"`
	Grad struct {
		File             string
		Chosen, Rejected []int
		Loss             float64
		TotalNorm        float64 `json:"total_norm"`
		Tolerance        float64 // relative, of a drawn folder's
	}
}

// pad lays sequences out as [N, T].
func pad(rows [][]int32, padID int32) (ids, lengths *tensors.Tensor) {
	longest := 0
	for _, row := range rows {
		longest = max(longest, len(row))
	}
	flat, n := make([]int32, len(rows)*longest), make([]int32, len(rows))
	for i := range flat {
		flat[i] = padID
	}
	for i, row := range rows {
		copy(flat[i*longest:], row)
		n[i] = int32(len(row))
	}
	return tensors.FromFlatDataAndDimensions(flat, len(rows), longest), tensors.FromFlatDataAndDimensions(n, len(rows))
}

func rewards(t *testing.T, backend compute.Backend, m *Model, rows [][]int32) []float32 {
	t.Helper()
	ids, lengths := pad(rows, int32(max(0, m.Config.PadTokenID)))
	out := ml.MustCallOnce(backend, m.Store, func(scope *ml.Scope, ids, lengths *Node) *Node {
		return m.Reward(scope, Inputs{IDs: ids, Lengths: lengths})
	}, ids, lengths)
	return tensors.MustCopyFlatData[float32](out)
}

func largest(t *testing.T, what string, got []float32, want []float64, tolerance float64) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	worst := 0.0
	for i := range got {
		worst = max(worst, math.Abs(float64(got[i])-want[i]))
	}
	if !(worst <= tolerance) {
		t.Errorf("%s: largest difference %.2g, want at most %.2g", what, worst, tolerance)
	}
	return worst
}

// goldenFamilies are the folders of golden, each with its tolerance on logits
// and hidden states.
var goldenFamilies = map[string]float64{"bert": 2e-5, "llama": 2e-5, "llama3-rope": 2e-5, "mistral": 2e-5, "qwen2": 2e-5,
	"qwen3": 2e-5, "gemma2": 2e-5, "gemma3": 2e-5, "roberta": 2e-5, "xlm-roberta": 2e-5, "electra": 2e-5, "distilbert": 2e-5,
	"modernbert": 2e-5, "deberta-v3": 5e-5}

// goldenFolders are those of golden, or in their place those of LAUREL_GOLDENS,
// which cmd/interop/configurations.py writes.
func goldenFolders(t *testing.T) []string {
	t.Helper()
	var dirs []string
	if drawn := os.Getenv("LAUREL_GOLDENS"); drawn != "" {
		found, err := filepath.Glob(filepath.Join(drawn, "*", "grads.safetensors"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no goldens in LAUREL_GOLDENS, %s: %v", drawn, err)
		}
		for _, path := range found {
			dirs = append(dirs, filepath.Dir(path))
		}
		return dirs
	}
	for _, name := range slices.Sorted(maps.Keys(goldenFamilies)) {
		dirs = append(dirs, golden(t, name))
	}
	return dirs
}

// readGolden reads a folder's inputs and what transformers makes of them.
func readGolden(t *testing.T, dir string) (name string, in goldenInputs, want goldenExpected) {
	t.Helper()
	name = filepath.Base(dir)
	want.Tolerance, want.Grad.Tolerance = goldenFamilies[name], 1e-4
	readJSON(t, filepath.Join(dir, "inputs.json"), &in)
	readJSON(t, filepath.Join(dir, "expected.json"), &want)
	return name, in, want
}

// goldenBackends are all for a stored folder; for a drawn one pure Go alone,
// since compiling takes XLA seconds a folder.
func goldenBackends(t *testing.T, name string) map[string]compute.Backend {
	all := backends(t)
	if _, stored := goldenFamilies[name]; !stored {
		maps.DeleteFunc(all, func(backend string, _ compute.Backend) bool { return backend != "go" })
	}
	return all
}

func TestGoldenLogits(t *testing.T) {
	for _, dir := range goldenFolders(t) {
		name, in, want := readGolden(t, dir)
		tolerance := want.Tolerance
		for backendName, backend := range goldenBackends(t, name) {
			m, err := Load(dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			padded := make([]float32, len(in.Unpadded))
			for _, b := range in.Batches {
				rows := make([][]int32, len(b.Texts))
				for j, text := range b.Texts {
					rows[j] = in.Unpadded[text]
				}
				for j, r := range rewards(t, backend, m, rows) {
					padded[b.Texts[j]] = r
				}
			}
			worst := largest(t, name+" padded logits on "+backendName, padded, want.Logits, tolerance)
			left := "none"
			if want.LogitsLeft != nil { // tokens are always laid out from the left: padding on either side reads the same
				left = fmt.Sprintf("%.2g", largest(t, name+" left-padded logits on "+backendName, padded, want.LogitsLeft, tolerance))
			}
			one := singles(t, backend, m, in, want, padded, tolerance)
			hidden := hiddenStates(t, backend, m, in, want, tolerance)
			t.Logf("%s on %s: padded %.2g, single %.2g, left %s, hidden %.2g", name, backendName, worst, one, left, hidden)
		}
	}
}

// singles scores texts alone: all of them in pure Go, every fifth on XLA,
// which compiles each length.
func singles(t *testing.T, backend compute.Backend, m *Model, in goldenInputs, want goldenExpected, padded []float32, tolerance float64) float64 {
	t.Helper()
	worst, stride := 0.0, 1
	if backend.Name() != "go" {
		stride = 5
	}
	for i := 0; i < len(in.Unpadded); i += stride {
		alone := rewards(t, backend, m, [][]int32{in.Unpadded[i]})
		worst = max(worst, largest(t, "alone", alone, want.LogitsSingle[i:i+1], tolerance))
		if d := math.Abs(float64(alone[0] - padded[i])); d > tolerance/2 {
			t.Errorf("text %d alone and in a padded batch differ by %.2g", i, d)
		}
	}
	return worst
}

func hiddenStates(t *testing.T, backend compute.Backend, m *Model, in goldenInputs, want goldenExpected, tolerance float64) float64 {
	ids, lengths := pad([][]int32{in.Unpadded[want.HiddenStates.Text]}, 0)
	outs := ml.MustCallOnceN(backend, m.Store, func(scope *ml.Scope, ids, lengths *Node) []*Node {
		return m.Hidden(scope, Inputs{IDs: ids, Lengths: lengths})
	}, ids, lengths)
	worst := 0.0
	for i, out := range outs[:len(outs)-1] {
		worst = max(worst, largest(t, "hidden state", tensors.MustCopyFlatData[float32](out), want.HiddenStates.Values[i], tolerance))
	}
	return worst
}

func TestGoldenGradients(t *testing.T) {
	for _, dir := range goldenFolders(t) {
		name, in, want := readGolden(t, dir)
		wantGrads, err := safetensors.Open(filepath.Join(dir, want.Grad.File))
		if err != nil {
			t.Fatal(err)
		}
		defer wantGrads.Close()
		var rows [][]int32
		for _, text := range append(append([]int{}, want.Grad.Chosen...), want.Grad.Rejected...) {
			rows = append(rows, in.Unpadded[text])
		}
		for backendName, backend := range goldenBackends(t, name) {
			m, err := Load(dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			loss, _, grads := gradients(backend, m, rows)
			if math.Abs(loss-want.Grad.Loss) > 1e-5*want.Grad.Loss {
				t.Errorf("%s on %s: loss %v, want %v", name, backendName, loss, want.Grad.Loss)
			}
			t.Logf("%s on %s: gradients %.2g of the norm", name, backendName, compareGradients(t, m, grads, wantGrads, want.Grad.Tolerance))
		}
	}
}

// gradients are gradientsOf's, of sequences in rows of their own.
func gradients(backend compute.Backend, m *Model, rows [][]int32) (loss float64, rewards []float32, grads [][]float32) {
	ids, lengths := pad(rows, 0)
	return gradientsOf(backend, m, func(in []*Node) Inputs { return Inputs{IDs: in[0], Lengths: in[1]} }, ids, lengths)
}

// gradientsOf are the loss mean(-log σ(rc-rr)) + 0.01·mean((rc+rr)²), the rewards,
// of which the first half is chosen, and the loss's gradients.
func gradientsOf(backend compute.Backend, m *Model, inputs func([]*Node) Inputs, args ...any) (loss float64, rewards []float32, grads [][]float32) {
	outs := ml.MustCallOnceN(backend, m.Store, func(scope *ml.Scope, in []*Node) []*Node {
		r := m.Reward(scope, inputs(in))
		half := r.Shape().Dim(0) / 2
		rc, rr := Slice(r, AxisRangeFromStart(half)), Slice(r, AxisRangeToEnd(half))
		loss := Add(ReduceAllMean(Softplus(Sub(rr, rc))), MulScalar(ReduceAllMean(Square(Add(rc, rr))), 0.01))
		var weights []*Node
		for _, name := range m.Trainable() {
			weights = append(weights, scope.GetVariable(name).NodeValue(r.Graph()))
		}
		return append([]*Node{loss, r}, Gradient(loss, weights...)...)
	}, args...)
	for _, out := range outs[2:] {
		grads = append(grads, tensors.MustCopyFlatData[float32](out))
	}
	return float64(tensors.ToScalar[float32](outs[0])), tensors.MustCopyFlatData[float32](outs[1]), grads
}

// compareGradients asks each tensor's difference to be within the tolerance
// times that tensor's length, or a thousandth of the whole gradient's where the
// tensor's is noise.
func compareGradients(t *testing.T, m *Model, got [][]float32, want *safetensors.Weights, tolerance float64) float64 {
	t.Helper()
	var expected [][]float32
	for _, name := range m.Trainable() {
		values, err := want.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		expected = append(expected, values)
	}
	return sameGradients(t, m, got, expected, tolerance)
}

func sameGradients(t *testing.T, m *Model, got, want [][]float32, tolerance float64) float64 {
	t.Helper()
	var total float64
	differences, norms := make([]float64, len(got)), make([]float64, len(got))
	for i := range got {
		for j, w := range want[i] {
			differences[i] += math.Pow(float64(got[i][j]-w), 2)
			norms[i] += float64(w) * float64(w)
		}
		total += norms[i]
		differences[i], norms[i] = math.Sqrt(differences[i]), math.Sqrt(norms[i])
	}
	total = math.Sqrt(total)
	worst := 0.0
	for i, name := range m.Trainable() {
		worst = max(worst, differences[i]/max(norms[i], 1e-3*total))
		if !(differences[i] <= tolerance*max(norms[i], 1e-3*total)) {
			t.Errorf("gradient of %s: difference %.2g, length %.2g", name, differences[i], norms[i])
		}
	}
	return worst
}
