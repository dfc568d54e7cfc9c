package feedback

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// parsed is what is read in a judge's reply.
type parsed struct {
	outcome   Outcome
	first     float64 // where outcome is Preferred
	unstated  bool    // the reply has no confidence: first is 0 or 1
	reason    string  // why it is Unparseable, in one word to count by
	detail    string  // the same in words
	reasoning string  // what comes before the verdict
}

// Why a reply is unparseable.
const (
	reasonNoVerdict  = "no_verdict"
	reasonDisagree   = "different_verdicts"
	reasonConfidence = "confidence"
	reasonThinking   = "thinking_cut" // the thought took all of max_tokens
	reasonCut        = "cut_off"
	reasonNoLetter   = "no_letter"
	reasonLogprobs   = "no_logprobs"
	reasonMass       = "letters_unlikely"
)

func noVerdict(reason, format string, args ...any) parsed {
	return parsed{outcome: Unparseable, reason: reason, detail: fmt.Sprintf(format, args...)}
}

// The sides that a reply may name.
const (
	sideFirst  = "a"
	sideSecond = "b"
	sideTie    = "tie"
)

// readVerdict reads a reply to FormReasoned. Asked for are some reasoning, a line
// "Verdict: A" (B, tie) and, unless it is a tie, a line "Confidence: 0.8". Judges
// that were trained on another form answer in that, so these are verdicts too,
// each on a line of its own, whatever the case and the markdown around it:
//
//	Verdict: A, Final verdict: "B", The winner is A        and preference, decision, judgment, better response
//	[[A]], [[B]], [[C]] (tie), [[A>>B]], [[B>A]], [[A=B]]  alone, or behind such words: MT-Bench, Arena-Hard
//	\boxed{A}, Response A, Assistant B, **B**              as the last line only
//	<answer>A</answer>, … [RESULT] A                       the same: RM-R1, Prometheus
//	{"winner": "A", "confidence": 0.8}                     as the end of the reply only
//
// Letters may be full-width. Nothing else is a verdict: no letter within a
// sentence, no text that the reply quotes with ">" or between our markers. Two
// verdicts that differ are none. A confidence is readConfidence's; a reply
// without one is unstated.
//
// Of a reply that is cut off only lines that end count: half of 0.95 is 0.9, and
// of "Response A is worse" the first half is a verdict. It has no last line, nor
// an object as its end, and a text that it quotes between our markers may go on
// to the cut.
func readVerdict(text string, cut bool) parsed {
	text = withoutMarked(text)
	if open := openMarker.FindStringIndex(text); cut && open != nil {
		text = text[:open[0]]
	}
	lines := strings.SplitAfter(text, "\n")
	found, end := findings{}, len(lines)
	if cut {
		end--
	} else {
		end = found.readJSON(lines)
	}
	for i, line := range lines[:end] {
		found.readLine(line, i)
	}
	if !cut {
		found.endHeading(end, "")
		found.readLast(lines[:end])
	}
	p := found.result()
	p.reasoning = strings.TrimSpace(strings.Join(lines[:min(found.firstLine(), end)], ""))
	return p
}

// marked is a text between the markers that prompts have, which a judge may copy.
var marked = regexp.MustCompile(`(?s)\[(PROMPT|RESPONSE A|RESPONSE B) ([0-9a-f]{12})\].*?\[END OF (PROMPT|RESPONSE A|RESPONSE B) [0-9a-f]{12}\]`)

// openMarker is the line that such a text begins with.
var openMarker = regexp.MustCompile(`(?m)^[ \t>*\x60]*\[(?:PROMPT|RESPONSE A|RESPONSE B) [0-9a-f]{12}\][ \t*\x60]*\r?$`)

func withoutMarked(text string) string { return marked.ReplaceAllString(text, "") }

// findings are the verdicts and confidences of a reply, in their order.
type findings struct {
	sides       []string // a, b, tie; another text where a verdict says none of these
	confidences []string
	lines       []int // that have one of either

	heading  bool // a line "Verdict:" waits for the line that follows
	headline int
	colon    bool // it has a colon: what follows is a verdict, if only an unreadable one
}

