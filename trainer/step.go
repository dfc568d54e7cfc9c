package trainer

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"

	"laurel/data/batches"
	"laurel/model"
)

// Shapes: B pairs of a batch, R rows of T tokens, 2B sequences, the chosen first,
// then the rejected.

// stepper runs optimiser steps: forward and backward of each batch of the step,
// which hand the gradients' sum from one to the next on the device, then one
// update. The update is a program of its own, which does not depend on the
// batch's length, so that a further length costs the compilation of forward and
// backward alone; on a CPU it is no program (updateInPlace).
//
// On several devices each has all weights and moments, and a part of each batch;
// the step's last batch adds the sums of all devices up, and every device makes
// the same update.
type stepper struct {
	backend compute.Backend
	config  Config
	model   *model.Model
	adam    adamW
	names   []string // of the tensors that are trained
	devices int

	inPlace bool // the update is updateInPlace, not a program

	first, next *ml.Exec // the first batch of a step, and each further one: adds to what it is handed
	only, last  *ml.Exec // the same, where several devices' sums are then added up
	update      *ml.Exec
}

// The programs' names say which parameters' buffers they may write their
// results into (docs/upstream.md): the sums that they are handed, and in the
// update the weights and moments.
const (
	firstProgram  = "gradients"
	nextProgram   = "further gradients donates arg1+"
	updateProgram = "update donates /"
)

// stepResult is what one step tells.
type stepResult struct {
	Loss, GradNorm   float64
	Finite           bool      // whether the update was made
	Chosen, Rejected []float32 // rewards of the pairs, before the update
}

func newStepper(backend compute.Backend, m *model.Model, config Config) (*stepper, error) {
	s := &stepper{backend: backend, config: config, model: m, names: m.Trainable(), devices: m.NumDevices(), adam: adamW{
		beta1: config.Betas[0], beta2: config.Betas[1], eps: config.Eps,
		weightDecay: config.WeightDecay, maxGradNorm: config.MaxGradNorm, layerDecay: config.LayerLRDecay}}
	s.inPlace = s.canUpdateInPlace()
	if err := s.createZeros(firstMoment, secondMoment); err != nil {
		return nil, err
	}
	programs := []struct {
		exec **ml.Exec
		name string
		fn   func(*ml.Scope, []*Node) []*Node
	}{{&s.first, firstProgram, s.gradientGraph(false)}, {&s.next, nextProgram, s.gradientGraph(false)},
		{&s.only, firstProgram, s.gradientGraph(true)}, {&s.last, nextProgram, s.gradientGraph(true)}, {&s.update, updateProgram, s.updateGraph}}
	for _, p := range programs {
		exec, err := ml.NewExec(backend, m.Store, p.fn)
		if err != nil {
			return nil, fmt.Errorf("training step: %w", err)
		}
		m.Spread(exec)
		*p.exec = exec.WithName(p.name).SetMaxCache(-1)
	}
	return s, nil
}

// createZeros makes a zero tensor beside every weight in each scope, unless
// a checkpoint has put one there.
func (s *stepper) createZeros(scopes ...string) error {
	for _, scope := range scopes {
		for _, name := range s.names {
			if s.model.Store.GetVariable(scope+name) != nil {
				continue
			}
			zeros := tensors.FromShape(s.model.Store.GetVariable("/" + name).Shape())
			if s.inPlace { // written to before the first update reads them: the kernel then maps each page once
				if err := zeros.MutableBytes(func(bytes []byte) { clear(bytes) }); err != nil {
					return fmt.Errorf("training state: %w", err)
				}
			}
			if _, err := s.model.Store.CreateVariable(scope+name, zeros); err != nil {
				return fmt.Errorf("training state: %w", err)
			}
		}
	}
	return nil
}

// lossAndGradients gives the loss, the gradient of every weight and the
// rewards [2B] of a batch that input laid out.
func (s *stepper) lossAndGradients(scope *ml.Scope, batch *Node) (loss *Node, grads []*Node, rewards *Node) {
	g := batch.Graph()
	perRow, columns := 2, pairColumns
	switch {
	case model.IsFlat(batch): // all pairs
		pairs := ceilDiv(s.config.BatchSize, s.devices)
		perRow, columns = 2*pairs, pairColumns*pairs
	case batch.Rank() == 2: // two rows a pair
		columns /= 2
	}
	inputs, beside := model.LaidOut(batch, perRow, columns)
	beside = Reshape(beside, pairColumns, beside.Shape().Size()/pairColumns)
	column := func(i int) *Node { return Squeeze(Slice(beside, AxisElem(i)), 0) }
	values := func(i int) *Node { return Bitcast(column(i), dtypes.Float32) } // [B]
	scalar := func(x *Node) *Node { return Squeeze(Slice(x, AxisElem(0)), 0) }
	inputs.Seed = Bitcast(scalar(column(6)), dtypes.Uint32)
	inputs.Dropout, inputs.Checkpoint = float64(s.config.Dropout.For(s.model)), s.config.GradientCheckpointing
	rewards = s.model.Reward(scope, inputs)
	loss = BradleyTerryLoss(rewards, lossInputs{
		weight: values(0), target: values(1), margin: values(2), present: values(3),
		norm: scalar(values(4)), count: scalar(values(5)),
	}, s.config.CenterRewardsCoefficient)
	weights := make([]*Node, len(s.names))
	for i, name := range s.names {
		weights[i] = scope.GetVariable(name).NodeValue(g)
	}
	return loss, Gradient(loss, weights...), rewards
}

