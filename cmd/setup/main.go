// Command setup fetches and builds what laurel links or loads and Go modules
// cannot carry:
//
//	build/lib/libtokenizers.a   the Rust tokenizers library (linked)
//	build/pjrt/cpu              XLA's PJRT plugin for the CPU (loaded at run time)
//	build/pjrt/cuda             XLA's PJRT plugin for CUDA with NVIDIA's libraries,
//	                            where a GPU is present
//	build/go-xla, build/go.mod  go-xla with laurel's changes (docs/upstream.md)
//
// It does each step once: a second run says "already there".
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"laurel/model/plugins"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run gives the exit code: 0 done, 1 failed, 2 usage.
func run(args []string, out, errOut io.Writer) int {
	flags := flag.NewFlagSet("setup", flag.ContinueOnError)
	flags.SetOutput(errOut)
	root := flags.String("root", ".", "the repository's root")
	cuda := flags.Bool("cuda", false, "fetch the CUDA plugin and NVIDIA's libraries (2.2 GB) even where no GPU is found")
	require := flags.Bool("require-plugin", false, "fail where no PJRT plugin can be had, instead of leaving the Go backend alone")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := setUp(*root, *cuda, *require, out); err != nil {
		fmt.Fprintln(errOut, "setup:", err)
		return 1
	}
	return 0
}

func setUp(root string, cuda, require bool, out io.Writer) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return fmt.Errorf("%s is not the repository's root: %w", root, err)
	}
	if err := tokenizerLibrary(root, out); err != nil {
		return err
	}
	if err := patchXLA(root, out); err != nil {
		return err
	}
	folder := filepath.Join(root, "build", "pjrt")
	if err := settle(plugins.FetchCPU(folder, out), require, out); err != nil {
		return err
	}
	return settle(plugins.FetchCUDA(folder, cuda, out), require || cuda, out)
}

// settle turns a plugin that cannot be had into a line, unless it is required.
func settle(err error, required bool, out io.Writer) error {
	if err == nil || required || !errors.Is(err, plugins.ErrNone) {
		return err
	}
	fmt.Fprintf(out, "%v; laurel runs on its Go backend\n", err)
	return nil
}
