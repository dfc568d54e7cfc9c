package verify

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"laurel/data"
	"laurel/data/tokenizer"
	"laurel/scoring"
)

// twoTurns is what every chat template must be able to write.
var twoTurns = []data.Message{{Role: "user", Content: "Which planet is nearest to the sun?"}, {Role: "assistant", Content: "Mercury is."}}

// checkTemplate renders a conversation, and tells whether the template writes
// the BOS token itself.
func checkTemplate(s *subject) Check {
	switch {
	case s.tokenizer == nil:
		return skipped("the tokenizer does not load")
	case !s.tokenizer.HasTemplate() && s.weights != nil && s.weights.Causal():
		return warning("put the chat template of training beside it as chat_template.jinja",
			"a decoder without one: servers refuse messages; laurel writes them as an HH transcript")
	case !s.tokenizer.HasTemplate():
		return ok("none, as usual for an encoder: laurel writes messages as an HH transcript")
	}
	const fix = "repair the template: chat_template.jinja, or chat_template in tokenizer_config.json"
	text, err := s.tokenizer.Render(twoTurns, false)
	if err != nil {
		return failed(fix, "a conversation of two turns does not render: %v", err)
	}
	for _, m := range twoTurns {
		if !strings.Contains(text, m.Content) {
			return failed(fix, "the %s's turn is not in what the template renders", m.Role)
		}
	}
	bare, err := s.tokenizer.EncodeBare(text, 0, tokenizer.Left)
	if err != nil {
		return failed(fix, "what it renders does not tokenize: %v", err)
	}
	if s.model == nil {
		return ok("a conversation of two turns renders; %s", s.bosOf(bare.IDs))
	}
	specials, date := s.model.TemplateWarning(), s.model.DateWarning()
	const dated = "laurel export --template-date with the date of training writes a directory that records it"
	switch {
	case specials != "" && date != "":
		return warning(fix+"; "+dated, "%s\n%s", specials, date)
	case specials != "":
		return warning(fix, "%s", specials)
	case date != "":
		return warning(dated, "%s", date)
	case s.model.TemplateDate() == "":
		return ok("a conversation of two turns renders; %s", s.bosOf(bare.IDs))
	}
	return ok("a conversation of two turns renders, with %s for today; %s", s.model.TemplateDate(), s.bosOf(bare.IDs))
}

// bosOf tells who writes the token that begins a sequence: the template, whose
// ids are given, or the tokenizer.
func (s *subject) bosOf(rendered []int32) string {
	prefix, _ := s.tokenizer.Specials()
	bos, has := s.tokenizer.BOSID()
	switch {
	case !has && len(prefix) == 0:
		return "there is no BOS token"
	case len(prefix) > 0 && len(rendered) >= len(prefix) && slices.Equal(rendered[:len(prefix)], prefix):
		return "it writes BOS itself, so that tokenizing its text with add_special_tokens=True gives BOS twice"
	case has && len(rendered) > 0 && rendered[0] == bos:
		return "it writes BOS itself, and the tokenizer adds none"
	case len(prefix) > 0:
		return "it writes no BOS, the tokenizer adds it where add_special_tokens=True"
	}
	return "neither it nor the tokenizer writes BOS"
}

// near tells whether two rewards are within a tolerance, absolute, or relative
// where they are above one.
func near(a, b float32, tolerance float64) bool {
	return math.Abs(float64(a)-float64(b)) <= tolerance*max(1, math.Abs(float64(b)))
}

// checkGolden tokenizes and scores again what export scored.
func checkGolden(s *subject) Check {
	if why := s.cannotScore(); why != "" {
		return skipped(why)
	}
	g, err := scoring.ReadGolden(s.source.Dir)
	switch {
	case err != nil:
		return failed("export the model anew, or fetch the file again", "%v", err)
	case g == nil:
		return warning("laurel export stores one", "no golden vector (laurel_golden.json): nothing to hold the rewards to")
	}
	var wrong []string
	for _, c := range g.Cases {
		if err := s.model.CheckIDs(c.IDs); err != nil {
			return failed("export the model anew", "case %s: %v", c.Name, err)
		}
		if why := s.compareIDs(g, c); why != "" {
			wrong = append(wrong, why)
		}
	}
	logits, err := s.scorer.ScoreBatch(g.IDs())
	if err != nil {
		return failed("", "%v", err)
	}
	worst := 0.0
	for i, c := range g.Cases {
		worst = max(worst, math.Abs(float64(logits[i])-float64(*c.Logit)))
		if !near(logits[i], *c.Logit, scoring.GoldenTolerance) {
			wrong = append(wrong, fmt.Sprintf("case %s: the reward is %v, at export it was %v", c.Name, logits[i], *c.Logit))
		}
	}
	if len(wrong) > 0 {
		return failed("the files are not those that were exported (or "+g.Backend+" computed otherwise): export anew and compare",
			"%s", strings.Join(wrong, "\n"))
	}
	return ok("%d texts: ids as at export, rewards within %.1e of it (%s, laurel %s)", len(g.Cases), worst, g.Backend, g.Laurel)
}

