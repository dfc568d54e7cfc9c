package feedback

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

var (
	boxed     = regexp.MustCompile(`^\$*\\\(?\s*(?:\\)?boxed\{\s*(?:\\(?:text|mathrm|textbf|mathbf)\{)?\s*([^{}]*?)\s*\}?\s*\}\s*(?:\\\))?\$*$`)
	ofSide    = regexp.MustCompile(`^(?:the )?(?:response|assistant|answer|model|option|candidate)[\s_-]*(.+)$`)
	objectRow = regexp.MustCompile("^\\s*(?:```(?:json)?\\s*)?\\{")
	compared  = regexp.MustCompile(`^([ab])\s*(>{1,3}|=|<{1,3})\s*([ab])$`)
	tieWords  = []string{"tie", "a tie", "it's a tie", "draw", "a draw", "neither", "equal", "equally good"}
	wrappings = [][2]string{{`"`, `"`}, {"'", "'"}, {"(", ")"}, {"[", "]"}, {"{", "}"}, {"<", ">"}, {"«", "»"}}
)

// unwrap takes quotes, brackets and a full stop from around a value.
func unwrap(value string) string {
	for {
		value = strings.TrimSpace(strings.TrimRight(strings.TrimSpace(value), ".!,;"))
		inner := value
		for _, w := range wrappings {
			if len(value) >= 2 && strings.HasPrefix(value, w[0]) && strings.HasSuffix(value, w[1]) && !brackets.MatchString(value) {
				inner = value[len(w[0]) : len(value)-len(w[1])]
				break
			}
		}
		if inner == value {
			return value
		}
		value = inner
	}
}

// namedSide is the side that a value names, in lower case: a letter, a tie, or
// one of the judges' forms.
func namedSide(value string) (side string, ok bool) {
	value = unwrap(value)
	if brackets.MatchString(value) {
		return bracketSide(value)
	}
	if m := boxed.FindStringSubmatch(value); m != nil {
		value = unwrap(m[1])
	}
	if m := ofSide.FindStringSubmatch(value); m != nil {
		value = unwrap(m[1])
		return value, value == sideFirst || value == sideSecond
	}
	return plainSide(value)
}

// plainSide is a letter, a comparison of letters, or a word for a tie.
func plainSide(value string) (side string, ok bool) {
	if value == sideFirst || value == sideSecond {
		return value, true
	}
	if slices.Contains(tieWords, value) {
		return sideTie, true
	}
	m := compared.FindStringSubmatch(value)
	switch {
	case m == nil || m[1] == m[3]:
		return "", false
	case m[2] == "=":
		return sideTie, true
	case m[2][0] == '>':
		return m[1], true
	}
	return m[3], true
}

// bracketSide reads [[A]] and its kin; C is MT-Bench's tie. What else stands in
// double brackets is a verdict that nobody can read.
func bracketSide(line string) (side string, ok bool) {
	value := brackets.FindStringSubmatch(line)[1]
	if value == "c" {
		return sideTie, true
	}
	if side, ok := namedSide(value); ok {
		return side, true
	}
	return value, true
}

// oneConfidence is the confidence that all the values are.
func oneConfidence(values []string) (float64, error) {
	for i, v := range values {
		values[i] = unwrap(v)
	}
	value, same := theSame(values)
	if !same {
		return 0, fmt.Errorf("different confidences: %q", values)
	}
	c, ok := readConfidence(value)
	switch {
	case !ok:
		return 0, fmt.Errorf("the confidence is %q, want a decimal number from 0.5 to 1, a percentage, or n/10 or n/100", value)
	case c < 0.5:
		return 0, fmt.Errorf("the confidence is %q, below one half, which contradicts the verdict", value)
	}
	return c, nil
}

var confidenceForm = regexp.MustCompile(`^(\d*[.,]?\d+|\d+\.)\s*(%|percent|/\s*1|/\s*10|/\s*100|out of 1|out of 10|out of 100)?$`)

// readConfidence reads a probability: 0.85, 85%, 85/100, 8.5/10. A number above
// 1 without a scale tells none, nor does one beyond its scale.
func readConfidence(value string) (float64, bool) {
	m := confidenceForm.FindStringSubmatch(value)
	if m == nil || strings.Contains(m[1], ",") && !strings.HasPrefix(m[1], "0,") {
		return 0, false
	}
	x, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	if err != nil || math.IsInf(x, 0) {
		return 0, false
	}
	switch scale := strings.TrimSpace(strings.NewReplacer("/", "", "out of", "").Replace(m[2])); scale {
	case "%", "percent", "100":
		x /= 100
	case "10":
		x /= 10
	}
	return x, x <= 1
}

// The keys of a verdict and of its confidence in a JSON object.
var (
	verdictKeys    = []string{"verdict", "final_verdict", "winner", "preference", "preferred", "preferred_response", "better", "better_response", "decision", "judgment", "judgement"}
	confidenceKeys = []string{"confidence", "probability", "confidence_score"}
)

// readJSON reads the object that ends a reply, in a fence or not, where it has
// the key of a verdict, and gives the line that it begins in.
func (f *findings) readJSON(lines []string) (begin int) {
	whole := strings.Join(lines, "")
	text := strings.TrimRight(whole, " \t\r\n`")
	if !strings.HasSuffix(text, "}") {
		return len(lines)
	}
	offset := 0
	for i, line := range lines {
		if objectRow.MatchString(line) {
			at := offset + strings.IndexByte(line, '{')
			if fields, ok := oneObject(text[min(at, len(text)):]); ok {
				if !f.takeJSON(fields, i) {
					return len(lines)
				}
				if i > 0 && strings.HasPrefix(strings.TrimSpace(lines[i-1]), "```") {
					i--
				}
				return i
			}
		}
		offset += len(line)
	}
	return len(lines)
}

// field is a member of a JSON object.
type field struct {
	key   string
	value any
}

// oneObject reads a text that is one object, keys given twice and all.
func oneObject(text string) (fields []field, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, false
		}
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, false
		}
		name, _ := key.(string) // which keys are
		fields = append(fields, field{strings.ToLower(name), value})
	}
	if _, err := decoder.Token(); err != nil {
		return nil, false
	}
	rest, err := io.ReadAll(decoder.Buffered())
	return fields, err == nil && len(bytes.TrimSpace(rest)) == 0
}

// takeJSON takes verdicts and confidences of an object, and says whether it has
// any verdict.
func (f *findings) takeJSON(fields []field, line int) (any bool) {
	for _, one := range fields {
		value := strings.TrimSpace(strings.ToLower(norm.NFKC.String(fmt.Sprint(one.value))))
		switch {
		case slices.Contains(verdictKeys, one.key):
			side, ok := namedSide(value)
			if !ok {
				side = value
			}
			f.verdict(side, line)
			any = true
		case slices.Contains(confidenceKeys, one.key):
			f.confidence(value, line)
		}
	}
	return any
}