func (f *findings) verdict(side string, line int) {
	f.sides, f.lines = append(f.sides, side), append(f.lines, line)
}

func (f *findings) confidence(value string, line int) {
	f.confidences, f.lines = append(f.confidences, value), append(f.lines, line)
}

func (f *findings) firstLine() int {
	if len(f.lines) == 0 {
		return 1 << 30
	}
	return slices.Min(f.lines)
}

const whose = `(?:(?:my|the|so|thus|therefore|hence|overall|final|in conclusion|judge'?s?)[\s,:]+)*`

var (
	verdictWords    = `(verdict|winner|preference|decision|judge?ment|preferred(?: response| answer)?|better(?: response| answer)?|best response)`
	verdictLabel    = regexp.MustCompile(`^` + whose + verdictWords + `\s*(:|=|\bis\b:?)\s*(.*)$`)
	verdictHeading  = regexp.MustCompile(`^` + whose + verdictWords + `:?$`)
	isBetter        = regexp.MustCompile(`\s+is(?: the)? better(?: one| response| answer)?$`)
	confidenceLabel = regexp.MustCompile(`^` + whose + `confidence(?: score| level)?\s*(:|=|\bis\b:?)\s*(.*)$`)
	confidenceTail  = regexp.MustCompile(`^(.*?[^\s,;(|–-])[\s,;(|–-]+(?:with )?confidence(?: score| level)?\s*(?::|=|\bis\b|\bof\b)\s*([^()]*)\)?$`)
	brackets        = regexp.MustCompile(`^\[\[\s*([^\[\]]*?)\s*\]\]$`)
	beforeBrackets  = regexp.MustCompile(`^(` + whose + `(?:` + verdictWords + `|answer|choice|conclusion|result|output|rating)\s*(?::|=|\bis\b:?)?)?\s*` +
		`(?:(?:assistant|response|answer|model) ([ab]) is (?:significantly |slightly |much |clearly |marginally )?better|tie|relatively the same)?\s*[:,]?\s*(\[\[[^\[\]]*\]\])$`)
)

// readLine reads one line that is a verdict, a confidence, or both.
func (f *findings) readLine(raw string, at int) {
	line, quoted := cleanLine(raw)
	if quoted || f.endHeading(at, line) {
		return
	}
	if m := confidenceLabel.FindStringSubmatch(line); m != nil {
		if _, readable := readConfidence(unwrap(m[2])); readable || !strings.HasPrefix(m[1], "is") {
			f.confidence(m[2], at)
		}
		return
	}
	if colon := strings.HasSuffix(line, ":"); verdictHeading.MatchString(line) && (colon || strings.ContainsAny(raw, "#*_")) {
		f.heading, f.headline, f.colon = true, at, colon
		return
	}
	if m := confidenceTail.FindStringSubmatch(line); m != nil {
		if f.readLabelled(unwrap(m[1]), at) {
			f.confidence(m[2], at)
			return
		}
	}
	f.readLabelled(line, at)
}

// endHeading takes the line that follows "Verdict:" as its value. A blank one
// is skipped.
func (f *findings) endHeading(at int, line string) (taken bool) {
	if !f.heading || line == "" && at < f.headline+2 {
		return false
	}
	side, ok := namedSide(line)
	if f.heading = false; ok {
		f.verdict(side, f.headline)
		f.lines = append(f.lines, at)
		return true
	}
	if f.colon {
		f.verdict("", f.headline)
	}
	return false
}

// readLabelled reads a line that says itself to be a verdict.
func (f *findings) readLabelled(line string, at int) (ok bool) {
	if m := beforeBrackets.FindStringSubmatch(withoutTag(line)); m != nil {
		side, _ := bracketSide(m[4])
		f.verdict(side, at)
		if m[3] != "" { // Assistant A is better: [[B>A]] is none
			f.verdict(m[3], at)
		}
		return true
	}
	side, ok := labelledSide(line)
	if ok {
		f.verdict(side, at)
	}
	return ok
}

