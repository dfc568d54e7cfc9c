package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/rogpeppe/go-internal/testscript"
)

// lossLines are the lines of a metrics.jsonl without their rates.
func lossLines(metrics string) []string {
	rates := regexp.MustCompile(`"(pairs|tokens)_per_second":[^,}]*,`)
	return strings.Split(strings.TrimSpace(rates.ReplaceAllString(metrics, "")), "\n")
}

// checkJSON looks a value up in a JSON file, or in one line of a JSON lines
// file given as file:line, and compares it with want, written as JSON; without
// want the value must be there and not be null.
// json report.json per_subset.facts.n 4
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: [!] json file[:line] path [want]")
	}
	file, line, ok := strings.Cut(args[0], ":")
	content := ts.ReadFile(file)
	if ok {
		n, err := strconv.Atoi(line)
		ts.Check(err)
		content = strings.Split(content, "\n")[n-1]
	}
	var value any
	ts.Check(json.Unmarshal([]byte(content), &value))
	got, ok := lookUp(value, strings.Split(args[1], "."))
	raw, err := json.Marshal(got)
	ts.Check(err)
	switch {
	case len(args) == 3:
		ok = ok && string(raw) == args[2]
	default:
		ok = ok && got != nil
	}
	if ok == neg {
		ts.Fatalf("%s of %s is %s", args[1], args[0], raw)
	}
}

func lookUp(value any, path []string) (any, bool) {
	for _, key := range path {
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[key]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// setJSON sets a key of a JSON file: setjson file key value.
func setJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: setjson file key value")
	}
	var object map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &object))
	object[args[1]] = json.RawMessage(args[2])
	raw, err := json.Marshal(object)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), raw, 0o644))
}

// dumpParquet writes a Parquet file's rows to the script's stdout as JSON
// lines, columns in the file's order; with -schema its schema instead. It
// shares no code with package data.
func dumpParquet(ts *testscript.TestScript, neg bool, args []string) {
	schemaOnly := len(args) == 2 && args[0] == "-schema"
	if neg || len(args) != 1 && !schemaOnly {
		ts.Fatalf("usage: dump [-schema] file")
	}
	schema, rows, err := readParquet(ts.MkAbs(args[len(args)-1]))
	ts.Check(err)
	if schemaOnly {
		fmt.Fprintln(ts.Stdout(), schema)
		return
	}
	for _, row := range rows {
		cells := make([]string, 0, len(row))
		for _, column := range schema.Fields() {
			raw, err := json.Marshal(row[column.Name()])
			ts.Check(err)
			cells = append(cells, strconv.Quote(column.Name())+":"+string(raw))
		}
		fmt.Fprintf(ts.Stdout(), "{%s}\n", strings.Join(cells, ","))
	}
}

func readParquet(path string) (*parquet.Schema, []map[string]any, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	reader := parquet.NewReader(file)
	defer reader.Close()
	var rows []map[string]any
	for {
		row := map[string]any{}
		if err := reader.Read(&row); errors.Is(err, io.EOF) {
			return reader.Schema(), rows, nil
		} else if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
}

// sameRewards compares the rewards of the rows that two scored files have in
// common, by id: rewards a.parquet b.parquet. They may differ by 1e-6.
func sameRewards(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] rewards file file")
	}
	a, b := rewardsByID(ts, args[0]), rewardsByID(ts, args[1])
	shared, different := 0, ""
	for key, x := range a {
		y, ok := b[key]
		if !ok {
			continue
		}
		shared++
		if !(math.Abs(x-y) <= 1e-6*max(1, math.Abs(x))) {
			different += fmt.Sprintf("%s: %v and %v\n", key, x, y)
		}
	}
	if shared == 0 {
		ts.Fatalf("%s and %s have no row in common", args[0], args[1])
	}
	if (different != "") != neg {
		ts.Fatalf("%d rewards in common; different:\n%s", shared, different)
	}
}

// rewardsByID are the rewards of a scored file under id and column; a missing
// reward is a number that only a missing one equals.
func rewardsByID(ts *testscript.TestScript, file string) map[string]float64 {
	_, rows, err := readParquet(ts.MkAbs(file))
	ts.Check(err)
	rewards := map[string]float64{}
	for _, row := range rows {
		for name, value := range row {
			if !strings.HasPrefix(name, "reward") {
				continue
			}
			key := fmt.Sprint(row["id"], " ", name)
			rewards[key] = math.MaxFloat64
			if reward, ok := value.(float32); ok {
				rewards[key] = float64(reward)
			}
		}
	}
	return rewards
}
