package feedback

import (
	"errors"
	"io"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"

	"laurel/data"
)

// The files of a revise directory, each as JSON lines and as Parquet.
const (
	MessagesFile      = "messages" // prompt and last revision, for supervised fine-tuning
	ChainFile         = "chains"   // everything between
	RevisionPairsFile = "pairs"    // last revision and first answer, as chosen and rejected
)

// Chain is a prompt with all answers to it, from the first to the last
// revision.
type Chain struct {
	data.Prompt
	Initial     string
	Given       bool // Initial is the file's, not the model's
	Steps       []ChainStep
	Refusal     bool // the last answer refuses
	Boilerplate bool // the last answer has words about itself
}

// ChainStep is a critique and the revision that it led to.
type ChainStep struct {
	Round     int // from 1
	Principle string
	Critique  string
	Revision  string
}

// Final is the last revision.
func (c *Chain) Final() string {
	if len(c.Steps) == 0 {
		return c.Initial
	}
	return c.Steps[len(c.Steps)-1].Revision
}

// messagesRow is a row of messages, in Hugging Face's form.
type messagesRow struct {
	Messages []data.Message `parquet:"messages,list" json:"messages"`
	Subset   string         `parquet:"subset,optional,dict" json:"subset,omitempty"`
	ID       string         `parquet:"id" json:"id"`
	Tools    data.JSONText  `parquet:"tools,optional" json:"tools,omitempty"`
	Kwargs   data.JSONText  `parquet:"chat_template_kwargs,optional" json:"chat_template_kwargs,omitempty"`
}

type chainRow struct {
	ID          string         `parquet:"id" json:"id"`
	Prompt      []data.Message `parquet:"prompt,list" json:"prompt"`
	Initial     string         `parquet:"initial" json:"initial"`
	InitialIs   string         `parquet:"initial_is,dict" json:"initial_is"` // given or generated
	Steps       []stepRow      `parquet:"steps,list" json:"steps"`
	Final       string         `parquet:"final" json:"final"`
	Refusal     bool           `parquet:"refusal" json:"refusal"`
	Boilerplate bool           `parquet:"boilerplate" json:"boilerplate"`
	Subset      string         `parquet:"subset,optional,dict" json:"subset,omitempty"`
	Tools       data.JSONText  `parquet:"tools,optional" json:"tools,omitempty"`
	Kwargs      data.JSONText  `parquet:"chat_template_kwargs,optional" json:"chat_template_kwargs,omitempty"`
}

type stepRow struct {
	Round     int32  `parquet:"round" json:"round"`
	Principle string `parquet:"principle,dict" json:"principle"`
	Critique  string `parquet:"critique" json:"critique"`
	Revision  string `parquet:"revision" json:"revision"`
}

func (c Chain) messages() messagesRow {
	return messagesRow{append(slices.Clone(c.Messages), data.Message{Role: "assistant", Content: c.Final()}), c.Subset, c.ID, data.JSONText(c.Context.Tools), data.JSONText(c.Context.TemplateKwargs)}
}

func (c Chain) row() chainRow {
	is := "generated"
	if c.Given {
		is = "given"
	}
	steps := make([]stepRow, len(c.Steps))
	for i, s := range c.Steps {
		steps[i] = stepRow{int32(s.Round), s.Principle, s.Critique, s.Revision}
	}
	return chainRow{c.ID, data.MessageList(data.Text{Messages: c.Messages}), c.Initial, is, steps, c.Final(), c.Refusal, c.Boilerplate, c.Subset,
		data.JSONText(c.Context.Tools), data.JSONText(c.Context.TemplateKwargs)}
}

// pair prefers the last revision to the first answer, with full confidence:
// nobody has compared them.
func (c Chain) pair() data.ChatRow {
	return data.AsChat(data.Pair{ID: c.ID, Prompt: c.asked(), Chosen: assistant(c.Final()),
		Rejected: assistant(c.Initial), Confidence: 1, VoteShare: 1, Subset: c.Subset})
}

// asked is the prompt as a text.
func (c Chain) asked() data.Text { return data.Text{Messages: c.Messages, Context: c.Context} }

func assistant(said string) data.Text {
	return data.Text{Messages: []data.Message{{Role: "assistant", Content: said}}}
}

func (c Chain) bytes() int {
	n := data.Text{Messages: c.Messages}.Bytes() + len(c.Initial) + len(c.Final())
	for _, s := range c.Steps {
		n += len(s.Critique) + len(s.Revision)
	}
	return n
}

// ChainWriter writes chains into the files of a revise directory, aside and
// renamed when all are written.
type ChainWriter struct {
	all, changed []*data.RowFile[Chain] // changed: of chains whose last answer is not the first
}

// NewChainWriter begins the files; pairs are written only where asked for.
func NewChainWriter(dir string, pairs bool) (w *ChainWriter, err error) {
	w = &ChainWriter{}
	if w.all, err = beginBoth(w.all, filepath.Join(dir, MessagesFile), Chain.messages, Chain.bytes); err == nil {
		w.all, err = beginBoth(w.all, filepath.Join(dir, ChainFile), Chain.row, Chain.bytes)
	}
	if err == nil && pairs {
		w.changed, err = beginBoth(w.changed, filepath.Join(dir, RevisionPairsFile), Chain.pair, Chain.bytes)
	}
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w, nil
}

// beginBoth begins path.jsonl and path.parquet; bytes is about what a value takes.
func beginBoth[T, Row any](files []*data.RowFile[T], path string, layout func(T) Row, bytes func(T) int) ([]*data.RowFile[T], error) {
	lines, err := data.BeginRows(path+".jsonl", func(out io.Writer) data.RowWriter[T] { return data.JSONRows(out, layout) })
	if err != nil {
		return files, err
	}
	columns, err := data.BeginRows(path+".parquet", func(out io.Writer) data.RowWriter[T] {
		return data.ParquetRows(out, layout, bytes, data.SkipBounds(parquet.SchemaOf(new(Row))))
	})
	if err != nil {
		return append(files, lines), err
	}
	return append(files, lines, columns), nil
}

// Write writes the next chain. It is no pair where its last answer is its
// first.
func (w *ChainWriter) Write(c Chain) error {
	files := w.all
	if c.Final() != c.Initial {
		files = append(files[:len(files):len(files)], w.changed...)
	}
	for _, f := range files {
		if err := f.Write(c); err != nil {
			return err
		}
	}
	return nil
}

// Close finishes the files and gives them their names.
func (w *ChainWriter) Close() error { return data.CloseAll(append(w.all, w.changed...)...) }

// Abort removes what was written.
func (w *ChainWriter) Abort() error { return data.AbortAll(append(w.all, w.changed...)...) }
