package main

import (
	"io"
	"regexp"
	"strings"
)

// What reads pairs names the flags of commands that read files (--columns, --from).
// train and learning-curve have settings in their place, by which their errors and
// notes are to name them.

const fieldValues = `((?:[a-z_]+=(?:'[^']*'|[^\s,;:)']*))(?:,(?:[a-z_]+=(?:'[^']*'|[^\s,;:)']*)))*)`

// readingFlags are flags as they stand in a text, each with what a command with
// settings says instead; $1 is kept.
var readingFlags = []struct {
	flag *regexp.Regexp
	key  string // of which each field=value of $1 is set; "": as is
	as   string
}{
	{regexp.MustCompile(`--on-bad-row skip \(train: (--set data\.on_bad_row=skip)\)`), "", "$1"},
	{regexp.MustCompile(`--(?:columns|on-bad-row|label-values) \((data\.\w+)\)`), "", "$1"},
	{regexp.MustCompile(`--max-length, or (model\.max_length) in a run's configuration and with --set`), "", "$1"},
	{regexp.MustCompile(`--columns ` + fieldValues), "data.columns", ""},
	{regexp.MustCompile(`--label-values ` + fieldValues), "data.label_values", ""},
	{regexp.MustCompile(`--columns\b`), "", "data.columns"},
	{regexp.MustCompile(`--label-values\b`), "", "data.label_values"},
}

// fromFlag is --from, where it is not that of laurel convert.
var fromFlag = regexp.MustCompile(`(convert )?--from\b( [a-z0-9-]+)?`)

var fieldValue = regexp.MustCompile(`([a-z_]+)=('[^']*'|[^\s,;:)']*)`)

// asSettings is a text with settings in the place of the flags that it names.
func asSettings(text string) string {
	for _, f := range readingFlags {
		if f.key == "" {
			text = f.flag.ReplaceAllString(text, f.as)
			continue
		}
		text = f.flag.ReplaceAllStringFunc(text, func(flag string) string {
			var each []string
			for _, one := range fieldValue.FindAllStringSubmatch(flag, -1) {
				each = append(each, "--set "+f.key+"."+one[1]+"="+one[2])
			}
			return strings.Join(each, " ")
		})
	}
	return fromFlag.ReplaceAllStringFunc(text, func(flag string) string {
		layout, named := strings.CutPrefix(flag, "--from ")
		switch {
		case strings.HasPrefix(flag, "convert "):
			return flag
		case named:
			return "--set data.from=" + layout
		}
		return "data.from"
	})
}

// settingsError is an error that names settings in the place of flags.
type settingsError struct{ error }

func (e settingsError) Error() string { return asSettings(e.error.Error()) }
func (e settingsError) Unwrap() error { return e.error }

// inSettings has an error name settings in the place of flags.
func inSettings(err error) error {
	if err == nil {
		return nil
	}
	return settingsError{err}
}

// settingNotes is noteOnce for a command that has settings in the place of flags.
func settingNotes(out io.Writer) func(file, note string) {
	say := noteOnce(out)
	return func(file, note string) { say(file, asSettings(note)) }
}
