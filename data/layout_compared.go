package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

func text(name string) *Field   { return &Field{Name: name} }
func turns(name string) *Field  { return &Field{Name: name, Holds: HoldsMessages} }
func number(name string) *Field { return &Field{Name: name, Holds: HoldsNumber} }
func word(name string) *Field   { return &Field{Name: name, Holds: HoldsName} }
func list(name string) *Field   { return &Field{Name: name, Holds: HoldsList} }
func value(name string) *Field  { return &Field{Name: name, Holds: HoldsAny} }

// comparedLayouts have two responses and say in some way which is better.
func comparedLayouts() []*layout {
	return []*layout{
		signedLayout("helpsteer2", text("prompt"), text("response_1"), text("response_2"), number("preference_strength"), ""),
		signedLayout("helpsteer3", turns("context"), text("response1"), text("response2"), number("overall_preference"), "domain"),
		shpLayout(), pkuLayout("pku-saferlhf", "better_response_id", false), pkuLayout("pku-saferlhf-safer", "safer_response_id", true),
		alpacaEvalLayout(), webGPTLayout(), arenaLayout(), arena55Layout(), summaryLayout(), stepLayout(),
		namedLayout("judgebench", text("question"), text("response_A"), text("response_B"), value("label"), []string{"A>B", "B>A", "A=B"}),
		namedLayout("ppe", text("prompt"), text("response_1"), text("response_2"), value("winner"), []string{"model_a", "model_b", "tie", "tie (bothbad)"}),
		namedLayout("offsetbias", text("instruction"), text("output_1"), text("output_2"), value("label"), []string{"1", "2"}),
		namedLayout("llmbar", text("input"), text("output_1"), text("output_2"), value("label"), []string{"1", "2"}),
	}
}

// compared is a ranking of two: first says that a is the better one.
func compared(prompt, a, b *Field, better float64) (r ranking, bad *Problem) {
	r.sure = 1
	if r.prompt, bad = prompt.promptText(); bad != nil {
		return r, bad
	}
	for i, f := range []*Field{a, b} {
		t, bad := f.Text()
		if bad != nil {
			return r, bad
		}
		r.answers = append(r.answers, answer{text: t, column: f.Column, score: better * float64(1-2*i) / 2})
	}
	return r, nil
}

// signedLayout is HelpSteer's: the preference is from -3 (the first response is
// much better) to 3 (the second is); 0 is a tie. Its size is the margin.
func signedLayout(name string, prompt, a, b, preference *Field, subset string) *layout {
	group := word(subset)
	l := &layout{name: name, needs: []*Field{prompt, a, b, preference},
		says: fmt.Sprintf("%s from -3 (%s) to 3 (%s), 0 a tie; margin = its size", preference.Name, a.Name, b.Name)}
	if subset != "" {
		l.may = []*Field{group}
	}
	l.read = func() (ranking, *Problem) {
		strength, bad := preference.Number(math.NaN())
		if bad != nil {
			return ranking{}, bad
		}
		if !(strength >= -3 && strength <= 3) {
			return ranking{}, preference.Problem(ReasonLabel, "%v where a number from -3 to 3 should be", strength)
		}
		r, bad := compared(prompt, a, b, -strength)
		if bad == nil {
			bad = r.steered(prompt)
		}
		if r.margins = true; bad == nil {
			bad = Words(Word{group, &r.subset})
		}
		return r, bad
	}
	return l
}

// namedLayout has a column that names the better response by one of two values; the
// further ones are ties.
func namedLayout(name string, prompt, a, b, better *Field, values []string) *layout {
	says := fmt.Sprintf("prompt = %s; %s %s: %s is chosen, %s: %s", prompt.Name, better.Name, values[0], a.Name, values[1], b.Name)
	if len(values) > 2 {
		says += "; " + strings.Join(values[2:], ", ") + ": a tie"
	}
	input, subset, id := text("input"), word("source"), word("pair_id")
	may := []*Field{subset, id}
	if prompt.Name == "instruction" {
		may = append(may, input)
	}
	return &layout{name: name, needs: []*Field{prompt, a, b, better}, may: may, says: says,
		read: func() (ranking, *Problem) {
			side, bad := sideOf(better, values)
			if bad != nil {
				return ranking{}, bad
			}
			r, bad := compared(prompt, a, b, side)
			if bad != nil {
				return r, bad
			}
			r.prompt.Plain = lines(r.prompt.Plain, input.Cell.Text)
			return r, Words(Word{subset, &r.subset}, Word{id, &r.id})
		}}
}

