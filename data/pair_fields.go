package data

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// pairFields are what a pair is read from: two responses of which the file
// says which is chosen, or two and a label.
type pairFields struct {
	prompt, chosen, rejected               *Field
	responseA, responseB, label            *Field
	voteShareA                             *Field
	confidence, margin, voteShare          *Field
	subset, id, scoreChosen, scoreRejected *Field
	system, input, history                 *Field

	context *ContextFields

	Dialogue          // of the fields that the file has
	labelled bool     // response_a, response_b and a label
	layout   *layout  // another than ours; nil for ours
	notes    []string // what a reader of the file should know
	media    media
	unused   []*Field // that texts have no use for, until a row has a value there

	below, level int // rows whose margin is below 0, and whose scores are equal
}

func newPairFields() *pairFields {
	return &pairFields{
		prompt:        &Field{Name: "prompt", Optional: true},
		chosen:        &Field{Name: "chosen"},
		rejected:      &Field{Name: "rejected"},
		responseA:     &Field{Name: "response_a"},
		responseB:     &Field{Name: "response_b"},
		label:         &Field{Name: "label", Holds: HoldsSide},
		voteShareA:    &Field{Name: "vote_share_a", Holds: HoldsNumber, Optional: true},
		confidence:    &Field{Name: "confidence", Holds: HoldsNumber, Optional: true},
		margin:        &Field{Name: "margin", Holds: HoldsNumber, Optional: true},
		voteShare:     &Field{Name: "vote_share", Holds: HoldsNumber, Optional: true},
		subset:        &Field{Name: "subset", Holds: HoldsName, Optional: true},
		id:            &Field{Name: "id", Holds: HoldsName, Optional: true},
		context:       NewContextFields(),
		scoreChosen:   &Field{Name: "score_chosen", Holds: HoldsNumber, Mapped: true},
		scoreRejected: &Field{Name: "score_rejected", Holds: HoldsNumber, Mapped: true},
		system:        &Field{Name: "system", Optional: true, Mapped: true},
		input:         &Field{Name: "input", Optional: true, Mapped: true},
		history:       &Field{Name: "history", Holds: HoldsAny, Optional: true, Mapped: true},
	}
}

func (p *pairFields) all() []*Field {
	return append([]*Field{p.prompt, p.chosen, p.rejected, p.responseA, p.responseB, p.label, p.voteShareA,
		p.confidence, p.margin, p.voteShare, p.subset, p.id, p.scoreChosen, p.scoreRejected, p.system, p.input, p.history}, p.context.Fields()...)
}

// find finds the columns of a file of pairs, and all that is wrong with them.
func (p *pairFields) find(src Source, cfg ReadConfig) ([]*Field, error) {
	var err error
	if p.media, err = findMedia(src, cfg.Columns); err != nil {
		return nil, err
	}
	cfg.Columns = withoutMedia(cfg.Columns)
	layout, err := findLayout(src, cfg)
	if err != nil {
		return nil, err
	}
	if layout != nil {
		fields, err := p.findLaidOut(layout, src, cfg)
		return append(fields, p.media...), err
	}
	p.note(turnedOff(src, cfg))
	fields := p.all()
	p.alias(src, cfg.Columns)
	if err := Resolve(fields, cfg.Columns, src); err != nil {
		return nil, err
	}
	p.choose(p.chosen.Column == "" && p.rejected.Column == "" && (p.responseA.Column != "" || p.responseB.Column != ""))
	need := []*Field{p.chosen, p.rejected}
	if p.labelled {
		need = []*Field{p.prompt, p.responseA, p.responseB, p.label}
	}
	if err := Require(need, src, "pairs are chosen and rejected, or prompt, response_a, response_b and label: where a column says which of two is better, --columns response_a=…,response_b=…,label=… --label-values a=…,b=…"); err != nil {
		if l := withNames(src, 0); l != nil && len(cfg.Columns) == 0 {
			return nil, fmt.Errorf("the columns are those of the layout %s, but %s: write it so, or name columns with --columns", l.name, strings.Join(l.missing(src), "; "))
		}
		return nil, fmt.Errorf("%w%s", err, almost(src))
	}
	if err := p.complete(fields, src, cfg); err != nil {
		return nil, err
	}
	return append(fields, p.media...), p.Alike()
}

