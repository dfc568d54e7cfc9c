package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"laurel/configs"
	"laurel/model"
)

// TestMain makes this binary be laurel where it is started under that name:
// scripts run real processes, with their exit codes and signals.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"laurel": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"rc":          exitCode,
			"cut":         cut,
			"beheaded":    beheaded,
			"flip":        flip,
			"filltensors": fillTensors,
			"nudge":       nudge,
			"json":        checkJSON,
			"setjson":     setJSON,
			"dump":        dumpParquet,
			"rewards":     sameRewards,
			"samelosses":  sameLosses,
			"waitfor":     waitFor,
			"hub":         hubCommand,
			"chatserver":  chatServerCommand,
			"server":      serverCommand,
			"page":        pageCommand,
		},
		Setup: func(env *testscript.Env) error {
			shared, err := filepath.Abs(filepath.Join("..", "..", "..", "shared"))
			if err != nil {
				return err
			}
			env.Setenv("SHARED", shared)
			root, err := filepath.Abs(filepath.Join("..", ".."))
			if err != nil {
				return err
			}
			env.Setenv("ROOT", root)
			env.Setenv("PLUGINS", pluginFolder(t))
			env.Values[hubKey{}] = &hubOf{}
			env.Values[chatServerKey{}] = &chatServer{}
			env.Values[rewardServerKey{}] = &rewardServer{}
			env.Values[pageServerKey{}] = &pageServer{}
			return writeInputs(env.WorkDir)
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "shared":
				_, err := os.Stat(filepath.Join("..", "..", "..", "shared", "data"))
				return err == nil, nil
			case "xla": // whether XLA's plugin for the CPU is in $PLUGINS
				_, err := os.Stat(filepath.Join(pluginFolder(t), "cpu"))
				return err == nil, nil
			case "devices": // whether a script may use several
				return severalDevices(t), nil
			case "mount": // whether a script may mount a tmpfs in a namespace of its own
				return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", t.TempDir()).Run() == nil, nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		RequireExplicitExec: true,
	})
}

// pluginFolder has what make setup fetched. Scripts name it where they need XLA.
func pluginFolder(t *testing.T) string {
	folder, err := filepath.Abs(filepath.Join("..", "..", "build", "pjrt"))
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// severalDevices tells whether a test may use several: XLA's CPU plugin shows four.
func severalDevices(t *testing.T) bool {
	_, err := os.Stat(filepath.Join(pluginFolder(t), "cpu"))
	return model.ChangedXLA && err == nil
}

// writeInputs puts the inputs of a small run into dir: tiny/ (an encoder of
// one layer and the demo's tokenizer), run.yaml, train.jsonl, validation.jsonl.
func writeInputs(dir string) error {
	if err := os.CopyFS(dir, configs.DemoEncoder); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "demo-encoder"), filepath.Join(dir, "tiny")); err != nil {
		return err
	}
	for from, to := range map[string]string{
		"tiny.json": "tiny/config.json", "run.yaml": "run.yaml",
		"pairs/train.jsonl": "train.jsonl", "pairs/validation.jsonl": "validation.jsonl",
	} {
		content, err := os.ReadFile(filepath.Join("testdata", from))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, to), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// exitCode runs a program that must end with exactly this code:
// rc 2 laurel train.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: rc code program [arguments]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cut keeps the first n bytes of a file: cut n file.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut bytes file")
	}
	n, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[1]), n))
}

// waitFor waits until a file holds a text: waitfor file text.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor file text")
	}
	for range 3000 {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && strings.Contains(string(content), args[1]) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%s does not hold %q after 30 s", args[0], args[1])
}

// sameLosses compares metrics.jsonl of two run directories byte for byte, the
// rates aside, which no two runs share.
func sameLosses(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: samelosses run run")
	}
	a, b := lossLines(ts.ReadFile(args[0]+"/metrics.jsonl")), lossLines(ts.ReadFile(args[1]+"/metrics.jsonl"))
	if slices.Equal(a, b) == neg {
		ts.Fatalf("metrics of %s:\n%s\nof %s:\n%s", args[0], strings.Join(a, "\n"), args[1], strings.Join(b, "\n"))
	}
}
