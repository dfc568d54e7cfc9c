package data

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// Row groups of what we write: small enough to seek to a row and to hold one
// in memory.
const (
	rowGroupRows  = 10_000
	rowGroupBytes = 64 << 20
)

// textRow and chatRow are the two layouts of a converted file.
type textRow struct {
	Prompt     string   `parquet:"prompt" json:"prompt"`
	Chosen     string   `parquet:"chosen" json:"chosen"`
	Rejected   string   `parquet:"rejected" json:"rejected"`
	Confidence float64  `parquet:"confidence" json:"confidence"`
	Margin     float64  `parquet:"margin" json:"margin"`
	VoteShare  *float64 `parquet:"vote_share,optional" json:"vote_share,omitempty"`
	Subset     string   `parquet:"subset,optional,dict" json:"subset,omitempty"`
	ID         string   `parquet:"id,optional" json:"id,omitempty"`
}

type chatRow struct {
	Prompt     []chatTurn `parquet:"prompt,list" json:"prompt"`
	Chosen     []chatTurn `parquet:"chosen,list" json:"chosen"`
	Rejected   []chatTurn `parquet:"rejected,list" json:"rejected"`
	Confidence float64    `parquet:"confidence" json:"confidence"`
	Margin     float64    `parquet:"margin" json:"margin"`
	VoteShare  *float64   `parquet:"vote_share,optional" json:"vote_share,omitempty"`
	Subset     string     `parquet:"subset,optional,dict" json:"subset,omitempty"`
	ID         string     `parquet:"id,optional" json:"id,omitempty"`
}

type chatTurn struct {
	Role    string `parquet:"role,dict" json:"role"`
	Content string `parquet:"content" json:"content"`
}

// Convert reads the files and writes their pairs to out as prompt, chosen and
// rejected (text, or messages where the input has them), confidence, margin,
// vote_share, subset and id; other columns are left behind. out ends in
// .parquet (zstd) or .jsonl and is written aside and renamed; a cancelled ctx
// leaves nothing.
func Convert(ctx context.Context, in []string, out string, cfg ReadConfig) (counts Counts, err error) {
	chat, err := oneLayout(in, cfg)
	if err != nil {
		return counts, err
	}
	ext := strings.ToLower(filepath.Ext(out))
	if ext != ".parquet" && ext != ".jsonl" {
		return counts, fmt.Errorf("convert: write to a file named .parquet or .jsonl, not %q", out)
	}
	file, err := createAside(out)
	if err != nil {
		return counts, err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	w := newPairWriter(buffered, ext, chat)
	for pair, err := range ReadPairs(in, cfg, &counts) {
		if err == nil {
			err = cmp.Or(ctx.Err(), w.write(pair))
		}
		if err != nil {
			file.abort()
			return counts, err
		}
	}
	if err := errors.Join(w.close(), buffered.Flush()); err != nil {
		file.abort()
		return counts, fmt.Errorf("write %s: %w", out, err)
	}
	return counts, file.commit()
}

// oneLayout opens every file before any is read: text and messages do not go
// into one column.
func oneLayout(in []string, cfg ReadConfig) (chat bool, err error) {
	if len(in) == 0 {
		return false, errors.New("convert: no input files")
	}
	for i, file := range in {
		r, err := OpenPairs(file, cfg)
		if err != nil {
			return false, err
		}
		here, format := r.Chat(), r.Format()
		r.Close()
		if i == 0 {
			chat = here
		}
		if here != chat {
			return false, fmt.Errorf("convert: %s has %s, unlike %s: text and messages do not go into one file; convert them into two", file, format, in[0])
		}
	}
	return chat, nil
}

// rowWriter writes rows of one layout.
type rowWriter[T any] struct {
	write func(T) error
	close func() error
}

func newPairWriter(w io.Writer, ext string, chat bool) rowWriter[Pair] {
	switch {
	case ext == ".jsonl" && chat:
		return jsonWriter(w, asChat)
	case ext == ".jsonl":
		return jsonWriter(w, asText)
	case chat:
		return parquetWriter(w, asChat, Pair.bytes)
	}
	return parquetWriter(w, asText, Pair.bytes)
}

// jsonWriter writes values as JSON lines of the layout.
func jsonWriter[T, Row any](w io.Writer, layout func(T) Row) rowWriter[T] {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return rowWriter[T]{func(value T) error { return enc.Encode(layout(value)) }, func() error { return nil }}
}

// parquetWriter writes values as rows of the layout; bytes is about what a
// value takes, so that row groups stay small.
func parquetWriter[T, Row any](w io.Writer, layout func(T) Row, bytes func(T) int, options ...parquet.WriterOption) rowWriter[T] {
	pw := parquet.NewGenericWriter[Row](w, append(parquetOptions(), options...)...)
	groupRows, groupBytes := 0, 0
	write := func(value T) error {
		if _, err := pw.Write([]Row{layout(value)}); err != nil {
			return err
		}
		groupRows, groupBytes = groupRows+1, groupBytes+bytes(value)
		if groupRows < rowGroupRows && groupBytes < rowGroupBytes {
			return nil
		}
		groupRows, groupBytes = 0, 0
		return pw.Flush()
	}
	return rowWriter[T]{write, pw.Close}
}

// parquetOptions: bounds of texts are left out, for they would put whole texts
// into the footer.
func parquetOptions() []parquet.WriterOption {
	options := []parquet.WriterOption{parquet.Compression(&parquet.Zstd), parquet.CreatedBy("laurel", "1", "")}
	for _, column := range []string{"prompt", "chosen", "rejected", "response_a", "response_b", "rationale"} {
		options = append(options, parquet.SkipPageBounds(column), parquet.SkipPageBounds(column, "list", "element", "content"))
	}
	return options
}

func asText(p Pair) textRow {
	return textRow{p.Prompt.Plain, p.Chosen.Plain, p.Rejected.Plain, p.Confidence, p.Margin, voteShare(p), p.Subset, p.ID}
}

func asChat(p Pair) chatRow {
	return chatRow{turns(p.Prompt), turns(p.Chosen), turns(p.Rejected), p.Confidence, p.Margin, voteShare(p), p.Subset, p.ID}
}

func turns(t Text) []chatTurn {
	out := make([]chatTurn, len(t.Messages))
	for i, m := range t.Messages {
		out[i] = chatTurn(m)
	}
	return out
}

func voteShare(p Pair) *float64 {
	if math.IsNaN(p.VoteShare) {
		return nil
	}
	return &p.VoteShare
}

func (p Pair) bytes() int {
	return p.Prompt.bytes() + p.Chosen.bytes() + p.Rejected.bytes() + len(p.ID)
}

func (t Text) bytes() int {
	n := len(t.Plain)
	for _, m := range t.Messages {
		n += len(m.Role) + len(m.Content)
	}
	return n
}