// sideOf is 1 for the first of the values, -1 for the second, 0 for the others.
func sideOf(f *Field, values []string) (float64, *Problem) {
	switch at := slices.Index(values, digits(f.Cell.scalar())); {
	case at < 0:
		return 0, f.Problem(ReasonLabel, "%q where one of %s should be", Clip(f.Cell.scalar(), 20), strings.Join(values, ", "))
	case at < 2:
		return float64(1 - 2*at), nil
	}
	return 0, nil
}

// stepLayout is xinlai/Math-Step-DPO-10K (Lai et al., 2024): chosen and rejected
// are the next step of a solution, after steps that both share.
func stepLayout() *layout {
	prompt, before, a, b := text("prompt"), text("initial_reason_steps"), text("chosen"), text("rejected")
	return &layout{name: "step-dpo", beside: true, needs: []*Field{prompt, before, a, b},
		says: "a response is initial_reason_steps with the step of chosen or rejected after it; full_chosen and full_rejected are not read",
		read: func() (ranking, *Problem) {
			r, bad := compared(prompt, a, b, 1)
			if bad != nil || before.Cell.Absent() {
				return r, bad
			}
			steps, bad := before.Text()
			for i := range r.answers {
				if r.answers[i].text.blank() {
					return r, response(r.answers[i].text, r.answers[i].column)
				}
				r.answers[i].text.Plain = steps.Plain + r.answers[i].text.Plain
			}
			return r, bad
		}}
}

// shpLayout is stanfordnlp/SHP: labels is 1 where the community prefers A.
func shpLayout() *layout {
	history, a, b, label := text("history"), text("human_ref_A"), text("human_ref_B"), number("labels")
	id, domain := word("post_id"), word("domain")
	return &layout{name: "shp", needs: []*Field{history, a, b, label}, may: []*Field{id, domain},
		says: "prompt = history; labels 1: human_ref_A is chosen, 0: human_ref_B; upvotes are no margins",
		read: func() (ranking, *Problem) {
			better, bad := either(label, "1", "0")
			if bad != nil {
				return ranking{}, bad
			}
			r, bad := compared(history, a, b, better)
			if bad == nil {
				bad = Words(Word{domain, &r.subset}, Word{id, &r.id})
			}
			return r, bad
		}}
}

// either is 1 for the value that stands for the first response, and -1 for
// that of the second.
func either(f *Field, first, second string) (float64, *Problem) {
	switch value := digits(f.Cell.scalar()); value {
	case first:
		return 1, nil
	case second:
		return -1, nil
	default:
		return 0, f.Problem(ReasonLabel, "%q where %s or %s should be", Clip(value, 20), first, second)
	}
}

// digits is a whole number without a fraction of zeros, as tables with nulls
// have them; any other value is itself.
func digits(value string) string {
	if x, err := strconv.ParseFloat(value, 64); err == nil && x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return strconv.FormatInt(int64(x), 10)
	}
	return value
}

// pkuLayout is PKU-Alignment's: an id, 0 or 1, of the better response.
func pkuLayout(name, by string, unsure bool) *layout {
	prompt, a, b, better := text("prompt"), text("response_0"), text("response_1"), value(by)
	return &layout{name: name, unsure: unsure, needs: []*Field{prompt, a, b, better},
		says: by + " 0: response_0 is chosen, 1: response_1 (--from pku-saferlhf goes by better_response_id, pku-saferlhf-safer by safer_response_id)",
		read: func() (ranking, *Problem) {
			side, bad := either(better, "0", "1")
			if bad != nil {
				return ranking{}, bad
			}
			return compared(prompt, a, b, side)
		}}
}

// alpacaEvalLayout is the annotations of alpaca_eval: the preference is 1 plus
// the probability that the second output is the better one.
func alpacaEvalLayout() *layout {
	prompt, a, b, preference := text("instruction"), text("output_1"), text("output_2"), number("preference")
	input := text("input")
	return &layout{name: "alpaca_eval", needs: []*Field{prompt, a, b, preference}, may: []*Field{input},
		says: "prompt = instruction, with input on a line of its own where there is one; preference from 1 (output_1) to 2 (output_2), 1.5 a tie; confidence = how near it is to its side",
		read: func() (ranking, *Problem) {
			p, bad := preference.Number(math.NaN())
			if bad != nil {
				return ranking{}, bad
			}
			if !(p >= 1 && p <= 2) {
				return ranking{}, preference.Problem(ReasonLabel, "%v where a number from 1 to 2 should be", p)
			}
			r, bad := compared(prompt, a, b, 3-2*p)
			if r.sure = 0.5 + math.Abs(p-1.5); strings.TrimSpace(input.Cell.Text) != "" {
				r.prompt.Plain += "\n" + input.Cell.Text
			}
			return r, bad
		}}
}

