package main

import (
	"errors"
	"io/fs"
	"testing"
)

// TestAsSettings: what readers of pairs say, in words that train takes.
func TestAsSettings(t *testing.T) {
	for flags, settings := range map[string]string{
		"map them with --columns chosen=good --columns rejected='my bad one' (data.columns: {chosen: good})": "map them with --set data.columns.chosen=good --set data.columns.rejected='my bad one' (data.columns: {chosen: good})",
		"say with --columns prompt= that there is none":                                                      "say with --set data.columns.prompt= that there is none",
		"better, --columns response_a=…,label=… --label-values a=…,b=…)":                                     "better, --set data.columns.response_a=… --set data.columns.label=… --set data.label_values.a=… --set data.label_values.b=…)",
		"map others with --columns (data.columns)":                                                           "map others with data.columns",
		"--from shp --columns input= leaves it out":                                                          "--set data.from=shp --set data.columns.input= leaves it out",
		"(--from shp, without --columns, reads the layout)":                                                  "(--set data.from=shp, without data.columns, reads the layout)",
		"name all columns without --from":                                                                    "name all columns without data.from",
		"laurel convert --from openassistant":                                                                "laurel convert --from openassistant",
		"--on-bad-row skip (train: --set data.on_bad_row=skip)":                                              "--set data.on_bad_row=skip",
		"lower it (--max-length, or model.max_length in a run's configuration and with --set)":               "lower it (model.max_length)",
	} {
		if got := asSettings(flags); got != settings {
			t.Errorf("%q becomes %q, want %q", flags, got, settings)
		}
	}
	if err := inSettings(fs.ErrNotExist); !errors.Is(err, fs.ErrNotExist) || inSettings(nil) != nil {
		t.Errorf("an error is lost: %v", err)
	}
}
