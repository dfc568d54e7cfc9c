package safetensors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// A model folder holds WeightsFile, or IndexFile and the shards that it names.
const (
	WeightsFile = "model.safetensors"
	IndexFile   = "model.safetensors.index.json"
)

// Weights are the tensors of a model folder or a single safetensors file. Only
// headers are held; a tensor's values are read when asked for, so memory is that
// of one tensor. Safe for concurrent reads until Close.
type Weights struct {
	tensors  map[string]Tensor
	metadata map[string]string
	files    []*os.File
}

// OpenDir opens dir's model.safetensors or, where there is none, the shards
// that model.safetensors.index.json names. Every header is read and checked.
func OpenDir(dir string) (*Weights, error) {
	for _, name := range []string{WeightsFile, IndexFile, "pytorch_model.bin", "pytorch_model.bin.index.json"} {
		path := filepath.Join(dir, name)
		// Lstat, so that a broken link of the hub's cache is met and named by Open.
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("open weights: %w", err)
		}
		switch name {
		case WeightsFile:
			return Open(path)
		case IndexFile:
			return openShards(dir)
		}
		return nil, OnlyPickle(dir, name)
	}
	return nil, fmt.Errorf("open weights: %s has neither %s nor %s", dir, WeightsFile, IndexFile)
}

// OnlyPickle is the error that says what to do with weights in torch's own format, a pickle,
// which is a program to run and not data to read.
func OnlyPickle(where, name string) error {
	return fmt.Errorf("open weights: %s has only %s, which is not read here: convert it once in Python, "+
		"AutoModelForSequenceClassification.from_pretrained(%q).save_pretrained(OUT), and give OUT", where, name, where)
}

// Open opens one safetensors file.
func Open(path string) (*Weights, error) {
	w := &Weights{tensors: map[string]Tensor{}, metadata: map[string]string{}}
	tensors, err := w.addFile(path)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	for _, t := range tensors {
		w.tensors[t.Name] = t
	}
	return w, nil
}

// addFile opens a file, checks its header and keeps it open; the first file's
// metadata wins where two disagree.
func (w *Weights) addFile(path string) ([]Tensor, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // opening a named pipe would wait for its writer
		return nil, fmt.Errorf("open weights %s: not a file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open weights: %w", err)
	}
	w.files = append(w.files, file)
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open weights: %w", err)
	}
	tensors, metadata, err := readHeader(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("open weights %s: %w", path, err)
	}
	for key, value := range metadata {
		if _, ok := w.metadata[key]; !ok {
			w.metadata[key] = value
		}
	}
	for i := range tensors {
		tensors[i].File = path
	}
	return tensors, nil
}

// openShards holds index and shards to one another: each tensor in exactly the
// shard the index gives it.
func openShards(dir string) (*Weights, error) {
	shardOf, err := readIndex(filepath.Join(dir, IndexFile))
	if err != nil {
		return nil, err
	}
	w := &Weights{tensors: map[string]Tensor{}, metadata: map[string]string{}}
	for _, shard := range shardNames(shardOf) {
		if err := w.addShard(dir, shard, shardOf); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shardOf)) {
		if _, ok := w.tensors[name]; !ok {
			return nil, errors.Join(fmt.Errorf("open weights %s: tensor %q is not in it, though %s says so",
				filepath.Join(dir, shardOf[name]), name, IndexFile), w.Close())
		}
	}
	return w, nil
}

func (w *Weights) addShard(dir, shard string, shardOf map[string]string) error {
	path := filepath.Join(dir, shard)
	tensors, err := w.addFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s names this shard; fetch it", err, IndexFile)
	}
	if err != nil {
		return err
	}
	for _, t := range tensors {
		if before, ok := w.tensors[t.Name]; ok {
			return fmt.Errorf("open weights %s: tensor %q is in %s too", path, t.Name, before.File)
		}
		switch place, ok := shardOf[t.Name]; {
		case !ok:
			return fmt.Errorf("open weights %s: tensor %q is not in %s", path, t.Name, IndexFile)
		case place != shard:
			return fmt.Errorf("open weights %s: tensor %q should be in %s by %s", path, t.Name, place, IndexFile)
		}
		w.tensors[t.Name] = t
	}
	return nil
}

// readIndex returns the index's weight_map: tensor name to shard file name.
func readIndex(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open weights: %w", err)
	}
	if info.Size() > maxHeader {
		return nil, fmt.Errorf("open weights %s: %d bytes are too many for an index", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open weights: %w", err)
	}
	shardOf, err := parseIndex(data)
	if err != nil {
		return nil, fmt.Errorf("open weights %s: %w (fetch or copy it again)", path, err)
	}
	return shardOf, nil
}

