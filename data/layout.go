package data

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// layout is how a data set that people train reward models on lays out its
// rows, where that is not one of ours. A row is a prompt and responses to it
// of which some are better than others.
type layout struct {
	name   string
	says   string   // what is read as what, for the screen
	needs  []*Field // a file with all of these, of these types, is of this layout
	may    []*Field
	chatty bool     // its pairs are messages
	turned []*Field // a file that has one of these has pairs of messages
	beside bool     // it has chosen and rejected too, as ours have
	unsure bool     // other files have such columns too: it must be asked for by its name
	// read reads the cells of a row. A layout whose rows are single responses has
	// gather in its place, and gives the rankings when all rows are read.
	read   func() (ranking, *Problem)
	many   func() ([]ranking, *Problem) // of a row that holds several
	gather func(place int) *Problem
	end    func() (rankings []ranking, skipped map[Reason]int)
	told   func() string // what is said when all rows are read; may be nil
}

// ranking is a prompt and responses to it.
type ranking struct {
	prompt     Text
	system     string
	answers    []answer
	id, subset string
	sure       float64 // confidence of its pairs
	margins    bool    // margin = difference of the scores
	classes    bool    // scores say good or bad: two of a class are no tie
	place      int
}

// answer is a response and how good it is: the higher the better.
type answer struct {
	text   Text
	score  float64
	column string // it was read from
}

// layouts are those that are known, made anew for every file.
func layouts() []*layout {
	return slices.Concat(comparedLayouts(), rankedLayouts(), conversationLayouts(), singleLayouts())
}

// ownLayouts are names of layouts that are read as our own pairs are, chosen
// beside rejected.
var ownLayouts = []struct{ name, says string }{
	{"trl", "prompt, chosen, rejected, as text or messages"},
	{"hh-rlhf", "chosen, rejected: whole transcripts"},
	{"ultrafeedback-binarized", "margin = score_chosen - score_rejected"},
	{"argilla", "margin = chosen-rating - rejected-rating"},
	{"reward-bench", "prompt, chosen, rejected"},
	{"sharegpt", "conversations, chosen, rejected"},
	{"llama-factory", "instruction, a line break and input, chosen, rejected"},
	{"axolotl", "system, question (or input), chosen, rejected"},
}

// Layouts names the layouts that ReadConfig.From takes, and says what is read
// as what in each.
func Layouts() (names, says []string) {
	for _, l := range ownLayouts {
		names, says = append(names, l.name), append(says, l.says)
	}
	for _, l := range layouts() {
		names, says = append(names, l.name), append(says, l.says)
	}
	return names, says
}

// findLayout is the layout asked for, or the one that the columns leave no
// doubt of; nil where the file is one of our own.
func findLayout(src Source, cfg ReadConfig) (*layout, error) {
	all := layouts()
	if cfg.From != "" {
		names, _ := Layouts()
		i := slices.Index(names, cfg.From) - len(ownLayouts)
		switch {
		case i >= 0:
		case i >= -len(ownLayouts) && slices.Contains(names, cfg.From):
			return nil, nil
		default:
			return nil, fmt.Errorf("no layout %q%s; the layouts are %s", cfg.From, DidYouMean(cfg.From, names), strings.Join(names, ", "))
		}
		if missing := all[i].missing(src); missing != nil {
			return nil, fmt.Errorf("the layout %s has the columns %s, but %s here; the columns are %s", cfg.From,
				strings.Join(fieldNames(all[i].needs), ", "), strings.Join(missing, "; "), List(columnNames(src)))
		}
		return all[i], nil
	}
	if len(cfg.Columns) > 0 {
		return nil, nil
	}
	own := ours(src)
	for _, l := range all {
		if !l.unsure && (!own || l.beside) && l.missing(src) == nil {
			return l, nil
		}
	}
	return nil, nil
}

// turnedOff says which layout the file has, which --columns turns off.
func turnedOff(src Source, cfg ReadConfig) string {
	if len(cfg.Columns) == 0 || cfg.From != "" {
		return ""
	}
	l, _ := findLayout(src, ReadConfig{})
	if l == nil {
		return ""
	}
	return fmt.Sprintf("the columns are those of the layout %s, which --columns turns off: the columns named, and ours, are read alone (--from %s, without --columns, reads the layout)", l.name, l.name)
}

