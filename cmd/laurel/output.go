package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"laurel/data"
)

// overwriteFlag adds --overwrite: without it no command replaces what a user
// has.
func overwriteFlag(cmd *cobra.Command, value *bool) {
	cmd.Flags().BoolVar(value, "overwrite", false, "replace the output that is there already")
}

// apart refuses an output that is one of the inputs, files or folders, whatever links
// lead there.
func apart(output string, inputs ...string) error {
	to, err := os.Stat(output)
	if err != nil {
		return nil // nothing is there
	}
	for _, input := range inputs {
		if from, err := os.Stat(input); err == nil && os.SameFile(from, to) {
			also := ""
			if filepath.Clean(input) != filepath.Clean(output) {
				also = " (" + input + ")"
			}
			return fmt.Errorf("output %s is what is read%s, and would be written over: name another", output, also)
		}
	}
	return nil
}

// apartFolder is apart for a folder and the files of these names in it.
func apartFolder(dir string, inputs []string, names ...string) error {
	if err := apart(dir, inputs...); err != nil {
		return err
	}
	for _, name := range names {
		if err := apart(filepath.Join(dir, name), inputs...); err != nil {
			return err
		}
	}
	return nil
}

// endsIn refuses the name of an output that does not say what is written.
func endsIn(cmd *cobra.Command, flag, path string, endings ...string) error {
	if path == "" || slices.Contains(endings, strings.ToLower(filepath.Ext(path))) {
		return nil
	}
	return usage(cmd, fmt.Errorf("--%s %s: name a file that ends in %s, which is what is written", flag, path, strings.Join(endings, " or ")))
}

// claimFile readies the place of an output file before any long work: a file
// that is there is refused, or given up with overwrite unless it is one of the inputs,
// and the folder is made.
func claimFile(path string, overwrite bool, inputs ...string) error {
	if err := apart(path, inputs...); err != nil {
		return err
	}
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return fmt.Errorf("--out %s is a directory: name a file in it", path)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("--out %s is there and no regular file: name another", path)
	case err == nil && !overwrite:
		return replaced(path)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("output: %w", err)
	}
	return claimFolder(filepath.Dir(path))
}

// claimFolder makes a folder and sees that files can be written there.
func claimFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("output: %w: name another --out", err)
	}
	probe, err := os.CreateTemp(dir, ".laurel-")
	if err != nil {
		return fmt.Errorf("output: no file can be written in %s: %w: name another --out", dir, data.RootCause(err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// keepFiles refuses a folder in which files of the names are, unless they are
// given up with overwrite.
func keepFiles(dir string, overwrite bool, names ...string) error {
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil && !overwrite {
			return replaced(filepath.Join(dir, name))
		}
	}
	return nil
}

// claimReports readies the folder of reports of these names, which are made from the
// inputs.
func claimReports(dir string, overwrite bool, inputs []string, names ...string) error {
	if err := cmp.Or(apartFolder(dir, inputs, names...), keepFiles(dir, overwrite, names...)); err != nil {
		return err
	}
	return claimFolder(dir)
}

// pagedReport is what a command finds, as JSON, on a page and as tables.
type pagedReport interface {
	WriteJSON(path string) error
	Print(out io.Writer) error
}

// publish writes a report's JSON and page into dir, where one is given, and prints
// its tables, or it as JSON.
func publish(r pagedReport, dir, jsonFile, pageFile string, writePage func(path string) error, asJSON bool, out io.Writer) error {
	page := filepath.Join(dir, pageFile)
	if dir != "" {
		if err := r.WriteJSON(filepath.Join(dir, jsonFile)); err != nil {
			return err
		}
		if err := writePage(page); err != nil {
			return err
		}
	}
	if asJSON {
		return printJSON(out, r)
	}
	if err := r.Print(out); err != nil || dir == "" {
		return err
	}
	_, err := fmt.Fprintf(out, "\nreport  %s\n", page)
	return err
}

func replaced(path string) error {
	return fmt.Errorf("%s is there already: add --overwrite to replace it, or name another --out", path)
}

// claimWhole readies the place of a folder that is written whole. With overwrite
// what is there is replaced, unless it is one of the inputs, or mine, which hears why
// the folder is not new, has an error.
func claimWhole(dir, what string, overwrite bool, inputs []string, mine func(notNew error) error) error {
	if err := apart(dir, inputs...); err != nil {
		return err
	}
	if filepath.Clean(dir) == "." {
		return fmt.Errorf("--out %s is the working directory, which cannot be replaced: name a directory in it", dir)
	}
	if err := data.CheckNewFolder(dir); err != nil {
		if !overwrite {
			return fmt.Errorf("%w, or add --overwrite to replace the %s there", err, what)
		}
		if err := mine(err); err != nil {
			return err
		}
	}
	return claimFolder(filepath.Dir(filepath.Clean(dir)))
}

// claimModelFolder readies the place of a model directory. With overwrite a
// model directory that is there is replaced, but never anything else.
func claimModelFolder(dir string, overwrite bool, inputs ...string) error {
	return claimWhole(dir, "model", overwrite, inputs, func(notNew error) error {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return notNew
		}
		var strange []string
		for _, entry := range entries {
			if !ofModel(entry) {
				strange = append(strange, entry.Name())
			}
		}
		if len(strange) > 0 {
			return fmt.Errorf("--overwrite replaces a model directory, and %s also holds %s: name another directory", dir, strings.Join(strange, ", "))
		}
		return nil
	})
}

// ofModel tells whether an entry of a directory may be a model's.
func ofModel(entry os.DirEntry) bool {
	if entry.IsDir() {
		return entry.Name() == "additional_chat_templates"
	}
	switch filepath.Ext(entry.Name()) {
	case ".json", ".safetensors", ".jinja", ".model":
		return true
	}
	switch entry.Name() {
	case "README.md", "MODEL_CARD.md", "vocab.txt", "merges.txt":
		return true
	}
	return false
}

// checkPairs opens files of pairs for a moment: what is wrong with paths and
// columns is better said before a model is loaded.
func checkPairs(files []string, cfg data.ReadConfig) error {
	for _, file := range files {
		r, err := data.OpenPairs(file, cfg)
		if err != nil {
			return err
		}
		if err := r.Close(); err != nil {
			return err
		}
	}
	return nil
}
