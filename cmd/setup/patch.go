package main

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"laurel/model/plugins"
)

const xlaModule = "github.com/gomlx/go-xla"

// replacement is one change to a file of go-xla: a text that must be there
// exactly once, and what stands there instead. docs/upstream.md says why.
type replacement struct{ file, old, new string }

// replacements are all changes; those that need more text than a line call a
// function of a file that is added.
var replacements = [...]replacement{
	{"compute/xla/function.go", // donated buffers
		"f.fn.NamedInputWithSharding(name, ShapeToXLA(shape), shardySpec)",
		"f.fn.NamedInputWithShardingAndAttributes(name, ShapeToXLA(shape), shardySpec, donorAttributes(f.builder.name, name))"},
	{"compute/xla/builder.go", // several devices that run one program
		"\tif sharding == nil {\n\t\treturn nil, nil\n\t}\n\tname := sharding.Mesh",
		"\tif sharding == nil || b.distStrategy == distributed.SPMD {\n\t\treturn nil, nil\n\t}\n\tname := sharding.Mesh"},
	{"pjrt/compile.go", // compiled programs kept on disk
		"exec, err := pjrtClientCompile(cc.plugin, cc.client, cc.program, cc.programFormat, binOptions)",
		"exec, err := compileCached(cc.plugin, cc.client, cc.program, cc.programFormat, binOptions)"},
	{"compute/xla/executable.go", // programs handed out in place of being compiled
		"\tcompileConfig := b.backend.client.Compile().WithStableHLO(program)",
		"\tif kept, err := keepProgram(b.name, program); kept {\n\t\treturn nil, err\n\t}\n\tcompileConfig := b.backend.client.Compile().WithStableHLO(program)"},
	{"pjrt/loadedexecutables.go", // programs handed out without waiting for their results
		"\tnonDonatableInputs []int\n",
		"\tnonDonatableInputs []int\n\tRunsAhead          bool // Done does not wait for the results: who reads them does\n"},
	{"pjrt/loadedexecutables.go", // where a program was loaded from
		"\tisPortable                 bool\n\n\t// OnDevice",
		"\tisPortable                 bool\n\tcode                       []byte\n\n\t// OnDevice"},
	{"pjrt/loadedexecutables.go",
		"\targs.device_complete_events = (**C.PJRT_Event)(unsafe.SliceData(perDeviceEvents))",
		"\tif !c.RunsAhead {\n\t\targs.device_complete_events = (**C.PJRT_Event)(unsafe.SliceData(perDeviceEvents))\n\t}"},
	{"compute/xla/executable.go", // shared buffers are read where they lie, and nothing would wait
		"\texecBuilder := e.exec.Execute(pInputs...)",
		"\tif e.lanes != nil {\n\t\treturn e.executeInLane(pInputs)\n\t}\n\texecBuilder := e.exec.Execute(pInputs...)\n\texecBuilder.RunsAhead = !e.backend.hasSharedBuffers"},
	{"compute/xla/executable.go", // several calls at a time on CPUs
		"\tportable         bool\n}",
		"\tportable         bool\n\tlanes            []*pjrt.LoadedExecutable // by lane, nil where it has not run yet\n}"},
	{"compute/xla/executable.go",
		"\treturn &Executable{\n\t\tbackend:         b.backend,\n",
		"\treturn &Executable{\n\t\tlanes:           b.backend.programLanes(b.name),\n\t\tbackend:         b.backend,\n"},
	{"compute/xla/executable.go",
		"\te.exec = nil\n",
		"\te.leaveLanes()\n\te.exec = nil\n"},
	{"compute/xla/builder.go",
		"stablehlo.New(name)",
		"stablehlo.New(laneless(name))"},
	{"compute/xla/backend.go",
		"\tif backend.client != nil {\n",
		"\tbackend.lanes.close()\n\tif backend.client != nil {\n"},
	{"compute/xla/xla.go",
		"client, err = plugin.NewClient(pluginOptions)",
		"client, err = plugin.NewClient(withoutDevice(pluginOptions))"},
	{"compute/xla/xla.go", // how many devices a CPU is shown as
		"\t// Any leftover plugin options are unknown.\n",
		"\tif err := devicesOption(backendOptions, pluginOptions); err != nil {\n\t\treturn nil, err\n\t}\n\n\t// Any leftover plugin options are unknown.\n"},
	{"compute/xla/flash.go", // keys and values of grouped queries as they are: cuDNN shares them itself
		"\tif groupSize == 1 {\n\t\treturn x, nil",
		"\tif groupSize >= 1 {\n\t\treturn x, nil"},
	{"compute/xla/flash.go",
		"\tif groupSize == 1 {\n\t\treturn dx, nil",
		"\tif groupSize >= 1 {\n\t\treturn dx, nil"},
	{"compute/xla/flash.go",
		"resultShapes := []shapes.Shape{bhsd, bhsd, bhsd, scratch}",
		"shared := shapes.Make(qDType, batchSize, numKVHeads, seqLen, featureDim)\n\tresultShapes := []shapes.Shape{bhsd, shared, shared, scratch}"},
	{"compute/xla/flash.go", // attention by a function of the host, on CPUs
		"\top := compute.OpTypeFusedScaledDotProductAttention.String()\n",
		"\tif f.builder.backend.hostKernels {\n\t\treturn f.hostAttention(query, key, value, axesLayout, options)\n\t}\n\top := compute.OpTypeFusedScaledDotProductAttention.String()\n"},
	{"compute/xla/flash.go",
		"\top := compute.OpTypeFusedScaledDotProductAttentionVJP.String()\n",
		"\tif f.builder.backend.hostKernels {\n\t\treturn f.hostAttentionVJP(query, key, value, axesLayout, options, output, statesForVJP, dOutput)\n\t}\n\top := compute.OpTypeFusedScaledDotProductAttentionVJP.String()\n"},
	{"compute/xla/fused_ops.go", // dense layers likewise
		"(x, weight, bias compute.Value, options compute.DenseConfig) (compute.Value, error) {\n",
		"(x, weight, bias compute.Value, options compute.DenseConfig) (compute.Value, error) {\n\tif f.builder.backend.hostKernels {\n\t\treturn f.hostDense(x, weight, bias, options)\n\t}\n"},
	{"compute/xla/fused_ops.go", // and layer norms
		"(x compute.Value, axes []int, epsilon float64, gamma, beta compute.Value) (compute.Value, error) {\n",
		"(x compute.Value, axes []int, epsilon float64, gamma, beta compute.Value) (compute.Value, error) {\n\tif f.builder.backend.hostKernels {\n\t\treturn f.hostNorm(x, axes, epsilon, gamma, beta)\n\t}\n"},
	{"compute/xla/backend.go",
		"\thasSharedBuffers   bool\n",
		"\thasSharedBuffers   bool\n\thostKernels        bool\n\tlanes              lanes\n"},
	{"compute/xla/xla.go",
		"\tbackend.numDevices = len(client.AddressableDevices())\n",
		"\tbackend.numDevices = len(client.AddressableDevices())\n\tbackend.findHostKernels()\n"},
}

