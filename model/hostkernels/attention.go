package hostkernels

// #include "handlers.h"
import "C"

import "runtime"

// call is what both passes are told. Shapes: N tokens, H heads, G key-value heads,
// K features a head, Q queries (N, or one a span), S spans.
type call struct {
	query, key, value        []float32 // [Q, H, K], [N, G, K], [N, G, K]
	start, end               []int32   // [S]
	from, to                 []int32   // [S]: what each span goes on from
	heads, kvHeads, features int
	one, causal              bool
	window                   int
	scale, dropout           float32
	stream                   uint32
}

func (c *call) fill(pin *runtime.Pinner) C.la_call {
	flag := func(b bool) C.int {
		if b {
			return 1
		}
		return 0
	}
	tokens := len(c.key) / (c.kvHeads * c.features)
	ids := func(x []int32) *C.int32_t {
		pin.Pin(&x[0])
		return (*C.int32_t)(&x[0])
	}
	return C.la_call{query: floats(pin, c.query), key: floats(pin, c.key), value: floats(pin, c.value),
		start: ids(c.start), end: ids(c.end), from: ids(c.from), to: ids(c.to), spans: C.int64_t(len(c.start)),
		tokens: C.int64_t(tokens), queries: C.int64_t(len(c.query) / (c.heads * c.features)),
		heads: C.int(c.heads), kv_heads: C.int(c.kvHeads), features: C.int(c.features),
		one: flag(c.one), causal: flag(c.causal), window: C.int(c.window),
		scale: C.float(c.scale), dropout: C.float(c.dropout), stream: C.uint32_t(c.stream)}
}

// results are what the passes write: outputs [Q, H, K], the logarithms of the
// softmaxes' denominators [Q, H], and the gradients of the inputs.
type results struct{ out, lse, dquery, dkey, dvalue []float32 }

func (c *call) results() *results {
	return &results{make([]float32, len(c.query)), make([]float32, len(c.query)/c.features),
		make([]float32, len(c.query)), make([]float32, len(c.key)), make([]float32, len(c.value))}
}

func (c *call) forward(r *results, kernel string, threads int) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	in := c.fill(&pin)
	in.out, in.lse = floats(&pin, r.out), floats(&pin, r.lse)
	return wrong(C.la_run(&in, kernels()[kernel], 0, C.int(threads)))
}

// backward reads what forward wrote, and the gradients of out.
func (c *call) backward(r *results, dout []float32, kernel string, threads int) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	in := c.fill(&pin)
	in.out, in.lse, in.dout = floats(&pin, r.out), floats(&pin, r.lse), floats(&pin, dout)
	in.dquery, in.dkey, in.dvalue = floats(&pin, r.dquery), floats(&pin, r.dkey), floats(&pin, r.dvalue)
	return wrong(C.la_run(&in, kernels()[kernel], 1, C.int(threads)))
}
