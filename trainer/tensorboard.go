package trainer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Names that train.log may hold.
const (
	LogJSONL       = "jsonl"       // metrics.jsonl, of every run: resuming, report and board read it
	LogTensorBoard = "tensorboard" // event files in the run directory
)

// events writes the lines of metrics.jsonl as TensorBoard reads them: an event
// file in the run directory, a record an event, whole after every line.
type events struct{ file *os.File }

// eventFiles are named so; TensorBoard reads those of a folder in the order of
// their names.
const eventFiles = "events.out.tfevents."

// openEvents begins an event file. What a resumed run makes again is taken back
// from earlier files, as TensorBoard does where a session starts: of its step and
// later ones, what was read before is dropped. Lines of such steps that are kept
// are written again.
func openEvents(runDir string, state State) (e *events, err error) {
	earlier, err := filepath.Glob(filepath.Join(escapeGlob(runDir), eventFiles+"*"))
	if err != nil {
		return nil, err
	}
	kept, err := ReadMetrics(runDir)
	if err != nil {
		return nil, err
	}
	start := min(state.Step, state.Validated) + 1
	if len(earlier) == 0 {
		start = 0
	}
	name := fmt.Sprintf("%s%010d.laurel", eventFiles, nextEventFile(earlier, time.Now().Unix()))
	file, err := os.OpenFile(filepath.Join(runDir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("train.log: tensorboard: %w", err)
	}
	e = &events{file}
	records := frame(version())
	if len(earlier) > 0 {
		records = append(records, frame(sessionStart(start))...)
	}
	for _, line := range kept {
		if line.Step >= start {
			records = append(records, frame(line.event(time.Now()))...)
		}
	}
	if _, err := file.Write(records); err != nil {
		return nil, errors.Join(fmt.Errorf("train.log: tensorboard: %w", err), file.Close())
	}
	return e, nil
}

// nextEventFile is the time in seconds, or one more than the last file's.
func nextEventFile(earlier []string, now int64) int64 {
	for _, path := range earlier {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), eventFiles), ".")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			now = max(now, n+1)
		}
	}
	return now
}

// escapeGlob lets a folder's name hold what a pattern would take for its own.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// add writes a line; nil events write nothing.
func (e *events) add(line Line) error {
	if e == nil {
		return nil
	}
	if _, err := e.file.Write(frame(line.event(time.Now()))); err != nil {
		return fmt.Errorf("train.log: tensorboard: %w", err)
	}
	return nil
}

func (e *events) close() error {
	if e == nil {
		return nil
	}
	return e.file.Close()
}

// frame makes a TFRecord: length, its masked CRC, data, its masked CRC, little-endian
// (tensorflow/core/lib/io/record_writer.cc).
func frame(data []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	out = binary.LittleEndian.AppendUint32(out, maskedCRC(out))
	out = append(out, data...)
	return binary.LittleEndian.AppendUint32(out, maskedCRC(data))
}

// maskedCRC is CRC-32C turned right by 15 bits, plus a constant
// (tensorflow/core/lib/hash/crc32c.h).
func maskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return (crc>>15 | crc<<17) + 0xa282ead8
}

// Fields of the messages of tensorflow/core/util/event.proto and
// framework/summary.proto.
const (
	eventWallTime, eventStep, eventVersion, eventSummary, eventSession = 1, 2, 3, 5, 7
	summaryValue                                                       = 1
	valueTag, valueSimple                                              = 1, 2
	sessionStatus, sessionStarted                                      = 1, 1
)

func event(at time.Time, step int) []byte {
	b := protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(at.UnixNano())/1e9))
	b = protowire.AppendTag(b, eventStep, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(step))
}

func version() []byte {
	b := protowire.AppendTag(event(time.Now(), 0), eventVersion, protowire.BytesType)
	return protowire.AppendString(b, "brain.Event:2")
}

func sessionStart(step int) []byte {
	status := protowire.AppendVarint(protowire.AppendTag(nil, sessionStatus, protowire.VarintType), sessionStarted)
	b := protowire.AppendTag(event(time.Now(), step), eventSession, protowire.BytesType)
	return protowire.AppendBytes(b, status)
}

// event is the line's: its values under train/ and validation/.
func (l Line) event(at time.Time) []byte {
	var summary []byte
	for _, v := range l.tagged() {
		if v.value == nil {
			continue
		}
		value := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), v.tag)
		value = protowire.AppendFixed32(protowire.AppendTag(value, valueSimple, protowire.Fixed32Type), math.Float32bits(float32(*v.value)))
		summary = protowire.AppendBytes(protowire.AppendTag(summary, summaryValue, protowire.BytesType), value)
	}
	b := protowire.AppendTag(event(at, l.Step), eventSummary, protowire.BytesType)
	return protowire.AppendBytes(b, summary)
}

type taggedValue struct {
	tag   string
	value *float64
}

func (l Line) tagged() []taggedValue {
	var skipped *float64
	if l.LearningRate != nil { // a training line
		n := float64(l.Skipped)
		skipped = &n
	}
	return []taggedValue{{"train/loss", l.Loss}, {"train/accuracy", l.Accuracy}, {"train/margin", l.Margin}, {"train/mean_reward", l.MeanReward},
		{"train/learning_rate", l.LearningRate}, {"train/grad_norm", l.GradNorm}, {"train/pairs_per_second", l.PairsPerSecond},
		{"train/tokens_per_second", l.TokensPerSecond}, {"train/padding_share", l.Padding}, {"train/skipped_steps", skipped},
		{"validation/loss", l.ValidationLoss}, {"validation/accuracy", l.ValidationAccuracy}, {"validation/margin", l.ValidationMargin}, {"validation/objective", l.ValidationObjective}}
}