// added are files of cmd/setup/goxla, and where they go.
var added = map[string]string{
	"goxla/donors.go.txt":       "compute/xla/donors.go",
	"goxla/compilecache.go.txt": "pjrt/compilecache.go",
	"goxla/programs.go.txt":     "compute/xla/programs.go",
	"goxla/hosthandlers.go.txt": "pjrt/hosthandlers.go",
	"goxla/hostcall.go.txt":     "stablehlo/hostcall.go",
	"goxla/hostkernels.go.txt":  "compute/xla/hostkernels.go",
	"goxla/lanes.go.txt":        "compute/xla/lanes.go",
	"goxla/clientlanes.go.txt":  "pjrt/clientlanes.go",
}

//go:embed goxla
var addedFiles embed.FS

// patchXLA leaves in build a copy of go-xla with those changes, and what makes
// go use it:
//
//	build/go-xla           the copy
//	build/go.mod, go.sum   the repository's, with a replace
//	build/goflags          -modfile=…/build/go.mod -tags=laurelxla, for GOFLAGS
//
// Without them everything builds too: slower, and without several devices.
func patchXLA(root string, out io.Writer) error {
	files, err := readModFiles(root)
	if err != nil {
		return err
	}
	version, source, err := xlaSource(root)
	if err != nil {
		return err
	}
	build := filepath.Join(root, "build")
	stampFile, stamp := filepath.Join(build, "go-xla.version"), version+" "+patchDigest(files)
	if raw, err := os.ReadFile(stampFile); err == nil && string(raw) == stamp {
		fmt.Fprintf(out, "go-xla: already there: %s (%s)\n", filepath.Join(build, "go-xla"), version)
		return nil
	}
	if err := errors.Join(os.RemoveAll(stampFile), copyPatched(source, filepath.Join(build, "go-xla"))); err != nil {
		return err
	}
	mod := files["go.mod"] + "\nreplace " + xlaModule + " => ./build/go-xla\n"
	flags := strconv.Quote("-modfile="+filepath.Join(build, "go.mod")) + " -tags=laurelxla\n"
	for name, content := range map[string]string{"go.mod": mod, "go.sum": files["go.sum"], "goflags": flags} {
		if err := plugins.WriteFile(filepath.Join(build, name), strings.NewReader(content), 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "go-xla: %s with %d changes (docs/upstream.md): %s\n", version, len(replacements), filepath.Join(build, "go-xla"))
	return plugins.WriteFile(stampFile, strings.NewReader(stamp), 0o644)
}

// readModFiles reads go.mod and go.sum of the repository.
func readModFiles(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, fmt.Errorf("go-xla: %w", err)
		}
		files[name] = string(raw)
	}
	return files, nil
}

