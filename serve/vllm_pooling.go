package serve

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"
)

// vllmPooling answers POST /pooling as vLLM does for a reward model
// (entrypoints/pooling/pooling): the vector of a text is its one reward.
func vllmPooling(r *request) (any, error) {
	task, err := r.fields.text("task")
	if err != nil {
		return nil, err
	}
	if task != "" && task != "classify" {
		return nil, bad("task", "task is %q: a reward model does classify", clip(task))
	}
	vector, err := r.vector()
	if err != nil {
		return nil, err
	}
	q, err := r.pooled(false)
	if err != nil {
		return nil, err
	}
	type pooling struct {
		Index  int    `json:"index"`
		Object string `json:"object"`
		Data   any    `json:"data"`
		spread
	}
	vectors := make([]pooling, len(q.scores))
	for i := range vectors {
		vectors[i] = pooling{i, "pooling", vector(q.number(i, q.sigmoid)), q.spread(i)}
	}
	return struct {
		ID      string    `json:"id"`
		Object  string    `json:"object"`
		Created int64     `json:"created"`
		Model   string    `json:"model"`
		Data    []pooling `json:"data"`
		Usage   usage     `json:"usage"`
	}{newID("pool-"), "list", time.Now().Unix(), q.model, vectors, usageOf(q.tokens)}, nil
}

// vector is how the answer has a vector of one number: as encoding_format says, a
// list, or base64 of a float32, the lowest byte first.
func (r *request) vector() (func(number any) any, error) {
	if err := r.fields.refuse("a reward is one number", "dimensions"); err != nil {
		return nil, err
	}
	format, err := r.fields.text("encoding_format")
	if err != nil {
		return nil, err
	}
	switch format {
	case "", "float":
		return func(number any) any { return []any{number} }, nil
	case "base64":
		return func(number any) any {
			value, ok := number.(float32)
			if !ok {
				value = float32(number.(float64))
			}
			return base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint32(nil, math.Float32bits(value)))
		}, nil
	}
	return nil, bad("encoding_format", "encoding_format is %q, want float or base64", clip(format))
}
