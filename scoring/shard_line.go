package scoring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"laurel/data"
)

// shardFormat is the version of the lines below.
const shardFormat = 1

// shardLine is a line of a shard's file: first the head, then a line a group,
// and last the end, which only a finished shard has.
type shardLine struct {
	Head  *shardHead   `json:"head,omitempty"`
	Group *groupScores `json:"group,omitempty"`
	End   *shardEnd    `json:"end,omitempty"`
}

type shardHead struct {
	Format     int  `json:"format"`
	data.Shard      // shard, of
	Task       Task `json:"task"`
}

type shardEnd struct {
	Rows int `json:"rows"` // of the whole table
}

// groupScores are the scores of a group's rows one after the other, those of a
// pair chosen first. A score without a reward has its reason.
type groupScores struct {
	Group     int            `json:"group"`
	Rewards   []float32      `json:"rewards"` // 0 where there is a reason
	Tokens    []int          `json:"tokens"`
	Truncated []int          `json:"truncated,omitempty"` // which were cut
	Reasons   map[int]string `json:"reasons,omitempty"`
	Std       []float32      `json:"std,omitempty"`   // of an ensemble
	Lower     []float32      `json:"lower,omitempty"` // of an ensemble
}

func newGroupScores(group int, rows [][]data.Score, ensemble bool) *groupScores {
	scores := slices.Concat(rows...)
	g := &groupScores{Group: group, Rewards: make([]float32, len(scores)), Tokens: make([]int, len(scores)), Reasons: map[int]string{}}
	if ensemble {
		g.Std, g.Lower = make([]float32, len(scores)), make([]float32, len(scores))
	}
	for i, s := range scores {
		g.Tokens[i] = s.Tokens
		if s.Truncated {
			g.Truncated = append(g.Truncated, i)
		}
		if !s.Valid {
			g.Reasons[i] = s.Reason
			continue
		}
		g.Rewards[i] = s.Reward
		if ensemble {
			g.Std[i], g.Lower[i] = s.Std, s.Lower
		}
	}
	return g
}

// scores gives the scores of the rows again.
func (g *groupScores) scores(perRow int, ensemble bool) ([][]data.Score, error) {
	n := len(g.Rewards)
	if len(g.Tokens) != n || n%perRow != 0 || ensemble && (len(g.Std) != n || len(g.Lower) != n) {
		return nil, fmt.Errorf("group %d has %d rewards, %d lengths and %d standard deviations", g.Group, n, len(g.Tokens), len(g.Std))
	}
	all := make([]data.Score, n)
	for i := range all {
		reason, none := g.Reasons[i]
		all[i] = data.Score{Reward: g.Rewards[i], Valid: !none, Tokens: g.Tokens[i], Reason: reason}
		if ensemble {
			all[i].Std, all[i].Lower = g.Std[i], g.Lower[i]
		}
	}
	for _, i := range g.Truncated {
		if i < 0 || i >= n {
			return nil, fmt.Errorf("group %d has no score %d", g.Group, i)
		}
		all[i].Truncated = true
	}
	return slices.Collect(slices.Chunk(all, perRow)), nil
}

func checksum(content []byte) uint32 { return crc32.ChecksumIEEE(content) }

// parseShardLine reads what encode wrote.
func parseShardLine(raw []byte) (line shardLine, err error) {
	sum, content, ok := bytes.Cut(bytes.TrimSuffix(raw, []byte("\n")), []byte(" "))
	if !ok || fmt.Sprintf("%08x", checksum(content)) != string(sum) {
		return line, errors.New("its checksum is another")
	}
	if err := json.Unmarshal(content, &line); err != nil {
		return line, err
	}
	if line.Head == nil && line.Group == nil && line.End == nil {
		return line, errors.New("it holds nothing that this version knows")
	}
	return line, nil
}