func parseIndex(data []byte) (map[string]string, error) {
	shardOf := map[string]string{}
	err := eachField(data, func(key string, value json.RawMessage) error {
		if key != "weight_map" {
			return nil
		}
		return eachField(value, func(tensor string, value json.RawMessage) error {
			var shard string
			if err := json.Unmarshal(value, &shard); err != nil || !filepath.IsLocal(shard) {
				return fmt.Errorf("weight_map: tensor %q: %s is not the name of a file beside the index", tensor, value)
			}
			shardOf[tensor] = shard
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if len(shardOf) == 0 {
		return nil, errors.New("no weight_map, or an empty one")
	}
	return shardOf, nil
}

// Shards lists the files that an index names, sorted, each once.
func Shards(indexPath string) ([]string, error) {
	shardOf, err := readIndex(indexPath)
	return shardNames(shardOf), err
}

// shardNames lists the shards of a weight_map, sorted, each once.
func shardNames(shardOf map[string]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(shardOf)))
}

// Names lists the tensors, sorted.
func (w *Weights) Names() []string { return slices.Sorted(maps.Keys(w.tensors)) }

// Info describes a tensor.
func (w *Weights) Info(name string) (Tensor, error) {
	t, ok := w.tensors[name]
	if !ok {
		return t, fmt.Errorf("weights: no tensor %q", name)
	}
	return t, nil
}

// Metadata is the files' __metadata__, such as {"format": "pt"}.
func (w *Weights) Metadata() map[string]string { return maps.Clone(w.metadata) }

// Float32 reads a tensor's values, row-major, from F32, F16, BF16 or F64.
func (w *Weights) Float32(name string) ([]float32, error) {
	t, err := w.Info(name)
	if err != nil {
		return nil, err
	}
	values := make([]float32, t.Elements())
	if err := w.read(name, len(values), func(dtype string, at, n int, raw []byte, _ []float32) error {
		return decodeFloats(values[at:at+n], raw, dtype)
	}); err != nil {
		return nil, err
	}
	return values, nil
}

// floatWidth is the bytes that a value takes, where values read as float32.
func (t Tensor) floatWidth() (int, error) {
	width := floatWidth(t.DType)
	if width == 0 {
		return 0, fmt.Errorf("%s does not read as float32 (F32, F16, BF16 and F64 do)", t.DType)
	}
	return width, nil
}

// decode has the n values that a tensor should hold read part by part, with room for
// those of one in float32.
func (t Tensor) decode(n int, use func(at, n int, raw []byte, room []float32) error) error {
	width, err := t.floatWidth()
	if err != nil {
		return err
	}
	if n != t.Elements() {
		return fmt.Errorf("%d values for shape %v", n, t.Shape)
	}
	return t.parts(width, use)
}

// partValues is how many values of a tensor are read, or written, at a time.
const partValues = 1 << 16

// parts reads a tensor part by part, each of n values from the at-th on, as many at a
// time as there are CPUs: decoding takes longer than reading. Of several errors it gives
// that of the first part.
func (t Tensor) parts(width int, use func(at, n int, raw []byte, room []float32) error) error {
	elements := t.Elements()
	parts := (elements + partValues - 1) / partValues
	failed := struct {
		sync.Mutex
		part int
		err  error
	}{part: parts}
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(parts, runtime.GOMAXPROCS(0)) {
		readers.Go(func() {
			raw, room := make([]byte, width*min(partValues, elements)), make([]float32, min(partValues, elements))
			for {
				part := int(next.Add(1)) - 1
				if part >= parts {
					return
				}
				at := part * partValues
				n := min(partValues, elements-at)
				err := t.readAt(raw[:width*n], int64(width*at))
				if err == nil {
					err = use(at, n, raw[:width*n], room[:n])
				}
				if err != nil {
					next.Store(int64(parts)) // those before are read by others
					failed.Lock()
					if part < failed.part {
						failed.part, failed.err = part, err
					}
					failed.Unlock()
					return
				}
			}
		})
	}
	readers.Wait()
	return failed.err
}

// readAt fills raw with bytes of the tensor from an offset on.
func (t Tensor) readAt(raw []byte, offset int64) error {
	n, err := t.source.ReadAt(raw, t.begin+offset)
	if n == len(raw) {
		return nil
	}
	return err
}

// ReadFloat32 reads a tensor's values, row-major, into as many of float32. A value
// that is not finite is an error.
func ReadFloat32(w *Weights, name string, into []float32) error {
	return w.read(name, len(into), func(dtype string, at, n int, raw []byte, _ []float32) error {
		if err := decodeFloats(into[at:at+n], raw, dtype); err != nil {
			return err
		}
		for i, v := range into[at : at+n] {
			if math.Float32bits(v)&infinity == infinity {
				return fmt.Errorf("holds %v at element %d", v, at+i)
			}
		}
		return nil
	})
}

// infinity is the exponent of infinities and NaN in float32.
const infinity = 0x7f800000

// ReadBFloat16 reads a tensor's values, row-major, into as many bits of
// bfloat16, rounded to nearest, ties to even, from what Float32 reads; never are
// more than a part of them for each CPU in float32. A value that is not finite, or
// not once it is rounded, is an error.
func ReadBFloat16[T ~uint16](w *Weights, name string, into []T) error {
	return w.read(name, len(into), func(dtype string, at, n int, raw []byte, room []float32) error {
		if err := decodeFloats(room, raw, dtype); err != nil {
			return err
		}
		for i, v := range room {
			h := float32ToBFloat16(v)
			if h&(infinity>>16) == infinity>>16 {
				return fmt.Errorf("holds %v at element %d, which has no finite bfloat16", v, at+i)
			}
			into[at+i] = T(h)
		}
		return nil
	})
}

func (w *Weights) read(name string, n int, use func(dtype string, at, n int, raw []byte, room []float32) error) error {
	t, err := w.Info(name)
	if err != nil {
		return err
	}
	if err := t.decode(n, func(at, n int, raw []byte, room []float32) error { return use(t.DType, at, n, raw, room) }); err != nil {
		return fmt.Errorf("read weights %s: tensor %q: %w", t.File, name, err)
	}
	return nil
}

// Bytes reads a tensor as it lies in the file: any dtype, little-endian.
func (w *Weights) Bytes(name string) ([]byte, error) {
	t, err := w.Info(name)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, t.end-t.begin)
	if _, err := io.ReadFull(io.NewSectionReader(t.source, t.begin, t.end-t.begin), raw); err != nil {
		return nil, fmt.Errorf("read weights %s: tensor %q: %w", t.File, name, err)
	}
	return raw, nil
}

// Close closes the files; no tensor can be read after.
func (w *Weights) Close() error {
	var errs []error
	for _, file := range w.files {
		errs = append(errs, file.Close())
	}
	w.files = nil
	return errors.Join(errs...)
}
