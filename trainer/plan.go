package trainer

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute/dtypes"

	"laurel/data/batches"
	"laurel/model"
)

// Plan is what a run will take, found without making a step.
type Plan struct {
	Size    model.Size
	Steps   int
	Pairs   int          // of one step
	Padding float64      // share of the ids computed that are padding
	Lengths []LengthPlan // ascending
	FLOPs   float64      // of a step, on average
	Rate    float64      // FLOP/s of matrix products, measured; 0 where they were not
	Memory  Memory       // at the peak

	dtype    string // of the products
	config   Config
	longest  BatchShape // that needs most memory
	sequence int        // the longest
	pairIDs  float64    // of a pair, on average, as flat rows have them
	atOnce   float64    // bytes that the activations of a flat row may take, 0 for no limit
	onDevice func(length int, packed bool) BatchShape
	devices  int    // with memory of their own that share a batch
	scores   string // what would save the memory of scores written out, "" for nothing
}

// LengthPlan is what the batches of one padded length take.
type LengthPlan struct {
	Tokens int
	Packed bool    // a row holds a pair, else a sequence
	Flat   bool    // one row holds all pairs
	Share  float64 // of the batches
	FLOPs  float64 // of one batch
}

// NewPlan foresees a run from its pairs and the sizes of its model alone.
func NewPlan(r Run) *Plan {
	p := &Plan{Size: r.Model.Size(), Pairs: r.Config.BatchSize * r.Config.GradientAccumulationSteps,
		dtype: strings.ToLower(r.Model.Compute.String()), config: r.Config}
	e := firstEpoch(r)
	p.Steps, p.Padding = e.total, 1-float64(e.real)/float64(e.computed)
	batches, total := 0, 0.0
	for _, n := range e.byShape {
		batches += n
	}
	for _, shape := range slices.SortedFunc(maps.Keys(e.byShape), inOrder) {
		one := LengthPlan{Tokens: shape.Tokens, Packed: shape.Packed, Flat: shape.Flat, Share: float64(e.byShape[shape]) / float64(batches), FLOPs: FLOPs(p.Size, shape)}
		total += one.FLOPs * float64(e.byShape[shape])
		p.Lengths = append(p.Lengths, one)
	}
	p.FLOPs = total / float64(e.steps)
	p.onDevice, p.longest, p.sequence, p.devices = r.onDevice, r.largest(), r.Train.Stats.Longest, r.ownMemory()
	p.pairIDs, p.atOnce = float64(e.real)/float64(e.pairs), r.activationBytes()
	p.Memory = PeakMemory(p.Size, p.longest)
	p.scores = scoresAdvice(r, p.longest)
	return p
}

// inOrder has rows of one sequence first, by length.
func inOrder(a, b BatchShape) int {
	if a.Packed != b.Packed {
		return cmp.Compare(b.Rows, a.Rows)
	}
	return cmp.Compare(a.Tokens, b.Tokens)
}

// largest is the shape of the run's batches that needs most memory.
func (r Run) largest() (largest BatchShape) {
	if flat := r.Order.Flat; len(flat) > 0 {
		return r.flatShape(flat[len(flat)-1])
	}
	most := 0.0
	for _, packed := range []bool{false, true} {
		lengths := r.Order.Lengths(packed)
		if len(lengths) == 0 {
			continue
		}
		shape := r.onDevice(lengths[len(lengths)-1], packed)
		if need := PeakMemory(r.Model.Size(), shape).Total(); need > most {
			largest, most = shape, need
		}
	}
	return largest
}

// Attention is how the largest batches of the run compute it.
func (r Run) Attention() model.AttentionUse { return r.attention(r.largest()) }

func (r Run) attention(b BatchShape) model.AttentionUse {
	return r.Model.AttentionUse(r.Backend, b.Tokens, b.Packed || b.Flat && b.Keys == 0, float64(r.Config.Dropout.For(r.Model)))
}

// shapeOf is that of a micro-batch.
func (r Run) shapeOf(plan batches.Plan) BatchShape {
	if plan.Flat {
		return r.flatShape(plan.T)
	}
	return r.shape(plan.T, plan.Shared, plan.Size)
}

