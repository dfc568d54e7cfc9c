package model

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// attention is disentangled attention (He et al. 2021, arXiv:2006.03654, eq.
// 4): to the scores of contents it adds those of queries with the keys of
// relative positions (content to position) and of keys with the queries of
// relative positions (position to content), all over √(kinds·K).
// [N, T, D] to [N, T, D]
func (b *deberta) attention(p *pass, name string, x *Node) *Node {
	query := p.heads(p.linear(name+"query_proj", x), b.numHeads) // [N, T, H, K]
	key := p.heads(p.linear(name+"key_proj", x), b.numHeads)
	value := p.heads(p.linear(name+"value_proj", x), b.numHeads)
	scores := as(p.scores(query, key), dtypes.Float32)
	kinds := 1
	if b.contentToPosition {
		kinds++
	}
	if b.positionToContent {
		kinds++
	}
	if b.relative {
		scores = b.addPositions(p, name, scores, query, key)
	}
	scores = MulScalar(scores, 1/math.Sqrt(float64(kinds*b.hiddenSize/b.numHeads)))
	return p.attend(scores, value, p.mask(maskKind{}), b.attentionDropout)
}

// addPositions adds the scores with relative positions. [N, H, T, T]
func (b *deberta) addPositions(p *pass, name string, scores, query, key *Node) *Node {
	if !b.contentToPosition && !b.positionToContent {
		return scores
	}
	relative := p.weight("deberta.encoder.rel_embeddings.weight") // [2·span, D]
	if b.relativeNorm {
		relative = p.layerNorm("deberta.encoder.LayerNorm", relative, b.eps)
	}
	relative = p.dropout(relative, b.hiddenDropout)
	keyLayer, queryLayer := "pos_key_proj", "pos_query_proj"
	if b.shareKey {
		keyLayer, queryLayer = "key_proj", "query_proj"
	}
	if b.contentToPosition { // a query against the key of its distance from each token
		table := b.distances(p, p.linear(name+keyLayer, relative), -1)
		scores = Add(scores, skew(as(einsum("nqhk,chk->nhqc", query, table), dtypes.Float32)))
	}
	if b.positionToContent { // a key against the query of each token's distance from it
		table := b.distances(p, p.linear(name+queryLayer, relative), 1)
		scores = Add(scores, Transpose(skew(as(einsum("nmhk,chk->nhmc", key, table), dtypes.Float32)), 2, 3))
	}
	return scores
}

// distances lays out the vectors of the relative positions sign·(−T+1 … T−1),
// in this order. [2·span, D] to [2·T−1, H, K]
func (b *deberta) distances(p *pass, relative *Node, sign int) *Node {
	t := p.tokens()
	rows := make([]int32, 2*t-1)
	for c := range rows {
		rows[c] = int32(b.row(sign * (c - t + 1)))
	}
	table := Gather(relative, Reshape(Const(p.graph(), rows), len(rows), 1))
	return Reshape(table, len(rows), b.numHeads, b.hiddenSize/b.numHeads)
}

// skew turns columns that count distances into columns that count tokens:
// out[i, j] = x[i, j − i + T − 1]. [N, H, T, 2·T−1] to [N, H, T, T]
func skew(x *Node) *Node {
	n, h, t, w := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2), x.Shape().Dim(3)
	if t == 1 {
		return x
	}
	// Row i begins T−1−i columns in, at i·w + T−1−i = (T−1) + i·(w−1) in flat order.
	flat := Slice(Reshape(x, n, h, t*w), AxisRange(), AxisRange(), AxisRange(t-1, t-1+t*(w-1)))
	return Slice(Reshape(flat, n, h, t, w-1), AxisRange(), AxisRange(), AxisRange(), AxisRangeFromStart(t))
}

// span is how many relative positions there are on either side.
func (b *deberta) span() int {
	if b.buckets > 0 {
		return b.buckets
	}
	return b.maxRelative
}

// row is that of a distance (query − key) in the table of relative positions.
func (b *deberta) row(distance int) int {
	if b.buckets > 0 {
		distance = logBucket(distance, b.buckets, b.maxRelative)
	}
	return min(max(distance+b.span(), 0), 2*b.span()-1)
}

// logBucket keeps near distances and lets far ones share buckets, whose
// width grows by a constant factor (transformers, make_log_bucket_position;
// float32 as there).
func logBucket(distance, buckets, maxDistance int) int {
	mid := buckets / 2
	far := max(distance, -distance)
	if far <= mid {
		return distance
	}
	log := func(x float32) float32 { return float32(math.Log(float64(x))) }
	share := log(float32(far)/float32(mid)) / log(float32(float64(maxDistance-1)/float64(mid)))
	bucket := int(math.Ceil(float64(share*float32(mid-1)))) + mid
	if distance < 0 {
		return -bucket
	}
	return bucket
}
