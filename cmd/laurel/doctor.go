package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/spf13/cobra"

	"laurel/data/tokenizer"
	"laurel/model"
	"laurel/model/plugins"
)

func doctorCommand() *cobra.Command {
	var backend string
	var asJSON, fix, cuda bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine trains with, and what is missing; --fix fetches it",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cuda && !fix {
				return usage(cmd, errors.New("--cuda says what --fix fetches: give both"))
			}
			if fix {
				_, log := outputs(cmd, asJSON)
				if err := fetchPlugins(cuda, log); err != nil {
					return err
				}
			}
			d := diagnose(backend)
			if err := d.write(cmd.OutOrStdout(), asJSON); err != nil {
				return err
			}
			if len(d.Problems) > 0 {
				return errors.New("training cannot run here; the problems above say what to do")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&backend, "backend", "auto", "auto, cuda, cpu, go or xla:/path/plugin.so")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&fix, "fix", false, "fetch the XLA plugins that are missing, pinned by SHA-256 (63 MB; with a GPU 2.2 GB more)")
	cmd.Flags().BoolVar(&cuda, "cuda", false, "with --fix: fetch the CUDA plugin even where no GPU is found")
	return cmd
}

// fetchPlugins puts the plugins that this machine can use where laurel looks
// for them.
func fetchPlugins(cuda bool, out io.Writer) error {
	folder, err := plugins.Home()
	if err != nil {
		return err
	}
	return errors.Join(plugins.FetchCPU(folder, out), plugins.FetchCUDA(folder, cuda, out))
}

// diagnosis is what doctor finds.
type diagnosis struct {
	Backend   *model.BackendChoice `json:"backend"`
	Version   string               `json:"plugin_version,omitempty"`
	Devices   []model.Device       `json:"devices"`
	Attention string               `json:"attention,omitempty"`
	Memory    string               `json:"memory"`
	CPUs      int                  `json:"cpus"`
	GPU       bool                 `json:"gpu"`
	Tokenizer string               `json:"tokenizer_library"`
	Go        string               `json:"go"`
	Compiled  model.CompileCache   `json:"compiled_programs"`
	Advice    []string             `json:"advice"`   // what would be better, and the command for it
	Problems  []string             `json:"problems"` // why training cannot run, and what mends it
}

// diagnose starts the backend and the tokenizer as a run would.
func diagnose(want string) *diagnosis {
	d := &diagnosis{CPUs: runtime.NumCPU(), GPU: plugins.HasGPU(), Memory: machineMemory(),
		Go: runtime.Version(), Compiled: model.FindCompileCache(), Tokenizer: tokenizer.LibraryVersion(), Devices: []model.Device{}, Advice: []string{}, Problems: []string{}}
	choice, err := model.ChooseBackend(want)
	if err != nil {
		d.Problems = append(d.Problems, err.Error())
		return d
	}
	d.Backend, d.Version = choice, choice.PluginVersion()
	if err := d.tryBackend(); err != nil {
		d.Problems = append(d.Problems, err.Error())
	}
	if choice.Name == "go" {
		d.Advice = append(d.Advice, "the pure-Go backend works but is 2.5 to 3 times slower than XLA: laurel doctor --fix fetches the plugin")
	}
	if choice.Name != "cuda" && d.GPU {
		d.Advice = append(d.Advice, "there is an NVIDIA GPU: laurel doctor --fix fetches XLA's CUDA plugin for it")
	}
	return d
}

// machineMemory is what the machine has and what of it is free.
func machineMemory() string {
	total, free, ok := model.MachineMemory()
	if !ok {
		return "memory not known on this system"
	}
	return fmt.Sprintf("%.1f GB memory, %.1f GB free", total/1e9, free/1e9)
}

// tryBackend computes one sum, which shows that the plugin loads, compiles
// and runs.
func (d *diagnosis) tryBackend() error {
	backend, err := d.Backend.Open()
	if err != nil {
		return err
	}
	d.Devices, d.Attention = model.Devices(backend), model.FusedAttention(backend)
	sum, err := model.TrySum(backend, tensors.FromValue([]float32{1, 2, 3}))
	if err != nil {
		return fmt.Errorf("%s starts but cannot compute: %w", d.Backend, err)
	}
	if sum != 6 {
		return fmt.Errorf("%s computes 1+2+3 = %v", d.Backend, sum)
	}
	return nil
}

func (d *diagnosis) write(out io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(out, d)
	}
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-10s %s\n", name, value) }
	if d.Backend != nil {
		line("backend", fmt.Sprintf("%s: %s", d.Backend, d.Backend.Why))
		for _, passed := range d.Backend.Passed {
			line("", "not "+passed)
		}
	}
	if d.Version != "" {
		line("plugin", d.Version)
	}
	for _, device := range d.Devices {
		line("device", fmt.Sprintf("%d: %s", device.Number, device.Description))
	}
	if d.Attention != "" {
		line("attention", d.Attention)
	}
	line("machine", fmt.Sprintf("%d CPUs, %s, GPU: %v", d.CPUs, d.Memory, d.GPU))
	line("compiled", d.Compiled.String())
	line("tokenizer", d.Tokenizer)
	line("built by", d.Go)
	for _, advice := range d.Advice {
		line("advice", advice)
	}
	for _, problem := range d.Problems {
		line("PROBLEM", problem)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