// flatShape is that of one row of so many ids, of all pairs.
func (r Run) flatShape(length int) BatchShape {
	s := BatchShape{Rows: 1, Tokens: length, Flat: true}
	if r.Model.OverSpans(r.Backend) {
		stats := r.Train.Stats
		s.Keys = int((stats.SquaredTokens + stats.Tokens - 1) / stats.Tokens)
	}
	return r.kept(s)
}

// shape is that of so many pairs of a length, packed ones with a pair a row.
func (r Run) shape(length int, packed bool, pairs int) BatchShape {
	s := BatchShape{Tokens: length, Packed: packed}
	if r.Model.OverSpans(r.Backend) {
		s.Keys = length
	}
	s.Rows = pairs * s.rowsPerPair()
	return r.kept(s)
}

// kept is a shape with what the run keeps of it for the backward pass.
func (r Run) kept(s BatchShape) BatchShape {
	s.ValueBytes, s.Checkpointed = 4, r.Config.GradientCheckpointing
	if r.BackendName == "cuda" && r.Model.Compute == dtypes.BFloat16 { // elsewhere bfloat16 is computed with as float32
		s.ValueBytes = 2
		use := r.attention(s)
		s.Scores, s.BlockScores, s.Banded = use.Scores, use.BlockScores, use.Banded
	}
	return s
}

// ownMemory is how many devices with memory of their own share a batch.
func (r Run) ownMemory() int {
	if r.BackendName != "cuda" { // several of XLA's CPU devices are one machine
		return 1
	}
	return r.Model.NumDevices()
}

// onDevice is the part of the run's micro-batches of a length that lies in one
// memory.
func (r Run) onDevice(length int, packed bool) BatchShape {
	pairs := r.Order.PairsAtOnce(length, packed)
	s := r.shape(length, packed, pairs)
	s.Rows = s.rowsPerPair() * ceilDiv(pairs, r.ownMemory())
	return s
}

// Measure times matrix products on the run's backend, for Seconds.
func (p *Plan) Measure(r Run) (err error) {
	if p.Rate, err = model.ProductRate(r.Backend, r.Model.Compute); err != nil {
		return fmt.Errorf("measure the backend: %w", err)
	}
	return nil
}

// Print writes the plan for people.
func (p *Plan) Print(out io.Writer) error {
	fmt.Fprintf(out, "model: %d blocks, hidden size %d, %d heads\n", p.Size.Blocks, p.Size.Hidden, p.Size.Heads)
	fmt.Fprintf(out, "steps: %d of %d pairs; padding %.0f%% of the ids computed\n", p.Steps, p.Pairs, 100*p.Padding)
	for _, l := range p.Lengths {
		of := ""
		switch {
		case l.Packed:
			of = " a pair"
		case l.Flat:
			of = " in one row"
		}
		fmt.Fprintf(out, "  %5d tokens%s: %3.0f%% of the batches, %.3g GFLOP each\n", l.Tokens, of, 100*l.Share, l.FLOPs/1e9)
	}
	fmt.Fprintf(out, "work: %.3g GFLOP a step on average\n", p.FLOPs/1e9)
	if p.Rate > 0 {
		seconds := Seconds(p.FLOPs*float64(p.Steps), p.Rate) / float64(p.devices)
		fmt.Fprintf(out, "time: about %s of steps, without compiling, at 60%% of the %.3g GFLOP/s measured in %s products of 1024×1024\n",
			time.Duration(seconds*float64(time.Second)).Round(time.Second), p.Rate/1e9, p.dtype)
	}
	m := p.Memory
	where := ""
	if p.devices > 1 {
		where = fmt.Sprintf(" of each of %d devices", p.devices)
	}
	_, err := fmt.Fprintf(out, "memory%s: about %.2f GB at the peak: weights %.2f, gradients and AdamW %.2f, activations at %d tokens %.2f, the process %.2f\n",
		where, m.Total()/1e9, m.Weights/1e9, m.Optimiser/1e9, p.longest.Tokens, m.Activations/1e9, m.Process/1e9)
	if p.scores != "" {
		_, err = fmt.Fprintln(out, p.scores)
	}
	return err
}

// CheckMemory fails where the run needs more than there is, in bytes, and names
// settings that would fit.
func (p *Plan) CheckMemory(have float64) error {
	if p.Memory.Total() <= have {
		return nil
	}
	return fmt.Errorf("the run needs about %.2f GB and %.2f GB are there: %s", p.Memory.Total()/1e9, have/1e9, p.whatFits(have))
}

