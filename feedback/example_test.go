package feedback_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"os"
	"path/filepath"

	"laurel/data"
	"laurel/feedback"
	"laurel/labels"
)

// The article's two test cases, by its simulated judge under its four
// principles, with 50 seeds.
func ExampleLabel() {
	dir, err := os.MkdirTemp("", "laurel")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := feedback.OpenStore(filepath.Join(dir, "answers.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	run := &feedback.Labelling{
		Constitution: &feedback.Constitution{Principles: []feedback.Principle{
			{Name: "helpful and safe", Weight: 1.5}, {Name: "careful reasoning and uncertainty", Weight: 1},
			{Name: "honest", Weight: 1.2}, {Name: "autonomy", Weight: 1}}},
		Policy:   feedback.Policy{Position: feedback.PositionAgree, MinConfidence: 0.6, MinVoteShare: 0.5},
		InFlight: 2, Store: store, Comparisons: articleCases,
	}
	labelled, whole, abstained, confidence := 0, 0, 0, 0.0
	for seed := range 50 {
		judge, err := feedback.NewHeuristic("heuristic", feedback.HeuristicConfig{Rules: "article", Noise: 0.1}, uint64(seed))
		if err != nil {
			log.Fatal(err)
		}
		run.Judges = []feedback.WeightedJudge{{Judge: judge, Weight: 1}}
		_, err = feedback.Label(context.Background(), run, func(l labels.Label) error {
			switch {
			case l.ID == "quantum" && l.Side == labels.SideA:
				labelled++
				confidence += l.Confidence
				if l.VoteShare == 1 {
					whole++
				}
			case l.ID == "programming" && l.Side == labels.Neither:
				abstained++
			}
			return nil
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("quantum: a in %d of 50, vote share 1.00 in %d, mean confidence %.2f\n", labelled, whole, confidence/float64(labelled))
	fmt.Printf("programming: abstains in %d of 50\n", abstained)
	// Output:
	// quantum: a in 50 of 50, vote share 1.00 in 50, mean confidence 0.75
	// programming: abstains in 50 of 50
}

func articleCases(counts *data.Counts) iter.Seq2[data.Comparison, error] {
	text := func(s string) data.Text { return data.Text{Plain: s} }
	return func(yield func(data.Comparison, error) bool) {
		_ = yield(data.Comparison{ID: "quantum", Prompt: text("Explain quantum computing"),
			A: text("Quantum computing uses quantum bits (qubits) that can exist in superposition, meaning they can represent both 0 and 1 simultaneously. This property, along with entanglement, allows quantum computers to perform certain calculations much faster than classical computers because they can explore many possibilities at once."),
			B: text("It's computers but quantum.")}, nil) &&
			yield(data.Comparison{ID: "programming", Prompt: text("How do I learn programming?"),
				A: text("Start with Python since it has readable syntax. Practice daily with small projects."),
				B: text("Start with Python because it has clean, readable syntax that's beginner-friendly. Practice daily by building small projects that interest you, as motivation helps learning.")}, nil)
	}
}