// almost names the layout of which a file lacks one column, or has one of another
// type, "" where there is none, or several.
func almost(src Source) string {
	if columns := src.Columns(); len(columns) == 1 && columns[0].Kind == CellMessages && !slices.Contains(promptColumns, columns[0].Name) {
		return fmt.Sprintf("; where its rows are the items of %[1]s, write these alone (jq -c '.%[1]s[]')", columns[0].Name)
	}
	var found []string
	for _, l := range layouts() {
		if missing := l.missing(src); !l.unsure && len(missing) == 1 && len(l.needs) > 2 {
			found = append(found, fmt.Sprintf("; it looks like %s, but %s", l.name, missing[0]))
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	if l := withNames(src, 1); l != nil && len(found) == 0 {
		return fmt.Sprintf("; it looks like %s, but %s", l.name, strings.Join(l.missing(src), "; "))
	}
	return ""
}

// withNames is the one known layout whose columns a file has, but for as many as
// may be absent, whatever their types; nil where there is none, or several.
func withNames(src Source, absent int) (found *layout) {
	for _, l := range layouts() {
		there := 0
		for _, f := range l.needs {
			if isColumn(src, f.Name) {
				there++
			}
		}
		if l.unsure || len(l.needs) < 3 || there < len(l.needs)-absent {
			continue
		}
		if found != nil {
			return nil
		}
		found = l
	}
	return found
}

// ours reports whether the file has the columns of pairs as we lay them out.
func ours(src Source) bool {
	chosen, ok := findColumn(src, "chosen")
	rejected, both := findColumn(src, "rejected")
	if ok && both && chosen.Kind != CellList && rejected.Kind != CellList {
		return true
	}
	_, a := findColumn(src, "response_a")
	_, label := findColumn(src, "label")
	return a && label
}

// missing says which columns the layout needs and the file lacks, or has of
// another type.
func (l *layout) missing(src Source) (missing []string) {
	for _, f := range l.needs {
		c, ok := findColumn(src, f.Name)
		if !ok {
			missing = append(missing, f.Name+" is not there")
		} else if want := f.refuses(c.Kind); want != "" {
			missing = append(missing, fmt.Sprintf("%s is %s, not %s", f.Name, c.What, want))
		}
	}
	return missing
}

// choose sets the columns of the layout's fields.
func (l *layout) choose(src Source) []*Field {
	fields := slices.Concat(l.needs, l.may)
	for _, f := range fields {
		if c, ok := findColumn(src, f.Name); ok {
			f.Column, f.Kind = f.Name, CellNull
			if c.Kind == CellText || c.Kind == CellMessages {
				f.Kind = c.Kind
			}
		}
	}
	return fields
}

// chat reports whether the pairs are messages.
func (l *layout) chat() bool {
	return l.chatty || slices.ContainsFunc(l.turned, (*Field).There) || slices.ContainsFunc(slices.Concat(l.needs, l.may), func(f *Field) bool {
		return f.Kind == CellMessages && f.Holds == HoldsText || f.Holds == HoldsMessages && f.There()
	})
}

func fieldNames(fields []*Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// pairs are the pairs of a ranking, better answers first; ties are left out
// and counted. With most they are a draw of as many.
func (r *ranking) pairs(cfg ReadConfig, asChat bool) (pairs []Pair, ties int, bad *Problem) {
	if n := len(r.answers); n < 2 {
		return nil, 0, &Problem{ReasonUnpaired, "", fmt.Sprintf("%d responses to the prompt, where a comparison needs two", n)}
	}
	if bad := r.check(asChat, cfg.Chat); bad != nil {
		return nil, 0, bad
	}
	slices.SortStableFunc(r.answers, func(a, b answer) int { return cmp.Compare(b.score, a.score) })
	for i, better := range r.answers {
		for j, worse := range r.answers[i+1:] {
			if better.score == worse.score || better.text.equal(worse.text) {
				if !r.classes {
					ties++
				}
				continue
			}
			p := Pair{ID: r.id, Prompt: r.prompt, Chosen: better.text, Rejected: worse.text, Confidence: r.sure, VoteShare: nan, Subset: r.subset}
			if r.margins {
				p.Margin = better.score - worse.score
			}
			if len(r.answers) > 2 && r.id != "" {
				p.ID = fmt.Sprintf("%s:%d>%d", r.id, i+1, i+j+2)
			}
			pairs = append(pairs, p)
		}
	}
	if len(pairs) == 0 {
		return nil, ties, &Problem{ReasonTie, "", "no response is preferred to another: there is no pair"}
	}
	return draw(pairs, cfg, r.place), ties, nil
}

// check makes all texts of one kind, and refuses what no pair may have. turn
// says that texts are made messages because somebody wants them so, and not
// because other columns are.
func (r *ranking) check(asChat, turn bool) *Problem {
	if turn {
		r.prompt = r.prompt.turns()
	}
	if asChat {
		r.prompt = Text{Messages: r.prompt.asTurns()}
		if r.system != "" && (len(r.prompt.Messages) == 0 || r.prompt.Messages[0].Role != "system") {
			r.prompt.Messages = append([]Message{{Role: "system", Content: r.system}}, r.prompt.Messages...)
		}
	}
	for i := range r.answers {
		a := &r.answers[i]
		if turn && a.text.Messages == nil {
			a.text.Plain = strings.TrimSpace(a.text.Plain)
		}
		if asChat && a.text.Messages == nil {
			a.text = assistant(a.text)
		}
		if asChat && beginsWith(a.text.Messages, r.prompt.Messages) {
			a.text.Messages = a.text.Messages[len(r.prompt.Messages):]
		}
		if bad := response(a.text, a.column); bad != nil {
			return bad
		}
	}
	return nil
}
