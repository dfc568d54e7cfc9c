package trainer

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"

	"laurel/data/batches"
	"laurel/model"
)

// Shapes: B pairs of a batch, T tokens; chosen rows first, then rejected.

// stepper runs optimiser steps: forward and backward of each batch of the step,
// which hand the gradients' sum from one to the next on the device, then one
// update. The update is a program of its own, which does not depend on the
// batch's length, so that a further length costs the compilation of forward and
// backward alone.
type stepper struct {
	backend compute.Backend
	config  Config
	model   *model.Model
	adam    adamW
	names   []string // of the tensors that are trained

	first  *ml.Exec // the first batch of a step
	next   *ml.Exec // each further one: adds to what it is handed
	update *ml.Exec
}

// The programs' names say which parameters' buffers they may write their
// results into (docs/upstream.md): the sums that they are handed, and in the
// update the weights and moments too.
const (
	firstProgram  = "gradients"
	nextProgram   = "further gradients donates arg5+"
	updateProgram = "update donates /"
)

// stepResult is what one step tells.
type stepResult struct {
	Loss, GradNorm   float64
	Finite           bool      // whether the update was made
	Chosen, Rejected []float32 // rewards of the pairs, before the update
}

func newStepper(backend compute.Backend, m *model.Model, config Config) (*stepper, error) {
	s := &stepper{backend: backend, config: config, model: m, names: m.Trainable(), adam: adamW{
		beta1: config.Betas[0], beta2: config.Betas[1], eps: config.Eps,
		weightDecay: config.WeightDecay, maxGradNorm: config.MaxGradNorm, layerDecay: config.LayerLRDecay}}
	if err := s.createZeros(firstMoment, secondMoment); err != nil {
		return nil, err
	}
	programs := []struct {
		exec **ml.Exec
		name string
		fn   func(*ml.Scope, []*Node) []*Node
	}{{&s.first, firstProgram, s.firstGraph}, {&s.next, nextProgram, s.nextGraph}, {&s.update, updateProgram, s.updateGraph}}
	for _, p := range programs {
		exec, err := ml.NewExec(backend, m.Store, p.fn)
		if err != nil {
			return nil, fmt.Errorf("training step: %w", err)
		}
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
			shape := s.model.Store.GetVariable("/" + name).Shape()
			if _, err := s.model.Store.CreateVariable(scope+name, tensors.FromShape(shape)); err != nil {
				return fmt.Errorf("training state: %w", err)
			}
		}
	}
	return nil
}

// lossAndGradients gives the loss, the gradient of every weight and the
// rewards [2B]. Inputs: ids [2B, T], lengths [2B], pairs [4, B] (weight,
// target, margin, present), norms [2] (norm, count), dropout seed.
func (s *stepper) lossAndGradients(scope *ml.Scope, in []*Node) (loss *Node, grads []*Node, rewards *Node) {
	g := in[0].Graph()
	rewards = s.model.Reward(scope, model.Inputs{IDs: in[0], Lengths: in[1], Seed: in[4],
		Dropout: float64(s.config.Dropout.For(s.model)), Checkpoint: s.config.GradientCheckpointing})
	row := func(x *Node, i int) *Node { return Squeeze(Slice(x, AxisElem(i)), 0) }
	loss = BradleyTerryLoss(rewards, lossInputs{
		weight: row(in[2], 0), target: row(in[2], 1), margin: row(in[2], 2), present: row(in[2], 3),
		norm: row(in[3], 0), count: row(in[3], 1),
	}, s.config.CenterRewardsCoefficient)
	weights := make([]*Node, len(s.names))
	for i, name := range s.names {
		weights[i] = scope.GetVariable(name).NodeValue(g)
	}
	return loss, Gradient(loss, weights...), rewards
}

// firstGraph computes one batch. It gives loss, rewards [2B] and the gradients.
func (s *stepper) firstGraph(scope *ml.Scope, in []*Node) []*Node {
	loss, grads, rewards := s.lossAndGradients(scope, in)
	return append([]*Node{loss, rewards}, grads...)
}

// nextGraph computes a further batch; after the batch's inputs come the losses'
// sum and the gradients' sums so far. It gives loss, rewards [2B], and those
// sums with its own added.
func (s *stepper) nextGraph(scope *ml.Scope, in []*Node) []*Node {
	batch, losses, sums := in[:batchInputs], in[batchInputs], in[batchInputs+1:]
	loss, grads, rewards := s.lossAndGradients(scope, batch)
	out := []*Node{loss, rewards, Add(losses, loss)}
	for i, sum := range sums {
		out = append(out, Add(sum, grads[i]))
	}
	return out
}

