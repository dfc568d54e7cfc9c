package verify

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"laurel/eval/stats"
)

// said is what a reading means for whoever runs the server, and what mends it.
var said = [readings]struct{ looks, fix string }{
	once: {"the model's rewards", ""},
	none: {"rewards of texts without the tokenizer's special tokens (BOS, [CLS], [SEP])",
		"have the server tokenize with add_special_tokens true, or send texts that hold them"},
	twice: {"rewards of texts with the special tokens twice (BOS or [CLS] doubled)",
		"send the text without its BOS, or add_special_tokens false where a chat template has written it"},
	rendered: {"rewards of texts with no special tokens but those that the chat template writes",
		"have the chat template write all that the model was trained with, or take these rewards from laurel"},
	otherEnd: {"rewards of texts that are cut at the other end", "have the server cut at the model's side: TEI by truncation_direction, vLLM by truncation_side in requests (its own is right, whatever tokenizer_config.json says)"},
	uncut:    {"rewards of texts that are not cut", "set the server's maximum length (max_model_len, --max_len, model_max_length) to the model's max_length"},
	separated: {"rewards of a prompt and a response with a [SEP] between them, as of a cross-encoder",
		"join prompt and response and ask /classify: the model was trained on them as one text"},
	sliced: {"rewards of texts whose special tokens are cut off with the rest",
		"vLLM cuts so at the left: cut texts before they are sent, or have laurel serve the model"},
	untemplated: {"rewards of prompt and response joined as they stand, without the chat template", pairFix},
	apart:       {"rewards of prompt and response tokenized apart, without special tokens", pairFix},
	apartWith:   {"rewards of prompt and response tokenized apart, each with its special tokens", pairFix},
}

// vLLM's /score makes a cross-encoder's pair of them, and renders no conversation.
const pairFix = "ask /classify or /pooling with prompt and response as one text, or as messages where the model was trained on conversations"

// The servers' other ways to make a number of a logit.
const sigmoidFix = `vLLM: "use_activation": false in requests; any server: "problem_type": "regression" in config.json, which laurel export writes`

func identity(x float64) float64 { return x }

// comparison is a server's rewards against the model's.
type comparison struct {
	asked    []replay
	got      []float64
	rewards  [readings][]float64 // NaN where a reading is none of a text
	expected []float64
	within   float64 // tolerance, absolute, relative above one
	sides    bool    // the server was given prompt and response apart
}

// diagnose tells what a server's rewards are: the model's, or what else.
func (l *local) diagnose(d dialect, asked []replay, got []float64) Check {
	c := comparison{asked: asked, got: got, within: l.golden.Tolerance, sides: d.sides}
	for reading := range readings {
		for _, r := range asked {
			reward := math.NaN()
			if r.ids[reading] != nil {
				reward = l.reward(r.ids[reading])
			}
			c.rewards[reading] = append(c.rewards[reading], reward)
		}
	}
	c.expected = c.rewards[once]
	worst := 0.0
	for i := range got {
		worst = max(worst, math.Abs(got[i]-c.expected[i]))
	}
	check := c.verdict(worst)
	check.MaxDifference = &worst
	return check
}

func (c *comparison) verdict(worst float64) Check {
	if _, fits := c.mixed(identity, once); fits {
		return ok("%d texts%s, rewards within %.1e of the golden vector", len(c.got), c.cutTexts(), worst)
	}
	for _, tell := range []func() (Check, bool){c.sigma, c.order, c.readAs, c.constant, c.scaled, c.cutOnly, c.rounded} {
		if check, found := tell(); found {
			check.Detail = fmt.Sprintf("%s\nat most %.3g from the golden vector: %s", check.Detail, worst, c.worstCase())
			return check
		}
	}
	if c.sides {
		return failed(pairFix, "other rewards of prompt and response than of one text%s: vLLM's /score makes a cross-encoder's pair in two segments (token_type_ids) of an encoder's\nat most %.3g from the golden vector: %s",
			c.correlation(), worst, c.worstCase())
	}
	return failed("see that the server loads this model's weights, score head included (a head that is missing is drawn anew at each start), and its tokenizer",
		"rewards of another model or another head: none of what is known to go wrong gives them%s\nat most %.3g from the golden vector: %s",
		c.correlation(), worst, c.worstCase())
}

