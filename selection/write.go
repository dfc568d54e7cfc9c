package selection

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/parquet-go/parquet-go"

	"laurel/data"
)

// kept is a candidate with its texts, and for pairs the worst of its prompt.
type kept struct {
	data.Completion
	worst               data.Text
	reward, worstReward float64
	rank                int // from 1, among those of its prompt
}

// messagesRow is a row of messages for supervised fine-tuning.
type messagesRow struct {
	Messages []data.Message `parquet:"messages,list" json:"messages"`
	Reward   float64        `parquet:"reward" json:"reward"`
	Margin   float64        `parquet:"margin" json:"margin"`
	Rank     int32          `parquet:"rank" json:"rank"`
	Tools    data.JSONText  `parquet:"tools,optional" json:"tools,omitempty"`
	Kwargs   data.JSONText  `parquet:"chat_template_kwargs,optional" json:"chat_template_kwargs,omitempty"`
}

// textPair and chatPair are rows of pairs for DPO.
type textPair struct {
	Prompt         string  `parquet:"prompt" json:"prompt"`
	Chosen         string  `parquet:"chosen" json:"chosen"`
	Rejected       string  `parquet:"rejected" json:"rejected"`
	RewardChosen   float64 `parquet:"reward_chosen" json:"reward_chosen"`
	RewardRejected float64 `parquet:"reward_rejected" json:"reward_rejected"`
}

type chatPair struct {
	Prompt         []data.Message `parquet:"prompt,list" json:"prompt"`
	Chosen         []data.Message `parquet:"chosen,list" json:"chosen"`
	Rejected       []data.Message `parquet:"rejected,list" json:"rejected"`
	RewardChosen   float64        `parquet:"reward_chosen" json:"reward_chosen"`
	RewardRejected float64        `parquet:"reward_rejected" json:"reward_rejected"`
	Tools          data.JSONText  `parquet:"tools,optional" json:"tools,omitempty"`
	Kwargs         data.JSONText  `parquet:"chat_template_kwargs,optional" json:"chat_template_kwargs,omitempty"`
}

// messages has a plain response as the assistant's turn.
func (k kept) messages() messagesRow {
	answer := k.Response.Messages
	if answer == nil {
		answer = []data.Message{{Role: "assistant", Content: k.Response.Plain}}
	}
	turns := k.Prompt.Turns()
	return messagesRow{append(turns[:len(turns):len(turns)], answer...), k.reward, k.reward - k.worstReward, int32(k.rank),
		data.JSONText(k.Prompt.Context.Tools), data.JSONText(k.Prompt.Context.TemplateKwargs)}
}

func (k kept) textPair() textPair {
	return textPair{k.Prompt.Plain, k.Response.Plain, k.worst.Plain, k.reward, k.worstReward}
}

func (k kept) chatPair() chatPair {
	return chatPair{data.MessageList(k.Prompt), data.MessageList(k.Response), data.MessageList(k.worst), k.reward, k.worstReward,
		data.JSONText(k.Prompt.Context.Tools), data.JSONText(k.Prompt.Context.TemplateKwargs)}
}

func (k kept) bytes() int { return k.Prompt.Bytes() + k.Response.Bytes() + k.worst.Bytes() }

// CheckName refuses the name of an output that is neither JSON lines nor Parquet.
func CheckName(path string) error {
	if ext := strings.ToLower(filepath.Ext(path)); ext != ".jsonl" && ext != ".parquet" {
		return fmt.Errorf("%s: write to a file named .jsonl or .parquet", path)
	}
	return nil
}

// begin begins a file of rows of one layout.
func begin[Row any](path string, layout func(kept) Row) (*data.RowFile[kept], error) {
	return data.BeginRows(path, func(w io.Writer) data.RowWriter[kept] {
		if strings.EqualFold(filepath.Ext(path), ".jsonl") {
			return data.JSONRows(w, layout)
		}
		return data.ParquetRows(w, layout, kept.bytes, data.SkipBounds(parquet.SchemaOf(new(Row))))
	})
}

