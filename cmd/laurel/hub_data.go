package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"laurel/model/hub"
)

// localData puts files in the place of data sets on the hub, hf://…, fetched
// where the cache does not have them; other names stay.
func localData(ctx context.Context, refs []string, out io.Writer) ([]string, error) {
	var files []string
	for _, ref := range refs {
		if !hub.IsData(ref) {
			files = append(files, ref)
			continue
		}
		found, err := hubData(ctx, ref, out)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "data: %s is %s\n", ref, strings.Join(found, ", "))
		files = append(files, found...)
	}
	return files, nil
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