func (c *comparison) cutTexts() string {
	n := 0
	for _, r := range c.asked {
		if r.cut {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of them cut)", n)
}

func (c *comparison) worstCase() string {
	at := 0
	for i := range c.got {
		if math.Abs(c.got[i]-c.expected[i]) > math.Abs(c.got[at]-c.expected[at]) {
			at = i
		}
	}
	return fmt.Sprintf("%s has %.6g, not %.6g", c.asked[at].name, c.got[at], c.expected[at])
}

// near is false where want is NaN.
func (c *comparison) near(got, want float64) bool {
	return math.Abs(got-want) <= c.within*max(1, math.Abs(want))
}

// mixed tells whether every reward is f of the reading's or of the expected one, and
// of which texts it is the reading's alone.
func (c *comparison) mixed(f func(float64) float64, r reading) (names []string, fits bool) {
	for i, got := range c.got {
		switch {
		case c.near(got, f(c.expected[i])):
		case c.near(got, f(c.rewards[r][i])):
			names = append(names, c.asked[i].name)
		default:
			return nil, false
		}
	}
	return names, true
}

func (c *comparison) sigma() (Check, bool) {
	for r := range readings {
		names, fits := c.mixed(stats.Sigmoid, r)
		if !fits {
			continue
		}
		also := ""
		if len(names) > 0 {
			also = fmt.Sprintf(", and %s: %s", c.of(names), said[r].looks)
		}
		return failed(strings.TrimSuffix(sigmoidFix+"; "+said[r].fix, "; "), "σ of the reward, 1/(1+exp(−x)), not the raw logit%s", also), true
	}
	return Check{}, false
}

// order finds the right rewards in wrong places.
func (c *comparison) order() (Check, bool) {
	got, want := slices.Sorted(slices.Values(c.got)), slices.Sorted(slices.Values(c.expected))
	for i := range got {
		if !c.near(got[i], want[i]) {
			return Check{}, false
		}
	}
	return failed("read the answer's index, or ask one text at a time: the answer must have the order of the request", "the right rewards in a wrong order"), true
}

func (c *comparison) readAs() (Check, bool) {
	for r := once + 1; r < readings; r++ {
		if names, fits := c.mixed(identity, r); fits {
			return failed(said[r].fix, "%s: %s", c.of(names), said[r].looks), true
		}
	}
	return Check{}, false
}

func (c *comparison) of(names []string) string {
	if len(names) == len(c.asked) {
		return "all " + stats.Plural(len(names), "text")
	}
	return fmt.Sprintf("%d of %d texts (%s)", len(names), len(c.asked), strings.Join(names, ", "))
}

func (c *comparison) constant() (Check, bool) {
	if len(c.got) < 2 || slices.Max(c.got)-slices.Min(c.got) > 1e-6 {
		return Check{}, false
	}
	if c.near(c.got[0], 1) {
		return failed(sigmoidFix, "every text gets 1: a softmax over one label"), true
	}
	return failed("see that the server loads the score head", "every text gets %.6g: the server's head is empty", c.got[0]), true
}

// scaled finds rewards that are a·x + b of the model's, as a normalization has them.
func (c *comparison) scaled() (Check, bool) {
	if len(c.got) < 4 {
		return Check{}, false
	}
	b, a := stat.LinearRegression(c.expected, c.got, nil, false)
	for i := range c.got {
		if math.IsNaN(a) || math.Abs(a*c.expected[i]+b-c.got[i]) > c.within*max(1, math.Abs(c.got[i])) || math.Abs(a) < 1e-3 {
			return Check{}, false
		}
	}
	looks, fix := "normalized", "switch the server's normalization off (normalize_reward, mean and std), or take it into account"
	if a < 0 {
		looks, fix = "turned about: the better text gets less", "see that the server's label 0 is the reward, and that nothing negates it"
	}
	return failed(fix, "%.5g·x %+.5g of the model's rewards x: %s", a, b, looks), true
}

// Rounding to bfloat16 is 2⁻⁸ of a number; what it comes to in a reward grows with the
// layers. Differences in float16 or TF32 (2⁻¹¹) are smaller.
const (
	roundedShare = 0.1  // of the rewards' standard deviation, at most, root mean square
	halfShare    = 2e-3 // of a reward, up to which float16 or TF32 explains it
)

// rounded finds a server that computes in lower precision: the differences are small
// beside what tells the texts apart, and no other reading is nearer by half.
func (c *comparison) rounded() (Check, bool) {
	best, least := once, c.distance(once)
	for r := once + 1; r < readings; r++ {
		if distance := c.distance(r); distance < least/2 {
			best, least = r, distance
		}
	}
	if least > roundedShare*stat.PopStdDev(c.rewards[best], nil) {
		return Check{}, false
	}
	kind := "bfloat16"
	if least <= halfShare*max(1, largest(c.expected)) && least <= roundedShare/10*stat.PopStdDev(c.rewards[best], nil) {
		kind = "float16 or TF32"
	}
	if best != once {
		return failed(said[best].fix, "%s, in lower precision (%s)", said[best].looks, kind), true
	}
	return warning("start it in float32 (vLLM: --dtype float32) to hold it to 1e-4, or take such differences as they are",
		"the model's rewards but for rounding: it looks like %s", kind), true
}

// distance is the root mean square of the differences from a reading's rewards,
// infinite where it is none of every text's.
func (c *comparison) distance(r reading) float64 {
	sum := 0.0
	for i, got := range c.got {
		want := c.rewards[r][i]
		if math.IsNaN(want) {
			return math.Inf(1)
		}
		sum += (got - want) * (got - want)
	}
	return math.Sqrt(sum / float64(len(c.got)))
}

// cutOnly finds that only texts differ that are longer than max_length.
func (c *comparison) cutOnly() (Check, bool) {
	var names []string
	for i, r := range c.asked {
		switch {
		case c.near(c.got[i], c.expected[i]):
		case r.cut:
			names = append(names, r.name)
		default:
			return Check{}, false
		}
	}
	return failed("set the server's maximum length and its truncation side to the model's", "%s: rewards of texts that are cut elsewhere; all others are right", c.of(names)), true
}

// correlation is said of two texts or more.
func (c *comparison) correlation() string {
	if len(c.got) < 2 {
		return ""
	}
	return fmt.Sprintf(" (correlation with the model's %.2f)", stat.Correlation(c.expected, c.got, nil))
}

func largest(x []float64) float64 {
	most := 0.0
	for _, value := range x {
		most = max(most, math.Abs(value))
	}
	return most
}
