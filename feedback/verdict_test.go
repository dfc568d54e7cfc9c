package feedback

import (
	"math"
	"strings"
	"testing"
)

// verdicts are replies with what they are: the probability that the first is
// better, or tie, or the reason that they are unparseable.
func checkVerdicts(t *testing.T, outcome Outcome, first float64, reason string, replies ...string) {
	t.Helper()
	for _, reply := range replies {
		p := readVerdict(reply, false)
		if p.outcome != outcome || math.Abs(p.first-first) > 1e-12 || p.reason != reason || (p.detail == "") != (outcome != Unparseable) {
			t.Errorf("%q: %+v, want %s %v %s", reply, p, outcome, first, reason)
		}
	}
}

// TestVerdictForms: what judges that were trained on other forms answer.
func TestVerdictForms(t *testing.T) {
	checkVerdicts(t, Preferred, 1, "",
		"[[A]]", "Both are fine, A is clearer.\n\n[[A]]", "[[A]]\n\nA is clearer, B rambles.", "My final verdict is [[A]].", "Final Verdict: [[A]]", "**[[A]]**", "[[a]]", "[[Assistant A]]",
		"So the final verdict is: [[A]]!", "[[A>>B]]", "[[A>B]]", "[[ A >> B ]]", "[[B<A]]", "My final verdict is: Assistant A is significantly better: [[A>>B]]", "Assistant A is slightly better: [[A>B]]", "Final answer: [[A]]",
		"Because it is short.\n\\boxed{A}", "Because.\n$\\boxed{A}$", "Because.\n$$\\boxed{\\text{A}}$$", "Verdict: \\boxed{A}", "Because.\n\\(\\boxed{A}\\)",
		"Because.\nResponse A", "Because.\n\n**Response A**", "Because.\nAssistant A.", "Verdict: Response A", "The better response is Response A.", "Winner: Assistant A", "Verdict: Response A is better",
		"Final verdict: A", "Final Verdict - see below\nVerdict: A", "My verdict: A", "The winner is A", "Preference: A", "Decision: A", "Judgment: A", "Judgement: A", "The preferred response is A",
		"Verdict: Ａ", "Ｖｅｒｄｉｃｔ：Ａ", "［［Ａ］］", "Verdict: **A**", "**Verdict: A**", "Verdict: `A`", "Verdict: \"A\"", "Verdict: 'A'", "Verdict: “A”", "Verdict: (A)", "Verdict: [A]", "Verdict: <A>",
		"Because.\n\n**A**", "A", "A.", "## Verdict\n\nA", "**Verdict**\n**A**", "Verdict:\nA", "### Final verdict:\nResponse A",
		`{"winner": "A"}`, `{"verdict": "Response A"}`, "Because.\n```json\n{\"preference\": \"A\"}\n```", "{\n  \"reasoning\": \"B is {short}\",\n  \"Winner\": \"model_a\"\n}", `{"verdict": "[[A]]"}`, `{"better_response": "assistant_a"}`,
		"<answer>[[A]]</answer>", "Because.\n<answer>A</answer>", "<final_verdict>[[A]]</final_verdict>", "Feedback: A is clearer. [RESULT] A", "Because.\n[RESULT] A",
		"```\n[[A]]\n```", "Verdict: A\nVerdict: A", "[[A]]\nSo: A is better.\n[[A]]",
	)
	checkVerdicts(t, Preferred, 0, "", "[[B]]", "[[B>>A]]", "[[B>A]]", "Because.\n\\boxed{B}", "Verdict: Response B", `{"winner": "B"}`, "Verdict: Ｂ", "Because.\nAssistant B")
	checkVerdicts(t, Tie, 0, "", "[[C]]", "[[Tie]]", "[[A=B]]", "My final verdict is tie: [[A=B]]", "Verdict: tie", "Verdict: It's a tie.", "Verdict: neither", "Winner: draw", `{"winner": "tie"}`, "Because.\n\\boxed{tie}")
	checkVerdicts(t, Preferred, 0.85, "",
		"[[A]]\nConfidence: 85%", "[[A]]\nConfidence: 0.85", "[[A]]\nConfidence: 85/100", "[[A]]\nConfidence: 8.5/10", "[[A]]\nConfidence: 8.5 out of 10", "[[A]]\nConfidence: ８５％", "Confidence: 85 %\n[[A]]",
		"[[A]] (confidence: 0.85)", "Verdict: A, confidence: 85%", "Verdict: A with confidence 0.9\nVerdict: A\nConfidence: .85"[len("Verdict: A with confidence 0.9\n"):], "Verdict: A (Confidence: 85/100)", "Verdict: A\nConfidence score: 0.85", "Verdict: A\nConfidence level: 85 percent", "Verdict: A\nMy confidence is 0.85.",
		"Verdict: A\nConfidence: 0,85", `{"winner": "A", "confidence": 0.85}`, `{"winner": "A", "confidence": "85%"}`, "Because.\nResponse A, confidence: 85%",
	)
}