// Write reads the file once more and writes what is kept: the best candidates as
// messages, and pairs of each and the worst of its prompt. A path of "" is not
// written. The rows of a prompt stand together, in the order in which the prompts
// are whole.
func (s *Selection) Write(messages, pairs string) (summary *Summary, err error) {
	var toMessages, toPairs, all []*data.RowFile[kept]
	if messages != "" {
		file, err := begin(messages, kept.messages)
		if err != nil {
			return nil, err
		}
		toMessages = append(toMessages, file)
	}
	if pairs != "" {
		layout := func() (*data.RowFile[kept], error) { return begin(pairs, kept.textPair) }
		if s.chat != nil && *s.chat {
			layout = func() (*data.RowFile[kept], error) { return begin(pairs, kept.chatPair) }
		}
		file, err := layout()
		if err != nil {
			return nil, errors.Join(err, data.AbortAll(toMessages...))
		}
		toPairs = append(toPairs, file)
	}
	all = append(append(all, toMessages...), toPairs...)
	if err := s.write(toMessages, toPairs); err != nil {
		return nil, errors.Join(err, data.AbortAll(all...))
	}
	return &s.summary, data.CloseAll(all...)
}

// waiting is what is kept of a prompt, until all its texts are read.
type waiting struct {
	chosen
	texts   map[place]data.Completion // nil completions are still to be read
	missing int
}

// place is where a candidate stands.
type place struct{ row, which int }

func (c candidate) place() place { return place{c.row, c.which} }

func (s *Selection) write(toMessages, toPairs []*data.RowFile[kept]) error {
	table, err := data.OpenTable(s.file, s.columns)
	if err != nil {
		return err
	}
	defer table.Close()
	wanted := s.plan(len(toMessages) > 0, len(toPairs) > 0)
	for row := range s.rows {
		record, err := table.Next()
		if err != nil {
			return fmt.Errorf("read %s again: %w: did it change meanwhile?", s.file, err)
		}
		for which, completion := range record.Completions {
			prompt, ok := wanted[place{row, which}]
			if !ok {
				continue
			}
			prompt.texts[place{row, which}] = completion
			if prompt.missing--; prompt.missing > 0 {
				continue
			}
			if err := prompt.write(toMessages, toPairs); err != nil {
				return err
			}
			prompt.texts = nil
		}
	}
	return nil
}

// plan chooses for every prompt, and counts; it gives the prompts by the places
// whose texts are wanted.
func (s *Selection) plan(messages, pairs bool) map[place]*waiting {
	s.summary.Prompts, s.summary.Messages.Out, s.summary.Pairs.Out = len(s.candidates), map[string]int{}, map[string]int{}
	wanted := map[place]*waiting{}
	for _, all := range s.candidates {
		c, noMessages, noPairs := s.choose(all)
		w := &waiting{chosen: c, texts: map[place]data.Completion{}}
		want := func(c candidate) {
			if wanted[c.place()] == nil {
				wanted[c.place()], w.missing = w, w.missing+1
			}
		}
		if messages {
			s.summary.Messages.add(c.best, noMessages)
			for _, one := range c.best {
				want(one)
			}
		}
		if !pairs {
			continue
		}
		s.summary.Pairs.add(c.paired, noPairs)
		for _, one := range c.paired {
			want(one)
			want(c.worst)
		}
	}
	return wanted
}

func (k *Kept) add(rows []candidate, why string) {
	if why != "" {
		k.Out[why]++
		return
	}
	k.Prompts++
	k.Rows += len(rows)
}

// write writes the rows of a prompt whose texts are all there.
func (w *waiting) write(toMessages, toPairs []*data.RowFile[kept]) error {
	rows := func(files []*data.RowFile[kept], candidates []candidate) error {
		for rank, c := range candidates {
			k := kept{Completion: w.texts[c.place()], worst: w.texts[w.worst.place()].Response, reward: float64(c.reward), worstReward: float64(w.worst.reward), rank: rank + 1}
			for _, f := range files {
				if err := f.Write(k); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return errors.Join(rows(toMessages, w.best), rows(toPairs, w.paired))
}
