package trainer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"laurel/eval"
)

func TestKeepAndBest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	store := randomStore(t, 37)
	r := tinyRun(t, dir, store)
	r.Validation = store
	r.Config.EvalEvery, r.Config.SaveEvery, r.Config.Keep = 5, 2, 2
	result := mustTrain(t, r)
	steps, err := checkpointSteps(dir)
	if err != nil {
		t.Fatal(err)
	}
	best := result.State.Best
	if best == nil {
		t.Fatal("nothing was best")
	}
	want := map[int]bool{28: true, 30: true, best.Step: true}
	for _, s := range steps {
		if !want[s] {
			t.Errorf("checkpoint of step %d was kept", s)
		}
		delete(want, s)
	}
	if len(want) > 0 {
		t.Errorf("checkpoints missing: %v (there are %v)", want, steps)
	}
	found, _, err := BestCheckpoint(dir)
	if err != nil || filepath.Base(found) != checkpointName(best.Step) {
		t.Errorf("best checkpoint %s, %v, want step %d", found, err, best.Step)
	}
	if b := result.Best; b == nil || b.Report.Step != best.Step || float64(b.Report.AccuracyTiesHalf) != best.Accuracy || len(b.Rows) != r.Validation.Len() {
		t.Errorf("best %+v, want %+v", b, best)
	} else if again, err := eval.Evaluate(b.Rows, eval.Config{Seed: r.Config.Seed}); err != nil || again.AccuracyTiesHalf != b.Report.AccuracyTiesHalf || again.BTLossMean != b.Report.BTLossMean {
		t.Errorf("the rows kept give %+v (%v), want %+v", again, err, b.Report)
	}
	if err := os.Remove(filepath.Join(found, reportFile)); err != nil { // as an older run leaves it
		t.Fatal(err)
	}
	r.State = result.State
	if again := mustTrain(t, r); again.Best == nil || again.Best.Report.Step != 30 {
		t.Errorf("without the best's report: %+v", again.Best)
	}
}

func TestDamagedCheckpointIsPassedOver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := tinyRun(t, dir, randomStore(t, 37))
	r.Config.SaveEvery, r.Config.MaxSteps = 3, 9
	mustTrain(t, r)
	newest := filepath.Join(checkpointsDir(dir), checkpointName(9), "model.safetensors")
	if err := os.Truncate(newest, 1000); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(checkpointsDir(dir), writing+checkpointName(8)), 0o755); err != nil {
		t.Fatal(err)
	}
	_, state, notes, err := Resume(dir, loadModel)
	if err != nil {
		t.Fatal(err)
	}
	if state.Step != 6 || len(notes) != 1 || !strings.Contains(notes[0], checkpointName(9)) {
		t.Errorf("resumed after %d, notes %q", state.Step, notes)
	}
	left, _ := os.ReadDir(checkpointsDir(dir))
	if len(left) != 2 { // keep is 2: steps 6 and 9, and 9 is swept
		names := ""
		for _, e := range left {
			names += " " + e.Name()
		}
		if names != " "+checkpointName(6) {
			t.Errorf("left in checkpoints:%s", names)
		}
	}
}

// TestFilesOfACheckpoint: a checkpoint with any file damaged, or another step's
// state, is passed over.
func TestFilesOfACheckpoint(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "run")
	r := tinyRun(t, whole, randomStore(t, 37))
	r.Config.SaveEvery, r.Config.MaxSteps = 1, 2
	mustTrain(t, r)
	for _, damage := range [][2]string{{stateFile, "null"}, {stateFile, `{"step": -4}`}, {stateFile, `{"step": 999999999}`}, {stateFile, ""},
		{adamFile, "half"}, {"config.json", ""}, {"model.safetensors", ""}} {
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(checkpointsDir(dir), checkpointName(2), damage[0]), []byte(damage[1]), 0o644); err != nil {
			t.Fatal(err)
		}
		_, state, notes, err := Resume(dir, loadModel)
		if err != nil || state.Step != 1 || len(notes) != 1 || !strings.Contains(notes[0], "passed over") {
			t.Errorf("%s %q: resumed after %d, notes %q, error %v", damage[0], damage[1], state.Step, notes, err)
		}
	}
}
