package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// A file that the reference wrote is written back byte for byte.
func TestWritesWhatTheReferenceWrites(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "golden", "*", "model.safetensors"))
	stored, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "golden", "storage", "*", "model.safetensors"))
	if files = append(files, stored...); len(files) == 0 {
		t.Skip("SKIPPED: no ../../../shared/golden: that written bytes equal the reference's is not tested")
	}
	for _, path := range files {
		w, err := Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		copied := filepath.Join(t.TempDir(), WeightsFile)
		if err := Write(copied, sources(w), w.Metadata()); err != nil {
			t.Error(err)
		}
		want, _ := os.ReadFile(path)
		if got, _ := os.ReadFile(copied); !bytes.Equal(got, want) {
			t.Errorf("%s: the copy differs", path)
		}
		w.Close()
	}
}

// sources lists every tensor of w to be written again: floats by value, the rest by bytes.
func sources(w *Weights) []Source {
	var list []Source
	for _, name := range w.Names() {
		info, _ := w.Info(name)
		s := Source{Name: name, DType: info.DType, Shape: info.Shape}
		if floatWidth(info.DType) > 0 && info.DType != "F64" { // a float64 has more digits
			s.Float32 = func() ([]float32, error) { return w.Float32(name) }
		} else {
			s.Bytes = func() ([]byte, error) { return w.Bytes(name) }
		}
		list = append(list, s)
	}
	return list
}

// randomTensors draws tensors of every dtype with shapes from scalar to empty,
// some longer than one chunk of the writer.
func randomTensors(random *rand.Rand) ([]Source, map[string][]byte) {
	var list []Source
	raw := map[string][]byte{}
	for i, dtype := range []string{"F32", "BF16", "F16", "F64", "I64", "U8", "BOOL", "I32", "F8_E4M3", "F4", "C64"} {
		for j := range random.IntN(4) {
			shape := [][]int{{}, {random.IntN(9)}, {3, random.IntN(5), 2}, {70_001}}[random.IntN(4)]
			if dtype == "F4" {
				shape = append(shape, 2)
			}
			name := fmt.Sprintf("layer.%d<&>\"é\u2028%d", j, i)
			size, _ := byteSize(dtype, shape)
			data := make([]byte, size)
			for k := range data {
				data[k] = byte(random.Uint32())
			}
			raw[name] = data
			list = append(list, Source{Name: name, DType: dtype, Shape: shape, Bytes: func() ([]byte, error) { return data, nil }})
		}
	}
	return list, raw
}

func TestWriteReadRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		list, raw := randomTensors(random)
		metadata := map[string]string{"format": "pt", "round": fmt.Sprint(round), "z\"": "<é>"}
		dir := t.TempDir()
		path := filepath.Join(dir, WeightsFile)
		if err := Write(path, list, metadata); err != nil {
			t.Fatal(err)
		}
		w := openFolder(t, dir)
		if fmt.Sprint(w.Metadata()) != fmt.Sprint(metadata) || len(w.Names()) != len(list) {
			t.Fatalf("metadata %v, %d tensors; want %v, %d", w.Metadata(), len(w.Names()), metadata, len(list))
		}
		for _, s := range list {
			info, err := w.Info(s.Name)
			got, readErr := w.Bytes(s.Name)
			if err != nil || readErr != nil || info.DType != s.DType || !slices.Equal(info.Shape, s.Shape) || !bytes.Equal(got, raw[s.Name]) {
				t.Fatalf("%q: %v, %v, %v, equal bytes %v", s.Name, info, err, readErr, bytes.Equal(got, raw[s.Name]))
			}
		}
		checkLayout(t, path)
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		again := filepath.Join(dir, "again.safetensors")
		if err := Write(again, list, metadata); err != nil {
			t.Fatal(err)
		}
		a, _ := os.ReadFile(path)
		if b, _ := os.ReadFile(again); !bytes.Equal(a, b) {
			t.Fatal("another order of the list gives other bytes")
		}
	}
}

// checkLayout: header padded with spaces to eight bytes, every tensor aligned to its dtype.
func checkLayout(t *testing.T, path string) {
	t.Helper()
	data, _ := os.ReadFile(path)
	n := binary.LittleEndian.Uint64(data)
	text := data[8 : 8+n]
	if n%8 != 0 || !json.Valid(text) || !bytes.HasSuffix(bytes.TrimRight(text, " "), []byte("}")) {
		t.Fatalf("header of %d bytes: %q", n, text)
	}
	tensors, _, err := readHeader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tensors {
		if _, width, _ := dtypeRank(x.DType); width >= 8 && x.begin%int64(width/8) != 0 {
			t.Fatalf("%s %s begins at byte %d", x.DType, x.Name, x.begin)
		}
	}
}

