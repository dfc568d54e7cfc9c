package trainer

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// frameOfLaurel is what tensorboard 2.21's RecordWriter makes of b"laurel".
const frameOfLaurel = "06000000000000007369d5376c617572656c106ec0d9"

// TestFrame holds a record to TensorBoard's own, and the CRC to RFC 3720's of 32 zeros.
func TestFrame(t *testing.T) {
	var unmasked uint32 = 0x8a9136aa
	if got, want := maskedCRC(make([]byte, 32)), (unmasked>>15|unmasked<<17)+0xa282ead8; got != want {
		t.Errorf("masked CRC of 32 zeros %08x, want %08x", got, want)
	}
	if got := hex.EncodeToString(frame([]byte("laurel"))); got != frameOfLaurel {
		t.Errorf("%s, want %s", got, frameOfLaurel)
	}
}

// TestEventsOfResumedRun: every value of a run that was resumed is read once where
// what lies at a session's start and later is dropped, as TensorBoard does.
func TestEventsOfResumedRun(t *testing.T) {
	dir := t.TempDir()
	loss := func(step int, x float64) Line { return Line{Step: step, Loss: &x, LearningRate: &x} }
	valid := func(step int, x float64) Line { return Line{Step: step, ValidationAccuracy: &x} }
	write := func(state State, lines ...Line) {
		e, err := openEvents(dir, state)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if err := appendLine(dir, line); err != nil {
				t.Fatal(err)
			}
			if err := e.add(line); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.close(); err != nil {
			t.Fatal(err)
		}
	}
	write(State{}, loss(10, 1), valid(20, 0.5), loss(20, 2), loss(30, 3), valid(40, 0.6))
	state := State{Step: 30, Validated: 20} // was killed before the checkpoint of 40
	if err := forgetAfter(dir, state); err != nil {
		t.Fatal(err)
	}
	write(state, loss(40, 4), valid(40, 0.7))
	got := readEvents(t, dir)
	want := map[string]map[int]float32{"train/loss": {10: 1, 20: 2, 30: 3, 40: 4}, "validation/accuracy": {20: 0.5, 40: 0.7}}
	for tag, steps := range want {
		if len(got[tag]) != len(steps) {
			t.Errorf("%s: %v, want %v", tag, got[tag], steps)
		}
		for step, value := range steps {
			if got[tag][step] != value {
				t.Errorf("%s at step %d: %v, want %v", tag, step, got[tag][step], value)
			}
		}
	}
}

// readEvents reads all event files of a run; a step that is read twice is an
// error.
func readEvents(t *testing.T, dir string) map[string]map[int]float32 {
	t.Helper()
	found := map[string]map[int]float32{}
	paths, err := filepath.Glob(filepath.Join(dir, eventFiles+"*"))
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for len(raw) > 0 {
			n := int(binary.LittleEndian.Uint64(raw))
			record := raw[12 : 12+n]
			if string(frame(record)) != string(raw[:16+n]) {
				t.Fatalf("%s: a record's frame is not its own", path)
			}
			readEvent(t, record, found)
			raw = raw[16+n:]
		}
	}
	return found
}

func readEvent(t *testing.T, record []byte, found map[string]map[int]float32) {
	t.Helper()
	fields := fieldsOf(t, record)
	step := int(number(fields[eventStep]))
	if at := math.Float64frombits(binary.LittleEndian.Uint64(fields[eventWallTime][0])); math.Abs(at-float64(time.Now().Unix())) > 1e6 {
		t.Errorf("wall time %v", at)
	}
	if fields[eventSession] != nil {
		for _, steps := range found {
			for s := range steps {
				if s >= step {
					delete(steps, s)
				}
			}
		}
	}
	for _, summary := range fields[eventSummary] {
		for _, value := range fieldsOf(t, summary)[summaryValue] {
			f := fieldsOf(t, value)
			tag := string(f[valueTag][0])
			if found[tag] == nil {
				found[tag] = map[int]float32{}
			}
			if _, twice := found[tag][step]; twice {
				t.Errorf("%s at step %d is there twice", tag, step)
			}
			found[tag][step] = math.Float32frombits(binary.LittleEndian.Uint32(f[valueSimple][0]))
		}
	}
}

func number(values [][]byte) uint64 {
	if len(values) == 0 {
		return 0
	}
	n, _ := protowire.ConsumeVarint(values[0])
	return n
}

// fieldsOf are the raw values of a message's fields.
func fieldsOf(t *testing.T, message []byte) map[protowire.Number][][]byte {
	t.Helper()
	out := map[protowire.Number][][]byte{}
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		message = message[n:]
		size := protowire.ConsumeFieldValue(field, kind, message)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		value := message[:size]
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(value)
		}
		out[field] = append(out[field], value)
		message = message[size:]
	}
	return out
}