// compareIDs tokenizes a golden case again.
func (s *subject) compareIDs(g *scoring.Golden, c scoring.GoldenCase) string {
	side, _ := tokenizer.ParseSide(g.TruncationSide) // read checked it
	ids, err := c.Encode(s.model, g.MaxLength, side)
	if err != nil {
		return fmt.Sprintf("case %s: %v", c.Name, err)
	}
	if slices.Equal(ids, c.IDs) {
		return ""
	}
	at := 0
	for at < min(len(ids), len(c.IDs)) && ids[at] == c.IDs[at] {
		at++
	}
	return fmt.Sprintf("case %s: the tokenizer gives %d ids, at export it gave %d; the first to differ is number %d", c.Name, len(ids), len(c.IDs), at)
}

// batchTolerance is what the order of float32 sums may change.
const batchTolerance = 1e-5

// checkBatch scores texts alone, padded beside longer ones, and in another
// order: padding or neighbours must not reach a reward.
func checkBatch(s *subject) Check {
	if why := s.cannotScore(); why != "" {
		return skipped(why)
	}
	cases, err := s.model.GoldenCases()
	if err != nil {
		return failed("", "%v", err)
	}
	ids := (&scoring.Golden{Cases: cases}).IDs()
	alone := make([]float32, len(ids))
	for i := range ids {
		one, err := s.scorer.ScoreBatch(ids[i : i+1])
		if err != nil {
			return failed("", "%v", err)
		}
		alone[i] = one[0]
	}
	together, err := s.scorer.ScoreBatch(ids)
	if err != nil {
		return failed("", "%v", err)
	}
	slices.Reverse(ids)
	reversed, err := s.scorer.ScoreBatch(ids)
	if err != nil {
		return failed("", "%v", err)
	}
	slices.Reverse(reversed)
	return compareBatches(cases, alone, together, reversed)
}

func compareBatches(cases []scoring.GoldenCase, alone, together, reversed []float32) Check {
	worst, wrong := 0.0, []string(nil)
	for i, c := range cases {
		for _, other := range []float32{together[i], reversed[i]} {
			worst = max(worst, math.Abs(float64(other)-float64(alone[i])))
		}
		switch {
		case !near(together[i], alone[i], batchTolerance):
			wrong = append(wrong, fmt.Sprintf("case %s: %v alone, %v beside longer texts", c.Name, alone[i], together[i]))
		case !near(reversed[i], alone[i], batchTolerance):
			wrong = append(wrong, fmt.Sprintf("case %s: %v alone, %v in another order", c.Name, alone[i], reversed[i]))
		}
	}
	if len(wrong) > 0 {
		return failed("score on another backend (--backend) to tell the model's part from the machine's; score texts one by one until then",
			"rewards depend on what is scored beside them:\n%s", strings.Join(wrong, "\n"))
	}
	return ok("%d texts alone, padded beside longer ones, and in another order: rewards within %.1e", len(cases), worst)
}

// checkSpecials scores texts with and without the special tokens that the
// tokenizer puts around a text: servers do either.
func checkSpecials(s *subject) Check {
	prefix, suffix := s.tokenizerSpecials()
	if why := s.cannotScore(); why != "" {
		return skipped(why)
	}
	if len(prefix)+len(suffix) == 0 {
		return ok("the tokenizer adds none: add_special_tokens=True and False are the same")
	}
	var with, without [][]int32
	for _, c := range scoring.GoldenTexts() {
		full, errFull := s.tokenizer.EncodeText(c.Text, s.model.GoldenLength(), s.model.Side)
		bare, errBare := s.tokenizer.EncodeBare(c.Text, s.model.GoldenLength(), s.model.Side)
		if c.Messages != nil || errFull != nil || errBare != nil || len(bare.IDs) == 0 {
			continue
		}
		with, without = append(with, full.IDs), append(without, bare.IDs)
	}
	if len(with) == 0 {
		return skipped("no text yields tokens without special tokens")
	}
	a, err := s.scorer.ScoreBatch(with)
	if err != nil {
		return failed("", "%v", err)
	}
	b, err := s.scorer.ScoreBatch(without)
	if err != nil {
		return failed("", "%v", err)
	}
	return s.compareSpecials(a, b, len(prefix), len(suffix))
}

func (s *subject) tokenizerSpecials() (prefix, suffix []int32) {
	if s.tokenizer == nil {
		return nil, nil
	}
	return s.tokenizer.Specials()
}

// What servers pass as add_special_tokens.
const (
	serversWith    = "add_special_tokens=True (RewardBench, vLLM's input)"
	serversWithout = "False (TRL's GRPO, OpenRLHF, vLLM's messages)"
)

func (s *subject) compareSpecials(with, without []float32, before, after int) Check {
	worst, sum := 0, 0.0
	for i := range with {
		difference := math.Abs(float64(with[i]) - float64(without[i]))
		sum += difference
		if difference > math.Abs(float64(with[worst])-float64(without[worst])) {
			worst = i
		}
	}
	trained, meant := "how it was trained is not recorded (laurel scores with them)", "laurel's"
	if s.weights.Config.Recorded.MaxLength > 0 {
		trained, meant = "it was trained with them, as laurel always does", "those of training"
	}
	detail := fmt.Sprintf("the tokenizer puts %d before and %d after a text; %s\n"+
		"without them %d rewards change by %.3g on average, at most from %.4f to %.4f\n"+
		"a server with %s gives rewards that are %s, one with %s others",
		before, after, trained, len(with), sum/float64(len(with)), with[worst], without[worst], serversWith, meant, serversWithout)
	if near(without[worst], with[worst], batchTolerance) {
		return ok("%s", detail)
	}
	return warning("where a server takes False, give it ids or text that holds the special tokens (a chat template that writes them), or take rewards from laurel",
		"%s", detail)
}