func TestWriteConvertsFloats(t *testing.T) {
	path := filepath.Join(t.TempDir(), WeightsFile)
	values := []float32{1, -0.1, 3.0000001, 65504, 1e-7}
	var list []Source
	for _, dtype := range []string{"F64", "F32", "BF16", "F16"} {
		list = append(list, Source{Name: dtype, DType: dtype, Shape: []int{5}, Float32: func() ([]float32, error) { return values, nil }})
	}
	if err := Write(path, list, nil); err != nil {
		t.Fatal(err)
	}
	w := openFolder(t, filepath.Dir(path))
	for dtype, want := range map[string][]float32{
		"F64": values, "F32": values,
		"BF16": {1, -0.10009765625, 3, 65536, 1.00117176771163940e-07},
		"F16":  {1, -0.0999755859375, 3, 65504, 1.1920928955078125e-07},
	} {
		if got, err := w.Float32(dtype); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", dtype, got, err, want)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	one := func() ([]float32, error) { return []float32{1}, nil }
	broken := errors.New("device lost")
	for name, c := range map[string]struct {
		tensors []Source
		want    []string
	}{
		"twice":        {[]Source{{Name: "a", DType: "F32", Shape: []int{1}, Float32: one}, {Name: "a", DType: "F16", Shape: []int{1}, Float32: one}}, []string{`"a"`, "twice"}},
		"reserved":     {[]Source{{Name: "__metadata__", DType: "F32", Shape: []int{1}, Float32: one}}, []string{"reserved"}},
		"not UTF-8":    {[]Source{{Name: "\xff", DType: "F32", Shape: []int{1}, Float32: one}}, []string{"UTF-8"}},
		"dtype":        {[]Source{{Name: "a", DType: "float32", Shape: []int{1}, Float32: one}}, []string{`"a"`, "unknown dtype"}},
		"negative":     {[]Source{{Name: "a", DType: "F32", Shape: []int{-1}, Float32: one}}, []string{`"a"`, "negative"}},
		"count":        {[]Source{{Name: "a", DType: "F32", Shape: []int{2}, Float32: one}}, []string{`"a"`, "1 values for shape [2]"}},
		"bytes":        {[]Source{{Name: "a", DType: "F32", Shape: []int{1}, Bytes: func() ([]byte, error) { return []byte("abc"), nil }}}, []string{`"a"`, "3 bytes for F32 [1], which takes 4"}},
		"float as int": {[]Source{{Name: "a", DType: "I64", Shape: []int{1}, Float32: one}}, []string{`"a"`, "cannot be written as I64"}},
		"neither":      {[]Source{{Name: "a", DType: "F32", Shape: []int{1}}}, []string{`"a"`, "either"}},
		"source":       {[]Source{{Name: "a", DType: "F32", Shape: []int{1}, Float32: func() ([]float32, error) { return nil, broken }}}, []string{`"a"`, "device lost"}},
		"overflow":     {[]Source{{Name: "a", DType: "F16", Shape: []int{2}, Float32: func() ([]float32, error) { return []float32{1, 70000}, nil }}}, []string{`"a"`, "value 1, 70000, is beyond F16"}},
	} {
		dir := t.TempDir()
		path := writeFile(t, []byte("old"), dir, WeightsFile)
		err := Write(path, c.tensors, nil)
		wantError(t, err, append(c.want, path)...)
		if name == "source" && !errors.Is(err, broken) {
			t.Error("the cause is not wrapped")
		}
		wantOnly(t, dir, "old")
	}
}

// wantOnly: the folder holds the old model.safetensors and no remains.
func wantOnly(t *testing.T, dir, content string) {
	t.Helper()
	entries, _ := os.ReadDir(dir)
	got, _ := os.ReadFile(filepath.Join(dir, WeightsFile))
	if len(entries) != 1 || string(got) != content {
		t.Errorf("folder holds %v, file %q; want the old file alone", entries, got)
	}
}

func TestWriteToBadPlaces(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, []byte("x"), t.TempDir(), "file")
	err := Write(filepath.Join(file, WeightsFile), nil, nil)
	wantError(t, err, "not a directory")
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(taken, nil, nil); err == nil {
		t.Error("wrote over a folder")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}

// The disk refuses bytes at some point of the file: a limit on file size stands
// in for a full disk, wherever it strikes. The limit is the process's, and go
// test writes a log of its own at any moment, so a child bears it.
func TestWriteOnFullDisk(t *testing.T) {
	if os.Getenv(fullDiskEnv) != "" {
		writeOnFullDisk(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestWriteOnFullDisk$", "-test.v")
	child.Env = append(os.Environ(), fullDiskEnv+"=1")
	out, err := child.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestWriteOnFullDisk")) {
		t.Errorf("%v\n%s", err, out)
	}
}

const fullDiskEnv = "LAUREL_TEST_FULL_DISK"

func writeOnFullDisk(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := writeFile(t, []byte("old"), dir, WeightsFile)
	big := Source{Name: "a", DType: "F32", Shape: []int{1 << 20}, Float32: func() ([]float32, error) { return make([]float32, 1<<20), nil }}
	for _, room := range []uint64{0, 1, 100, 1 << 20, 1<<20 + 1, 4<<20 - 1} {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: room, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
		err := Write(path, []Source{big}, nil)
		if back := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); back != nil {
			t.Fatal(back)
		}
		if !errors.Is(err, syscall.EFBIG) {
			t.Errorf("room for %d bytes: error %v, want EFBIG", room, err)
		}
		wantOnly(t, dir, "old")
	}
	if err := Write(path, []Source{big}, nil); err != nil {
		t.Error(err)
	}
}