// gradientGraph computes one batch. After the batch come, for a further batch of
// a step, the losses' sum and the gradients' sums so far. It gives loss
// and rewards [2B] of the batch, and those sums with its own added; with reduce
// they are the sums over all devices.
func (s *stepper) gradientGraph(reduce bool) func(*ml.Scope, []*Node) []*Node {
	return func(scope *ml.Scope, in []*Node) []*Node {
		loss, grads, rewards := s.lossAndGradients(scope, in[0])
		sums := append([]*Node{loss}, grads...)
		for i, sum := range in[1:] {
			sums[i] = Add(sum, sums[i])
		}
		if reduce {
			for i, sum := range sums {
				sums[i] = loss.Graph().Distributed().AllReduceOne(sum, compute.ReduceOpSum)
			}
		}
		return append([]*Node{loss, rewards}, sums...)
	}
}

// updateGraph updates from the step's gradients; inputs are the loss of the
// whole step, stepSizes and the gradients' sums. It gives the gradients' norm.
func (s *stepper) updateGraph(scope *ml.Scope, in []*Node) []*Node {
	loss, sizes, grads := in[0], in[1], in[2:]
	s.enterInOrder(scope, loss.Graph())
	norm := gradNorm(grads)
	ok := LogicalAnd(IsFinite(loss), IsFinite(norm))
	s.adam.update(scope, s.names, s.model.Depth, grads, norm, sizes, ok)
	return []*Node{norm}
}

// enterInOrder makes what the update changes parameters in the order of its
// results. XLA gives a result the first buffer of its size that is given up: in
// this order each weight and moment is written over itself, and in another over
// what is still to be read, which takes a copy of it.
func (s *stepper) enterInOrder(scope *ml.Scope, g *Graph) {
	changed := map[string]bool{}
	for _, name := range s.names {
		changed["/"+name], changed[firstMoment+name], changed[secondMoment+name] = true, true, true
	}
	for v := range scope.Store().IterVariables() {
		if changed[v.Path()] {
			v.NodeValue(g)
		}
	}
}

// batchOutputs of each device lie there until they are read.
type batchOutputs []struct {
	part          *batches.Batch
	loss, rewards *tensors.Tensor
}

// gradients runs forward and backward of a batch, the i-th of a step. sums are
// those of the step's batches before it, which are given up, nil for the first.
func (s *stepper) gradients(b *batches.Batch, norms [2]float32, step, i int, sums []*tensors.Tensor, last bool) (batchOutputs, []*tensors.Tensor, error) {
	var inputs []any
	parts := b.Split(s.devices, int32(max(0, s.model.Config.PadTokenID)))
	for d, part := range parts {
		inputs = append(inputs, s.input(part, norms, dropoutSeed(s.config.Seed, step, i*s.devices+d)))
		var err error
		if inputs, err = s.donate(inputs, ofDevice(sums, d, s.devices), d); err != nil {
			return nil, nil, err
		}
	}
	out, err := s.program(sums == nil, last).Exec(inputs...)
	if err != nil {
		return nil, nil, fmt.Errorf("batch of %d×%d ids: %w", b.R, b.T, err)
	}
	told, added := make(batchOutputs, s.devices), []*tensors.Tensor{}
	for d, part := range parts {
		mine := ofDevice(out, d, s.devices)
		told[d].part, told[d].loss, told[d].rewards = part, mine[0], mine[1]
		added = append(added, mine[2:]...)
	}
	return told, added, nil
}

// zeroSums are the sums of losses and gradients of no batch, of each device.
func (s *stepper) zeroSums() (sums []*tensors.Tensor) {
	for range s.devices {
		sums = append(sums, tensors.FromScalar(float32(0)))
		for _, name := range s.names {
			sums = append(sums, tensors.FromShape(s.model.Store.GetVariable("/"+name).Shape()))
		}
	}
	return sums
}