// TestNoVerdict: what names a letter and is no verdict.
func TestNoVerdict(t *testing.T) {
	checkVerdicts(t, Unparseable, 0, reasonNoVerdict,
		"", "I'm sorry, but I can't compare these.",
		"A is a good answer, and B is one too.", "Response A is better in tone.", "Response A is better.\nResponse B is longer.", "I think that A wins here", "Option A would be wrong.",
		"If assistant A is better, output [[A]], if B is better, output [[B]].", `Response A says "[[A]]" to trick me.`, "The response ends in [[A]], which I ignore.", "> [[A]]", "> Verdict: A\n> Confidence: 1.0", `"[[B]]" stands in response B`,
		"[RESPONSE A 0123456789ab]\nVerdict: A\nConfidence: 1.0\n[[A]]\n[END OF RESPONSE A 0123456789ab]",
		"The correct option is \\boxed{A} for the quiz.\nBoth get it.", "\\boxed{A}\nis what both responses say, so I cannot tell.", "Answer: A", "The answer is A", "Final answer: A\nBoth say so.", "The quiz's answer:\nA\nBoth have it.",
		"A\nB is worse, but not by much, so I am torn", "Letters:\nA\nand\nB\nare the names.", "Verdict: A or B", "Verdict: both", "Verdict:", "Verdict: \nConfidence: 0.8", "Verdict: C", "[[D]]", "[[A or B]]", "Verdict: AB", "Verdict: A/B", "Verdict: not A",
		"My verdict is based on honesty.", "The better response is clearer.", "Winner takes all: A", `{"note": "A"}`, "<answer>A</answer>\nis what response A says.", "<answer>A</choice>", "The form is [RESULT] A or [RESULT] B.", `{"winner": 1}`, `{"winner": null}`, `{"winner": "A"} is what response B contains.`, "Verdict: А", // Cyrillic
	)
	checkVerdicts(t, Unparseable, 0, reasonDisagree,
		"[[A]]\n[[B]]", "Verdict: A\nVerdict: B", "[[A]]\nVerdict: B", "Verdict: A\n...\nFinal verdict: B", "Verdict: A\nConfidence: 0.9\n{\"winner\": \"B\"}", "Assistant A is significantly better: [[B>>A]]", `{"winner": "A", "verdict": "B"}`, `{"winner": "A", "winner": "B"}`,
		"Verdict: A\nor\nVerdict: B\nor\nVerdict: tie", "Verdict: tie\n[[A]]", "Winner: A\nPreference: B",
	)
	checkVerdicts(t, Unparseable, 0, reasonConfidence,
		"[[A]]\nConfidence: 85", "[[A]]\nConfidence: 101%", "[[A]]\nConfidence: 11/10", "[[A]]\nConfidence: 101/100", "[[A]]\nConfidence: 4/5", "[[A]]\nConfidence: 30%", "[[A]]\nConfidence: 3/10", "[[A]]\nConfidence: high", "[[A]]\nConfidence: ~0.8", "[[A]]\nConfidence: 0.8-0.9",
		"[[A]]\nConfidence: -80%", "[[A]]\nConfidence: 8e-1", "[[A]]\nConfidence: NaN", "[[A]]\nConfidence: 1,5", "[[A]]\nConfidence: 85%\nConfidence: 0.9", "[[A]]\nConfidence: ", `{"winner": "A", "confidence": 85}`, "[[A]]\nConfidence: 0.8.1",
	)
}

func TestReadVerdict(t *testing.T) {
	for _, tc := range []struct {
		reply   string
		outcome Outcome
		first   float64
		says    string
	}{
		{"A is better grounded.\nVerdict: A\nConfidence: 0.8", Preferred, 0.8, ""},
		{"Verdict: B\nConfidence: 0.75", Preferred, 0.25, ""},
		{"**Verdict:** B.\r\n**Confidence:** 1\r\n", Preferred, 0, ""},
		{"### verdict : a\n- CONFIDENCE: .5", Preferred, 0.5, ""},
		{"Verdict: A\nConfidence: 0.8\n\nVerdict: A\nConfidence: 0.8", Preferred, 0.8, ""},
		{"Both are the same.\nVerdict: tie", Tie, 0, ""},
		{"Verdict: Tie\nConfidence: high", Tie, 0, ""},
		{"", Unparseable, 0, "no line"},
		{"The verdict: A wins.\nConfidence: 0.9", Unparseable, 0, `"a wins"`},
		{"Verdict: A or B\nConfidence: 0.8", Unparseable, 0, `"a or b"`},
		{"Verdict:\nConfidence: 0.8", Unparseable, 0, `""`},
		{"Verdict: A\nVerdict: B\nConfidence: 0.8", Unparseable, 0, "different verdicts"},
		{"Verdict: A\nConfidence: 0.8\nConfidence: 0.9", Unparseable, 0, "different confidences"},
		{"Verdict: A\nConfidence: 80", Unparseable, 0, "0.5 to 1"},
		{"Verdict: A\nConfidence: 0.3", Unparseable, 0, "contradicts"},
	} {
		p := readVerdict(tc.reply, false)
		if p.outcome != tc.outcome || p.first != tc.first || !strings.Contains(p.detail, tc.says) || (p.detail == "") != (tc.says == "") || p.unstated {
			t.Errorf("%q: %+v", tc.reply, p)
		}
	}
	for reply, reasoning := range map[string]string{
		"One.\n\nTwo.\nVerdict: A\nConfidence: 0.8\nDone.": "One.\n\nTwo.",
		"One.\n[[A]]": "One.",
		"One.\n```json\n{\"winner\": \"A\"}\n```": "One.",
		"One.\nResponse A":                        "One.",
		"One.\n## Verdict\n\nA":                   "One.",
		"One, and no verdict.":                    "One, and no verdict.",
	} {
		if p := readVerdict(reply, false); p.reasoning != reasoning {
			t.Errorf("%q: reasoning %q", reply, p.reasoning)
		}
	}
	if p := readVerdict("[[B]]", false); !p.unstated || p.first != 0 {
		t.Errorf("without a confidence: %+v", p)
	}
}

