package trainer

import (
	"fmt"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	ml "github.com/gomlx/gomlx/ml/model"

	"laurel/data"
	"laurel/model"
)

// Shapes: B pairs of a batch, T tokens; chosen rows first, then rejected.

// stepper runs optimiser steps. A step of one batch is one program: forward,
// backward, clip, update. A step of several batches adds up their gradients
// with one program and updates with another.
type stepper struct {
	config Config
	model  *model.Model
	adam   adamW
	names  []string

	whole  *ml.Exec // a batch that is a step
	part   *ml.Exec // a batch of several: adds to the gradients
	finish *ml.Exec // the update from the added gradients
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
	s := &stepper{config: config, model: m, names: m.Names(), adam: adamW{
		beta1: config.Betas[0], beta2: config.Betas[1], eps: config.Eps,
		weightDecay: config.WeightDecay, maxGradNorm: config.MaxGradNorm}}
	scopes := []string{firstMoment, secondMoment}
	if config.GradientAccumulationSteps > 1 {
		scopes = append(scopes, gradientSum)
	}
	if err := s.createZeros(scopes); err != nil {
		return nil, err
	}
	programs := []struct {
		exec **ml.Exec
		fn   func(*ml.Scope, []*Node) []*Node
	}{{&s.whole, s.wholeGraph}, {&s.part, s.partGraph}, {&s.finish, s.finishGraph}}
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
func (s *stepper) createZeros(scopes []string) error {
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

// Inputs of the graphs, in order: ids [2B, T], lengths [2B], pairs [4, B]
// (weight, target, margin, present), norms [2] (norm, count), dropout seed.
const batchInputs = 5

// lossAndGradients gives the loss, the gradient of every weight and the
// rewards [2B].
func (s *stepper) lossAndGradients(scope *ml.Scope, in []*Node) (loss *Node, grads []*Node, rewards *Node) {
	g := in[0].Graph()
	rewards = s.model.Reward(scope, model.Inputs{IDs: in[0], Lengths: in[1], Seed: in[4], Dropout: float64(s.config.Dropout)})
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

// wholeGraph is a step of one batch; the last input is stepSizes [3].
func (s *stepper) wholeGraph(scope *ml.Scope, in []*Node) []*Node {
	loss, grads, rewards := s.lossAndGradients(scope, in[:batchInputs])
	norm := gradNorm(grads)
	ok := LogicalAnd(IsFinite(loss), IsFinite(norm))
	s.adam.update(scope, s.names, grads, norm, in[batchInputs], ok)
	return []*Node{Stack([]*Node{loss, norm}, 0), rewards}
}

// partGraph adds one batch's gradients to the step's; the last input is a
// bool scalar, true at the first batch of a step.
func (s *stepper) partGraph(scope *ml.Scope, in []*Node) []*Node {
	loss, grads, rewards := s.lossAndGradients(scope, in[:batchInputs])
	first := in[batchInputs]
	for i, name := range s.names {
		sum := scope.Store().GetVariable(gradientSum + name)
		sum.SetNodeValue(Where(first, grads[i], Add(sum.NodeValue(loss.Graph()), grads[i])))
	}
	return []*Node{loss, rewards}
}

// finishGraph updates from the added gradients; inputs are the loss of the
// whole step and stepSizes [3].
func (s *stepper) finishGraph(scope *ml.Scope, in []*Node) []*Node {
	grads := make([]*Node, len(s.names))
	for i, name := range s.names {
		grads[i] = scope.Store().GetVariable(gradientSum + name).NodeValue(in[0].Graph())
	}
	norm := gradNorm(grads)
	ok := LogicalAnd(IsFinite(in[0]), IsFinite(norm))
	s.adam.update(scope, s.names, grads, norm, in[1], ok)
	return []*Node{norm}
}

// run makes one step from its batches. update counts the updates made,
// this one included; step decides the dropout.
func (s *stepper) run(batches []*data.Batch, step, update int, learningRate float64) (*stepResult, error) {
	sizes := s.adam.stepSizes(learningRate, update)
	sizesInput := tensors.FromFlatDataAndDimensions(sizes[:], len(sizes))
	norms := s.norms(batches)
	r := &stepResult{}
	for i, b := range batches {
		inputs := s.inputs(b, norms, dropoutSeed(s.config.Seed, step, i))
		if len(batches) == 1 {
			inputs = append(inputs, sizesInput)
			return r, s.runWhole(inputs, b, r)
		}
		inputs = append(inputs, i == 0)
		if err := s.runPart(inputs, b, r); err != nil {
			return nil, err
		}
	}
	norm, err := s.finish.Call1(float32(r.Loss), sizesInput)
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	r.GradNorm = float64(tensors.ToScalar[float32](norm))
	r.Finite = finite(r.Loss) && finite(r.GradNorm)
	return r, nil
}

func (s *stepper) runWhole(inputs []any, b *data.Batch, r *stepResult) error {
	stats, rewards, err := s.whole.Call2(inputs...)
	if err != nil {
		return fmt.Errorf("step of %d×%d ids: %w", 2*b.B, b.T, err)
	}
	values, err := tensors.CopyFlatData[float32](stats)
	if err != nil {
		return err
	}
	r.Loss, r.GradNorm = float64(values[0]), float64(values[1])
	r.Finite = finite(r.Loss) && finite(r.GradNorm)
	return r.addRewards(rewards, b)
}

func (s *stepper) runPart(inputs []any, b *data.Batch, r *stepResult) error {
	loss, rewards, err := s.part.Call2(inputs...)
	if err != nil {
		return fmt.Errorf("batch of %d×%d ids: %w", 2*b.B, b.T, err)
	}
	r.Loss += float64(tensors.ToScalar[float32](loss))
	return r.addRewards(rewards, b)
}

func (r *stepResult) addRewards(rewards *tensors.Tensor, b *data.Batch) error {
	values, err := tensors.CopyFlatData[float32](rewards)
	if err != nil {
		return err
	}
	r.Chosen = append(r.Chosen, values[:b.Pairs]...)
	r.Rejected = append(r.Rejected, values[b.B:b.B+b.Pairs]...)
	return nil
}

// inputs lays a batch out for the graphs.
func (s *stepper) inputs(b *data.Batch, norms [2]float32, seed uint32) []any {
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
		tensors.FromFlatDataAndDimensions(b.Lengths, 2*b.B),
		tensors.FromFlatDataAndDimensions(pairs, 4, b.B),
		tensors.FromFlatDataAndDimensions(norms[:], 2),
		tensors.FromScalar(seed),
	}
}

// weights are the confidences, or 1 where they are not used as weights.
func (s *stepper) weights(b *data.Batch) []float32 {
	if s.config.Confidence != "weight" {
		return b.Present
	}
	return b.Confidence
}

// targets are the probabilities that chosen is better: the confidences where
// labels are soft, else 1; then smoothed by e to p(1−e) + (1−p)e.
func (s *stepper) targets(b *data.Batch) []float32 {
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
func (s *stepper) norms(batches []*data.Batch) [2]float32 {
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
