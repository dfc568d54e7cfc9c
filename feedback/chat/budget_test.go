package chat

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"laurel/feedback/chattest"
)

func TestBudgetRequests(t *testing.T) {
	server := &chattest.Server{Rates: map[chattest.Fault]float64{chattest.ServerError: 0.5}}
	budget := NewBudget(0, 50, 0, 20)
	chat := serve(t, server, budget, nil)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if _, err := chat.Complete(t.Context(), askOnce(fmt.Sprint(i))); err != nil && !errors.Is(err, ErrBudget) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, requests := budget.Spent(); requests != 50 || server.Tally().Requests != 30 {
		t.Errorf("%d requests of 50 counted, 20 of them earlier; the server saw %d", requests, server.Tally().Requests)
	}
}

// TestBudgetCost spends at random and at once, with bounds above the costs: the
// limit holds, and no more is left of it than one bound.
func TestBudgetCost(t *testing.T) {
	const limit, bound = 1.0, 0.01
	budget := NewBudget(limit, 0, 0.25, 0)
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(worker)))
			for {
				if err := budget.reserve(t.Context(), bound); err != nil {
					if !errors.Is(err, ErrBudget) {
						t.Error(err)
					}
					return
				}
				budget.settle(bound, bound*rng.Float64())
			}
		})
	}
	all.Wait()
	if cost, _ := budget.Spent(); cost > limit || cost < limit-bound {
		t.Errorf("spent %g of %g", cost, limit)
	}
}

func TestBudgetWaits(t *testing.T) {
	budget := NewBudget(1, 0, 0, 0)
	if err := budget.reserve(t.Context(), 0.9); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := budget.reserve(ctx, 0.9); !errors.Is(err, context.Canceled) {
		t.Errorf("does not wait: %v", err)
	}
	if err := budget.reserve(t.Context(), 1.1); !errors.Is(err, ErrBudget) {
		t.Errorf("waits for what never fits: %v", err)
	}
	budget.settle(0.9, 0.1)
	if err := budget.reserve(t.Context(), 0.9); err != nil {
		t.Errorf("0.1 spent of 1: %v", err)
	}
}

// TestChatCosts counts what the server tells, and the bound where it does not.
func TestChatCosts(t *testing.T) {
	price := &Price{PromptPerMillion: 10, CompletionPerMillion: 100}
	const bound = (6 + 4 + 16) * 10e-6 // "which?", "user", the template
	for fault, want := range map[chattest.Fault]float64{
		"":                   1*10e-6 + 18*100e-6, // 6 characters / 4, and 18 words
		chattest.ServerError: 1*10e-6 + 18*100e-6,
		chattest.Empty:       2*10e-6 + 18*100e-6,
		chattest.Truncated:   1*10e-6 + 18*100e-6 + bound + 4096*100e-6,
	} {
		budget := NewBudget(1, 0, 0, 0)
		chat := serve(t, &chattest.Server{Rates: map[chattest.Fault]float64{fault: 1}}, budget, func(c *Config) { c.Price = price })
		reply, err := chat.Complete(t.Context(), askOnce("which?"))
		if spent, _ := budget.Spent(); err != nil || math.Abs(reply.Cost-want) > 1e-12 || math.Abs(spent-want) > 1e-12 {
			t.Errorf("%s: $%g, of the budget $%g, want $%g; %v", fault, reply.Cost, spent, want, err)
		}
	}
}
