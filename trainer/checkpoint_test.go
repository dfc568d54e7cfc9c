package trainer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	if result.Report == nil || result.Report.Step != best.Step || float64(result.Report.AccuracyTiesHalf) != best.Accuracy {
		t.Errorf("report %+v, best %+v", result.Report, best)
	}
	if err := os.Remove(filepath.Join(found, reportFile)); err != nil { // as an older run leaves it
		t.Fatal(err)
	}
	r.State = result.State
	if again := mustTrain(t, r); again.Report == nil || again.Report.Step != 30 {
		t.Errorf("without the best's report: %+v", again.Report)
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
