// Package scoring is a reward model as something that scores text: opened
// from a directory, a run, a hub name, an adapter over its base or an ensemble,
// with the tokenizer and the lengths that belong to it. It prints nothing:
// what a person should hear goes to the funcs of Options.
package scoring

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"laurel/data/tokenizer"
	"laurel/model"
)

// Options say how a model is found and opened. The zero value opens local
// directories as they were trained.
type Options struct {
	Revision  string // branch, tag or commit of a hub name; "" is main
	MaxLength int    // in tokens; 0: as in training, else what tokenizer and positions allow
	// TemplateDate, YYYY-MM-DD, is given to a chat template that asks for the
	// date; "": the date that training recorded.
	TemplateDate string

	// Checkpoint finds the folder of a run directory that is to be scored with,
	// and says why that one. nil: run directories are not opened.
	Checkpoint func(runDir string) (dir, why string, err error)
	// Notice hears lines for people. nil: nobody does.
	Notice func(line string)
	// Download hears how many bytes of a hub model's file have come. nil:
	// nobody does.
	Download func(ref, file string, done, total int64)

	member bool // whether it is one of an ensemble's
}

func (o Options) notice(format string, args ...any) {
	if o.Notice != nil {
		o.Notice(fmt.Sprintf(format, args...))
	}
}

func (o Options) revision() string {
	if o.Revision == "" {
		return "main"
	}
	return o.Revision
}

// Model is a reward model with what is needed to feed it. Its Tokenizer holds
// memory outside Go: Close it.
type Model struct {
	*model.Model
	Tokenizer *tokenizer.Tokenizer
	Dir       string         // the Hugging Face directory it was read from
	MaxLength int            // sequences are cut to so many tokens, special tokens included
	Side      tokenizer.Side // at which they are cut
	Card      Card           // what an exported model's card says beyond its use

	textSide tokenizer.Side // at which a plain text is cut, as transformers cuts it

	date    time.Time // that the chat template is given
	members *members  // of an ensemble, this model its first; nil for one model
	forms   forms     // of the rows that it has encoded
	notice  func(line string)
}