// whatFits names settings under which the same prediction fits.
func (p *Plan) whatFits(have float64) string {
	ways := fitting{p: p, have: have}
	ways.lessAtOnce()
	ways.checkpointing()
	ways.smallerBatch()
	ways.shorter()
	adapter := p.Size
	adapter.Trainable, adapter.TrainedLinear, adapter.AdapterOutputs = p.Size.Trainable/100, p.Size.TrainedLinear/100, p.Size.Outputs
	ways.try("model.lora.rank=16", adapter, p.ofPairs(p.config.BatchSize))
	if len(ways.found) == 0 {
		least := p.ofPairs(1)
		least.Checkpointed = true
		ways.try("model.lora.rank=16 with train.gradient_checkpointing=true and train.batch_size=1", adapter, least)
	}
	if len(ways.found) == 0 {
		return "no setting of batch size, length, checkpointing or LoRA would fit: take a smaller model or a larger machine"
	}
	return "these would fit: " + strings.Join(ways.found, "; ")
}

// fitting collects settings that need no more than have.
type fitting struct {
	p     *Plan
	have  float64
	found []string
}

// need foresees the run with a size and shape; a flat shape is that of a whole batch, of
// which a row holds as much as it may.
func (p *Plan) need(size model.Size, b BatchShape) float64 {
	if b.Flat && p.atOnce > 0 {
		b.Tokens = max(p.leastIDs(b), idsWithin(p.atOnce, size, b, b.Tokens))
	}
	return PeakMemory(size, b).Total()
}

func (f *fitting) try(what string, size model.Size, b BatchShape) bool {
	need := f.p.need(size, b)
	if need <= f.have {
		f.found = append(f.found, fmt.Sprintf("%s (about %.2f GB)", what, need/1e9))
	}
	return need <= f.have
}

// lessAtOnce divides batches of flat rows further, where the longest pair leaves room to.
func (f *fitting) lessAtOnce() {
	b := f.p.longest
	if !b.Flat {
		return
	}
	m := f.p.Memory
	room := math.Floor(10*(f.have-m.Total()+m.Activations)/1e9) / 10 // gigabytes
	b.Tokens = f.p.leastIDs(b)
	if room <= 0 || PeakMemory(f.p.Size, b).Activations > 1e9*room {
		return
	}
	f.found = append(f.found, fmt.Sprintf("train.activation_memory=%g (about %.2f GB)", room, room+(m.Total()-m.Activations)/1e9))
}

func (f *fitting) checkpointing() {
	b := f.p.ofPairs(f.p.config.BatchSize)
	b.Checkpointed = true
	f.try("train.gradient_checkpointing=true", f.p.Size, b)
}

// smallerBatch tries fewer pairs at a time, as many a step.
func (f *fitting) smallerBatch() {
	for n := f.p.config.BatchSize / 2; n >= 1; n /= 2 {
		if f.try(fmt.Sprintf("train.batch_size=%d with train.gradient_accumulation_steps=%d", n, ceilDiv(f.p.Pairs, n)), f.p.Size, f.p.ofPairs(n)) {
			return
		}
	}
}

// leastIDs is what the longest pair takes of a flat row, at most.
func (p *Plan) leastIDs(row BatchShape) int { return min(row.Tokens, 2*p.sequence) }

// ofPairs is the largest shape with n pairs of a batch.
func (p *Plan) ofPairs(n int) BatchShape {
	b := p.longest
	if b.Flat {
		b.Tokens = max(p.leastIDs(b), int(math.Ceil(p.pairIDs*float64(n))))
	} else {
		b.Rows = b.rowsPerPair() * ceilDiv(n, p.devices)
	}
	return b
}

// shorter tries shorter sequences, each in a row: those that share a row take no
// more (batches.Store.Shares).
func (f *fitting) shorter() {
	for length := f.p.sequence / 2; length >= 64; length /= 2 {
		b := f.p.ofPairs(f.p.config.BatchSize)
		if b.Flat { // about so much shorter, as the longest sequence is
			b.Tokens, b.Keys = ceilDiv(b.Tokens*length, f.p.sequence), ceilDiv(b.Keys*length, f.p.sequence)
		} else {
			b = f.p.onDevice(length, false)
		}
		if f.try(fmt.Sprintf("model.max_length=%d", length), f.p.Size, b) {
			return
		}
	}
}