// xlaSource is the module that go.mod names, fetched where it is not there yet.
func xlaSource(root string) (version, dir string, err error) {
	if _, err := output(root, "go", "mod", "download", "-modfile="+filepath.Join(root, "go.mod"), xlaModule); err != nil {
		return "", "", fmt.Errorf("go-xla: %w", err)
	}
	line, err := output(root, "go", "list", "-modfile="+filepath.Join(root, "go.mod"), "-m", "-f", "{{.Version}} {{.Dir}}", xlaModule)
	if err != nil {
		return "", "", fmt.Errorf("go-xla: %w", err)
	}
	version, dir, _ = strings.Cut(line, " ")
	return version, dir, nil
}

// patchDigest changes with every change, and with the repository's own modules.
func patchDigest(files map[string]string) string {
	sum := sha256.New()
	fmt.Fprintln(sum, replacements, files["go.mod"], files["go.sum"])
	for _, from := range slices.Sorted(maps.Keys(added)) {
		raw, err := addedFiles.ReadFile(from)
		if err != nil {
			panic(err) // it is embedded
		}
		sum.Write(raw)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}

// copyPatched writes the changed copy beside its place, then puts it there.
func copyPatched(source, target string) error {
	aside, err := os.MkdirTemp(filepath.Dir(target), "go-xla-")
	if err != nil {
		return fmt.Errorf("go-xla: %w", err)
	}
	defer os.RemoveAll(aside)
	if err := os.Chmod(aside, 0o755); err != nil {
		return fmt.Errorf("go-xla: %w", err)
	}
	if err := copyModule(source, aside); err != nil {
		return fmt.Errorf("go-xla: %w", err)
	}
	for _, r := range replacements {
		if err := r.apply(aside); err != nil {
			return err
		}
	}
	for from, to := range added {
		raw, err := addedFiles.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(aside, to), raw, 0o644); err != nil {
			return fmt.Errorf("go-xla: %w", err)
		}
	}
	if err := os.RemoveAll(target); err != nil {
		return fmt.Errorf("go-xla: %w", err)
	}
	return os.Rename(aside, target)
}

// copyModule copies what a build reads, writable: the module cache is not.
func copyModule(source, target string) error {
	return filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		to := filepath.Join(target, name)
		switch {
		case entry.IsDir() && (name == "examples" || name == "docs"):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(to, 0o755)
		case strings.HasSuffix(name, "_test.go"):
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, raw, 0o644)
	})
}

func (r replacement) apply(dir string) error {
	path := filepath.Join(dir, r.file)
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("go-xla: %w", err)
	}
	if n := strings.Count(string(raw), r.old); n != 1 {
		return fmt.Errorf("go-xla: %s holds %q %d times, want once: the module is of another version than the changes in cmd/setup are for", r.file, r.old, n)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(raw), r.old, r.new, 1)), 0o644)
}