// updateGraph updates from the step's gradients; inputs are the loss of the
// whole step, stepSizes and the gradients. It gives the gradients' norm.
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

// run makes one step from its batches. updates counts the updates made, this
// one included; step decides the dropout. Nothing is read from the device
// before the update is under way.
func (s *stepper) run(batches []*batches.Batch, step, updates int, learningRate float64) (*stepResult, error) {
	norms := s.norms(batches)
	told := make([]batchOutputs, len(batches))
	var losses *tensors.Tensor // of the batches so far, summed
	var sums []*tensors.Tensor // of their gradients
	for i, b := range batches {
		var err error
		told[i], losses, sums, err = s.gradients(b, norms, dropoutSeed(s.config.Seed, step, i), losses, sums)
		if err != nil {
			return nil, err
		}
	}
	norm, err := s.runUpdate(losses, s.adam.stepSizes(learningRate, updates, s.model.Depths()), sums)
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	r := &stepResult{}
	for i, b := range batches {
		if err := r.add(told[i], b); err != nil {
			return nil, err
		}
	}
	r.GradNorm = float64(tensors.ToScalar[float32](norm))
	r.Finite = finite(r.Loss) && finite(r.GradNorm)
	return r, nil
}

// batchOutputs lie on the device until they are read.
type batchOutputs struct{ loss, rewards *tensors.Tensor }

// gradients runs forward and backward of a batch. losses and sums are those of
// the step's batches before it, nil for the first; sums are given up.
func (s *stepper) gradients(b *batches.Batch, norms [2]float32, seed uint32, losses *tensors.Tensor, sums []*tensors.Tensor) (
	told batchOutputs, lossesNow *tensors.Tensor, sumsNow []*tensors.Tensor, err error) {
	program, inputs := s.first, s.inputs(b, norms, seed)
	if sums != nil {
		program, inputs = s.next, append(inputs, losses)
		if inputs, err = s.donate(inputs, sums); err != nil {
			return told, nil, nil, err
		}
	}
	out, err := program.Exec(inputs...)
	if err != nil {
		return told, nil, nil, fmt.Errorf("batch of %d×%d ids: %w", 2*b.B, b.T, err)
	}
	told = batchOutputs{out[0], out[1]}
	if sums == nil {
		return told, out[0], out[2:], nil
	}
	return told, out[2], out[3:], nil
}

// runUpdate gives the gradients' norm; the gradients are given up.
func (s *stepper) runUpdate(loss *tensors.Tensor, sizes [][]float32, grads []*tensors.Tensor) (norm *tensors.Tensor, err error) {
	inputs, err := s.donate([]any{loss, tensors.FromValue(sizes)}, grads)
	if err != nil {
		return nil, err
	}
	return s.update.Call1(inputs...)
}

// donate appends tensors whose buffers the program may use for its results.
func (s *stepper) donate(inputs []any, given []*tensors.Tensor) ([]any, error) {
	for _, t := range given {
		buffer, err := DonateTensorBuffer(t, s.backend, 0)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, buffer)
	}
	return inputs, nil
}

// add reads what one batch tells.
func (r *stepResult) add(told batchOutputs, b *batches.Batch) error {
	values, err := tensors.CopyFlatData[float32](told.rewards)
	if err != nil {
		return err
	}
	r.Loss += float64(tensors.ToScalar[float32](told.loss))
	r.Chosen = append(r.Chosen, values[:b.Pairs]...)
	r.Rejected = append(r.Rejected, values[b.B:b.B+b.Pairs]...)
	return nil
}

// batchInputs is how many inputs a batch has.
const batchInputs = 5

// inputs lays a batch out for the graphs.
func (s *stepper) inputs(b *batches.Batch, norms [2]float32, seed uint32) []any {
	pairs := make([]float32, 0, 4*b.B)
	pairs = append(pairs, s.weights(b)...)
	pairs = append(pairs, s.targets(b)...)
	if s.config.Margin {
		pairs = append(pairs, b.Margin...)
	} else {
		pairs = append(pairs, make([]float32, b.B)...)
	}
	pairs = append(pairs, b.Present...)
	return []any{
		tensors.FromFlatDataAndDimensions(b.IDs, 2*b.B, b.T),
		tensors.FromFlatDataAndDimensions(b.Lengths(), b.S),
		tensors.FromFlatDataAndDimensions(pairs, 4, b.B),
		tensors.FromFlatDataAndDimensions(norms[:], 2),
		tensors.FromScalar(seed),
	}
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
