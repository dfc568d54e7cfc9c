package data

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// textRow and ChatRow are the two layouts of a converted file.
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

// ChatRow is a pair of messages as files hold it.
type ChatRow struct {
	Prompt     []Message `parquet:"prompt,list" json:"prompt"`
	Chosen     []Message `parquet:"chosen,list" json:"chosen"`
	Rejected   []Message `parquet:"rejected,list" json:"rejected"`
	Confidence float64   `parquet:"confidence" json:"confidence"`
	Margin     float64   `parquet:"margin" json:"margin"`
	VoteShare  *float64  `parquet:"vote_share,optional" json:"vote_share,omitempty"`
	Subset     string    `parquet:"subset,optional,dict" json:"subset,omitempty"`
	ID         string    `parquet:"id,optional" json:"id,omitempty"`
	Tools      JSONText  `parquet:"tools,optional" json:"tools,omitempty"`
	Kwargs     JSONText  `parquet:"chat_template_kwargs,optional" json:"chat_template_kwargs,omitempty"`
}

// plainChatRow is ChatRow of messages that hold but a role and a text.
type plainChatRow struct {
	Prompt     []plainMessage `parquet:"prompt,list"`
	Chosen     []plainMessage `parquet:"chosen,list"`
	Rejected   []plainMessage `parquet:"rejected,list"`
	Confidence float64        `parquet:"confidence"`
	Margin     float64        `parquet:"margin"`
	VoteShare  *float64       `parquet:"vote_share,optional"`
	Subset     string         `parquet:"subset,optional,dict"`
	ID         string         `parquet:"id,optional"`
}

type plainMessage struct {
	Role    string `parquet:"role,dict"`
	Content string `parquet:"content"`
}

// JSONText is a JSON value: itself in JSON lines, text in Parquet.
type JSONText string

// MarshalJSON gives the value.
func (t JSONText) MarshalJSON() ([]byte, error) { return []byte(t), nil }

// Convert reads the files and writes their pairs to out as prompt, chosen and
// rejected (text, or messages where the input has them), confidence, margin,
// vote_share, subset and id; other columns are left behind. out ends in
// .parquet (zstd) or .jsonl and is written aside and renamed; a cancelled ctx
// leaves nothing.
func Convert(ctx context.Context, in []string, out string, cfg ReadConfig) (counts Counts, err error) {
	return ConvertThrough(ctx, in, out, cfg, func(pairs iter.Seq2[Pair, error], _ *Counts) iter.Seq2[Pair, error] { return pairs })
}

// ConvertThrough is Convert of the pairs that through lets pass; it is given the
// counts of the rows read, and called again where reading begins anew.
func ConvertThrough(ctx context.Context, in []string, out string, cfg ReadConfig, through func(iter.Seq2[Pair, error], *Counts) iter.Seq2[Pair, error]) (counts Counts, err error) {
	chat, err := oneLayout(in, cfg)
	if err != nil {
		return counts, err
	}
	if counts, err = convert(ctx, in, out, cfg, through, chat, false); errors.Is(err, errWide) {
		return convert(ctx, in, out, cfg, through, chat, true)
	}
	return counts, err
}

// errWide ends a conversion into columns that cannot hold what messages hold:
// it begins anew with columns that can.
var errWide = errors.New("messages hold more than a role and a text")

func convert(ctx context.Context, in []string, out string, cfg ReadConfig, through func(iter.Seq2[Pair, error], *Counts) iter.Seq2[Pair, error], chat, wide bool) (counts Counts, err error) {
	ext := strings.ToLower(filepath.Ext(out))
	if ext != ".parquet" && ext != ".jsonl" {
		return counts, fmt.Errorf("convert: write to a file named .parquet or .jsonl, not %q", out)
	}
	file, err := createAside(out)
	if err != nil {
		return counts, err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	w := newPairWriter(buffered, ext, chat, wide)
	asRead := func() func(Pair) Pair { return func(p Pair) Pair { return p } } // read while those before are written
	for pair, err := range InOrder(ctx, through(ReadPairs(in, cfg, &counts), &counts), 1, asRead) {
		if err == nil && ext == ".parquet" && !wide && pair.wide() {
			err = errWide
		}
		if err == nil {
			err = w.Write(pair)
		}
		if err != nil {
			file.abort()
			return counts, err
		}
	}
	if err := cmp.Or(w.Close(), buffered.Flush()); err != nil {
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

func newPairWriter(w io.Writer, ext string, chat, wide bool) RowWriter[Pair] {
	switch {
	case ext == ".jsonl" && chat:
		return JSONRows(w, AsChat)
	case ext == ".jsonl":
		return JSONRows(w, asText)
	case chat && wide:
		return ParquetRows(w, AsChat, Pair.Bytes)
	case chat:
		return ParquetRows(w, asPlainChat, Pair.Bytes)
	}
	return ParquetRows(w, asText, Pair.Bytes)
}

func asText(p Pair) textRow {
	return textRow{p.Prompt.Plain, p.Chosen.Plain, p.Rejected.Plain, p.Confidence, p.Margin, voteShare(p), p.Subset, p.ID}
}

// AsChat is the pair as a row of messages.
func AsChat(p Pair) ChatRow {
	return ChatRow{MessageList(p.Prompt), MessageList(p.Chosen), MessageList(p.Rejected), p.Confidence, p.Margin, voteShare(p), p.Subset, p.ID,
		JSONText(p.Prompt.Context.Tools), JSONText(p.Prompt.Context.TemplateKwargs)}
}

func asPlainChat(p Pair) plainChatRow {
	return plainChatRow{plainList(p.Prompt), plainList(p.Chosen), plainList(p.Rejected), p.Confidence, p.Margin, voteShare(p), p.Subset, p.ID}
}

func plainList(t Text) []plainMessage {
	list := make([]plainMessage, len(t.Messages))
	for i, m := range t.Messages {
		list[i] = plainMessage{m.Role, m.Content}
	}
	return list
}

// wide reports whether the pair does not fit a plainChatRow.
func (p Pair) wide() bool {
	more := func(m Message) bool { return m.Whole != "" }
	return p.Prompt.Context != (Context{}) || slices.ContainsFunc(p.Prompt.Messages, more) ||
		slices.ContainsFunc(p.Chosen.Messages, more) || slices.ContainsFunc(p.Rejected.Messages, more)
}

// MessageList are the messages: a list even where there is no message.
func MessageList(t Text) []Message {
	if t.Messages == nil {
		return []Message{}
	}
	return t.Messages
}

func voteShare(p Pair) *float64 {
	if math.IsNaN(p.VoteShare) {
		return nil
	}
	return &p.VoteShare
}