// findLaidOut takes the fields of another layout for ours.
func (p *pairFields) findLaidOut(l *layout, src Source, cfg ReadConfig) ([]*Field, error) {
	fields := l.choose(src)
	found := "found by its columns"
	if cfg.From != "" {
		found = "as asked for"
	}
	p.layout = l
	p.note(fmt.Sprintf("layout %s (%s): %s", l.name, found, l.says))
	unread := unreadColumns(src, append(fields[:len(fields):len(fields)], p.media...))
	p.note(named(unread))
	return fields, l.suits(cfg, src, unread)
}

// suits refuses what a layout would not heed: columns and label values of one's
// own, and a column that may belong to the prompt, unless it is left out by name
// (--columns system=).
func (l *layout) suits(cfg ReadConfig, src Source, unread []string) error {
	for _, field := range slices.Sorted(maps.Keys(cfg.Columns)) {
		if column := cfg.Columns[field]; column != "" {
			return fmt.Errorf("layout %s has its own columns, and reads none by --columns %s=%s: leave that out, or name all columns without --from", l.name, field, column)
		}
	}
	if len(cfg.LabelValues) > 0 {
		return fmt.Errorf("layout %s has its own labels, and heeds no --label-values (data.label_values): leave them out, or name the columns by --columns", l.name)
	}
	for _, name := range slices.Concat(systemColumns, []string{"input", "history", "context"}) {
		if c, there := findColumn(src, name); there && slices.Contains(unread, name) && !hasKey(cfg.Columns, name) && slices.Contains([]CellKind{CellText, CellMessages}, c.Kind) {
			return fmt.Errorf("layout %s does not read column %s, which may belong to the prompt: --from %s --columns %s= leaves it out", l.name, name, l.name, name)
		}
	}
	return nil
}

// alias takes chosen_response and rejected_response, as Argilla and axolotl
// write them, or chosen_messages and rejected_messages, as LLaMA-Factory's
// newer converters do, for chosen and rejected.
func (p *pairFields) alias(src Source, mapping map[string]string) {
	for _, kind := range []string{"_response", "_messages"} {
		chosen, rejected := "chosen"+kind, "rejected"+kind
		if p.chosen.Column == "" && isColumn(src, chosen) && isColumn(src, rejected) && !isColumn(src, "chosen") && !isColumn(src, "rejected") &&
			!hasKey(mapping, "chosen") && !hasKey(mapping, "rejected") {
			p.chosen.Column, p.rejected.Column = chosen, rejected
			p.note(fmt.Sprintf("chosen is read from %s, rejected from %s", chosen, rejected))
		}
	}
}

// differentValues refuses one value for two sides.
func differentValues(values map[string]string) error {
	said := map[string]string{}
	for _, side := range slices.Sorted(maps.Keys(values)) {
		value := strings.ToLower(digits(values[side]))
		if other, twice := said[value]; twice {
			return fmt.Errorf("--label-values (data.label_values): %s and %s are both %s", other, side, values[side])
		}
		said[value] = side
	}
	return nil
}

// complete finds what belongs to a pair beside the columns that must be there,
// and checks the types of all.
func (p *pairFields) complete(fields []*Field, src Source, cfg ReadConfig) error {
	if err := differentValues(cfg.LabelValues); err != nil {
		return err
	}
	p.label.Values = cfg.LabelValues
	if !p.labelled {
		said, err := p.findPrompt(src, cfg.Columns)
		if err != nil {
			return err
		}
		p.note(said)
	}
	p.note(p.findSystem(src, cfg.Columns))
	p.Promptless = p.prompt.Column == "" && hasKey(cfg.Columns, "prompt")
	p.findScores(src, cfg.Columns)
	if err := CheckTypes(fields, src); err != nil {
		return err
	}
	unread := unreadColumns(src, append(fields[:len(fields):len(fields)], p.media...))
	p.note(ignored(unread) + verdicts(unread) + p.bySource(unread))
	for _, f := range p.context.Fields() {
		if f.There() && !p.Chat() && !cfg.Chat {
			p.unused = append(p.unused, f)
		}
	}
	return nil
}

func hasKey(m map[string]string, key string) bool {
	_, ok := m[key]
	return ok
}

func (p *pairFields) note(said string) {
	if said != "" {
		p.notes = append(p.notes, said)
	}
}

