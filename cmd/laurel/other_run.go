package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A directory that holds a run's output is written again only by a run of the
// same settings, or with --overwrite.

// earlierRun is what label.json or revise.json say of the run that wrote them.
type earlierRun struct {
	Files        []string       `json:"files"`
	Config       map[string]any `json:"config"`
	Constitution map[string]any `json:"constitution"`
	Labelled     int            `json:"labelled"`
	Written      int            `json:"written"`
}

// checkReplaced refuses to replace the output of another run: record is the
// file in dir that says which run that was, outputs are what it wrote. Runs that
// wrote nothing of use, or that were killed before their record, are in no way.
func checkReplaced(dir, record string, outputs []string, now runRecord, reaggregated bool) error {
	raw, err := os.ReadFile(filepath.Join(dir, record))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return checkStrangers(dir, outputs)
	case err != nil:
		return err
	}
	var before earlierRun
	if err := json.Unmarshal(raw, &before); err != nil {
		return fmt.Errorf("read %s: %w: give --overwrite to replace the output, or name another --out", filepath.Join(dir, record), err)
	}
	if before.Labelled+before.Written == 0 {
		return nil
	}
	after, err := now.asEarlier()
	if err != nil {
		return err
	}
	different := otherFiles(before.Files, after.Files)
	if !reaggregated { // which is for other settings
		different = append(different, otherSettings(before, after)...)
	}
	if len(different) == 0 {
		return nil
	}
	return fmt.Errorf("%s holds the output of a run with other settings: %s: name another --out, or give --overwrite to replace it (the answers in %s are kept)", dir, strings.Join(different, "; "), answersFile)
}

// asEarlier is the record as a later run will read it.
func (r runRecord) asEarlier() (earlier earlierRun, err error) {
	raw, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(raw, &earlier)
	}
	return earlier, err
}

// checkStrangers refuses to replace files of which no run is known to have
// written them. A run that was killed at its end left its answers beside them.
func checkStrangers(dir string, outputs []string) error {
	if _, err := os.Stat(filepath.Join(dir, answersFile)); err == nil {
		return nil
	}
	return keepFiles(dir, false, outputs...)
}

func otherFiles(before, after []string) []string {
	if slices.Equal(before, after) {
		return nil
	}
	return []string{fmt.Sprintf("--data was %s, is %s", strings.Join(before, ", "), strings.Join(after, ", "))}
}

// otherSettings name the settings that decide the output and differ. Pairs may
// come to what has none.
func otherSettings(before, after earlierRun) (out []string) {
	was, is := map[string]string{}, map[string]string{}
	flatten("", before.Config, was)
	flatten("", after.Config, is)
	keys := maps.Clone(was)
	maps.Copy(keys, is)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if decides(key) && was[key] != is[key] && !(key == "pairs" && was[key] == "false") {
			out = append(out, fmt.Sprintf("%s was %s, is %s", key, orNone(was[key]), orNone(is[key])))
		}
	}
	if len(out) == 0 && !reflect.DeepEqual(before.Constitution, after.Constitution) {
		out = append(out, fmt.Sprintf("constitution %v has other principles, weights or texts", after.Constitution["name"]))
	}
	return out
}

// flatten gives every value under its path.
func flatten(path string, value any, into map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for key, one := range v {
			flatten(path+key+".", one, into)
		}
	case []any:
		for i, one := range v {
			flatten(path+strconv.Itoa(i)+".", one, into)
		}
	case nil:
	default:
		into[strings.TrimSuffix(path, ".")] = fmt.Sprint(v)
	}
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// decides is whether a key decides what a run writes: where a server is and how
// hard it is pressed does not.
func decides(key string) bool {
	if strings.HasPrefix(key, "budget.") || key == "in_flight" {
		return false
	}
	for _, name := range []string{"base_url", "api_key_env", "timeout", "max_retries", "backoff", "grace_period", "requests_per_minute", "tokens_per_minute", "in_flight", "tokenizer", "max_tokens_name", "backend"} {
		if strings.HasSuffix(key, "."+name) {
			return false
		}
	}
	return !strings.Contains(key, ".price.") && !strings.Contains(key, ".headers.")
}
