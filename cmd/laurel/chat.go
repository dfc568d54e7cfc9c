package main

import "laurel/feedback"

// openChat makes the client of a chat server whose budget goes on from what
// all runs on the store have spent.
func openChat(c feedback.ChatConfig, budget feedback.BudgetConfig, store *feedback.Store) (*feedback.Chat, error) {
	before := store.Spent()
	return feedback.NewChat(c, feedback.NewBudget(budget.MaxCost, budget.MaxRequests, before.Cost, before.Requests))
}
