package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"laurel/data/tokenizer"
	"laurel/eval/draw"
	"laurel/model"
)

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which laurel this is: commit, plugin and libraries",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := readBuild()
			if choice, err := model.ChooseBackend("auto"); err == nil {
				b.Plugin = choice.PluginVersion()
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), b)
			}
			return b.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// build says what a binary was made of.
type build struct {
	Version   string            `json:"version"`          // a tag, or what Go makes of the commit
	Commit    string            `json:"commit,omitempty"` // empty where the source was no git checkout
	Time      string            `json:"commit_time,omitempty"`
	Modified  bool              `json:"modified"` // the checkout had changes that were not committed
	Go        string            `json:"go"`
	Platform  string            `json:"platform"`
	Plugin    string            `json:"plugin,omitempty"` // the XLA plugin that is found here
	Tokenizer string            `json:"tokenizer_library"`
	Libraries map[string]string `json:"libraries"`
}

// libraries are those that decide numbers or bytes of files.
var libraries = [...]string{"github.com/gomlx/gomlx", "github.com/gomlx/go-xla", "github.com/gomlx/compute",
	"github.com/daulet/tokenizers", "github.com/parquet-go/parquet-go"}

// readBuild reads what Go's linker left in the binary.
func readBuild() *build {
	b := &build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Tokenizer: tokenizer.LibraryVersion(), Libraries: map[string]string{}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.Time = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	versions := map[string]string{}
	for _, module := range info.Deps {
		versions[module.Path] = module.Version
	}
	for _, path := range libraries {
		b.Libraries[path] = versions[path]
	}
	return b
}

// line is what --version prints.
func (b *build) line() string {
	line := b.Version
	if b.Commit != "" && !strings.Contains(line, b.Commit[:12]) {
		line += " " + b.Commit[:12]
	}
	if b.Modified && !strings.Contains(line, "+dirty") {
		line += " with changes that are not committed"
	}
	return line
}

func (b *build) print(out io.Writer) error {
	var text strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&text, "%-10s %s\n", name, value)
		}
	}
	row("laurel", b.line())
	row("commit", strings.TrimSpace(b.Commit+" "+b.Time))
	row("built by", b.Go+" for "+b.Platform)
	row("plugin", b.Plugin)
	row("tokenizer", b.Tokenizer)
	for _, path := range libraries {
		row("", path+" "+b.Libraries[path])
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// madeBy are the facts that end every report's list: when it was written, and by
// which laurel.
func madeBy() []draw.Fact {
	return []draw.Fact{{Name: "date", Value: time.Now().Format("2006-01-02 15:04 MST")}, {Name: "laurel", Value: readBuild().line()}}
}