// program is the one for a batch of a step.
func (s *stepper) program(first, last bool) *ml.Exec {
	reduce := last && s.devices > 1
	switch {
	case first && reduce:
		return s.only
	case first:
		return s.first
	case reduce:
		return s.last
	}
	return s.next
}

// ofDevice are a device's of the values of all, which come device by device.
func ofDevice(values []*tensors.Tensor, device, devices int) []*tensors.Tensor {
	each := len(values) / devices
	return values[device*each : (device+1)*each]
}

// runUpdate gives the gradients' norm; the sums, of losses and gradients, are
// given up.
func (s *stepper) runUpdate(sizes [][]float32, sums []*tensors.Tensor) (norm *tensors.Tensor, err error) {
	if s.inPlace {
		return s.updateInPlace(sizes, sums)
	}
	var inputs []any
	for d := range s.devices {
		mine := ofDevice(sums, d, s.devices)
		inputs = append(inputs, mine[0], tensors.FromValue(sizes))
		if inputs, err = s.donate(inputs, mine[1:], d); err != nil {
			return nil, err
		}
	}
	out, err := s.update.Exec(inputs...)
	if err != nil {
		return nil, err
	}
	return out[0], nil // of every device the same
}

// donate appends tensors on a device whose buffers the program may use for its
// results.
func (s *stepper) donate(inputs []any, given []*tensors.Tensor, device int) ([]any, error) {
	for _, t := range given {
		buffer, err := DonateTensorBuffer(t, s.backend, compute.DeviceNum(device))
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, buffer)
	}
	return inputs, nil
}

// add reads what one batch tells, and waits for it.
func (r *stepResult) add(told batchOutputs) error {
	var rejected []float32
	for _, t := range told {
		values, err := tensors.CopyFlatData[float32](t.rewards)
		if err != nil {
			return err
		}
		r.Loss += float64(tensors.ToScalar[float32](t.loss))
		r.Chosen = append(r.Chosen, values[:t.part.Pairs]...)
		rejected = append(rejected, values[t.part.B:t.part.B+t.part.Pairs]...)
	}
	r.Rejected = append(r.Rejected, rejected...)
	return nil
}

// pairColumns are what a batch carries beside its ids, each for all pairs [B]: as
// bits of float32 weight, target, margin, whether present, norm and count; the
// dropout's seed; and nothing, so that they divide among two rows a pair.
const pairColumns = 8

// input lays a batch out for the graphs, in one tensor, as lossAndGradients reads
// it.
func (s *stepper) input(b *batches.Batch, norms [2]float32, seed uint32) *tensors.Tensor {
	margin := b.Margin
	if !s.config.Margin {
		margin = make([]float32, b.B)
	}
	beside := make([]int32, 0, pairColumns*b.B)
	for _, values := range [][]float32{s.weights(b), s.targets(b), margin, b.Present,
		slices.Repeat(norms[:1], b.B), slices.Repeat(norms[1:], b.B)} {
		for _, v := range values {
			beside = append(beside, int32(math.Float32bits(v)))
		}
	}
	beside = append(beside, slices.Repeat([]int32{int32(seed)}, b.B)...)
	return model.LayOut(&b.Layout, append(beside, make([]int32, b.B)...))
}

// weights are the confidences, or 1 where they are not used as weights.
func (s *stepper) weights(b *batches.Batch) []float32 {
	if s.config.Confidence != "weight" {
		return b.Present
	}
	return b.Confidence
}

// targets are the probabilities that chosen is better: the confidences where
// labels are soft, else 1; then smoothed by e to p(1−e) + (1−p)e.
func (s *stepper) targets(b *batches.Batch) []float32 {
	e := s.config.LabelSmoothing
	targets := make([]float32, b.B)
	for i := range targets {
		p := 1.0
		if s.config.Confidence == "soft" {
			p = float64(b.Confidence[i])
		}
		targets[i] = float32(p*(1-e) + (1-p)*e)
	}
	return targets
}

// norms are what the losses of the step are divided by, and its pairs.
func (s *stepper) norms(batches []*batches.Batch) [2]float32 {
	var sum, count float64
	for _, b := range batches {
		count += float64(b.Pairs)
		for _, w := range s.weights(b) {
			sum += float64(w)
		}
	}
	if s.config.Normalize == "mean" {
		sum = count
	}
	if sum == 0 { // every weight of the step is 0: the loss is 0, not 0/0
		sum = 1
	}
	return [2]float32{float32(sum), float32(count)}
}

// dropoutSeed mixes the run's seed, the step and the batch within it
// (Steele et al. 2014, SplitMix64).
func dropoutSeed(seed uint64, step, batch int) uint32 {
	z := seed + 0x9e3779b97f4a7c15*(uint64(step)*4096+uint64(batch)+1)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return uint32((z ^ z>>31) >> 32)
}