var (
	tagged   = regexp.MustCompile(`^<(answer|verdict|finalverdict|judge?ment|choice|winner|preference)>\s*(.*?)\s*</(\w+)>$`)
	atResult = regexp.MustCompile(`(?:^|[.!?]\s*)\[result\]\s*\(?([ab])\)?$`)
)

// withoutTag is what a line holds between <answer> and </answer>, or the like.
func withoutTag(line string) string {
	if m := tagged.FindStringSubmatch(line); m != nil && m[1] == m[3] {
		return m[2]
	}
	return line
}

// labelledSide is the side of a line that says itself to be a verdict. Behind
// "verdict:" anything is one, if only an unreadable one; behind the other labels
// and "is" prose may follow.
func labelledSide(line string) (side string, ok bool) {
	m := verdictLabel.FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	value := unwrap(isBetter.ReplaceAllString(m[3], ""))
	if side, ok := namedSide(value); ok {
		return side, true
	}
	return value, m[1] == "verdict" && !strings.HasPrefix(m[2], "is")
}

// readLast reads the last line that says something beside a confidence, where
// no line before it was a verdict.
func (f *findings) readLast(lines []string) {
	if len(f.sides) > 0 {
		return
	}
	only := true
	at := -1
	for i := range lines {
		line, _ := cleanLine(lines[i])
		if line == "" || slices.Contains(f.lines, i) {
			continue
		}
		only, at = at < 0, i
	}
	if at < 0 {
		return
	}
	line, quoted := cleanLine(lines[at])
	emphasised := strings.Contains(lines[at], "**") || strings.Contains(lines[at], "__")
	if m := confidenceTail.FindStringSubmatch(line); m != nil {
		if side, ok := namedSide(unwrap(m[1])); ok && !quoted {
			f.verdict(side, at)
			f.confidence(m[2], at)
			return
		}
	}
	if m := atResult.FindStringSubmatch(line); m != nil && !quoted {
		f.verdict(m[1], at)
		return
	}
	side, ok := namedSide(withoutTag(line))
	bare := len(line) == 1 || line == sideTie
	if ok && !quoted && (only || !bare || emphasised) {
		f.verdict(side, at)
	}
}

// result is what the findings are together.
func (f *findings) result() parsed {
	side, same := theSame(f.sides)
	switch {
	case len(f.sides) == 0:
		return noVerdict(reasonNoVerdict, `no line "Verdict: A", "Verdict: B" or "Verdict: tie"`)
	case !same:
		return noVerdict(reasonDisagree, "different verdicts: %q", f.sides)
	case side == sideTie:
		return parsed{outcome: Tie}
	case side != sideFirst && side != sideSecond:
		return noVerdict(reasonNoVerdict, "the verdict is %q, want A, B or tie", side)
	}
	confidence, unstated := 1.0, len(f.confidences) == 0
	if !unstated {
		var err error
		if confidence, err = oneConfidence(f.confidences); err != nil {
			return noVerdict(reasonConfidence, "%v", err)
		}
	}
	if side == sideSecond {
		confidence = 1 - confidence
	}
	return parsed{outcome: Preferred, first: confidence, unstated: unstated}
}

// theSame is the value that all are; not ok where they differ or there is none.
func theSame(values []string) (value string, ok bool) {
	if len(values) == 0 {
		return "", false
	}
	for _, v := range values {
		if v != values[0] {
			return "", false
		}
	}
	return values[0], true
}

var (
	listMark = regexp.MustCompile(`^(?:[-•+]|\*\s|#+|\d+[.)])\s*`)
	markup   = strings.NewReplacer("*", "", "_", "", "`", "", "“", `"`, "”", `"`, "„", `"`, "‘", "'", "’", "'")
)

// cleanLine is a line in lower case without markdown, list marks and the full
// stop behind it, and whether it is quoted with ">".
func cleanLine(raw string) (line string, quoted bool) {
	line = strings.TrimSpace(strings.ToLower(norm.NFKC.String(raw)))
	if strings.HasPrefix(line, ">") {
		return line, true
	}
	line = strings.TrimSpace(listMark.ReplaceAllString(line, ""))
	line = strings.TrimSpace(markup.Replace(line))
	return strings.TrimSpace(strings.TrimRight(line, ".!")), false
}