// marginScores are the names that UltraFeedback's binarised form, distilabel
// and Argilla give the scores of both responses.
var marginScores = [][2]string{{"score_chosen", "score_rejected"}, {"chosen_score", "rejected_score"}, {"chosen_rating", "rejected_rating"},
	{"chosen-rating", "rejected-rating"}, {"rating_chosen", "rating_rejected"}, {"chosen_avg_rating", "rejected_avg_rating"}}

// findScores takes the difference of scores as the margin where both stand
// under names that known layouts give them.
func (p *pairFields) findScores(src Source, mapping map[string]string) {
	if p.labelled || hasKey(mapping, p.chosen.Name) || hasKey(mapping, p.scoreChosen.Name) || hasKey(mapping, p.scoreRejected.Name) || HasColumns(src, p.margin) {
		return
	}
	for _, names := range marginScores {
		chosen, _ := findColumn(src, names[0])
		rejected, _ := findColumn(src, names[1])
		if chosen.Kind == CellNumber && rejected.Kind == CellNumber {
			p.scoreChosen.Column, p.scoreRejected.Column = names[0], names[1]
			p.note(fmt.Sprintf("margin = %s - %s (not wanted: --columns score_chosen= --columns score_rejected=, or train with train.margin: false)", names[0], names[1]))
			return
		}
	}
}

// unreadColumns are those that no field is read from.
func unreadColumns(src Source, fields []*Field) (names []string) {
	for _, c := range src.Columns() {
		read := func(f *Field) bool { return f.Column == c.Name || strings.HasPrefix(f.Column, c.Name+".") }
		if !slices.ContainsFunc(fields, read) && !ofRecord(src, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// named says which columns are ignored, "" where none is.
func named(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "columns ignored: " + List(names)
}

// ignored names columns that no field is read from, and the flags that would read
// them.
func ignored(unread []string) string {
	said := named(unread)
	for _, name := range unread {
		switch {
		case name == "history":
			said += " (history may belong to the prompt: --columns history=history puts its turns before it)"
		case slices.Contains(partOfPrompt, name):
			said += fmt.Sprintf(" (%s may belong to the prompt: --columns input=%s puts it after the prompt and a line break)", name, name)
		}
	}
	return said
}

// verdicts names the ignored columns that may say something else than chosen and
// rejected do.
func verdicts(unread []string) (said string) {
	for _, name := range unread {
		if slices.Contains(verdictColumns, name) {
			said += fmt.Sprintf(" (%s may say that a row is a tie, or has its sides swapped: it is not heeded)", name)
		}
	}
	return said
}

// bySource says how each source is measured apart, where no subset is read.
func (p *pairFields) bySource(unread []string) string {
	if p.subset.Column != "" || !slices.Contains(unread, "source") {
		return ""
	}
	return " (--columns subset=source measures each source apart)"
}

// verdictColumns are names of columns that beside chosen and rejected may say
// something else than these.
var verdictColumns = []string{"label", "winner", "preference", "preference_strength", "status", "tie", "is_tie", "swapped", "is_swapped", "flipped", "is_flipped"}

// partOfPrompt are names of columns that beside a prompt are likely a part of
// it.
var partOfPrompt = []string{"initial_reason_steps", "input", "context", "passage", "document", "article"}

// choose keeps the fields of one of the two layouts.
func (p *pairFields) choose(labelled bool) {
	p.labelled, p.Dialogue = labelled, p.dialogue(p.chosen, p.rejected)
	if labelled {
		p.Dialogue = p.dialogue(p.responseA, p.responseB)
		Drop(p.chosen, p.rejected)
		return
	}
	Drop(p.responseA, p.responseB, p.label, p.voteShareA)
}

func (p *pairFields) dialogue(a, b *Field) Dialogue {
	return Dialogue{Prompt: p.prompt, A: a, B: b, System: p.system, Input: p.input, History: p.history, Context: p.context}
}

// Chat reports whether the pairs are messages.
func (p *pairFields) Chat() bool {
	if p.layout != nil {
		return p.layout.chat()
	}
	return p.Dialogue.Chat()
}

// String names the format, for reports.
func (p *pairFields) String() string {
	if p.layout != nil {
		return p.layout.name
	}
	if p.labelled {
		return fmt.Sprintf("labelled comparisons (response_a/response_b/label), %s", responsesFormat(&p.Dialogue))
	}
	return p.Dialogue.String()
}