// webGPTLayout is openai/webgpt_comparisons: two scores, the higher the better.
func webGPTLayout() *layout {
	prompt, a, b := text("question.full_text"), text("answer_0"), text("answer_1")
	scoreA, scoreB := number("score_0"), number("score_1")
	return &layout{name: "webgpt", needs: []*Field{prompt, a, b, scoreA, scoreB},
		says: "prompt = question.full_text; of answer_0 and answer_1 that of the higher score is chosen",
		read: func() (ranking, *Problem) {
			x, bad := scoreA.Number(math.NaN())
			if bad != nil {
				return ranking{}, bad
			}
			y, bad := scoreB.Number(math.NaN())
			if bad != nil {
				return ranking{}, bad
			}
			if math.IsNaN(x) || math.IsNaN(y) {
				return ranking{}, scoreA.Problem(ReasonLabel, "a score is null")
			}
			return compared(prompt, a, b, x-y)
		}}
}

// arenaLayout is lmsys/chatbot_arena_conversations: two whole conversations.
func arenaLayout() *layout {
	a, b, winner := turns("conversation_a"), turns("conversation_b"), word("winner")
	id, turn := word("question_id"), number("turn")
	d := Dialogue{Prompt: &Field{}, A: a, B: b}
	return &layout{name: "arena", needs: []*Field{a, b, winner}, may: []*Field{id, turn},
		says: "winner model_a or model_b, of the answers up to turn where there is one; the prompt is what both conversations share",
		read: func() (r ranking, bad *Problem) {
			better, bad := winnerOf(winner)
			if bad != nil {
				return r, bad
			}
			for _, side := range []*Field{a, b} {
				if bad := upToTurn(&side.Cell, turn); bad != nil {
					return r, bad
				}
			}
			prompt, x, y, bad := d.Read()
			if bad != nil {
				return r, bad
			}
			r = ranking{prompt: prompt, sure: 1, answers: []answer{{x, better, a.Column}, {y, -better, b.Column}}}
			return r, Words(Word{id, &r.id})
		}}
}

// upToTurn cuts a conversation behind the answer to its n-th question, which was
// judged (MT-bench judges both, in rows of their own).
func upToTurn(conversation *Cell, turn *Field) *Problem {
	n, bad := turn.Number(math.Inf(1))
	if bad != nil {
		return bad
	}
	if n < 1 {
		return turn.Problem(ReasonLabel, "%v where a turn, from 1, should be", n)
	}
	questions := 0.0
	for i := range conversation.Items {
		if role, _ := turnOf(&conversation.Items[i]); role.Text == "user" || role.Text == "human" {
			questions++
		}
		if questions > n {
			conversation.Items = conversation.Items[:i]
			break
		}
	}
	return nil
}

func winnerOf(f *Field) (float64, *Problem) {
	switch value := strings.ToLower(f.Cell.scalar()); {
	case value == "model_a", value == "a":
		return 1, nil
	case value == "model_b", value == "b":
		return -1, nil
	case strings.HasPrefix(value, "tie"), value == "both_bad", value == "bothbad":
		return 0, nil
	default:
		return 0, f.Problem(ReasonLabel, "%q where model_a, model_b or tie should be", Clip(value, 20))
	}
}

// arena55Layout is lmsys-arena-human-preference-55k: one column of 0 and 1 for
// each outcome, texts that are JSON lists of the turns of each side.
func arena55Layout() *layout {
	prompt, a, b := text("prompt"), text("response_a"), text("response_b")
	winA, winB, tie := number("winner_model_a"), number("winner_model_b"), number("winner_tie")
	return &layout{name: "arena-55k", needs: []*Field{prompt, a, b, winA, winB, tie},
		chatty: true,
		says:   "winner_model_a, winner_model_b, winner_tie; texts that are JSON lists are the turns",
		read: func() (r ranking, bad *Problem) {
			x, bad := winA.Number(0)
			if bad != nil {
				return r, bad
			}
			y, bad := winB.Number(0)
			if bad != nil {
				return r, bad
			}
			return arena55(prompt, a, b, x-y)
		}}
}
