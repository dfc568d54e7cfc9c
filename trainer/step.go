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

// stepper runs optimiser steps: the gradients of each batch of the step are
// added up in variables, then one update is made from them. The update is a
// program of its own, which does not depend on the batch's length, so that a
// further length costs the compilation of forward and backward alone.
type stepper struct {
	config Config
	model  *model.Model
	adam   adamW
	names  []string // of the tensors that are trained

	first  *ml.Exec // the first batch of a step: sets the gradients
	next   *ml.Exec // each further one: adds to them
	update *ml.Exec
}

// gradientSum is the scope of the gradients added up over a step.
const gradientSum = "/gradient/"

// stepResult is what one step tells.
type stepResult struct {
	Loss, GradNorm   float64
	Finite           bool      // whether the update was made
	Chosen, Rejected []float32 // rewards of the pairs, before the update
}

func newStepper(backend compute.Backend, m *model.Model, config Config) (*stepper, error) {
	s := &stepper{config: config, model: m, names: m.Trainable(), adam: adamW{
		beta1: config.Betas[0], beta2: config.Betas[1], eps: config.Eps,
		weightDecay: config.WeightDecay, maxGradNorm: config.MaxGradNorm, layerDecay: config.LayerLRDecay}}
	if err := s.createZeros(firstMoment, secondMoment, gradientSum); err != nil {
		return nil, err
	}
	programs := []struct {
		exec **ml.Exec
		fn   func(*ml.Scope, []*Node) []*Node
	}{{&s.first, s.gradientGraph(false)}, {&s.next, s.gradientGraph(true)}, {&s.update, s.updateGraph}}
	for _, p := range programs {
		exec, err := ml.NewExec(backend, m.Store, p.fn)
		if err != nil {
			return nil, fmt.Errorf("training step: %w", err)
		}
		*p.exec = exec.SetMaxCache(-1)
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
		Dropout: float64(s.config.Dropout), Checkpoint: s.config.GradientCheckpointing})
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

// gradientGraph computes one batch and sets the step's gradients, or adds to
// them. It gives loss and rewards.
func (s *stepper) gradientGraph(add bool) func(*ml.Scope, []*Node) []*Node {
	return func(scope *ml.Scope, in []*Node) []*Node {
		// The sums enter the graph before anything is computed, also where
		// they are only set: the Go backend indexes out of range on parameters
		// that come after the last value it needs.
		sums := make([]*Node, len(s.names))
		for i, name := range s.names {
			sums[i] = scope.Store().GetVariable(gradientSum + name).NodeValue(in[0].Graph())
		}
		loss, grads, rewards := s.lossAndGradients(scope, in)
		for i, name := range s.names {
			if add {
				grads[i] = Add(sums[i], grads[i])
			}
			scope.Store().GetVariable(gradientSum + name).SetNodeValue(grads[i])
		}
		return []*Node{loss, rewards}
	}
}

// updateGraph updates from the step's gradients; inputs are the loss of the
// whole step and stepSizes. It gives the gradients' norm.
func (s *stepper) updateGraph(scope *ml.Scope, in []*Node) []*Node {
	grads := make([]*Node, len(s.names))
	for i, name := range s.names {
		grads[i] = scope.Store().GetVariable(gradientSum + name).NodeValue(in[0].Graph())
	}
	norm := gradNorm(grads)
	ok := LogicalAnd(IsFinite(in[0]), IsFinite(norm))
	s.adam.update(scope, s.names, s.model.Depth, grads, norm, in[1], ok)
	return []*Node{norm}
}

// run makes one step from its batches. updates counts the updates made, this
// one included; step decides the dropout.
func (s *stepper) run(batches []*batches.Batch, step, updates int, learningRate float64) (*stepResult, error) {
	norms := s.norms(batches)
	r := &stepResult{}
	for i, b := range batches {
		program := s.first
		if i > 0 {
			program = s.next
		}
		if err := r.add(program, s.inputs(b, norms, dropoutSeed(s.config.Seed, step, i)), b); err != nil {
			return nil, err
		}
	}
	sizes := s.adam.stepSizes(learningRate, updates, s.model.Depths())
	norm, err := s.update.Call1(float32(r.Loss), tensors.FromValue(sizes))
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	r.GradNorm = float64(tensors.ToScalar[float32](norm))
	r.Finite = finite(r.Loss) && finite(r.GradNorm)
	return r, nil
}

// add runs one batch and adds what it tells.
func (r *stepResult) add(program *ml.Exec, inputs []any, b *batches.Batch) error {
	loss, rewards, err := program.Call2(inputs...)
	if err != nil {
		return fmt.Errorf("batch of %d×%d ids: %w", 2*b.B, b.T, err)
	}
	values, err := tensors.CopyFlatData[float32](rewards)
	if err != nil {
		return err
	}
	r.Loss += float64(tensors.ToScalar[float32](loss))
	r.Chosen = append(r.Chosen, values[:b.Pairs]...)
	r.Rejected = append(r.Rejected, values[b.B:b.B+b.Pairs]...)
	return nil
}

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