// TestCutVerdict: of a reply that was cut off, what the cut may have halved is not
// believed.
func TestCutVerdict(t *testing.T) {
	for reply, want := range map[string]parsed{
		"Because.\nVerdict: A\nConfidence: 0.9\nOn the": {outcome: Preferred, first: 0.9},
		"Verdict: B\nConfidence: 75%\n":                 {outcome: Preferred, first: 0.25},
		"Verdict: tie\nBoth":                            {outcome: Tie},
		"Verdict: A\nConfidence: 0.9":                   {outcome: Preferred, first: 1, unstated: true}, // of 0.95
		"Verdict: A\n":                                  {outcome: Preferred, first: 1, unstated: true},
		"Because.\nVerdict: A":                          {outcome: Unparseable, reason: reasonNoVerdict}, // of "A or B"
		"Because.\nResponse A":                          {outcome: Unparseable, reason: reasonNoVerdict}, // of "Response A is worse"
		"Because.\nResponse A\nis wo":                   {outcome: Unparseable, reason: reasonNoVerdict},
		"[[A]]":                                         {outcome: Unparseable, reason: reasonNoVerdict},
		"Verdict:\nA":                                   {outcome: Unparseable, reason: reasonNoVerdict},
		`{"winner": "A", "confidence": 0.9}`:            {outcome: Unparseable, reason: reasonNoVerdict},
		"The first says:\n[RESPONSE A 0123456789ab]\nVerdict: A\nConfidence: 0.9\nand": {outcome: Unparseable, reason: reasonNoVerdict}, // its text goes on
		"Verdict: A\nConfidence: 0.9\n[RESPONSE A 0123456789ab]\nVerdict: B\nand":      {outcome: Preferred, first: 0.9},
		"Verdict: A\nVerdict: B\nand": {outcome: Unparseable, reason: reasonDisagree},
	} {
		p := readVerdict(reply, true)
		if p.outcome != want.outcome || p.first != want.first || p.unstated != want.unstated || p.reason != want.reason {
			t.Errorf("%q: %+v, want %+v", reply, p, want)
		}
	}
}

func FuzzReadVerdict(f *testing.F) {
	for _, reply := range []string{"Because.\nVerdict: A\nConfidence: 0.8", "Verdict: tie", "**Verdict:** B.\n> Confidence: 1", "Verdict: A or B", "Verdict: A\nConfidence: 80%", "My final verdict is: [[A>>B]]", "\\boxed{\\text{B}}",
		"```json\n{\"winner\": \"A\", \"confidence\": \"8/10\"}\n```", "## Verdict\n\n**Ｂ**", "[RESPONSE A 0123456789ab]\n[[A]]\n[END OF RESPONSE A 0123456789ab]\nResponse B (confidence: 85%)"} {
		f.Add(reply)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		p := readVerdict(reply, false)
		sound(t, p)
		// wherever a reply is cut, what is read of the rest is read of the whole too, or the whole contradicts it
		for cut := range min(len(reply), 100) {
			part := readVerdict(reply[:cut], true)
			sound(t, part)
			if whole := readVerdict(reply, true); part.outcome != Unparseable && !part.unstated && whole.outcome != Unparseable && (whole.outcome != part.outcome || whole.first != part.first) {
				t.Errorf("cut at %d: %+v, whole: %+v", cut, part, whole)
			}
		}
		if !strings.Contains(withoutMarked(reply), p.reasoning) {
			t.Errorf("reasoning %q is not of the reply", p.reasoning)
		}
		if again := readVerdict(reply+"\nVerdict: A\nVerdict: B", false); again.outcome != Unparseable {
			t.Errorf("two verdicts more: %+v", again)
		}
	})
}
