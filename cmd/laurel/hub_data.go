package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"laurel/model/hub"
)

// localData puts files in the place of data sets on the hub, hf://…, fetched
// where the cache does not have them, and of patterns such as data/*.parquet that no
// shell has spelt out; other names stay.
func localData(ctx context.Context, refs []string, out io.Writer) ([]string, error) {
	var files []string
	for _, ref := range refs {
		var found []string
		var err error
		switch {
		case hub.IsData(ref):
			found, err = hubData(ctx, ref, out)
		case isPattern(ref):
			found, err = matching(ref)
		default:
			files = append(files, ref)
			continue
		}
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "data: %s is %s\n", ref, strings.Join(found, ", "))
		files = append(files, found...)
	}
	return files, nil
}

// isPattern tells a pattern from the name of a file.
func isPattern(ref string) bool { return strings.ContainsAny(ref, "*?[") && !isThere(ref) }

// matching are the files that a pattern matches, in the order of their names.
func matching(pattern string) ([]string, error) {
	found, err := filepath.Glob(pattern)
	switch {
	case err != nil:
		return nil, fmt.Errorf("data %s: no such file, and no pattern: %w", pattern, err)
	case len(found) == 0:
		return nil, fmt.Errorf("data %s: no file of that name, and none that it matches as a pattern", pattern)
	}
	return found, nil
}

func hubData(ctx context.Context, ref string, out io.Writer) ([]string, error) {
	var show *progress
	found, err := hub.ResolveData(ctx, ref, hub.Options{Notice: printTo(out), Progress: func(file string, done, total int64) {
		if show == nil {
			show = newProgress(out, "download "+ref, "MB", -1)
		}
		show.set(int(done>>20), int(total>>20), file)
	}})
	if show != nil {
		show.finish()
	}
	return found, err
}

// localFile is localData for a command that takes one file.
func localFile(ctx context.Context, ref string, out io.Writer) (string, error) {
	files, err := localData(ctx, []string{ref}, out)
	if err != nil {
		return "", err
	}
	if len(files) != 1 {
		return "", fmt.Errorf("data %s is %d files, and this command takes one: name them one by one: %s", ref, len(files), strings.Join(files, ", "))
	}
	return files[0], nil
}