// Open loads a trained model for scoring; one without a score head is refused,
// since its scores would be noise. ref is a run directory, a Hugging Face
// directory (whole, or an adapter's), an ensemble's directory, or a hub name.
func Open(ctx context.Context, ref string, o Options) (*Model, error) {
	dir, err := Resolve(ctx, ref, o)
	if err != nil {
		return nil, err
	}
	if isEnsemble(dir) && o.member {
		return nil, fmt.Errorf("%s is an ensemble itself: name its members", dir)
	}
	if isEnsemble(dir) {
		return openEnsemble(ctx, dir, o)
	}
	source, err := Find(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	stamp := source.stamp()
	m, t, err := source.open()
	if err != nil {
		return nil, err
	}
	TellLoaded(m, dir, o.Notice)
	if m.Loaded.NewHead || len(m.Loaded.New) > 0 {
		return nil, errors.Join(fmt.Errorf("%s has no trained score head (missing: %s): train it first with model.path: %s", dir, strings.Join(m.Loaded.New, ", "), dir), t.Close())
	}
	if err := source.unchanged(stamp); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	tellTokenizer(t, o)
	o.tellDoubt(m, t)
	scored, err := New(m, t, dir, o.MaxLength)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	scored.notice = o.Notice
	scored.tellWarnings(o)
	if o.TemplateDate != "" {
		m.Config.Recorded.TemplateDate = o.TemplateDate
		return scored, scored.settleDate("")
	}
	if warning := scored.DateWarning(); warning != "" {
		o.notice("warning: %s", warning)
	}
	return scored, nil
}

// tellTokenizer tells what of the tokenizer's files is not as it is written.
func tellTokenizer(t *tokenizer.Tokenizer, o Options) {
	for _, note := range t.Notes() {
		o.notice("warning: tokenizer: %s", note)
	}
}

// New puts a loaded model and its tokenizer together and settles how text is
// cut and rendered for it. maxLength is as in Options.
func New(m *model.Model, t *tokenizer.Tokenizer, dir string, maxLength int) (*Model, error) {
	s := &Model{Model: m, Tokenizer: t, Dir: dir}
	return s, errors.Join(s.settleLengths(maxLength), s.settleDate(""))
}

// Close frees the tokenizer. Scorers of the model still score ids.
func (m *Model) Close() error { return m.Tokenizer.Close() }

// IsEnsemble tells whether several models stand behind this one.
func (m *Model) IsEnsemble() bool { return m.members != nil }

// DefaultMaxLength is where nothing says otherwise.
const DefaultMaxLength = 512

// settleLengths settles max_length and truncation side: what was asked for,
// else what training recorded, else what tokenizer and positions allow.
func (m *Model) settleLengths(asked int) error {
	side := m.Config.Recorded.TruncationSide
	if side == "" {
		side = "left"
	}
	var err error
	if m.Side, err = tokenizer.ParseSide(side); err != nil {
		return err
	}
	m.textSide = tokenizer.Right
	if side, given := m.Tokenizer.TruncationSide(); given {
		m.textSide = side
	} else if m.Config.Recorded.TruncationSide != "" { // a run's, of which export tells transformers
		m.textSide = m.Side
	}
	limit := m.MaxPositions()
	switch {
	case asked > 0:
		m.MaxLength = asked
	case m.Config.Recorded.MaxLength > 0:
		m.MaxLength = m.Config.Recorded.MaxLength
	default:
		m.MaxLength = DefaultMaxLength
		if n, ok := m.Tokenizer.MaxLength(); ok {
			m.MaxLength = min(m.MaxLength, n)
		}
		if limit > 0 {
			m.MaxLength = min(m.MaxLength, limit)
		}
	}
	if limit > 0 && m.MaxLength > limit {
		return fmt.Errorf("max_length %d is more than the model's %d positions: lower it (--max-length, or model.max_length in a run's configuration and with --set)", m.MaxLength, limit)
	}
	return nil
}

// LengthWarning says that sequences may be longer than those that the model was
// trained for, as transformers does.
func (m *Model) LengthWarning() string {
	if trained := m.TrainedPositions(); trained > 0 && m.MaxLength > trained {
		return fmt.Sprintf("max_length %d is more than the %d positions that the model was made for (max_position_embeddings in config.json): what it makes of longer sequences may be worth little", m.MaxLength, trained)
	}
	return ""
}

// Record keeps with the weights how text is cut and rendered for them.
func (m *Model) Record() {
	m.Config.Recorded.TemplateDate = m.TemplateDate()
	m.Config.Recorded.MaxLength, m.Config.Recorded.TruncationSide = m.MaxLength, m.Side.String()
}

// TellLoaded tells notice what loading did with the checkpoint's tensors.
func TellLoaded(m *model.Model, from string, notice func(line string)) {
	o := Options{Notice: notice}
	if len(m.Loaded.Dropped) > 0 {
		o.notice("dropped from %s, not needed for a reward: %s", from, strings.Join(m.Loaded.Dropped, ", "))
	}
	if m.Loaded.NewHead {
		o.notice("new score head, drawn from the seed (the checkpoint has none): %s", strings.Join(m.Loaded.New, ", "))
	} else if len(m.Loaded.New) > 0 {
		o.notice("new, drawn from the seed (the checkpoint has none): %s", strings.Join(m.Loaded.New, ", "))
	}
	if len(m.Loaded.Buffers) > 0 {
		o.notice("buffers that older versions of transformers saved, computed here: %s", strings.Join(m.Loaded.Buffers, ", "))
	}
	for _, note := range m.Loaded.Notes {
		o.notice("%s", note)
	}
	if norm := m.Config.Norm.String(); norm != "" {
		o.notice("%s", norm)
	}
	if len(m.Config.Unknown) > 0 {
		o.notice("config.json has keys that laurel does not know and does not use: %s", strings.Join(m.Config.Unknown, ", "))
	}
}
