package eval_test

import (
	"fmt"
	"os"

	"laurel/eval"
)

func ExampleEvaluate() {
	rows := []eval.Row{
		{ID: "1", Chosen: 2.0, Rejected: 0.5, Confidence: 0.9, LenChosen: 120, LenRejected: 80},
		{ID: "2", Chosen: 1.0, Rejected: 1.0, Confidence: 0.6, LenChosen: 40, LenRejected: 90},
		{ID: "3", Chosen: 0.3, Rejected: -1.2, Confidence: 1.0, LenChosen: 60, LenRejected: 70},
	}
	r, err := eval.Evaluate(rows, eval.Config{Seed: 42})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("accuracy", r.AccuracyTiesHalf, "always shorter", r.AlwaysShorterAccuracy)
	fmt.Println("correlation of margin and confidence", r.SpearmanMarginConfidence)
	fmt.Println(r.Rulers[0].Name, r.Rulers[0].Model.Difference)
	fmt.Println(r.Warnings[1])
	// Output:
	// accuracy 0.833 always shorter 0.667
	// correlation of margin and confidence 0.866
	// always-shorter 0.167
	// only 3 pairs: the 95% interval spans 67 points; evaluate on 100 or more
}

func ExampleReport_Print() {
	rows := make([]eval.Row, 200)
	for i := range rows {
		rows[i] = eval.Row{
			Subset: []string{"chat", "code"}[i%2], Confidence: 0.8,
			Chosen: float64(i % 5), Rejected: float64(i % 3), LenChosen: 100 + i%7, LenRejected: 103,
		}
	}
	r, err := eval.Evaluate(rows, eval.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := r.Print(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// pairs               200            42 ties
	// accuracy            0.700          95% 0.633 to 0.759, ties one half
	// always longer       0.492          longer is chosen in 0.491 of the pairs of unequal length
	// always shorter      0.507
	// accuracy, strict    0.595          95% 0.526 to 0.661, ties wrong
	// accuracy, weighted  0.700          by confidence, mean 0.800
	// accuracy, macro     0.700          mean over subsets
	// length-controlled   0.700          95% 0.633 to 0.759, predicted at equal length; length effect -0.033 (-0.479 to 0.413)
	// accuracy by length  0.690 / 0.701  where chosen is longer / shorter
	// margin, mean        1.005          median 1.000, sd 1.633, 5-95% -2.000 to 4.000
	// Cohen's d           0.868          pooled; paired 0.615
	// ROC AUC             0.701          any chosen above any rejected
	// BT loss             0.548          Bradley-Terry, every pair alike; weighted 0.548, soft labels 0.749
	// Brier               0.190
	// ECE                 0.084          95% 0.036 to 0.132, symmetric; of confidence 0.084 (0.036 to 0.132)
	// calibrated ECE      0.037          change -0.047 (-0.102 to -0.041), cross-fitted: each half of the prompts at the temperature of the other (1.563, 1.213)
	// calibrated BT loss  0.541          change -0.008 (-0.028 to 0.015)
	// temperature         1.373          95% 1.054 to 1.969, what would fit these pairs
	// margin AUROC        0.725          95% 0.676 to 0.771, of its size for ranking right
	// precise margin      3.000          wanted precision 0.900; on the half that did not set it 100.0% (83.9 to 100.0) at coverage 19.6% (13.1 to 28.4)
	// reward~length       -0.004         Spearman; Pearson -0.003, Kendall -0.004
	// margin~length       -0.001         Spearman, with the difference in length
	// margin~confidence   n/a            Spearman
	//
	// ruler           accuracy  95%             decides  model minus ruler       McNemar p
	// always-shorter  0.507     0.445 to 0.570  85.5%    0.193 (0.108 to 0.275)  7.03e-05
	// always-longer   0.492     0.430 to 0.555  85.5%    0.207 (0.122 to 0.292)  2.66e-05
	//
	// subset  pairs  accuracy             95%  longer  margin      d    AUC    ECE
	// chat      100     0.705  0.609 to 0.785   0.490   1.010  0.627  0.702  0.078
	// code      100     0.695  0.599 to 0.777   0.495   1.000  0.601  0.700  0.091
	//
	// warning: ties: 42 of 200 pairs have equal rewards and count one half
}
